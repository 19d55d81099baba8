/* SPDX-License-Identifier: MIT */
/* A call that changes mappings: its range and its progress. */
#include "kernel/vm_call.h"

#include "kernel/memory_retry.h"
#include "uapi/vm.h"

status_t vm_call_range(const struct user_frame *frame, struct vm_call *call)
{
    status_t status =
        vm_args_make(user_frame_arg(frame, VM_ARG_ADDRESS), user_frame_arg(frame, VM_ARG_BYTES),
                     user_frame_arg(frame, call->progress_arg), vm_space_user_limit(), &call->args);

    return status == OK ? vm_target_enter(&call->target) : status;
}

struct va_range vm_call_step(const struct vm_call *call, uint64_t max_bytes)
{
    uint64_t rest = call->args.bytes - call->args.progress_bytes;
    vaddr_t start = vaddr_add(call->args.range.start, call->args.progress_bytes);

    return (struct va_range){start, vaddr_add(start, rest < max_bytes ? rest : max_bytes)};
}

void vm_call_progress_to(struct vm_call *call, vaddr_t va)
{
    call->args.progress_bytes = va.raw - call->args.range.start.raw;
}

bool vm_call_is_complete(const struct vm_call *call)
{
    return call->args.progress_bytes == call->args.bytes;
}

status_t vm_call_open(const struct vm_call *call, enum vm_cursor_mode mode, uint64_t max_bytes,
                      unsigned max_tables, struct vm_cursor *cursor)
{
    return vm_cursor_open_bounded(cursor, call->target.space, vm_call_step(call, max_bytes), mode,
                                  max_tables);
}

void vm_call_close(struct vm_call *call, struct vm_cursor *cursor)
{
    vm_call_progress_to(call, vm_cursor_va(cursor));
    vm_cursor_close(cursor);
}

enum verdict vm_call_end(struct user_frame *frame, status_t status, struct vm_call *call)
{
    bool counts = call->tells == VM_CALL_TELLS_COUNT;
    bool tries_again = memory_retry(call->target.space, status);

    vm_target_put(&call->target);
    if (tries_again || (status == OK && !vm_call_is_complete(call))) {
        user_frame_set_arg(frame, call->progress_arg, call->args.progress_bytes);
        if (counts) {
            user_frame_set_arg(frame, call->progress_arg + 1, call->count);
        }
        return VERDICT_RESTART;
    }
    return syscall_done_with(frame, status, counts ? call->count : call->args.progress_bytes);
}

uint64_t vm_call_kind(enum vm_item_kind kind)
{
    switch (kind) {
    case VM_ITEM_ABSENT:
        return VM_KIND_ABSENT;
    case VM_ITEM_RAM:
        return VM_KIND_RAM;
    case VM_ITEM_IO:
        return VM_KIND_IO;
    case VM_ITEM_RESERVED:
        return VM_KIND_RESERVED;
    case VM_ITEM_GUARD:
        return VM_KIND_GUARD;
    case VM_ITEM_HIDDEN:
        return VM_KIND_HIDDEN;
    case VM_ITEM_PAGED:
        return VM_KIND_PAGED;
    case VM_ITEM_SWAPPED:
        return VM_KIND_SWAPPED;
    }
    return VM_KIND_ABSENT;
}

uint64_t vm_call_flags(const struct vm_item *item)
{
    switch (item->kind) {
    case VM_ITEM_IO:
        return item->prop.mem == VM_MEM_NC ? VM_STATE_UNCACHED : 0;
    case VM_ITEM_ABSENT:
    case VM_ITEM_GUARD:
        return 0;
    case VM_ITEM_RAM:
    case VM_ITEM_HIDDEN:
    case VM_ITEM_RESERVED:
    case VM_ITEM_PAGED:
    case VM_ITEM_SWAPPED:
        break;
    }
    if (item->kind == VM_ITEM_RESERVED && item->page_level != 0) {
        return VM_STATE_PRIVATE | (item->page_level == 1 ? VM_STATE_2M : VM_STATE_1G);
    }
    if (item->share == VM_SHARE_NONE) {
        return VM_STATE_PRIVATE;
    }
    return item->share == VM_SHARE_VIEW ? VM_STATE_VIEW : 0;
}
