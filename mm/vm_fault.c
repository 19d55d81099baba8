/* SPDX-License-Identifier: MIT */
/*
 * Page faults, judged by the page table alone.
 *
 * A page that may be accessed once it is there gets what it needs (vm_cursor_touch.c).  A fault
 * that the entry explains is the program's.  One that it does not explain is this hart's: it
 * remembers less than the entry grants, or it leaves the A and D bits to the kernel and one is
 * clear.  The bits are set as hardware would, and what the hart remembers of the page goes.
 *
 * A hart may remember that nothing was there, so a page that was just made may be faulted on once
 * more, which is such a fault; no hart is fenced for a page that comes.  Who finds no memory has
 * the reaper do a piece of its work and tries again, as long as there is some. Privileged spec,
 * "Virtual Address Translation Process", steps 7 and 9.
 */
#include "mm/vm_fault.h"

#include "arch/arch.h"
#include "asid.h"
#include "cursor_priv.h"
#include "lib/counter.h"
#include "lib/log.h"
#include "mm/frame_block.h"
#include "space_word.h"
#include "vm_fault_priv.h"

/* The last fault of each hart that the page table did not explain, and how often it came in a row:
 * the same access to the same page, by the same entry, and nothing of the space was flushed in
 * between.  The program counter is not part of it: another thread that faults there shows as well
 * that the fence was not enough.  Written by that hart only. */
static struct spurious {
    struct vm_space *space; /* NULL: none since the last switch */
    uint64_t generation;
    vaddr_t page;
    pte_t entry;
    enum vm_access access;
    unsigned times;
} last[HART_MAX];

static bool is_same(const struct spurious *a, const struct spurious *b)
{
    return a->space == b->space && a->generation == b->generation && a->page.raw == b->page.raw &&
           a->entry.raw == b->entry.raw && a->access == b->access;
}

/* Makes this hart forget what it remembers of the page.  By address first, which covers leaf
 * entries; a hart that faults in the same way again remembers that a table was missing.  False: it
 * has forgotten everything and faults all the same. */
static bool forget(struct spurious fault)
{
    struct spurious *record = &last[hart_index()];
    struct tlb_op op = {.asid = asid_of(fault.space)};

    fault.times = is_same(record, &fault) ? record->times + 1 : 1;
    *record = fault;
    if (fault.times > 2) {
        record->space = NULL;
        return false;
    }
    if (fault.times == 1) {
        op.va = fault.page;
        op.bytes = PAGE_SIZE;
    }
    arch_tlb_flush_local(op);
    return true;
}

void vm_fault_start_anew(hart_idx_t hart)
{
    last[hart].space = NULL;
}

/* A page, and what for. */
struct wish {
    struct vm_space *space;
    vaddr_t page;
    enum touch_for what;
    struct frame **keep;         /* the frame, with a reference; NULL: not wanted */
    struct frame_making *making; /* where blocks come from; NULL: nowhere         */
};

/* Takes a reference of the page's frame; a device's page has none. */
static enum touch keep_frame(pte_t entry, enum touch touch, struct frame **keep)
{
    if (pte_sw(entry) == PTE_SW_IO) {
        return TOUCH_REFUSED;
    }
    *keep = frame_of(pte_pa(entry));
    frame_get(*keep);
    return touch;
}

/* Touches the page under a cursor of its own; opening it makes no tables, so addresses that mean
 * nothing cost no memory. */
static enum touch touch_page(const struct wish *wish, pte_t *entry)
{
    struct va_range range = {wish->page, vaddr_add(wish->page, PAGE_SIZE)};
    struct vm_cursor cursor;
    enum touch touch;

    if (vm_cursor_open(&cursor, wish->space, range, VM_CURSOR_EDIT) != OK) {
        return TOUCH_REFUSED;
    }
    cursor.making = wish->making;
    touch = cursor_touch(&cursor, wish->what, entry);
    if (wish->keep != NULL && cursor_touch_status(touch) == OK) {
        touch = keep_frame(*entry, touch, wish->keep);
    }
    vm_cursor_close(&cursor);
    return touch;
}

/* The block that the page wants: a piece of it is made, or, as there is none, a piece of the
 * reaper's work is done, from which one may come.  When neither is left to do, the page is touched
 * again: it becomes one of 4 KiB if there is no block. */
__attribute__((noinline)) static enum touch make_piece(struct wish *wish, pte_t *entry)
{
    status_t status = frame_making_step(wish->making);

    if (status == ERR_AGAIN || (status == ERR_NOMEM && vm_space_reap())) {
        return TOUCH_WANTS;
    }
    wish->making = status == OK ? wish->making : NULL;
    return touch_page(wish, entry);
}

/* Touches the page, with what it wants.  What was made, and is not wanted any more, goes. */
static inline enum touch touch_making(struct wish *wish, pte_t *entry)
{
    struct frame_making *making = wish->making;
    enum touch touch = touch_page(wish, entry);

    if (making != NULL && making->wanted != 0) { /* seldom: something is being made, or is to be */
        touch = touch == TOUCH_WANTS ? make_piece(wish, entry) : touch;
        if (touch != TOUCH_WANTS) {
            frame_making_drop(making);
        }
    }
    return touch;
}

enum vm_fault_result vm_space_fault(struct vm_space *space, vaddr_t va, enum vm_access access)
{
    return vm_space_fault_making(space, va, access, NULL);
}

enum vm_fault_result vm_space_fault_making(struct vm_space *space, vaddr_t va,
                                           enum vm_access access, struct frame_making *making)
{
    struct spurious fault = {
        .space = space, .page = {align_down(va.raw, PAGE_SIZE)}, .access = access};
    struct wish wish = {
        .space = space, .page = fault.page, .what = (enum touch_for)access, .making = making};

    if (va.raw >= vm_space_user_limit().raw) {
        return VM_FAULT_BAD;
    }
    switch (touch_making(&wish, &fault.entry)) {
    case TOUCH_MADE:
        return VM_FAULT_RETRY;
    case TOUCH_WANTS:
        return VM_FAULT_AGAIN;
    case TOUCH_NOMEM:
        return vm_space_reap() ? VM_FAULT_RETRY : VM_FAULT_NOMEM;
    case TOUCH_REFUSED:
        return VM_FAULT_BAD;
    case TOUCH_WAS_THERE:
        counter_add(COUNTER_spurious_faults, 1);
        break;
    case TOUCH_GREW:
        break;
    }
    fault.generation = space_word_generation(space);
    if (!forget(fault)) {
        log_printf("hart %u faults at 0x%lx though the entry permits it, after two fences\n",
                   hart_index(), va.raw);
        return VM_FAULT_BAD;
    }
    return VM_FAULT_RETRY;
}

status_t vm_space_page_get(struct vm_space *space, vaddr_t va, struct vm_page *page)
{
    struct wish wish = {.space = space,
                        .page = {align_down(va.raw, PAGE_SIZE)},
                        .what = TOUCH_TO_READ,
                        .keep = &page->frame};
    pte_t entry = pte_absent();
    status_t status;

    if (va.raw >= vm_space_user_limit().raw) {
        return ERR_RANGE;
    }
    do {
        status = cursor_touch_status(touch_page(&wish, &entry));
    } while (status == ERR_NOMEM && vm_space_reap());
    if (status == OK) {
        page->sw = pte_sw(entry);
    }
    return status;
}
