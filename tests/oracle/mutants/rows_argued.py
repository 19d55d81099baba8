# SPDX-License-Identifier: MIT
"""What no mutant touches, and why."""

from rows import argued

BOOT = "Boot, one hart: nobody else is there."
UNDER_LOCK = """Reads an entry of a node whose lock is held: it changes under no one else's hand but
    hardware's, which sets A and D only."""
OWNED = "The node is stray or not linked: it is its owner's alone."

IDS_LOCK = "Under the lock of the identifiers, which orders all changes of the word."
COUNTS = """A count of references is no shared word: its order is for what the last owner frees, and
    the race programs (tests/host/race_*.c) run it under the thread sanitizer."""

ROWS = [
    argued("mm/asid.c", "keep assign", "shared_load(&space->asid_tag, memory_order_relaxed)",
           IDS_LOCK),
    argued("mm/asid.c", "start_over_locked assign",
           "shared_load(&asids.epoch, memory_order_relaxed)", IDS_LOCK),
    argued("mm/frame.c", "frame_put", "atomic_fetch_sub_explicit", COUNTS),
    argued("mm/vm_space.c", "vm_space_put", "atomic_fetch_sub_explicit", COUNTS),
    argued("mm/vm_space_io.c", "counts_of vm_space_io_prepare", "atomic_", """The counts of a
        region's pages are made once and read through this pointer; the race programs run it under
        the thread sanitizer."""),
    argued("mm/pt_check.c", "check_place", "is_stray", "The audit looks, it changes nothing."),
    argued("mm/pt_check.c", "check_node", "pte_slot_load", "The audit looks, it changes nothing."),
    argued("mm/pt_descend.c", "pt_descend", "pte_slot_load", """The order of a slot's load is the
        effect's own (arch/slot.h), not mm's to choose. What the load may return too early is tested
        by the early loads of the model."""),
    argued("mm/space_word.c", "space_word_is_running", "shared_load",
           "Asked in an assertion only: of a space without references, which no hart can join."),
    argued("mm/space_word.c", "space_word_generation", "memory_order_acquire", """Compared for
        equality with what the same hart read before. A value that is too old makes two faults look
        alike, and the second then takes the full fence instead of one by address."""),
    argued("mm/vm_space.c", "vm_space_put", "space_word_is_running", "An assertion."),
    argued("mm/tlb.c", "vm_space_icache_sync", "space_word_code_seen", """Without it the hart does
        one fence.i more when it next joins; nothing else."""),
    argued("mm/vm_cursor_flush.c", "vm_cursor_dispatch cursor_sync_two", "owed.code = false",
           "Without it a cursor does a fence.i more; nothing else."),
    argued("mm/asid.c", "asid_init", "shared_store", BOOT),
    argued("mm/mm_init.c", "mm_init", "asid_init", BOOT),
    argued("mm/mm_init.c", "late_node", "arch_zero_frame", BOOT),
    argued("mm/kspace.c", "slot_for kspace_map kspace_share", "pte_slot", BOOT),
    argued("mm/pt_walk.c", "place_at skip_absent count_missing", "pte_slot_load", UNDER_LOCK),
    argued("mm/pt_lock.c", "wanted_child pt_unlock_stray", "pte_slot_load", UNDER_LOCK),
    argued("mm/vm_cursor_remove.c", "count_pages unmap_below", "pte_slot_load", UNDER_LOCK),
    argued("mm/vm_cursor_flush.c", "sweep_dying", "pte_slot_load", UNDER_LOCK),
    argued("mm/reclaim.c", "take_apart release_leaves reclaim_release", "pte_slot_load", OWNED),
]
