# SPDX-License-Identifier: MIT
"""Mutants of states in absent entries: marks and their push-down, touches, sweeps, what is charged."""

from rows import argued, gone, mutant

NODE = "mm/pt_node.c"
SPLIT = "mm/pt_split.c"
MARK = "mm/vm_cursor_mark.c"
REMOVE = "mm/vm_cursor_remove.c"
TOUCH = "mm/vm_cursor_touch.c"
TOUCH_MARK = "mm/vm_cursor_touch_mark.c"
SWEEP = "mm/vm_space_sweep.c"
STOCK = "mm/vm_space_stock.c"
ZERO = "mm/frame_zero.c"
SYNC = "vm_cursor_sync(cursor);"
FILL = """pt_node_fill(child, before);
    if (pte_is_paged(before)) {
        vm_backing_add(parent->space, pte_decode_mark(before).slot, PTE_ENTRIES);
    }
    if (pte_is_mark(before)) { pt_node_mark_gone(parent, before); }"""
LINK = "pt_node_put_table(parent, index, child);"
SLOT = "&place->node->slots[place->index]"
STOCK_ORDER = """The exchange gives a node to one of two who want it; what is in it was written under the
    locks of the space's cursors, or is written anew. tests/host/race_states.c has both sides."""

ROWS = [
    mutant(
        "push.linked_first", NODE, "pt_node_link", f"{FILL} {LINK}", f"{LINK} {FILL}",
        "links a table before it has the copies of the mark",
    ),
    gone(
        "push.not_filled", NODE, "pt_node_fill",
        "arch_fill_frame(frame_bytes(node->frame), entry.raw, next.raw - entry.raw);",
        "links a table with whatever its frame held where a mark was",
    ),
    gone(
        "push.tables_still_owed", SPLIT, "pay_for_tables",
        f"if (cursor->owed.tables != NULL) {{ {SYNC} }}",
        "links a table where a hart may walk through a detached one",
    ),
    gone(
        "mark.over_dying", MARK, "vm_cursor_mark",
        "if (cursor->owed.removed.start.raw < cursor->owed.removed.end.raw) "
        f"{{ {SYNC} }}",
        "stores marks over dying entries",
    ),
    gone(
        "mark.not_stored", MARK, "put_marks", "pte_slot_store(&node->slots[i], entry);",
        "does not store a mark",
    ),
    gone(
        "remove.mark_stays", REMOVE, "cursor_remove_leaves",
        "pte_slot_store(&slots[leaves.end], pte_absent());", "leaves a small mark where it was",
    ),
    gone(
        "remove.large_mark_stays", REMOVE, "remove_entry", f"pte_slot_store({SLOT}, pte_absent());",
        "leaves a large mark where it was",
    ),
    gone(
        "remove.hidden_stays", REMOVE, "cursor_remove_leaves",
        "pte_slot_store(&slots[leaves.end], pte_hidden_make_dying(entry));",
        "leaves a hidden page where it was",
    ),
    gone(
        "remove.hidden_not_released", REMOVE, "note_removed",
        "cursor_owe_release(cursor, pt_node_part(node, hull));",
        "forgets the frames of hidden pages that it removed",
    ),
    gone(
        "remove.charge_stays", REMOVE, "note_removed",
        "vm_space_release(cursor->space, leaves->count - leaves->io);",
        "keeps the charge of what it removed",
    ),
    mutant(
        "touch.any_owner", TOUCH, "is_sole_owner", "frame_has_one_ref(frame_of(pte_pa(place->entry)))", "true",
        "lets a write come true on a frame that others name",
    ),
    gone(
        "touch.no_break", TOUCH, "replace_frame", f"pte_slot_store({SLOT}, pte_absent());",
        "replaces the frame of zeroes without an invalid entry between",
    ),
    gone(
        "touch.no_flush", TOUCH, "replace_frame", "vm_cursor_dispatch(cursor);",
        "replaces the frame of zeroes without a flush between",
    ),
    gone(
        "touch.not_owed", TOUCH, "replace_frame",
        "vm_cursor_issue_with(cursor, VM_FLUSH_PAGES, page, old);",
        "owes no flush for the frame that it replaces",
    ),
    gone(
        "touch.not_copied", "mm/frame_copy.c", "frame_alloc_copy",
        "copy_frame(*out, from);",
        "gives an empty frame for one that holds something",
    ),
    mutant(
        "touch.not_taken_over", TOUCH, "take_over", f"pte_slot_replace({SLOT}, &seen, own)", "true",
        "does not make the page of a sole owner writable",
    ),
    mutant(
        "touch.pending_writable", TOUCH, "cursor_page_leaf",
        "sw == PTE_SW_PENDING ? prot & VM_RX : prot", "prot",
        "maps the frame of zeroes writable",
    ),
    gone(
        "touch.zero_not_counted", TOUCH_MARK, "make_private", "frame_get(frame);",
        "does not count a reference on the frame of zeroes",
    ),
    gone(
        "touch.not_stored", TOUCH, "cursor_put_page", f"pte_slot_store({SLOT}, leaf);",
        "does not store what a touched page has got",
    ),
    gone(
        "touch.no_code_owed", TOUCH, "cursor_put_page", "cursor->owed.code = true;",
        "owes no fence.i for a touched page of code",
    ),
    gone(
        "touch.debts_stay", TOUCH, "vm_cursor_touch",
        f"if (cursor->owed.flush_kind != VM_FLUSH_NONE) {{ {SYNC} }}",
        "touches a page whose flush is owed",
    ),
    mutant(
        "touch.not_charged", TOUCH_MARK, "cursor_touch_mark", "vm_space_charge(cursor->space, 1)", "OK",
        "charges nothing for a touched page",
    ),
    gone(
        "touch.charge_stays", TOUCH_MARK, "cursor_touch_mark", "vm_space_release(cursor->space, 1);",
        "keeps the charge of a page that it found no frame for",
    ),
    mutant(
        "sweep.marks_forgotten", SWEEP, "is_empty", "node->marked == 0", "true",
        "sweeps a table that holds marks",
    ),
    mutant(
        "sweep.hidden_forgotten", SWEEP, "is_empty", "node->hidden == 0", "true",
        "sweeps a table that holds hidden pages",
    ),
    mutant(
        "sweep.present_forgotten", SWEEP, "is_empty", "node->present == 0", "true",
        "sweeps a table in which something is",
    ),
    gone(
        "zero_ahead.not_zeroed", ZERO, "frame_zero_ahead", "arch_zero_frame(frame_bytes(frame));",
        "puts frames by as they are",
    ),
    gone(
        "stock.surplus_lost", STOCK, "vm_space_stock_put", "pt_node_destroy(node);",
        "loses a node for which the stock has no room",
    ),
    gone(
        "stock.not_given_back", STOCK, "vm_space_stock_fini", "pt_node_destroy(node);",
        "loses the stock of a space that ends",
    ),
    argued(STOCK, "vm_space_stock_take stock_add", "atomic_", STOCK_ORDER),
]  # fmt: skip
