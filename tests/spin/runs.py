# SPDX-License-Identifier: MIT
"""What run.py runs: the models, their configurations, and what is expected of each."""

MODELS = (
    "lock", "relink", "marks", "fold", "touch", "word", "asid", "code", "quiescence", "handover", "futex",
    "help",
)  # fmt: skip

# Operations of lock.pml.
OPS = (
    "page look table span half move back near nested move-half back-half page4 page2 ahead behind "
    "late".split()
)  # fmt: skip


def ops(*harts):
    """Which operations each hart of lock.pml may do."""
    sets = [sum(1 << OPS.index(name) for name in hart.split()) for hart in harts]
    return " ".join(f"OPS_{hart}={bits}" for hart, bits in enumerate(sets))


# Operations of relink.pml.
RELINK_OPS = "page page4 look look4 table table4 move back half half-back walk pages".split()


def relink_ops(*harts):
    """Which operations each hart of relink.pml may do."""
    sets = [sum(1 << RELINK_OPS.index(name) for name in hart.split()) for hart in harts]
    return " ".join(f"RELINK_{hart}={bits}" for hart, bits in enumerate(sets))


# Operations of marks.pml.
MARK_OPS = "make fault unmap unmap-table mark-table mark-all".split()


def mark_ops(*harts):
    """Which operations each hart of marks.pml may do."""
    sets = [sum(1 << MARK_OPS.index(name) for name in hart.split()) for hart in harts]
    return " ".join(f"MARKS_{hart}={bits}" for hart, bits in enumerate(sets))


# Operations of fold.pml.
FOLD_OPS = "fold split take give take-other".split()


def fold_ops(*harts):
    """Which operations each hart of fold.pml may do."""
    sets = [sum(1 << FOLD_OPS.index(name) for name in hart.split()) for hart in harts]
    return " ".join(f"FOLD_{hart}={bits}" for hart, bits in enumerate(sets))


TURNS = "SWITCHES=2 OTHERS=1"  # of asid.pml

# Configurations: definitions of the model, and the depth of the search.
CONFIGURATIONS = {
    "detach": ("lock", ops("page look", "half span", "table"), 2_000_000),
    "move": ("lock", ops("page page4", "table move", "back table"), 2_000_000),
    "nested": ("lock", ops("page nested", "nested table", "near page"), 2_000_000),
    "near": ("lock", ops("page nested", "page move", "near back"), 2_000_000),
    "half": ("lock", ops("page", "move-half", "back-half"), 2_000_000),
    "second": ("lock", ops("ahead page", "behind page2", "page table"), 2_000_000),
    "second-move": ("lock", ops("move back", "page2 late", "ahead"), 2_000_000),
    "apart": ("lock", ops("page", "page2", "page4") + " LEAVES=3", 2_000_000),
    "half-full": ("lock", ops("page", "page4", "move-half back-half half"), 8_000_000),
    "relink": ("relink", relink_ops("move", "back page", "page4 look walk"), 2_000_000),
    "relink-half": ("relink", relink_ops("half", "half-back page", "look4 walk"), 2_000_000),
    "relink-detach": ("relink", relink_ops("half", "table4 page", "table look4"), 2_000_000),
    "relink-wait": ("relink", relink_ops("move back", "pages", "half"), 2_000_000),
    "push": ("marks", mark_ops("make", "fault unmap", "mark-table"), 2_000_000),
    "detach-marks": ("marks", mark_ops("make", "unmap-table", "mark-all"), 2_000_000),
    "fold": ("fold", fold_ops("fold split", "take give"), 2_000_000),
    "fold-both": ("fold", fold_ops("fold split take", "fold take-other"), 2_000_000),
    "touch": ("touch", "", 500_000),
    "touch-clones": ("touch", "CLONES", 500_000),
    "no-asids": ("word", "NO_ASIDS SPACES=2 ROUNDS=2", 500_000),
    "no-asids-full": ("word", "NO_ASIDS SPACES=2 ROUNDS=2 DISPATCHERS=7", 500_000),
    "one-space": ("word", "SPACES=1 ROUNDS=2", 500_000),
    "two-spaces": ("word", "SPACES=2 ROUNDS=1 DISPATCHERS=1", 500_000),
    "two-rounds": ("word", "SPACES=2 ROUNDS=2", 500_000),
    "unmap": ("asid", f"SPACES=2 ROUNDS=1 DISPATCH=2 DISPATCHERS=1 EPOCHS=1 {TURNS}", 20_000),
    "epochs": ("asid", f"SPACES=2 ROUNDS=1 DISPATCH=0 DISPATCHERS=0 EPOCHS=2 {TURNS}", 20_000),
    "numbers": (
        "asid", f"SPACES=2 ROUNDS=1 DISPATCH=0 DISPATCHERS=0 EPOCHS=2 NUMBERS=3 {TURNS}", 20_000,
    ),
    "three": (
        "asid", "SPACES=3 ROUNDS=1 DISPATCH=0 DISPATCHERS=0 EPOCHS=1 SWITCHES=1 OTHERS=1", 20_000,
    ),
    "code": ("code", "", 500_000),
    "kernel": ("quiescence", "", 2_000_000),
    "threads": ("handover", "", 500_000),
    "help": ("help", "", 500_000),
    "wait": ("futex", "", 500_000),
    "wait-kill": ("futex", "KILL", 500_000),
}  # fmt: skip

# The whole state space is searched.
HOLDS = (
    "detach", "move", "nested", "near", "half", "second", "second-move", "apart", "relink",
    "relink-half", "relink-detach", "relink-wait", "push", "detach-marks", "fold",
    "fold-both", "touch-clones",
    "no-asids", "one-space", "two-spaces", "unmap", "epochs", "code", "kernel", "threads", "wait",
    "wait-kill", "help",
)  # fmt: skip
HOLDS_FULL = ("half-full", "no-asids-full", "two-rounds", "numbers", "three")

# Statements that no run that holds reaches, and why. One that is reached is reported too.
UNREACHED = {}

# What pan must complain of.
OVERLAP, ELSEWHERE, NOT_HELD, CIRCLE = "owned", "at==", "held", "invalid end state"
STALE, FOREIGN, INTERRUPTED, FREED = "forbidden", "& ~", "targets", "state[t]"
OLD_CODE, TORN, GONE = "done", "frame[next]", "state[current]"
ASLEEP, MISCOUNTED, TWICE = "invalid end state", "told", "queued"
FORGOTTEN, LEAKED, WRITTEN = "meaning", "refs[i_]==", "tlb[me]!=0"
KNOWN, OCCUPIED = "walked", "c2==0"
GATHERED, REMEMBERED, READONLY, TOUCHED = "written", "walk", "readonly", "known_by"
UNGRANTED, NOT_THERE = "rights", "at==2"
UNSEEN, AFTERWARDS, REUSED = "expected", "forbidden", "refs[tlb[me]]>0"

ABANDONED, MISTAKEN = "invalid end state", "in_table"

BITES = (
    ("help", "COUNT_ORDERS", ABANDONED),
    ("help", "GIVE_UP_UNSEEN", ABANDONED),
    ("help", "TAKE_WITHOUT_EXCHANGE", ABANDONED),
    ("help", "TELL_BEFORE_LEAVING", MISTAKEN),
    ("detach", "NO_STRAY_CHECK", ELSEWHERE),
    ("detach", "NO_CHECK_WHEN_LINKING", ELSEWHERE),
    ("detach", "CHILDREN_NOT_LOCKED", NOT_HELD),
    ("detach", "CHILD_BEFORE_PARENT", NOT_HELD),
    ("move", "NO_PLACE_CHECK", ELSEWHERE),
    ("move", "CHECK_BEFORE_LOCK", OVERLAP),
    ("move", "ARGUMENT_ORDER", CIRCLE),
    ("nested", "RANGE_BY_RANGE", CIRCLE),
    ("second", "NO_ORDER_CHECK", CIRCLE),
    ("half", "MOVE_TOP_ONLY", ELSEWHERE),
    ("second-move", "WAIT_WHERE_FOUND", CIRCLE),
    ("relink-wait", "WAIT_WHERE_FOUND", CIRCLE),
    ("relink", "NO_SPACE_CHECK", ELSEWHERE),
    ("relink", "CHECK_BEFORE_LOCK", ELSEWHERE),
    ("relink", "PLACE_KEPT", ELSEWHERE),
    ("relink", "ARGUMENT_ORDER", CIRCLE),
    ("relink", "LOOK_BEFORE_LOCK", OCCUPIED),
    ("relink", "NO_FLUSH", KNOWN),
    ("relink", "FLUSH_OF_TARGET", KNOWN),
    ("relink", "FLUSH_BEFORE_UNLINK", KNOWN),
    ("relink", "UNLOCK_BEFORE_FLUSH", KNOWN),
    ("relink", "TARGET_FIRST", KNOWN),
    ("relink-half", "NO_SPACE_CHECK", ELSEWHERE),
    ("relink-half", "TOP_ONLY", ELSEWHERE),
    ("relink-half", "BELOW_NOT_LOCKED", OVERLAP),
    ("relink-half", "NO_FLUSH", KNOWN),
    ("relink-half", "TARGET_FIRST", KNOWN),
    ("relink-detach", "NO_CHECK_WHEN_LINKING", ELSEWHERE),
    ("push", "COPY_BEFORE_LOCK", FORGOTTEN),
    ("push", "LINK_BEFORE_COPY", FORGOTTEN),
    ("push", "NOT_BORN_LOCKED", OVERLAP),
    ("detach-marks", "NO_CHECK_WHEN_LINKING", OVERLAP),
    ("fold", "GATHER_BEFORE_FLUSH", GATHERED),
    ("fold", "NO_FLUSH", REMEMBERED),
    ("fold", "MAKE_BEFORE_BREAK", GATHERED),
    ("fold", "FREE_AT_ONCE", TOUCHED),
    ("fold", "NO_STRAY_CHECK", NOT_THERE),
    ("fold", "TABLE_NOT_LOCKED", OVERLAP),
    ("fold", "LOOK_BEFORE_LOCK", UNGRANTED),
    ("fold", "UNLOCK_BEFORE_LEAF", OVERLAP),
    ("fold", "PLAIN_STORE", GATHERED),
    ("fold", "SPLIT_WITHOUT_FLUSH", READONLY),
    ("fold-both", "LINK_BEFORE_FILL", READONLY),
    ("touch", "LOOK_BEFORE_LOCK", LEAKED),
    ("touch", "NO_SOLE_CHECK", WRITTEN),
    ("touch", "GRANT_AT_ONCE", WRITTEN),
    ("touch", "NO_KERNEL_REFERENCE", WRITTEN),
    ("touch", "NO_FLUSH", UNSEEN),
    ("touch", "MAKE_BEFORE_BREAK", UNSEEN),
    ("touch", "HIDE_WITHOUT_FLUSH", AFTERWARDS),
    ("touch-clones", "PUT_BEFORE_FLUSH", REUSED),
    ("no-asids", "WORD_BEFORE_ENTRY", STALE),
    ("no-asids", "JOIN_AFTER_SATP", STALE),
    ("no-asids", "LEAVE_BEFORE_SATP", STALE),
    ("no-asids", "LEAVE_BEFORE_FENCE", STALE),
    ("no-asids", "FENCE_BEFORE_SATP", FOREIGN),
    ("no-asids", "NO_SWITCH_FENCE", FOREIGN),
    ("no-asids", "NO_LEAVE", INTERRUPTED),
    ("no-asids", "UNLOCK_BEFORE_FLUSH", STALE),
    ("no-asids", "FREE_BEFORE_FLUSH", STALE),
    ("no-asids", "NO_LOCAL_FENCE", STALE),
    ("no-asids", "NO_REMOTE_FENCE", STALE),
    ("two-rounds", "WORD_BEFORE_ENTRY", STALE),
    ("two-rounds", "JOIN_AFTER_SATP", STALE),
    ("two-rounds", "LEAVE_BEFORE_SATP", STALE),
    ("two-rounds", "NO_JOIN_FENCE", STALE),
    ("two-rounds", "FENCE_AFTER_SATP", STALE),
    ("two-rounds", "NO_GENERATION", STALE),
    ("two-rounds", "SPLIT_DISPATCH", STALE),
    ("two-rounds", "SPLIT_LEAVE", STALE),
    ("two-rounds", "FREE_BEFORE_FLUSH", STALE),
    ("two-rounds", "UNLOCK_BEFORE_FLUSH", STALE),
    ("unmap", "NO_ANNOUNCEMENT", STALE),
    ("unmap", "NO_ANNOUNCE_FENCE", STALE),
    ("unmap", "NO_EPOCH_FENCE", STALE),
    ("unmap", "NO_SECOND_LOOK", STALE),
    ("unmap", "NO_ANNOUNCEMENT_KEPT", STALE),
    ("unmap", "NO_RUNNING_KEPT", FOREIGN),
    ("unmap", "RUNS_BEFORE_ANNOUNCED", STALE),
    ("unmap", "WITHDRAW_BEFORE_RUNS", STALE),
    ("unmap", "SETTLE_BEFORE_SATP", STALE),
    ("unmap", "ASID_BEFORE_WORD", STALE),
    ("unmap", "NO_EPOCH_FLUSH", FOREIGN),
    ("epochs", "FLUSH_BEFORE_ANNOUNCE", FOREIGN),
    ("numbers", "KEEP_ANY", FOREIGN),
    ("code", "WORD_BEFORE_CODE", OLD_CODE),
    ("code", "CODE_BEFORE_WORD", OLD_CODE),
    ("code", "PLAIN_LOAD_OF_WORD", OLD_CODE),
    ("code", "NO_CODE_GENERATION", OLD_CODE),
    ("code", "NOTE_AT_LEAVE", OLD_CODE),
    ("code", "NO_LOCAL_FENCE_I", OLD_CODE),
    ("code", "NO_REMOTE_FENCE_I", OLD_CODE),
    ("code", "NO_JOIN_FENCE_I", OLD_CODE),
    ("kernel", "NO_COUNT", FREED),
    ("kernel", "NO_KERNEL_ENTRY_FENCE", FREED),
    ("kernel", "EVEN_BEFORE_LAST_DESCENT", FREED),
    ("kernel", "NO_SNAPSHOT_FENCE", FREED),
    ("kernel", "PARK_BEFORE_DETACH", FREED),
    ("kernel", "PARK_INTO_WAITING", FREED),
    ("kernel", "ANY_COUNTER_WILL_DO", FREED),
    ("kernel", "ODD_WILL_DO", FREED),
    ("kernel", "FREE_WITHOUT_QUIESCENCE", FREED),
    ("threads", "NO_OWNER_CHECK", TORN),
    ("threads", "LET_GO_BEFORE_SAVE", TORN),
    ("threads", "REAP_OWNED", GONE),
    ("wait", "READ_BEFORE_LOCK", ASLEEP),
    ("wait", "WAKE_SAYS_NOTHING", MISCOUNTED),
    ("wait", "WORD_BEFORE_RESULT", MISCOUNTED),
    ("wait", "LOOK_BEFORE_LOCK", TWICE),
)
REACHES = (
    ("apart", "REACH_SIDE_BY_SIDE", "owned"),
    ("second", "REACH_SECOND", "violated 0"),
    ("two-rounds", "REACH_STALE_HART", "violated 0"),
    ("kernel", "REACH_FREE_WHILE_ASLEEP", "asleep"),
)
