# SPDX-License-Identifier: MIT
"""Mutants of the identifiers (mm/asid.c)."""

from rows import gone, mutant, weaker

ASID = "mm/asid.c"
ANNOUNCE = "shared_store(&asids.hart[hart].announced, (uintptr_t)space, memory_order_release)"
UNANNOUNCE = "shared_store(&asids.hart[hart].announced, 0, memory_order_release)"
RUNS = "shared_store(&asids.hart[hart].runs, (uintptr_t)space, memory_order_release)"
FLUSH_DUE = "shared_store(&asids.hart[hart].flush_due, 1, memory_order_release)"
TAKE_DUE = "shared_exchange(&asids.hart[hart].flush_due, 0, memory_order_acq_rel)"
KEPT = (
    "shared_store(&space->asid_tag, epoch << EPOCH_SHIFT | (tag & ASID_MASK),"
    " memory_order_release)"
)
ASSIGNED = "shared_store(&space->asid_tag, epoch << EPOCH_SHIFT | asid, memory_order_release)"
KEEP_ANNOUNCED = "keep(space_in(&asids.hart[hart].announced), epoch);"
KEEP_RUNS = "keep(space_in(&asids.hart[hart].runs), epoch);"
TAG = "shared_load(&space->asid_tag, memory_order_acquire)"
EPOCH = "shared_load(&asids.epoch, memory_order_acquire)"
OF_EPOCH = f"{TAG} >> EPOCH_SHIFT == {EPOCH}"
FENCE = "shared_fence(memory_order_seq_cst)"

ROWS = [
    mutant("asid.of_constant", ASID, "asid_of", TAG, "1", "takes every space for number 1"),
    gone(
        "asid.not_kept", ASID, "keep", "take((uint32_t)(tag & ASID_MASK));",
        "gives the identifier of a running space away in a new epoch",
    ),
    mutant(
        "asid.old_tag_kept", ASID, "keep", "tag >> EPOCH_SHIFT != epoch - 1", "tag == 0",
        "keeps the identifier of a space that is of an older epoch",
    ),
    gone(
        "asid.tag_not_raised", ASID, "keep", KEPT + ";",
        "leaves a running space in the old epoch",
    ),
    mutant(
        "asid.nobody_runs", ASID, "space_in", "shared_load(place, memory_order_acquire)", "0",
        "takes every hart for idle in a new epoch",
    ),
    weaker(
        "asid.space_in_relaxed", ASID, "space_in", "shared_load(place, memory_order_acquire)",
        "acquire relaxed", "the load of the space that a hart runs",
    ),
    gone(
        "asid.epoch_not_stored", ASID, "start_over_locked",
        "shared_store(&asids.epoch, epoch, memory_order_relaxed);",
        "gives identifiers out anew without a new epoch",
    ),
    gone(
        "asid.rollover_no_fence", ASID, "start_over_locked", FENCE + ";",
        "leaves out the fence between the epoch and the announcements",
    ),
    weaker(
        "asid.rollover_weak_fence", ASID, "start_over_locked", FENCE, "seq_cst acq_rel",
        "the fence between the epoch and the announcements",
    ),
    gone(
        "asid.announced_ignored", ASID, "start_over_locked", KEEP_ANNOUNCED,
        "does not look at announcements in a new epoch",
    ),
    gone(
        "asid.runs_ignored", ASID, "start_over_locked", KEEP_RUNS,
        "does not look at what harts run in a new epoch",
    ),
    mutant(
        "asid.runs_first", ASID, "start_over_locked", f"{KEEP_ANNOUNCED} {KEEP_RUNS}",
        f"{KEEP_RUNS} {KEEP_ANNOUNCED}",
        "looks first at what a hart runs, then at what it has announced",
    ),
    gone(
        "asid.no_flush_due", ASID, "start_over_locked", FLUSH_DUE + ";",
        "begins an epoch without a flush of each hart",
    ),
    mutant(
        "asid.reassigned", ASID, "assign",
        "shared_load(&space->asid_tag, memory_order_relaxed) >> EPOCH_SHIFT != epoch", "true",
        "gives a new identifier to a space that another hart has given one",
    ),
    mutant(
        "asid.assigned_late", ASID, "assign", ASSIGNED + ";",
        "spinlock_release(&asids_lock); spinlock_acquire(&asids_lock); " + ASSIGNED + ";",
        "stores a new identifier after the lock",
    ),
    mutant(
        "asid.never_old", ASID, "is_of_this_epoch", OF_EPOCH,
        f"{TAG} != 0", "uses the identifier of an old epoch",
    ),
    gone(
        "asid.not_announced", ASID, "asid_announce", ANNOUNCE + ";", "does not announce the space"
    ),
    gone(
        "asid.announce_no_fence", ASID, "asid_announce", FENCE + ";",
        "leaves out the fence between the announcement and the epoch",
    ),
    weaker(
        "asid.announce_weak_fence", ASID, "asid_announce", FENCE, "seq_cst acq_rel",
        "the fence between the announcement and the epoch",
    ),
    mutant(
        "asid.not_asked_again", ASID, "asid_announce", "if (is_of_this_epoch(space)) { return; }",
        "return;", "does not look at the epoch again after the announcement",
    ),
    gone(
        "asid.runs_not_stored", ASID, "asid_settle", RUNS + ";", "does not tell what the hart runs"
    ),
    mutant(
        "asid.settle_swapped", ASID, "asid_settle", f"{RUNS}; {UNANNOUNCE};",
        f"{UNANNOUNCE}; {RUNS};", "ends the announcement before it tells what the hart runs",
    ),
    weaker(
        "asid.settle_relaxed", ASID, "asid_settle", UNANNOUNCE, "release relaxed",
        "the end of an announcement",
    ),
    mutant(
        "asid.flush_never_due", ASID, "asid_take_flush", TAKE_DUE + " != 0", "false",
        "never flushes for a new epoch",
    ),
]
