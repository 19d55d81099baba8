# SPDX-License-Identifier: MIT
"""Mutants of what changes mappings and rights, and of the order in which a cursor ends."""

from rows import gone, mutant

CURSOR = "mm/vm_cursor.c"
FLUSH = "mm/vm_cursor_flush.c"
MAP = "mm/vm_cursor_map.c"
REMOVE = "mm/vm_cursor_remove.c"
PROTECT = "mm/vm_cursor_protect.c"
RIGHTS = "mm/pt_rights.c"
NODE = "mm/pt_node.c"
WALK = "mm/pt_walk.c"
SYNC = "vm_cursor_sync(cursor);"
DETACH = "pt_node_take_table(place->node, place->index);"
DYING = "pte_slot_store(&slots[leaves.end], pte_make_dying(entry));"
UNLOCK = "pt_unlock_range(cursor->space->root, cursor->cover, cursor->range);"
UNLOCK_TWO = "pt_unlock_two(pair[0].space->root, &two);"

ROWS = [
    mutant(
        "close.unlock_first", CURSOR, "vm_cursor_close", f"{SYNC} {UNLOCK}", f"{UNLOCK} {SYNC}",
        "unlocks before it flushes",
    ),
    gone("close.no_sync", CURSOR, "vm_cursor_close", SYNC, "closes without paying"),
    mutant(
        "close_two.unlock_first", CURSOR, "vm_cursor_close_two",
        f"cursor_sync_two(pair); {UNLOCK_TWO}", f"{UNLOCK_TWO} cursor_sync_two(pair);",
        "unlocks two ranges before it flushes",
    ),
    gone(
        "close_two.second_not_joined", FLUSH, "cursor_sync_two",
        "vm_cursor_issue(&pair[0], pair[1].owed.flush_kind, pair[1].owed.flush);",
        "does not flush what the second of two ranges owes",
    ),
    mutant(
        "close_two.code_not_joined", FLUSH, "cursor_sync_two",
        "pair[0].owed.code || pair[1].owed.code", "pair[0].owed.code",
        "does not do the fence.i that the second of two ranges owes",
    ),
    gone(
        "close_two.first_not_released", FLUSH, "cursor_sync_two", "vm_cursor_sync(&pair[0]);",
        "does not flush what two ranges owe",
    ),
    gone(
        "close_two.second_not_released", FLUSH, "cursor_sync_two", "vm_cursor_sync(&pair[1]);",
        "does not release what the second of two ranges removed",
    ),
    mutant(
        "sync.release_first", FLUSH, "vm_cursor_sync", "vm_cursor_dispatch(cursor); release(cursor);",
        "release(cursor); vm_cursor_dispatch(cursor);", "frees what it removed before the flush",
    ),
    gone(
        "sync.no_dispatch", FLUSH, "vm_cursor_sync", "vm_cursor_dispatch(cursor);",
        "frees what it removed without a flush",
    ),
    gone("sync.no_release", FLUSH, "vm_cursor_sync", "release(cursor);", "frees nothing"),
    gone(
        "issue_with.no_sync", FLUSH, "vm_cursor_issue_with",
        f"if (cursor->owed.kept_count == VM_CURSOR_KEPT) {{ {SYNC} }}",
        "keeps more frames than there is room for",
    ),
    gone(
        "put.tables_still_owed", MAP, "room_at", f"if (cursor->owed.tables != NULL) {{ {SYNC} }}",
        "maps where a detached table may still be walked",
    ),
    gone(
        "put.over_dying", MAP, "room_at",
        f"if (has_dying(place.node, pt_node_span(place.node, rest))) {{ {SYNC} }}",
        "stores a leaf over a dying entry: no break before make",
    ),
    gone(
        "put.no_code_owed", MAP, "put_leaves", "cursor->owed.code = true;",
        "owes no fence.i for a new executable page",
    ),
    gone(
        "put.nothing", MAP, "store_leaves",
        "pte_slot_store(&slots[i], pte_with_pa(leaf, frame_pa(frames[i])));",
        "does not store the leaf of a fresh frame",
    ),
    gone(
        "put.nothing_given", MAP, "store_leaves",
        "pte_slot_store(&slots[i], asked_leaf(leaf, frames[i]));",
        "does not store the leaf of a frame that it was given",
    ),
    gone("remove.leaf_stays", REMOVE, "cursor_remove_leaves", DYING, "leaves a removed leaf valid"),
    mutant(
        "remove.frame_forgotten", REMOVE, "cursor_remove_leaves", "pte_make_dying(entry)",
        "pte_absent()", "forgets the frame of a removed leaf",
    ),
    gone(
        "remove.nothing_owed", REMOVE, "note_removed",
        "cursor_owe_dying(cursor, pt_node_part(node, hull));", "owes nothing for a removed leaf",
    ),
    gone(
        "range.nothing_owed", PROTECT, "owe_protected",
        "vm_cursor_issue(cursor, VM_FLUSH_PAGES, pages);",
        "owes no flush for rights taken away from a range",
    ),
    gone(
        "range.no_code_owed", PROTECT, "owe_protected", "cursor->owed.code = true;",
        "owes no fence.i for a range that becomes executable",
    ),
    gone(
        "range.not_granted", RIGHTS, "grant_along",
        "pte_slot_set(slot, step.to.raw & ~step.from.raw);",
        "does not grant a range the rights it should have",
    ),
    gone(
        "range.not_taken", RIGHTS, "take_along",
        "pte_slot_clear(slot, step.from.raw & ~step.to.raw);",
        "does not take the rights of a range away",
    ),
    gone(
        "range.not_replaced", RIGHTS, "change_along",
        "slot_step(slot, entry, (pte_t){entry.raw ^ step.from.raw ^ step.to.raw});",
        "does not change rights of a range where some go and some come",
    ),
    gone(
        "range.not_exchanged", RIGHTS, "step_take", "slot_step(slot, step->from, step->to);",
        "neither hides pages of a range nor brings them back",
    ),
    mutant(
        "range.taken_not_seen", RIGHTS, "note", "done->has_taken |= was_valid",
        "done->has_taken |= false",
        "takes rights away from a range as if it granted some",
    ),
    gone(
        "range.not_judged", PROTECT, "protect_pages",
        "owe_protected(job, pt_node_part(node, (struct pt_span){some.first, done.end}), &done);",
        "owes nothing for the rights of a range",
    ),
    gone(
        "range.large_not_judged", PROTECT, "protect_large",
        "owe_protected(job, pt_node_part(node, (struct pt_span){index, index + 1}), &done);",
        "owes nothing for the rights of a large page",
    ),
    gone(
        "range.large_not_counted", RIGHTS, "pt_rights_change_large",
        "node->large = (uint16_t)(node->large + node->present - present);",
        "does not count a large page that is hidden as one that does not map",
    ),
    gone("detach.stays_linked", REMOVE, "cursor_detach", DETACH, "leaves a detached table linked"),
    gone(
        "detach.nothing_owed", REMOVE, "cursor_detach", "cursor_owe_table(cursor, child);",
        "owes nothing for a detached table",
    ),
    gone(
        "protect.nothing_owed", PROTECT, "owe_rights",
        "vm_cursor_issue(cursor, VM_FLUSH_PAGES, page);", "owes no flush for rights taken away",
    ),
    mutant(
        "protect.memory_type_free", PROTECT, "owe_rights", "mem != leaf->mem", "false",
        "owes no flush for another memory type",
    ),
    gone(
        "protect.no_code_owed", PROTECT, "owe_rights", "cursor->owed.code = true;",
        "owes no fence.i for a page that becomes executable",
    ),
    gone(
        "protect.rights_not_judged", PROTECT, "vm_cursor_protect_next",
        "owe_rights(cursor, *changed, &leaf, rights.prop.prot, mem);",
        "owes nothing for changed rights",
    ),
    gone("pool.lost", WALK, "pt_pool_empty", "pt_node_destroy(node);",
         "loses tables when there is not memory for all"),
    gone(
        "take.stays_linked", NODE, "pt_node_take_table",
        "pte_slot_store(&parent->slots[index], pte_absent());",
        "leaves the pointer to a table that it takes out",
    ),
    gone("node.frame_lost", NODE, "pt_node_destroy", "frame_put(node->frame);",
         "loses the frame of a freed table"),
    gone("slab.frame_lost", "mm/slab.c", "slab_free", "frame_put(slab->frame);",
         "loses the frame of an empty slab"),
    mutant(
        "frame.not_zeroed", "mm/frame_alloc.c", "alloc_singles",
        "arch_zero_frame(frame_bytes(frames[i]));",
        "if (hart_index() == 0) { arch_zero_frame(frame_bytes(frames[i])); }",
        "hands out frames as they were left to harts other than the first",
    ),
    gone(
        "node.not_zeroed", NODE, "pt_node_fill", "arch_zero_frame(frame_bytes(node->frame));",
        "links a table with what was in its frame before",
    ),
]
