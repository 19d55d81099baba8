/* SPDX-License-Identifier: MIT */
/*
 * Sweeping: tables in which nothing is any more, and those that one mark can stand for.
 *
 * Removing part of what a table holds leaves the table, and a change that failed may leave tables
 * that it linked on its way.  They cost a frame each and mean nothing, so they stay until memory is
 * wanted.  A piece opens a cursor, as an unmap would, on as much of the space as 64 tables allow;
 * it holds the locks of a table and of the one above it, so no other cursor has either, and a
 * descent that meets the table finds it stray.  What it detaches goes the way of all detached
 * tables: one flush, then parked (mm/reclaim.c).
 */
#include "mm/vm_space.h"

#include "cursor_priv.h"

#define SWEEP_TABLES 64U

static bool is_empty(const struct pt_node *node)
{
    return node->present == 0 && node->hidden == 0 && node->marked == 0;
}

/* Detaches what is empty below `node` and locked by the cursor, children first: with the last of
 * them their table is empty too.  512 marks that say the same become one, likewise.  Returns how
 * many.  At most PTE_LEVELS_MAX deep. */
static unsigned sweep_below(struct vm_cursor *cursor, struct pt_node *node)
{
    struct pt_span span = pt_node_span(node, cursor->range);
    unsigned count = 0;
    unsigned i;

    while (pt_node_next_table(node, &span, &i)) {
        struct pt_place place = {node, i, pte_slot_load(&node->slots[i]), PTE_TABLE};
        struct pt_node *child = pt_node_of(place.entry);

        count += child->level > 0 ? sweep_below(cursor, child) : 0;
        if (is_empty(child)) {
            cursor_detach(cursor, &place);
            count++;
        } else {
            count += cursor_fold_marks(cursor, &place) ? 1 : 0;
        }
    }
    return count;
}

unsigned vm_space_sweep(struct vm_space *space, vaddr_t *va)
{
    vaddr_t limit = vm_space_user_limit();
    struct vm_cursor cursor;
    unsigned count = 0;

    /* The range ends where the space does, so that its covering node is the root, or nearly so. */
    if (vm_cursor_open_bounded(&cursor, space, (struct va_range){*va, limit}, VM_CURSOR_EDIT,
                               SWEEP_TABLES) != OK) {
        *va = (vaddr_t){0};
        return 0;
    }
    if (cursor.cover->level > 0) {
        count = sweep_below(&cursor, cursor.cover);
    }
    *va = cursor.range.end.raw < limit.raw ? cursor.range.end : (vaddr_t){0};
    vm_cursor_close(&cursor);
    return count;
}
