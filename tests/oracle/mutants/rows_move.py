# SPDX-License-Identifier: MIT
"""Mutants of moving: what leaves, what arrives, what is owed for it, who pays; and of pagers, who
take pages out and bring them back."""

from rows import argued, gone, mutant

MOVE = "mm/vm_cursor_move.c"
ENTRIES = "mm/vm_cursor_move_entries.c"
RELINK = "mm/pt_relink.c"
DESCEND = "mm/pt_descend.c"
NODE = "mm/pt_node.c"
PAGER = "mm/vm_cursor_pager.c"
PASS = "mm/vm_cursor_pass.c"
UNDER_LOCK = """Reads an entry of a node whose lock is held: it changes under no one else's hand but
    hardware's, which sets A and D only."""

RUNS = [
    gone(
        "move.not_owed", ENTRIES, "settle_run",
        "vm_cursor_issue(pass->from, VM_FLUSH_PAGES, pt_node_part(source->node, span));",
        "owes no flush for what has moved away",
    ),
    gone(
        "move.no_code_owed", ENTRIES, "settle_run",
        "pass->to->owed.code = pass->to->owed.code || (run->bits & PTE_X) != 0;",
        "owes no fence.i for code that came from another space",
    ),
    mutant(
        "move.stays", ENTRIES, "take_run", "pte_slot_exchange(from, pte_absent())",
        "pte_slot_load_locked(from)", "leaves what has moved where it was, too",
    ),
    gone(
        "move.not_stored", ENTRIES, "take_run", "pte_slot_store(to, entry);",
        "stores nothing where a page has moved to",
    ),
    gone(
        "move.still_counted", ENTRIES, "take_run", "node_subtract(source->node, run);",
        "counts what has moved where it was",
    ),
    gone(
        "move.not_counted", ENTRIES, "take_run", "node_add(target->node, run);",
        "does not count what has moved where it is",
    ),
    gone(
        "move.own_debts_stay", MOVE, "vm_cursor_move", "vm_cursor_sync(from);",
        "moves from where something is dying",
    ),
    mutant(
        "move.over_something", ENTRIES, "measure_run",
        "!pte_is_absent(pte_slot_load_locked(&room[run.slots]))", "false",
        "moves over what is there",
    ),
    mutant(
        "move.over_first", ENTRIES, "make_room", "target->kind != PTE_ABSENT", "false",
        "moves to where something is from the first page on",
    ),
    mutant(
        "move.not_charged", ENTRIES, "prepare_space",
        "vm_space_charge(pass->to->space, run_charge(run))", "OK",
        "charges nothing for what comes from another space",
    ),
    gone(
        "move.charge_stays", ENTRIES, "settle_run",
        "vm_space_release(pass->from->space, run_charge(run));",
        "keeps the charge of what has moved to another space",
    ),
    gone(
        "move.charge_stays_without_table", ENTRIES, "make_room",
        "vm_space_release(to->space, run_charge(run));",
        "keeps the charge of a move for which it found no table",
    ),
    gone(
        "move.io_not_counted", ENTRIES, "take_run", "move_io(pass, pte_pa(entry), run->level);",
        "moves a device's page to another space without its count",
    ),
    mutant(
        "move.foreign_slot", ENTRIES, "must_be_made_anew",
        "pte_is_paged(entry) && pass_is_between_spaces(pass)", "false",
        "takes a mark to another space with the slot of its own",
    ),
]  # fmt: skip

TABLES = [
    gone(
        "relink.not_owed", MOVE, "move_table",
        "vm_cursor_issue(pass->from, VM_FLUSH_SPACE, extent);",
        "owes no flush for a table that has moved away",
    ),
    gone(
        "relink.no_code_owed", MOVE, "move_table",
        "pass->to->owed.code = pass->to->owed.code || pass_is_between_spaces(pass);",
        "owes no fence.i for the code in a table that came from another space",
    ),
    gone(
        "relink.space_stays", RELINK, "set_place", "node->space = space;",
        "leaves the space in the record of a table that has moved to another",
    ),
    gone(
        "relink.base_stays", RELINK, "set_place", "node->base = base;",
        "leaves the place in the record of a table that has moved",
    ),
    gone(
        "relink.below_stays", RELINK, "set_place",
        "set_place(pt_node_of(pte_slot_load(&node->slots[i])), space, pt_node_entry_va(node, i));",
        "leaves the place in the records of the tables below one that has moved",
    ),
    mutant(
        "relink.whatever_is_in_it", MOVE, "may_relink",
        "(weight->is_free || !pass_is_between_spaces(pass))", "true",
        "moves a table with what its space counts in it to another space",
    ),
    mutant(
        "relink.over_something", MOVE, "may_relink", "target->kind == PTE_ABSENT",
        "target->kind != PTE_TABLE", "moves a table to where something is",
    ),
    mutant(
        "relink.not_aligned_alike", MOVE, "find_table",
        "is_aligned(apart, pt_node_entry_bytes(node))", "true",
        "moves a table to where its entries would translate other addresses",
    ),
    mutant(
        "relink.past_the_end", MOVE, "find_table", "extent.end.raw <= pass->end.raw", "true",
        "moves a table of which a part was to stay",
    ),
    mutant(
        "relink.not_charged", MOVE, "move_table",
        "charge > 0 ? vm_space_charge(pass->to->space, charge) : OK", "OK",
        "charges nothing for a table that comes from another space",
    ),
    gone(
        "relink.charge_stays", MOVE, "move_table", "vm_space_release(pass->from->space, charge);",
        "keeps the charge of a table that has moved to another space",
    ),
    gone(
        "relink.charge_stays_without_table", MOVE, "move_table",
        "vm_space_release(pass->to->space, charge);",
        "keeps the charge of a table for which it found no place",
    ),
    gone(
        "relink.near_stays", MOVE, "move_table", "pass->from->near = pass->from->cover;",
        "goes on from a table that is no longer there",
    ),
    gone(
        "node.table_not_noted", NODE, "note_table",
        "parent->tables[index / 64] |= UINT64_C(1) << index % 64;",
        "does not note which entry has got a table",
    ),
    gone(
        "node.table_noted_for_good", NODE, "pt_node_take_table",
        "parent->tables[index / 64] &= ~(UINT64_C(1) << index % 64);",
        "goes on noting a table that is gone",
    ),
    mutant(
        "place.waits_with_nodes", DESCEND, "lock_node",
        "held == PT_HELD_NODES || pt_order_holds_any()", "false",
        "waits for a table that may have moved while it holds others",
    ),
    mutant(
        "place.space_ok", DESCEND, "node_is_in_place", "node->space == root->space", "true",
        "takes a table that has moved to another space for one in place",
    ),
    mutant(
        "place.base_ok", DESCEND, "node_is_in_place", "node->base.raw == found.base.raw", "true",
        "takes a table that has moved inside its space for one in place",
    ),
]  # fmt: skip

PASSES = [
    gone(
        "pass.debts_stay", PASS, "pass_begin", "vm_cursor_sync(pass->to);",
        "brings pages to where something is dying",
    ),
    mutant(
        "pass.part_goes_whole", PASS, "goes_whole", "extent.end.raw <= pass->end.raw", "true",
        "takes a large page of which a part was to stay",
    ),
    mutant(
        "pass.not_aligned_alike", PASS, "goes_whole", "is_aligned(room.start.raw, bytes)", "true",
        "takes a large page to where it is not aligned",
    ),
    mutant(
        "pass.over_something", PASS, "goes_whole", "!pt_find_used(pass->to, room, &used)", "true",
        "takes a large page to where something is",
    ),
    mutant(
        "pass.not_charged", PASS, "pass_make_room", "vm_space_charge(to->space, charge)", "OK",
        "charges nothing for a large page",
    ),
    gone(
        "pass.charge_stays", PASS, "pass_make_room", "vm_space_release(to->space, charge);",
        "keeps the charge of a large page for which it found no room",
    ),
]  # fmt: skip

PAGERS = [
    mutant(
        "pager.a_stays", PAGER, "take_accessed",
        """pte_slot_replace(&place->node->slots[place->index], &seen,
                             (pte_t){seen.raw & ~PTE_A})""", "true",
        "says that it has taken A from a page, and has not",
    ),
    gone(
        "rights.use_lost", "mm/pt_rights.c", "slot_step",
        "pte_slot_set(slot, before.raw & (PTE_A | PTE_D));",
        "loses A that hardware sets while a page is being hidden",
    ),
    gone(
        "pager.a_not_owed", PAGER, "vm_cursor_clear_accessed",
        "vm_cursor_issue(cursor, VM_FLUSH_PAGES, page);",
        "owes no flush for A that is taken",
    ),
    mutant(
        "pager.page_stays", PAGER, "take_page",
        "pte_slot_exchange(&place->node->slots[place->index], instead)",
        "pte_slot_load(&place->node->slots[place->index])",
        "leaves a page that it takes out where it was, too",
    ),
    gone(
        "pager.not_owed", PAGER, "take_page",
        "vm_cursor_issue(from, VM_FLUSH_PAGES, pt_place_range(place));",
        "owes no flush for a page that it takes out",
    ),
    gone(
        "pager.not_stored", PAGER, "put_page",
        "pte_slot_store(&place->node->slots[place->index], page);",
        "stores nothing where it brings a page",
    ),
    gone(
        "pager.no_code_owed", PAGER, "put_page",
        "to->owed.code = to->owed.code || (pte_prot(page) & VM_X) != 0;",
        "owes no fence.i for code that it brings back",
    ),
    mutant(
        "pager.any_cookie", PAGER, "supply_page", "mark.place != pass->cookie", "false",
        "brings a page to where another one was",
    ),
    mutant(
        "pager.writable_though_shared", PAGER, "private_page",
        "(prot & VM_W) != 0 && !frame_has_one_ref(frame)", "false",
        "brings a page back writable that others name",
    ),
]  # fmt: skip

ROWS = [
    *RUNS,
    *TABLES,
    *PASSES,
    *PAGERS,
    argued(ENTRIES, "measure_run take_run", "pte_slot_load_locked", UNDER_LOCK),
    argued(MOVE, "find_table", "pte_slot_load", UNDER_LOCK),
    argued(RELINK, "weigh", "pte_slot_load", UNDER_LOCK),
]  # fmt: skip
