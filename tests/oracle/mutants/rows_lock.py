# SPDX-License-Identifier: MIT
"""Mutants of the lock protocol of nodes."""

from rows import gone, mutant

DESCEND = "mm/pt_descend.c"
LOCK = "mm/pt_lock.c"
WALK = "mm/pt_walk.c"
SPLICE = "pte_slot_store(&parent->slots[index], pte_make_table(frame_pa(child->frame)));"
RELEASE_CHILD = "spinlock_release(&child->lock);"
RELEASE_COVER = "spinlock_release(&cover->lock);"

ROWS = [
    mutant(
        "place.stray_ok", DESCEND, "node_is_in_place", "!node->is_stray", "true",
        "takes a detached table for one in place",
    ),
    mutant(
        "place.unchecked", DESCEND, "pt_lock_found", "!node_is_in_place(found, root)", "false",
        "does not look whether a locked node is in place",
    ),
    gone(
        "place.stays_locked", DESCEND, "pt_lock_found", "spinlock_release(&found.node->lock);",
        "keeps the lock of a node that is not in place",
    ),
    mutant(
        "place.own_locks_ignored", DESCEND, "pt_lock_found",
        "!pt_order_allows(root, found.base)", "false",
        "waits for a lock that the hart itself may hold",
    ),
    mutant(
        "link.not_looked_again", DESCEND, "link_child",
        "has_room_for_table(pte_slot_load(&parent->slots[index]), parent->level)", "true",
        "links a table without looking again under the lock",
    ),
    gone("link.not_stored", "mm/pt_node.c", "pt_node_put_table", SPLICE,
         "does not link the table it has made"),
    gone(
        "link.stays_locked", DESCEND, "link_child", "spinlock_release(&parent->lock);",
        "keeps the lock of a node below which it links a table",
    ),
    gone(
        "children.not_locked", LOCK, "lock_children", "node_acquire(child);",
        "locks the covering node alone",
    ),
    mutant(
        "children.cut_stays_locked", LOCK, "lock_children", RELEASE_CHILD, ";",
        "keeps a table locked that a bounded range was cut before",
    ),
    gone(
        "children.not_unlocked", LOCK, "unlock_children", RELEASE_CHILD,
        "leaves the nodes below the covering one locked",
    ),
    gone(
        "cover.big_stays_locked", LOCK, "lock_subtree", RELEASE_COVER,
        "keeps a node locked whose tables are too many",
    ),
    gone(
        "cover.not_unlocked", LOCK, "unlock_subtree", RELEASE_COVER,
        "leaves the covering node locked",
    ),
    gone(
        "two.low_stays_locked", LOCK, "lock_two_apart", "unlock_subtree(found[0].node, &low);",
        "keeps the lower range locked when the higher is not in place",
    ),
    mutant(
        "two.high_first", LOCK, "lock_two_apart",
        "lock_subtree(root, found[0], PT_HELD_NOTHING, &low)",
        "lock_subtree(root, found[1], PT_HELD_NODES, &high)", "locks the higher of two ranges first",
        ("lock_two_apart", "lock_subtree(root, found[1], PT_HELD_NODES, &high)",
         "lock_subtree(root, found[0], PT_HELD_NOTHING, &low)"),
    ),
    gone(
        "stray.not_marked", LOCK, "pt_unlock_stray", "node->is_stray = true;",
        "does not mark a detached table stray",
    ),
    gone(
        "stray.children_not", LOCK, "pt_unlock_stray",
        "charge += pt_unlock_stray(child_at(node, i));",
        "neither marks nor unlocks the tables below a detached one",
    ),
    gone(
        "stray.stays_locked", LOCK, "pt_unlock_stray", "spinlock_release(&node->lock);",
        "leaves detached tables locked",
    ),
    gone(
        "born.not_locked", WALK, "pt_link", "pt_lock_unlinked(node);",
        "links a table that nobody has locked",
    ),
    mutant(
        "born.locked_late", WALK, "pt_link", "pt_lock_unlinked(node);", ";",
        "locks a table after it is linked",
        ("pt_link", "pt_node_link(place->node, place->index, node);",
         "pt_node_link(place->node, place->index, node); pt_lock_unlinked(node);"),
    ),
]
