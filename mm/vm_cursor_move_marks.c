/* SPDX-License-Identifier: MIT */
/*
 * Cursors: moving marks.
 *
 * What several say together is said anew in `to`, as large as fits there; then what says it in
 * `from` leaves: no more entries than were looked at, and 511 a level where the last is split.
 */
#include "lib/assert.h"
#include "lib/counter.h"
#include "vm_cursor_move_priv.h"

/* Marks that are looked at before some are moved: more than the rest of a table, so that a step
 * which ends inside one does not keep the next from seeing what follows. */
#define LOOK_MAX (2 * PTE_ENTRIES)

/* Takes back what was marked in `to` from `start` on, up to its position. */
static void unmark(struct vm_cursor *to, vaddr_t start)
{
    uint64_t bytes = to->va.raw - start.raw;
    struct vm_removed none;

    to->va = start;
    if (vm_cursor_unmap(to, bytes, &none) != OK) {
        PANIC("a mark cannot be taken back");
    }
    to->va = start;
}

vaddr_t moving_marks_end(const struct pass *pass, const struct pt_place *source)
{
    vaddr_t start = pt_place_range(source).start;
    struct pt_place place = *source;
    vaddr_t end;

    for (unsigned looked = 1;; looked++) {
        pte_t next;

        end = pt_place_range(&place).end;
        if (looked == LOOK_MAX || end.raw >= pass->end.raw) {
            break;
        }
        next = pte_mark_at(source->entry, (end.raw - start.raw) / PAGE_SIZE);
        place = pt_look(pass->from, end);
        if (place.entry.raw != next.raw) {
            break;
        }
    }
    return end.raw < pass->end.raw ? end : pass->end;
}

status_t moving_take_marks(struct pass *pass, vaddr_t end)
{
    struct vm_mark mark = cursor_mark_there(pass->from);
    uint64_t stores = pass->to->stores;
    vaddr_t start = pass->to->va;
    struct vm_removed none;
    status_t status = vm_cursor_mark(pass->to, end.raw - pass->from->va.raw, mark, VM_MAP_EXCLUSIVE,
                                     pass->edits, &none);

    if (status != OK) {
        return status;
    }
    status = vm_cursor_unmap(pass->from, pass->to->va.raw - start.raw, &none);
    if (status != OK) {
        unmark(pass->to, start);
        return status;
    }
    pass_spend(pass, pass->to->stores - stores);
    counter_add(COUNTER_entries_moved, pass->to->stores - stores);
    return OK;
}
