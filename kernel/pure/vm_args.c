/* SPDX-License-Identifier: MIT */
/* Checks of the arguments of virtual-memory calls. */
#include "kernel/vm_args.h"

#include "uapi/vm.h"

_Static_assert(VM_PAGE_SIZE == PAGE_SIZE, "programs and the kernel agree on pages");
_Static_assert(VM_PROT_R == VM_R && VM_PROT_W == VM_W && VM_PROT_X == VM_X,
               "permissions have the same bits on both sides");

status_t vm_args_check_bytes(uint64_t address, uint64_t bytes, vaddr_t limit)
{
    uint64_t end;
    status_t status = checked_add(address, bytes, &end);

    if (status != OK) {
        return status;
    }
    return end <= limit.raw ? OK : ERR_RANGE;
}

status_t vm_args_make(uint64_t address, uint64_t bytes, uint64_t progress, vaddr_t limit,
                      struct vm_args *out)
{
    if (!is_aligned(address | bytes | progress, PAGE_SIZE) || bytes == 0 || progress > bytes) {
        return ERR_INVAL;
    }
    status_t status = vm_args_check_bytes(address, bytes, limit);

    if (status != OK) {
        return status;
    }
    out->range.start = (vaddr_t){address};
    out->range.end = (vaddr_t){address + bytes};
    out->bytes = bytes;
    out->progress_bytes = progress;
    return OK;
}

status_t vm_args_prot_or_none(uint64_t prot, enum vm_prot *out)
{
    if (prot > VM_RWX || (prot & (VM_R | VM_W)) == VM_W) {
        return ERR_INVAL;
    }
    *out = (enum vm_prot)prot;
    return OK;
}

status_t vm_args_prot(uint64_t prot, enum vm_prot *out)
{
    return prot == VM_PROT_NONE ? ERR_INVAL : vm_args_prot_or_none(prot, out);
}

status_t vm_args_page_level(uint64_t flags, uint64_t others, unsigned *level)
{
    uint64_t sizes = flags & (VM_FLAG_2M | VM_FLAG_1G);

    if ((flags & ~(others | VM_FLAG_2M | VM_FLAG_1G)) != 0 || sizes == (VM_FLAG_2M | VM_FLAG_1G)) {
        return ERR_INVAL;
    }
    *level = sizes == 0 ? 0 : (sizes == VM_FLAG_2M ? 1 : 2);
    return OK;
}
