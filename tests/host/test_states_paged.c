/* SPDX-License-Identifier: MIT */
/*
 * Random operations on pages of two memory objects in two spaces, with memory running out now and
 * then, against a flat reference: what each of some pages means in each space and holds, and what
 * each page of an object holds.  Marks, shared, as views and private; unmaps, changes of rights and
 * touches; and a range that is cloned or moved to the same addresses of the other space.
 */
#include "support_states_paged.h"

#define OPERATIONS 4000U

/* False: no memory even for that. */
static bool open_for(unsigned side, struct va_range range, enum vm_cursor_mode mode,
                     struct vm_cursor *cursor)
{
    status_t status = vm_cursor_open(cursor, states.spaces[side], range, mode);

    states.failures += status == ERR_NOMEM ? 1 : 0;
    cr_assert(status == OK || (status == ERR_NOMEM && mode == VM_CURSOR_CHANGE));
    return status == OK;
}

static void note(status_t status)
{
    cr_assert(status == OK || status == ERR_NOMEM, "%s", status_name(status));
    states.failures += status == ERR_NOMEM ? 1 : 0;
}

static void random_mark(unsigned side, struct va_range range)
{
    static const enum vm_prot prots[] = {VM_PROT_NONE, VM_R, VM_RX, VM_RW, VM_RWX};
    enum vm_share share = (enum vm_share)states_dice(3);
    uint64_t shift = states_dice(3) * 511;
    uint64_t first = (range.start.raw - AREA_START) / PAGE_SIZE + shift;
    struct vm_mark mark = paged(states.objects[states_dice(2)], first, share,
                                prots[states_dice(share == VM_SHARE_VIEW ? 3 : ARRAY_LEN(prots))]);
    struct vm_cursor cursor;
    struct vm_removed removed;

    if (!open_for(side, range, VM_CURSOR_CHANGE, &cursor)) {
        return;
    }
    note(vm_cursor_mark(&cursor, range.end.raw - range.start.raw, mark, VM_MAP_REPLACE,
                        states_dice(2) == 0 ? UINT32_MAX : 1 + (unsigned)states_dice(300),
                        &removed));
    range.end = vm_cursor_va(&cursor);
    vm_cursor_close(&cursor);
    for (unsigned i = 0; i < PROBES; i++) {
        if (states_lie_in(i, range)) {
            states.probes[side][i] = (struct probe){
                .kind = VM_ITEM_PAGED,
                .prot = mark.prot,
                .share = share,
                .object = mark.object,
                .page = first + (states.at[i] - range.start.raw) / PAGE_SIZE,
            };
        }
    }
}

static void forget(unsigned side, struct va_range range)
{
    for (unsigned i = 0; i < PROBES; i++) {
        if (states_lie_in(i, range)) {
            states.probes[side][i] = (struct probe){.kind = VM_ITEM_ABSENT};
        }
    }
}

static bool unmap(unsigned side, struct va_range range)
{
    struct vm_cursor cursor;
    struct vm_removed removed;
    status_t status;

    if (!open_for(side, range, VM_CURSOR_EDIT, &cursor)) {
        return false;
    }
    status = vm_cursor_unmap(&cursor, range.end.raw - range.start.raw, &removed);
    note(status);
    vm_cursor_close(&cursor);
    if (status == OK) {
        forget(side, range);
    }
    return status == OK;
}

/* Where it was refused is a view, which no probe before it is. */
static void random_protect(unsigned side, struct va_range range)
{
    static const enum vm_prot prots[] = {VM_PROT_NONE, VM_R, VM_RX, VM_RW, VM_RWX};
    enum vm_prot prot = prots[states_dice(ARRAY_LEN(prots))];
    struct vm_cursor cursor;
    struct vm_slot slot;
    uint64_t pages;
    status_t status;

    if (!open_for(side, range, VM_CURSOR_EDIT, &cursor)) {
        return;
    }
    status = vm_cursor_protect(&cursor, range.end.raw - range.start.raw, prot, 1 + states_dice(600),
                               &pages);
    range.end = vm_cursor_va(&cursor);
    if (status == ERR_ACCES) {
        EXPECT_OK(vm_cursor_query(&cursor, &slot));
        cr_assert((prot & VM_W) != 0 && slot.item.share == VM_SHARE_VIEW);
        states.refusals++;
    } else {
        note(status);
    }
    vm_cursor_close(&cursor);
    for (unsigned i = 0; i < PROBES; i++) {
        struct probe *probe = &states.probes[side][i];

        if (!states_lie_in(i, range) || probe->kind == VM_ITEM_ABSENT) {
            continue;
        }
        cr_assert(probe->share != VM_SHARE_VIEW || (prot & VM_W) == 0);
        probe->prot = prot;
        if (states_has_frame(probe)) {
            probe->kind = prot == VM_PROT_NONE ? VM_ITEM_HIDDEN : VM_ITEM_RAM;
        }
    }
}

/* What the first access makes of a probe. */
static void touch_probe(struct probe *probe, bool is_write)
{
    if (probe->kind == VM_ITEM_PAGED) {
        probe->value = probe->share == VM_SHARE_NONE
                           ? states_value(probe->object, probe->page)
                           : states_value_made(probe->object, probe->page);
        probe->word = 0;
        probe->kind = VM_ITEM_RAM;
    }
    if (is_write && probe->share == VM_SHARE_NONE && probe->value != NULL) {
        probe->word = probe->value->word;
        probe->value = NULL;
    }
}

static void random_touch(unsigned side)
{
    unsigned i = (unsigned)states_dice(PROBES);
    struct probe *probe = &states.probes[side][i];
    bool is_write = states_dice(2) == 0;
    bool may = (probe->kind == VM_ITEM_RAM || probe->kind == VM_ITEM_PAGED) &&
               (probe->prot & (is_write ? VM_W : VM_R)) != 0;
    struct vm_cursor cursor;
    struct vm_slot slot;
    status_t status;

    if (!open_for(side, va_span(states.at[i], PAGE_SIZE), VM_CURSOR_CHANGE, &cursor)) {
        return;
    }
    status = vm_cursor_touch(&cursor, is_write ? VM_ACCESS_WRITE : VM_ACCESS_READ);
    if (may) {
        note(status);
    } else {
        EXPECT_STATUS(status, ERR_FAULT);
    }
    if (status == OK) {
        touch_probe(probe, is_write);
        EXPECT_OK(vm_cursor_query(&cursor, &slot));
        states_compare_item(&slot, i, probe);
    }
    if (status == OK && is_write) {
        uint64_t *word = probe->value != NULL ? &probe->value->word : &probe->word;

        *word = states_dice(UINT64_C(1) << 30);
        *(uint64_t *)frame_bytes(slot.item.frame) = *word;
    }
    vm_cursor_close(&cursor);
}

/* Clones or moves a range from one space to the other, where nothing is any more. */
static void random_pass(unsigned from_side, struct va_range range)
{
    struct vm_cursor cursors[2];
    struct vm_cursor *from = &cursors[from_side];
    struct vm_cursor *to = &cursors[1 - from_side];
    unsigned low =
        vm_space_root(states.spaces[0]).raw < vm_space_root(states.spaces[1]).raw ? 0 : 1;
    unsigned max_edits = states_dice(2) == 0 ? UINT32_MAX : 1 + (unsigned)states_dice(100);
    bool is_move = states_dice(2) == 0;
    uint64_t bytes = range.end.raw - range.start.raw;

    if (!unmap(1 - from_side, range)) {
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        unsigned side = i == 0 ? low : 1 - low;

        if (!open_for(side, range, side == from_side ? VM_CURSOR_EDIT : VM_CURSOR_CHANGE,
                      &cursors[side])) {
            vm_cursor_close(&cursors[low]); /* not open, if it is this one */
            return;
        }
    }
    note(is_move ? vm_cursor_move(from, to, bytes, max_edits)
                 : vm_cursor_clone(from, to, bytes, max_edits));
    range.end = vm_cursor_va(from);
    EXPECT_EQ(vm_cursor_va(to).raw, range.end.raw);
    vm_cursor_close(from);
    vm_cursor_close(to);
    for (unsigned i = 0; i < PROBES; i++) {
        if (states_lie_in(i, range)) {
            states.probes[1 - from_side][i] = states.probes[from_side][i];
            states.passed += states.probes[from_side][i].kind != VM_ITEM_ABSENT ? 1 : 0;
        }
    }
    if (is_move) {
        forget(from_side, range);
    }
}

static void operate(void)
{
    unsigned side = (unsigned)states_dice(2);
    struct va_range range = states_range();

    frame_fail_after(states_dice(4) == 0 ? states_dice(4) : UINT64_MAX);
    switch (states_dice(10)) {
    case 0:
        random_mark(side, range);
        break;
    case 1:
        (void)unmap(side, range);
        break;
    case 2:
        random_protect(side, range);
        break;
    case 3:
        random_pass(side, range);
        break;
    default:
        random_touch(side);
    }
    frame_fail_after(UINT64_MAX);
}

MODE_TEST(states_paged, random_operations_agree_with_a_flat_reference, .timeout = 120)
{
    states_begin(*levels);
    for (unsigned i = 0; i < OPERATIONS; i++) {
        operate();
        if (i % 16 == 0) {
            vaddr_t at = {0};

            (void)vm_space_sweep(states.spaces[i / 16 % 2], &at);
            EXPECT_OK(vm_space_check(states.spaces[1]));
            world_check(&states.world);
            states_compare_objects();
        }
        states_compare();
        reap_all();
    }
    cr_assert(states.failures > 20 && states.refusals > 20 && states.passed > 200, "%u %u %u",
              states.failures, states.refusals, states.passed);
    vm_space_put(states.spaces[1]);
    EXPECT_EQ(unmap_at(&states.world, AREA_START, AREA_END - AREA_START).io_pages, 0);
    reap_all();
    for (unsigned i = 0; i < 2; i++) {
        expect_not_named(states.objects[i]);
        mem_object_put(states.objects[i]);
    }
    world_end(&states.world);
}
