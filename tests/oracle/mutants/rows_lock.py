# SPDX-License-Identifier: MIT
"""Mutants of the lock protocol (mm/pt_lock.c, mm/pt_walk.c)."""

from rows import gone, mutant

LOCK = "mm/pt_lock.c"
WALK = "mm/pt_walk.c"

ROWS = [
    mutant(
        "place.stray_ok", LOCK, "node_is_in_place", "!node->is_stray", "true",
        "takes a detached table for one in place",
    ),
    mutant(
        "place.link_unchecked", LOCK, "link_child", "!node_is_in_place(at, root, va)", "false",
        "links a child below a node without looking whether it is in place",
    ),
    mutant(
        "place.link_twice", LOCK, "link_child",
        "pte_kind(pte_slot_load(&parent->slots[index]), parent->level) == PTE_ABSENT", "true",
        "links a child without looking again under the lock",
    ),
    mutant(
        "place.cover_unchecked", LOCK, "lock_subtree",
        "node_is_in_place(found, root, range->start)", "true",
        "locks the covering node without looking whether it is in place",
    ),
    gone(
        "stray.not_marked", LOCK, "pt_unlock_stray", "node->is_stray = true;",
        "does not mark a detached table stray",
    ),
    gone(
        "stray.children_not", LOCK, "pt_unlock_stray", "pt_unlock_stray(pt_node_of(entry));",
        "neither marks nor unlocks the tables below a detached one",
    ),
    mutant(
        "children.not_locked", LOCK, "lock_subtree", "lock_children(cover, range, &budget)", "OK",
        "locks the covering node alone",
    ),
    gone(
        "linked.not_locked", WALK, "pt_walk_linking", "pt_lock_unlinked(node);",
        "links a table that nobody has locked",
    ),
]
