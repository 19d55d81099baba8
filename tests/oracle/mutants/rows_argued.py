# SPDX-License-Identifier: MIT
"""What no mutant touches, and why."""

from rows import argued

BOOT = "Boot, one hart: nobody else is there."
UNDER_LOCK = """Reads an entry of a node whose lock is held: it changes under no one else's hand but
    hardware's, which sets A and D only."""
OWNED = "The node is stray or not linked: it is its owner's alone."
IDS_LOCK = "Under the lock of the identifiers, which orders all changes of the word."
COUNTS = """A count of references of a frame or a region is no shared word: its order is for what the
    last owner frees; the race programs (tests/host/race_*.c) run it under the thread sanitizer."""
CHARGE = """What is charged orders nothing: it is compared with the entries by every audit, and must be 0
    when the space or the budget goes."""
LOOKS = "The audit looks, it changes nothing."
AFTER_FENCE = """A full fence follows, and the other side has one too: they order what this does.
    Alone it orders the space's own words, which are read under the lock of the identifiers."""
TAG = """Whoever relies on the identifier has read the space's word before, by a read-modify-write
    that acquires, and whoever changed it has joined the word after, by one that releases. So the
    order of the tag's own load and store adds nothing."""
STORES_IN_ORDER = """The model's stores reach memory in the order of their steps, only loads are
    early; so an exchange never misses a store that was made before. On the machine the release of
    the tag that is stored after it, and its acquire, give the same. tests/spin has the protocol."""
SATP = """For satp and the walks before it, which are no memory operations that a model of C11 orders:
    on the machine the release keeps the write of satp before the leave."""
JOIN = """The acquire is shown (join.release). The release is for the space's identifier, which a
    dispatch reads after the hart's bit; a history that needs it was searched for, with two deviations
    at every place of epoch-unmap (tests/oracle/mutants/directed.py), and not found."""
CODE = """The two words are changed one after the other, both by read-modify-writes, and the second
    has release and acquire of its own, which cover what the first is for."""
USED = """New rights are stored with A, and with D if there is W: so what hardware sets meanwhile is
    in the new entry already. Only a page that is hidden can lose it: rights.use_lost shows that."""
BUDGET = """Matters only where a piece of work ends inside of a node: more than 256 pages of one
    space, which the reference has not. The walk counts what is present, and so does not come back to
    an entry that it has released."""
OBJECTS = """Frames of objects are no tables: the host tests of objects count every one of them, and what
    is charged for it (tests/host/test_mem_object.c, test_vm_touch_paged_fail.c)."""

ROWS = [
    argued("mm/asid.c", "asid_init", "shared_store", BOOT),
    argued("mm/mm_init.c", "mm_init", "asid_init", BOOT),
    argued("mm/mm_init.c", "late_node", "arch_zero_frame", BOOT),
    argued("mm/kspace.c", "slot_for kspace_map kspace_share", "pte_slot", BOOT),
    argued("mm/vm_space.c", "vm_space_create", "shared_store", "Nobody else knows the space yet."),
    argued("mm/asid.c", "keep assign", "shared_load(&space->asid_tag, memory_order_relaxed)",
           IDS_LOCK),
    argued("mm/asid.c", "start_over_locked assign",
           "shared_load(&asids.epoch, memory_order_relaxed)", IDS_LOCK),
    argued("mm/asid.c", "asid_of is_of_this_epoch", "asid_tag, memory_order_acquire", TAG),
    argued("mm/asid.c", "keep assign", "memory_order_release", TAG),
    argued("mm/asid.c", "is_of_this_epoch", "shared_load(&asids.epoch, memory_order_acquire)",
           AFTER_FENCE),
    argued("mm/asid.c", "asid_announce", "(uintptr_t)space, memory_order_release", AFTER_FENCE),
    argued("mm/asid.c", "asid_announce", "announced, 0, memory_order_release", """An announcement that
        came too late may stay: the same hart announces the same space again before it does anything
        else, and one with an old identifier is not kept."""),
    argued("mm/asid.c", "asid_settle", "(uintptr_t)space, memory_order_release",
           "The release of the store after it covers this one too."),
    argued("mm/asid.c", "start_over_locked", "flush_due, 1, memory_order_release",
           STORES_IN_ORDER),
    argued("mm/asid.c", "asid_take_flush", "memory_order_acq_rel", STORES_IN_ORDER),
    argued("mm/frame.c", "frame_put frame_run_put", "atomic_fetch_sub_explicit", COUNTS),
    argued("mm/frame.c", "frame_has_one_ref", "atomic_load_explicit", COUNTS),
    argued("mm/frame.c", "frame_run_put", "frame_run_end", """Not to give a run back before the next one
        begins loses its frames: what leaves.run_lost and dying.run_lost show for the last run."""),
    argued("mm/vm_budget.c", "vm_budget_put", "memory_order_acq_rel", COUNTS),
    argued("mm/vm_budget.c", "vm_budget_charge vm_budget_release", "release_up_to", CHARGE),
    argued("mm/mem_object.c", "mem_object_put", "memory_order_acq_rel", COUNTS),
    argued("mm/mem_object_pages.c", "supply_drop", "frame_put", OBJECTS),
    argued("mm/pt_node.c", "pt_node_forget_paged", "pte_slot_load", UNDER_LOCK),
    argued("mm/vm_backing.c", "backing_of backing_make", "atomic_", """The directory is no word that a
        walk reads: whoever finds it through a mark has the lock of the mark's node, which orders it."""),
    argued("mm/vm_backing.c", "table_frame_put", "frame_put", "The space is dead, or nobody saw it."),
    argued("mm/mem_object_reap.c", "mem_object_park take_apart", "reclaim_", OBJECTS),
    argued("mm/vm_cursor_touch_mark.c", "make_paged", "frame_put", OBJECTS),
    argued("mm/vm_cursor_touch_block.c", "make_at_once", "frame_put", OBJECTS),
    argued("mm/pt_node.c", "pt_node_destroy", "is_stray", CHARGE),
    argued("mm/reclaim_leaves.c", "note_released", "is_stray", CHARGE),
    argued("mm/vm_space_io.c", "counts_of vm_space_io_prepare", "atomic_", COUNTS),
    argued("mm/pt_check.c", "check_place", "is_stray", LOOKS),
    argued("mm/pt_check.c", "check_entry", "pte_slot_load", LOOKS),
    argued("mm/pt_descend.c", "follow", "pte_slot_load", """The order of a slot's load is the
        effect's own (arch/slot.h), not mm's to choose. What the load may return too early is tested
        by the early loads of the model."""),
    argued("mm/vm_space_table.c", "node_find vm_space_table_read", "pte_slot_load", LOOKS),
    argued("mm/pt_walk.c", "place_at first_wanted count_missing", "pte_slot_load", UNDER_LOCK),
    argued("mm/vm_cursor_map.c", "has_dying absent_pages forget_marks", "pte_slot_load", UNDER_LOCK),
    argued("mm/vm_cursor_mark.c", "put_marks", "pte_slot_load", UNDER_LOCK),
    argued("mm/pt_node.c", "pt_node_link", "pte_slot_load", UNDER_LOCK),
    argued("mm/pt_lock.c", "child_at", "pte_slot_load", UNDER_LOCK),
    argued("mm/vm_cursor_remove.c", "remove_below cursor_remove_leaves",
           "pte_slot_load", UNDER_LOCK),
    argued("mm/pt_rights.c",
           "grant_along take_along change_along pt_rights_change pt_rights_change_large",
           "pte_slot_load_locked", UNDER_LOCK),
    argued("mm/vm_cursor_protect.c", "protect_below", "pte_slot_load", UNDER_LOCK),
    argued("mm/vm_space_sweep.c", "sweep_below", "pte_slot_load", UNDER_LOCK),
    argued("mm/vm_cursor_flush.c", "sweep_dying", "pte_slot_load", UNDER_LOCK),
    argued("mm/vm_cursor_remove.c", "cursor_detach", "pt_unlock_stray", """Before the entry or after it: who
        finds the table meanwhile sees that it is stray, and looks again."""),
    argued("mm/vm_cursor_protect.c", "change_rights", "pte_slot_replace", USED),
    argued("mm/pt_rights.c", "slot_step", "pte_slot", USED),
    argued("mm/vm_cursor.c", "owe_nothing start", "ow", "A new cursor has changed nothing."),
    argued("mm/vm_cursor_touch.c", "mark_used", "pte_slot_replace", "The same as for change_rights."),
    argued("mm/vm_cursor_flush.c", "vm_cursor_issue_with", "vm_cursor_issue", """What else the caller
        owes is the caller's to know; what mm removes owes its own flush."""),
    argued("mm/vm_cursor_flush.c", "vm_cursor_dispatch cursor_sync_two", "owed.code = false",
           "Without it a cursor does a fence.i more; nothing else."),
    argued("mm/reclaim.c", "take_apart", "pte_slot_load", OWNED),
    argued("mm/reclaim_leaves.c", "reclaim_release", "pte_slot_load", OWNED),
    argued("mm/reclaim.c", "reclaim_park free_top", "reclaim_", """What these count is
        shown by park.not_counted and top.left_not_counted."""),
    argued("mm/reclaim_leaves.c", "reclaim_dying", "pte_slot_load", UNDER_LOCK),
    argued("mm/reclaim_leaves.c", "release_large release_small", "pte_slot_store", BUDGET),
    argued("mm/reclaim_leaves.c", "reclaim_release", "release_leaves", """What is not released here the reaper
        releases later; that device pages must not wait for it is shown by release.not_a_leaf."""),
    argued("mm/reclaim.c", "reclaim_begin reclaim_end vm_space_reap_is_done", "memory_order", """Tells that nothing is
        left, to tests and to whoever waits for memory; nothing is freed or used because of it."""),
    argued("mm/reclaim_leaves.c", "reclaim_dying", "release_page", """Before the entry is cleared or after:
        it has no V, and the node's lock is held."""),
    argued("mm/space_word.c", "space_word_dispatch", "memory_order_acq_rel", SATP),
    argued("mm/space_word.c", "space_word_leave", "memory_order_acq_rel", SATP),
    argued("mm/space_word.c", "space_word_join", "memory_order_acq_rel", JOIN),
    argued("mm/space_word.c", "space_word_join", "shared_load(&space->code, memory_order_acquire)",
           CODE),
    argued("mm/space_word.c", "space_word_dispatch_code", "memory_order_acq_rel", CODE),
    argued("mm/space_word.c", "space_word_is_running", "shared_load",
           "Asked in an assertion only: of a space without references, which no hart can join."),
    argued("mm/space_word.c", "space_word_generation", "memory_order_acquire", """Compared for
        equality with what the same hart read before. A value that is too old makes two faults look
        alike, and the second then takes the full fence instead of one by address."""),
    argued("mm/tlb.c", "vm_space_icache_sync", "space_word_code_seen", """Without it the hart does
        one fence.i more when it next joins; nothing else."""),
    argued("mm/vm_space.c", "vm_space_put", "space_word_is_running", "An assertion."),
    argued("mm/vm_space.c", "vm_space_put", "memory_order_acq_rel", """For what the last owner frees:
        a space is taken apart only after a snapshot, which has a full fence of its own."""),
    argued("mm/vm_space.c", "switch_tagged", "asid_settle(hart, NULL)", """Without it the identifier
        of a space that the hart has left is kept in a new epoch, and the space's record, which may be
        free by then, is looked at; the model watches frames, not the records in them."""),
    argued("mm/vm_space.c", "vm_space_activate", "vm_fault_start_anew", """For a space that is made
        at the address of one that is gone, and has come to the same generation, page and entry."""),
]
