# SPDX-License-Identifier: MIT
"""Mutants of when things are free (mm/reclaim.c and what gives to it)."""

from rows import gone, mutant, weaker

FLUSH = "mm/vm_cursor_flush.c"
RECLAIM = "mm/reclaim.c"
LEAVES = "mm/reclaim_leaves.c"
SPACE = "mm/vm_space.c"
ABSENT_AT = "pte_slot_store(&slots[i], pte_absent());"
COUNT = "arch_quiescence_count(hart)"
LEFT_DOWN = "shared_fetch_add(&reclaim.left, UINT64_MAX, memory_order_release)"

ROWS = [
    mutant(
        "park.at_once", FLUSH, "release", "reclaim_park(node);",
        "unsigned all = UINT32_MAX; reclaim_release(node, &all); pt_node_destroy(node);",
        "frees a detached table as soon as it is flushed",
    ),
    mutant(
        "park.past_at_once", RECLAIM, "reclaim_park", "push(&reclaim.parked, node);",
        "push(&reclaim.past, node);", "parks a table among those that no hart can have met",
    ),
    gone("park.nothing", FLUSH, "release", "reclaim_park(node);", "forgets detached tables"),
    gone(
        "release.leaves_not", FLUSH, "release", "reclaim_release(node, &leaves);",
        "leaves all pages of a detached table to the reaper",
    ),
    mutant(
        "release.kept_not", FLUSH, "release",
        "frame_put(cursor->owed.kept[--cursor->owed.kept_count]);",
        "cursor->owed.kept_count--;", "does not give back what was kept for the flush",
    ),
    gone(
        "sweep.nothing", FLUSH, "sweep_dying", "cursor->stores += reclaim_dying(node, span);",
        "does not release dying entries",
    ),
    gone(
        "snapshot.no_fence", RECLAIM, "take_snapshot_locked", "shared_fence(memory_order_seq_cst);",
        "leaves out the fence between what was detached and the counters",
    ),
    weaker(
        "snapshot.weak_fence", RECLAIM, "take_snapshot_locked",
        "shared_fence(memory_order_seq_cst)", "seq_cst acq_rel",
        "the fence between what was detached and the counters",
    ),
    mutant(
        "snapshot.old_counts", RECLAIM, "take_snapshot_locked", COUNT, "0",
        "takes every counter for changed",
    ),
    gone(
        "snapshot.nobody_behind", RECLAIM, "take_snapshot_locked",
        "reclaim.behind = hart_mask_with(reclaim.behind, hart);", "waits for no hart",
    ),
    mutant(
        "snapshot.odd", RECLAIM, "take_snapshot_locked", "count % 2 != 0", "count % 2 == 0",
        "takes odd for even when it notes where the harts are",
    ),
    mutant(
        "passed.not_asked", RECLAIM, "advance_locked", "has_passed_locked(hart)", "true",
        "does not ask whether a hart has been outside",
    ),
    mutant(
        "passed.always", RECLAIM, "has_passed_locked", "count != reclaim.snapshot[hart]", "true",
        "takes a hart that is in the kernel for one that has been outside",
    ),
    gone(
        "snapshot.never", RECLAIM, "advance_locked", "take_snapshot_locked();",
        "looks for harts without having noted where they were",
    ),
    gone(
        "park.not_counted", RECLAIM, "reclaim_begin",
        "(void)shared_fetch_add(&reclaim.left, 1, memory_order_relaxed);",
        "does not count what is parked",
    ),
    mutant(
        "left.nothing", RECLAIM, "vm_space_reap_is_done",
        "shared_load(&reclaim.left, memory_order_acquire) == 0", "true",
        "says that nothing is left",
    ),
    gone(
        "page.frame_lost", LEAVES, "release_page", "frame_run_put(run, pa);",
        "loses the frames of removed pages",
    ),
    gone(
        "page.not_released", LEAVES, "release_small",
        "release_page(node->space, pte_pa(entry), is_io, &run);",
        "loses the pages of detached tables",
    ),
    gone(
        "leaves.run_lost", LEAVES, "release_small", "frame_run_end(&run);",
        "loses the last frames of a detached table that came free side by side",
    ),
    gone(
        "dying.run_lost", LEAVES, "reclaim_dying", "frame_run_end(&run);",
        "loses the last frames that came free side by side",
    ),
    mutant(
        "apart.leaf_skipped", LEAVES, "reclaim_take_leaves",
        "release_leaves(node, count);", "node->present = 0;",
        "does not release the pages of a table it takes apart",
    ),
    gone(
        "leaves.dying_skipped", LEAVES, "reclaim_release",
        "(void)reclaim_dying(node, span);",
        "does not release what was dying in a detached table",
    ),
    gone(
        "release.not_a_leaf", LEAVES, "reclaim_release",
        "release_leaves(node, count);"
        " (void)reclaim_dying(node, span);",
        "leaves device pages of a detached table to the reaper",
    ),
    gone(
        "release.not_below", LEAVES, "reclaim_release",
        "reclaim_release(pt_node_of(pte_slot_load(&node->slots[i])), leaves);",
        "leaves device pages below a detached table to the reaper",
    ),
    mutant(
        "passed.odd", RECLAIM, "has_passed_locked", "count % 2 == 0", "count % 2 != 0",
        "takes odd for even",
    ),
    mutant(
        "passed.no_counter", RECLAIM, "has_passed_locked", COUNT, "0",
        "does not look at the counters",
    ),
    mutant(
        "advance.parked_too", RECLAIM, "advance_locked", "reclaim.past = reclaim.waiting;",
        "reclaim.past = reclaim.waiting;"
        " while (reclaim.parked != NULL) { push(&reclaim.past, pop(&reclaim.parked)); }",
        "frees with a snapshot what was parked after it",
    ),
    gone(
        "dying.entry_stays", LEAVES, "reclaim_dying", ABSENT_AT,
        "leaves a dying entry whose page it releases",
    ),
    gone(
        "apart.table_stays", RECLAIM, "take_apart", "pt_node_take_table(node, i);",
        "leaves the entry of a table that it frees",
    ),
    gone(
        "apart.child_lost", RECLAIM, "take_apart", "pt_node_destroy(child);",
        "forgets the tables below a detached one",
    ),
    gone("top.not_freed", RECLAIM, "free_top", "pt_node_destroy(node);", "forgets a root"),
    gone(
        "put.never", SPACE, "vm_space_put", "reclaim_park(space->root);",
        "never takes a dead space apart",
    ),
    mutant(
        "put.not_counted", SPACE, "vm_space_put",
        "shared_fetch_add(&space->refs, UINT64_MAX, memory_order_acq_rel)",
        "shared_load(&space->refs, memory_order_acquire)", "does not count a reference down",
    ),
    mutant(
        "get.not_counted", SPACE, "vm_space_get",
        "shared_fetch_add(&space->refs, 1, memory_order_relaxed)",
        "shared_load(&space->refs, memory_order_relaxed)", "does not count a reference",
    ),
    gone("top.space_lost", RECLAIM, "free_top", "vm_space_free(space);", "forgets a space"),
    gone(
        "top.left_not_counted", RECLAIM, "reclaim_end", f"(void){LEFT_DOWN};",
        "does not count down what is left",
    ),
]
