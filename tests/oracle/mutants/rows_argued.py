# SPDX-License-Identifier: MIT
"""What no mutant touches, and why."""

from rows import argued

BOOT = "Boot, one hart: nobody else is there."
UNDER_LOCK = """Reads an entry of a node whose lock is held: only hardware changes it, and only its A
    and D bits."""

ROWS = [
    argued("mm/asid.c", "asid_init", "shared_store", BOOT),
    argued("mm/mm_init.c", "mm_init", "asid_init", BOOT),
    argued("mm/kspace.c", "slot_for kspace_map kspace_share", "pte_slot", BOOT),
    argued("mm/pt_walk.c", "place_at skip_absent count_missing", "pte_slot_load", UNDER_LOCK),
    argued("mm/vm_cursor_remove.c", "count_subtree remove_below sweep_dying", "pte_slot_load",
           UNDER_LOCK),
]
