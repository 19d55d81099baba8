/* SPDX-License-Identifier: MIT */
/* Decoding what a program wants addresses to mean. */
#include "kernel/mark_args.h"

#include "kernel/handle.h"
#include "kernel/memory_object.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/vm_args.h"
#include "uapi/vm.h"

static status_t decode_kind(uint64_t kind, uint64_t prot, struct vm_mark *mark)
{
    switch (kind) {
    case VM_KIND_RESERVED:
        mark->kind = VM_ITEM_RESERVED;
        return vm_args_prot_or_none(prot, &mark->prot);
    case VM_KIND_GUARD:
        mark->kind = VM_ITEM_GUARD;
        mark->prot = VM_PROT_NONE;
        return prot == VM_PROT_NONE ? OK : ERR_INVAL;
    default:
        return ERR_INVAL;
    }
}

status_t mark_args_plain(uint64_t kind, uint64_t prot, uint64_t flags, struct mark_args *out)
{
    status_t status = decode_kind(kind, prot, &out->mark);

    if (status == OK) {
        status = vm_args_page_level(flags, VM_FLAG_REPLACE, &out->mark.page_level);
    }
    if (status == OK && out->mark.page_level != 0 && out->mark.kind != VM_ITEM_RESERVED) {
        status = ERR_INVAL;
    }
    out->mode = (flags & VM_FLAG_REPLACE) != 0 ? VM_MAP_REPLACE : VM_MAP_EXCLUSIVE;
    return status;
}

/* Whose the pages are, by the flags and by what the handle says. */
static status_t decode_share(struct vm_mark *mark, uint64_t flags, uint32_t rights)
{
    if ((flags & VM_FLAG_PRIVATE) != 0) {
        mark->share = VM_SHARE_NONE;
        return OK;
    }
    mark->share = (rights & RIGHT_WRITE) != 0 ? VM_SHARE_ALL : VM_SHARE_VIEW;
    return mark->share == VM_SHARE_ALL || (mark->prot & VM_W) == 0 ? OK : ERR_ACCES;
}

static status_t decode_handle(uint64_t handle, uint64_t flags, struct mark_args *out)
{
    struct handle_entry entry;
    uint32_t need = RIGHT_MAP | RIGHT_READ | ((out->mark.prot & VM_X) != 0 ? RIGHT_EXECUTE : 0U);
    status_t status = handle_find(sched_current()->process, handle, &entry);

    if (status != OK) {
        return status;
    }
    if (entry.object->type != HANDLE_MEMORY) {
        object_put(entry.object);
        return ERR_BADF;
    }
    out->memory = LIST_ENTRY(entry.object, struct memory_object, object);
    out->mark.object = out->memory->memory;
    return (entry.rights & need) == need ? decode_share(&out->mark, flags, entry.rights)
                                         : ERR_ACCES;
}

static status_t decode_part(struct mark_args_part part, struct vm_mark *mark)
{
    uint64_t end;
    status_t status = is_aligned(part.offset, PAGE_SIZE) ? OK : ERR_INVAL;

    if (status == OK) {
        status = checked_add(part.offset, part.bytes, &end);
    }
    if (status == OK && end >> PAGE_SHIFT > mem_object_state(mark->object).pages) {
        status = ERR_RANGE;
    }
    mark->object_page = part.offset >> PAGE_SHIFT;
    return status;
}

status_t mark_args_memory(struct mark_args_part part, uint64_t prot, uint64_t flags,
                          struct mark_args *out)
{
    status_t status = vm_args_prot_or_none(prot, &out->mark.prot);

    if (status == OK && (flags & ~(VM_FLAG_REPLACE | VM_FLAG_PRIVATE)) != 0) {
        status = ERR_INVAL;
    }
    if (status != OK) {
        return status;
    }
    out->mark.kind = VM_ITEM_PAGED;
    out->mode = (flags & VM_FLAG_REPLACE) != 0 ? VM_MAP_REPLACE : VM_MAP_EXCLUSIVE;
    status = decode_handle(part.memory, flags, out);
    return status == OK ? decode_part(part, &out->mark) : status;
}

void mark_args_put(struct mark_args *args)
{
    if (args->memory != NULL) {
        object_put(&args->memory->object);
    }
    args->memory = NULL;
}
