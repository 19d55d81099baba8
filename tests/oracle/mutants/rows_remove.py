# SPDX-License-Identifier: MIT
"""Mutants of what takes mappings and rights away, and of when things are free."""

from rows import gone, mutant

CURSOR = "mm/vm_cursor.c"
MAP = "mm/vm_cursor_map.c"
REMOVE = "mm/vm_cursor_remove.c"
REAP = "mm/vm_reap.c"
SYNC = "vm_cursor_sync(cursor);"
UNLOCK = "pt_unlock_range(cursor->cover, cursor->range);"

ROWS = [
    mutant(
        "close.unlock_first", CURSOR, "vm_cursor_close", f"{SYNC} {UNLOCK}",
        f"{UNLOCK} {SYNC}", "unlocks before it flushes",
    ),
    gone("close.no_sync", CURSOR, "vm_cursor_close", SYNC, "closes without paying"),
    gone(
        "put.tables_still_owed", MAP, "put_leaf",
        f"if (cursor->owed.tables != NULL) {{ {SYNC} }}",
        "maps where a detached table may still be walked",
    ),
    gone(
        "put.over_dying", MAP, "put_leaf", f"if (place.kind == PTE_DYING) {{ {SYNC} }}",
        "stores a leaf over a dying entry: no break before make",
    ),
    mutant(
        "remove.by_load_and_store", REMOVE, "cursor_remove_leaf",
        "pte_make_dying(place->entry)", "pte_absent()", "forgets the frame of a removed entry",
    ),
    gone(
        "remove.not_noted", REMOVE, "cursor_remove_leaf", "note_dying(cursor, page);",
        "does not note what is dying",
    ),
    gone(
        "remove.nothing_owed", REMOVE, "cursor_remove_leaf", "tlb_owe_page(cursor, page);",
        "owes no flush for a removed leaf",
    ),
    gone(
        "detach.stays_linked", REMOVE, "detach",
        "pte_slot_store(&place->node->slots[place->index], pte_absent());",
        "leaves the entry of a detached table where it is",
    ),
    mutant(
        "detach.unlock_first", REMOVE, "detach",
        "pte_slot_store(&place->node->slots[place->index], pte_absent());"
        " place->node->present--; pt_unlock_stray(child);",
        "pt_unlock_stray(child);"
        " pte_slot_store(&place->node->slots[place->index], pte_absent());"
        " place->node->present--;",
        "unlocks a table before it is detached",
    ),
    gone(
        "detach.nothing_owed", REMOVE, "detach", "tlb_owe_space(cursor);",
        "owes no flush for a detached table",
    ),
    mutant(
        "protect.plain_store", REMOVE, "change_rights",
        "!pte_slot_replace(&place->node->slots[place->index], &seen,"
        " pte_with_rights(seen, prot, mem))",
        "(pte_slot_store(&place->node->slots[place->index], pte_with_rights(seen, prot, mem)),"
        " false)",
        "loses A and D that hardware sets while rights change",
    ),
    gone(
        "protect.nothing_owed", REMOVE, "vm_cursor_protect_next", "tlb_owe_page(cursor, *changed);",
        "owes no flush for rights taken away",
    ),
    mutant(
        "protect.memory_type_free", REMOVE, "vm_cursor_protect_next",
        "(leaf.prot & ~(unsigned)rights.prop.prot) != 0 || mem != leaf.mem",
        "(leaf.prot & ~(unsigned)rights.prop.prot) != 0",
        "owes no flush for a changed memory type",
    ),
    mutant(
        "sweep.release_first", REMOVE, "sweep_dying",
        "pte_slot_store(&node->slots[i], pte_absent());", ";",
        "leaves a dying entry where its frame was released",
    ),
    mutant(
        "sync.sweep_first", REMOVE, "vm_cursor_sync",
        "tlb_pay(cursor); if (removed.start.raw < removed.end.raw) {"
        " sweep_dying(cursor->space, cursor->cover, removed); }",
        "if (removed.start.raw < removed.end.raw) {"
        " sweep_dying(cursor->space, cursor->cover, removed); } tlb_pay(cursor);",
        "frees removed pages before the flush",
    ),
    gone("sync.no_pay", REMOVE, "vm_cursor_sync", "tlb_pay(cursor);", "frees without a flush"),
]
