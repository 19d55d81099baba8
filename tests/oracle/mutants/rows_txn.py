# SPDX-License-Identifier: MIT
"""Mutants of transactions: what is planned, when it is paid for, and that it is all or nothing."""

from rows import argued, gone, mutant

TXN = "mm/vm_cursor_txn.c"
PLAN = "mm/vm_cursor_txn_plan.c"
UNDER_LOCK = """Reads an entry of a node whose lock is held: it changes under no one else's hand but
    hardware's, which sets A and D only."""

ROWS = [
    gone(
        "txn.no_flush_for_marks", TXN, "apply", "vm_cursor_sync(cursor);",
        "marks where a page is dying",
    ),
    mutant(
        "txn.exclusive_over", PLAN, "plan_mark",
        "txn->changes[i].mode == VM_MAP_EXCLUSIVE", "false",
        "marks over something though the mark is exclusive",
    ),
    mutant(
        "txn.blind_to_marks", PLAN, "plan_mark", "part->net == TXN_MARK", "false",
        "marks over what an operation before has marked",
    ),
    mutant(
        "txn.blind_to_removals", PLAN, "plan_mark", "part->net != TXN_REMOVE", "true",
        "refuses to mark what an operation before has emptied",
    ),
    mutant(
        "txn.protects_the_gone", PLAN, "plan_protect", "part->net == TXN_REMOVE", "false",
        "keeps pages that an operation before has removed, with other rights",
    ),
    mutant(
        "txn.view_writable", PLAN, "plan_protect", "look->has_view", "false",
        "plans W for a view",
    ),
    mutant(
        "txn.first_rights", PLAN, "plan_protect",
        "part->prot = mark->kind == VM_ITEM_GUARD ? part->prot : (uint8_t)prot;", ";",
        "marks with other rights than an operation after it gives",
    ),
    gone(
        "txn.not_protected", TXN, "apply",
        "cursor_protect(cursor, txn_part_range(txn, i), (enum vm_prot)part->prot);",
        "plans rights, and does not give them",
    ),
    gone(
        "txn.not_removed", TXN, "apply", "remove_part(txn, txn_part_range(txn, i), removed);",
        "plans to remove, and does not",
    ),
    gone(
        "txn.row_kept", TXN, "vm_cursor_txn", "drop(&txn, count);",
        "keeps the rows of the objects that it has held",
    ),
    mutant(
        "txn.ends_inside", TXN, "make_ends",
        "status = pt_split_ends(txn->cursor, part, is_mark ? PT_ENDS_ALL : PT_ENDS_OF_ENTRIES);",
        "status = OK;", "does not make the ends of its parts boundaries",
    ),
    argued(PLAN, "look_below count_io count_removal", "pte_slot_load", UNDER_LOCK),
]  # fmt: skip
