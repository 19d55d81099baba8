/* SPDX-License-Identifier: MIT */
/* System calls that show an address space: its ranges, and the entries of its tables. */
#include "arch/arch.h"
#include "kernel/handle.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/vm_call.h"
#include "mm/frame_block.h"
#include "mm/user_copy.h"
#include "uapi/vm.h"

#define RANGES_MAX    8U   /* that one call tells                     */
#define SLOTS_MAX     512U /* that one call looks at                  */
#define LARGE_SLOTS   64U  /* what looking at all of a large page is worth */
#define ENTRIES_MAX   64U  /* that one call copies                    */
#define TABLE_ENTRIES 512U

/* ---- ranges ---- */

struct ranges_call {
    struct vm_target target;
    struct vm_args args;
    unsigned room; /* at most RANGES_MAX */
    unsigned count;
    unsigned looked_at; /* slots; a large page counts LARGE_SLOTS */
    struct vm_range_info ranges[RANGES_MAX];
};

static status_t ranges_decode(struct user_frame *frame, struct ranges_call *call)
{
    uint64_t room = user_frame_arg(frame, 4);
    uint64_t bytes;
    status_t status = vm_target_get(frame, RIGHT_READ, &call->target);

    if (status != OK) {
        return status;
    }
    status = vm_args_make(user_frame_arg(frame, 1), user_frame_arg(frame, 2), 0,
                          vm_space_user_limit(), &call->args);
    if (status == OK && room == 0) {
        status = ERR_INVAL;
    }
    if (status == OK && __builtin_mul_overflow(room, sizeof(call->ranges[0]), &bytes)) {
        status = ERR_RANGE;
    }
    if (status == OK) {
        status = vm_args_check_bytes(user_frame_arg(frame, 3), bytes, vm_space_user_limit());
    }
    call->room = room < RANGES_MAX ? (unsigned)room : RANGES_MAX;
    return status == OK ? vm_target_enter(&call->target) : status;
}

/* Level of the entry that makes a slot. */
static uint32_t slot_level(const struct vm_slot *slot)
{
    uint64_t bytes = slot->range.end.raw - slot->range.start.raw;
    uint32_t level = 0;

    while (bytes > pte_level_bytes(level)) {
        level++;
    }
    return level;
}

/* True if somebody else names the page, or a part of it; of 1 GiB, all of it. */
static bool is_shared(const struct vm_item *item)
{
    if (item->kind != VM_ITEM_RAM && item->kind != VM_ITEM_HIDDEN) {
        return false;
    }
    /* Relaxed: the mapping's own reference stays while the cursor is open; others come and go. */
    switch (item->level) {
    case 0:
        return atomic_load_explicit(&item->frame->refs, memory_order_relaxed) > 1;
    case 1:
        return !frame_block_has_one_ref(item->frame, 1);
    default:
        return atomic_load_explicit(&item->frame->block_refs[1], memory_order_relaxed) > 1;
    }
}

/* Slot as a range of its own; `part` is what of it lies in the range asked for. */
static struct vm_range_info range_make(const struct vm_slot *slot, const struct vm_slot *part)
{
    const struct vm_item *item = &part->item;
    uint64_t bytes = part->range.end.raw - part->range.start.raw;
    uint64_t pages = bytes >> PAGE_SHIFT;

    return (struct vm_range_info){
        .start = part->range.start.raw,
        .bytes = bytes,
        .kind = (uint32_t)vm_call_kind(item->kind),
        .prot = item->prop.prot,
        .level = slot_level(slot),
        .flags = (uint32_t)vm_call_flags(item),
        .physical = item->kind == VM_ITEM_IO ? item->pa.raw : 0,
        .shared = is_shared(item) ? pages : 0,
        .accessed = item->accessed ? pages : 0,
        .dirty = item->dirty ? pages : 0,
    };
}

/* Makes the second range part of the first one, if it goes on with it. */
static bool range_join(struct vm_range_info *range, const struct vm_range_info *next)
{
    if (range->start + range->bytes != next->start || range->kind != next->kind ||
        range->prot != next->prot || range->level != next->level || range->flags != next->flags ||
        (range->kind == VM_KIND_IO && range->physical + range->bytes != next->physical)) {
        return false;
    }
    range->bytes += next->bytes;
    range->shared += next->shared;
    range->accessed += next->accessed;
    range->dirty += next->dirty;
    return true;
}

/* Notes what is at the cursor's position, if anything, and moves past it.  False: it is the end, or
 * there is no room for it. */
static bool range_note(struct ranges_call *call, struct vm_cursor *cursor)
{
    vaddr_t at = vm_cursor_va(cursor);
    struct vm_slot slot, part;

    if (vm_cursor_query(cursor, &slot) != OK || vm_cursor_next(cursor, &part) != OK) {
        return false;
    }
    call->looked_at += part.item.frame == NULL || part.item.level == 0 ? 1 : LARGE_SLOTS;
    if (part.item.kind == VM_ITEM_ABSENT) {
        return true;
    }
    struct vm_range_info range = range_make(&slot, &part);

    if (call->count != 0 && range_join(&call->ranges[call->count - 1], &range)) {
        return true;
    }
    if (call->count == call->room) {
        return vm_cursor_jump(cursor, at) != OK;
    }
    call->ranges[call->count++] = range;
    return true;
}

/* Looks at a bounded piece; *next is where it ends. */
static status_t ranges_perform(struct ranges_call *call, vaddr_t *next)
{
    struct vm_cursor cursor = {0};
    bool goes_on = true;
    status_t status = vm_cursor_open_bounded(&cursor, call->target.space, call->args.range,
                                             VM_CURSOR_QUERY, VM_STEP_TABLES);

    if (status != OK) {
        return status;
    }
    while (goes_on && call->looked_at < SLOTS_MAX) {
        goes_on = range_note(call, &cursor);
    }
    *next = vm_cursor_va(&cursor);
    vm_cursor_close(&cursor);
    return OK;
}

enum verdict sys_vm_ranges(struct user_frame *frame)
{
    struct ranges_call call = {0};
    vaddr_t buffer = {user_frame_arg(frame, 3)};
    vaddr_t next = {0};
    status_t status = ranges_decode(frame, &call);

    if (status == OK) {
        status = ranges_perform(&call, &next);
    }
    vm_target_put(&call.target);
    if (status == OK) {
        status = user_write_object(sched_current()->process->space, buffer, call.ranges,
                                   call.count * sizeof(call.ranges[0]));
    }
    enum verdict verdict = syscall_done_with(frame, status, status == OK ? call.count : 0);

    user_frame_set_arg(frame, 2, status == OK ? next.raw : 0);
    return verdict;
}

/* ---- tables ---- */

struct table_call {
    struct vm_target target;
    vaddr_t va;
    unsigned level, first, count;
    uint64_t entries[ENTRIES_MAX];
    paddr_t physical;
};

static status_t table_decode(struct user_frame *frame, struct table_call *call)
{
    struct process *self = sched_current()->process;
    uint64_t level = user_frame_arg(frame, 3);
    uint64_t first = user_frame_arg(frame, 4);
    uint64_t count = user_frame_arg(frame, 6);
    struct object *object;
    status_t status = handle_check(self, user_frame_arg(frame, 0), HANDLE_MACHINE, RIGHT_READ);

    if (status == OK) {
        status = handle_get(self, user_frame_arg(frame, 1), HANDLE_PROCESS, RIGHT_READ, &object);
    }
    if (status != OK) {
        return status;
    }
    call->target.process = LIST_ENTRY(object, struct process, object);
    call->va = (vaddr_t){user_frame_arg(frame, 2)};
    if (level >= arch_paging_levels() || first >= TABLE_ENTRIES || count == 0 ||
        count > TABLE_ENTRIES - first) {
        return ERR_INVAL;
    }
    call->level = (unsigned)level;
    call->first = (unsigned)first;
    call->count = count < ENTRIES_MAX ? (unsigned)count : ENTRIES_MAX;
    if (call->va.raw >= vm_space_user_limit().raw) {
        return ERR_RANGE;
    }
    status = vm_args_check_bytes(user_frame_arg(frame, 5), count * sizeof(uint64_t),
                                 vm_space_user_limit());
    return status == OK ? vm_target_enter(&call->target) : status;
}

enum verdict sys_vm_table(struct user_frame *frame)
{
    struct table_call call = {0};
    vaddr_t buffer = {user_frame_arg(frame, 5)};
    status_t status = table_decode(frame, &call);

    if (status == OK) {
        struct vm_table_part part = {.level = call.level, .first = call.first, .count = call.count};

        status =
            vm_space_table_read(call.target.space, call.va, part, call.entries, &call.physical);
    }
    vm_target_put(&call.target);
    if (status == OK) {
        status = user_write_object(sched_current()->process->space, buffer, call.entries,
                                   call.count * sizeof(uint64_t));
    }
    enum verdict verdict = syscall_done_with(frame, status, status == OK ? call.count : 0);

    user_frame_set_arg(frame, 2, status == OK ? call.physical.raw : 0);
    return verdict;
}
