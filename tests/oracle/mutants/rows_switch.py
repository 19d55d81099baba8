# SPDX-License-Identifier: MIT
"""Mutants of the order at a switch and of faults (mm/vm_space.c, mm/vm_fault.c)."""

from rows import gone, mutant

SPACE = "mm/vm_space.c"
FAULT = "mm/vm_fault.c"
TO_ROOT = "arch_space_activate(root_of(space), 0);"
FLUSH_ALL = "arch_tlb_flush_local((struct tlb_op){0});"
FLUSH_ASID = "arch_tlb_flush_local((struct tlb_op){.asid = asid});"
TO_TAGGED = "arch_space_activate(root_of(space), asid);"
JOIN = "space_word_join(space, hart)"
MISSED = "(struct missed){true, true}"
FENCE_I = "arch_icache_sync_local();"
SWITCH = "if (asid_is_used()) { switch_tagged(space, hart); } else { switch_flushing(space, hart); }"
LEAVE = "if (old != NULL) { space_word_leave(old, hart); }"

ROWS = [
    gone(
        "flushing.no_join", SPACE, "switch_flushing", f"missed = {JOIN};",
        "runs a space without joining its word (no identifiers)",
    ),
    mutant(
        "flushing.late_join", SPACE, "switch_flushing", f"if (space != NULL) {{ missed = {JOIN}; }}",
        ";", "joins the word after satp and the flush (no identifiers)",
        ("switch_flushing", FLUSH_ALL, f"{FLUSH_ALL} if (space != NULL) {{ missed = {JOIN}; }}"),
    ),
    gone(
        "flushing.no_flush", SPACE, "switch_flushing", FLUSH_ALL,
        "does not flush after satp (no identifiers)",
    ),
    mutant(
        "flushing.flush_first", SPACE, "switch_flushing", f"{TO_ROOT} {FLUSH_ALL}",
        f"{FLUSH_ALL} {TO_ROOT}", "flushes before satp, not after it (no identifiers)",
    ),
    gone(
        "flushing.no_fence_i", SPACE, "switch_flushing", FENCE_I,
        "does not do the fence.i that it missed (no identifiers)",
    ),
    gone(
        "tagged.no_fence_i", SPACE, "switch_tagged", FENCE_I,
        "does not do the fence.i that it missed",
    ),
    gone(
        "tagged.stays_in_satp", SPACE, "switch_tagged", "arch_space_activate(root_of(NULL), 0);",
        "leaves the old table in satp when no space is to run",
    ),
    gone(
        "tagged.no_announcement", SPACE, "switch_tagged", "asid_announce(hart, space);",
        "takes whatever identifier the space has",
    ),
    mutant(
        "tagged.no_join", SPACE, "switch_tagged", JOIN, MISSED,
        "runs a space without joining its word",
    ),
    mutant(
        "tagged.late_join", SPACE, "switch_tagged", JOIN, MISSED, "joins the word after satp",
        ("switch_tagged", TO_TAGGED, f"{TO_TAGGED} (void){JOIN};"),
    ),
    mutant(
        "tagged.one_asid", SPACE, "switch_tagged", "asid_of(space)", "1",
        "runs every space under one identifier",
    ),
    mutant(
        "tagged.flush_not_taken", SPACE, "switch_tagged", "asid_take_flush(hart)", "false",
        "does not look whether a new epoch wants a flush",
    ),
    mutant(
        "tagged.epoch_flush_of_asid", SPACE, "switch_tagged", FLUSH_ALL, FLUSH_ASID,
        "flushes one identifier for a new epoch",
    ),
    mutant(
        "tagged.epoch_flush_late", SPACE, "switch_tagged", FLUSH_ALL, "missed.translations = true;",
        "writes satp before it flushes for a new epoch",
        ("switch_tagged", TO_TAGGED, f"{TO_TAGGED} if (missed.translations) {{ {FLUSH_ALL} }}"),
    ),
    gone(
        "tagged.no_missed_flush", SPACE, "switch_tagged", FLUSH_ASID,
        "does not flush what it missed while it was away",
    ),
    mutant(
        "tagged.satp_first", SPACE, "switch_tagged", FLUSH_ASID, ";",
        "writes satp before it flushes what it missed",
        ("switch_tagged", TO_TAGGED, f"{TO_TAGGED} if (missed.translations) {{ {FLUSH_ASID} }}"),
    ),
    gone(
        "tagged.not_settled", SPACE, "switch_tagged", "asid_settle(hart, space);",
        "leaves a space announced and does not tell that it runs",
    ),
    mutant(
        "activate.as_tagged", SPACE, "vm_space_activate", "asid_is_used()", "true",
        "switches as with identifiers where there are none",
    ),
    mutant(
        "activate.leave_first", SPACE, "vm_space_activate", SWITCH, f"{LEAVE} {SWITCH}",
        "leaves the old word before satp is written", ("vm_space_activate", LEAVE, ";"),
    ),
    gone(
        "activate.no_leave", SPACE, "vm_space_activate", "space_word_leave(old, hart);",
        "never leaves a word",
    ),
    mutant(
        "fault.any_generation", FAULT, "is_same", "a->generation == b->generation", "true",
        "counts faults as the same though the space was flushed in between",
    ),
    mutant(
        "fault.one_generation", FAULT, "vm_space_fault_making", "space_word_generation(space)", "0",
        "does not note the generation of a fault",
    ),
    mutant(
        "fault.any_asid", FAULT, "forget", "asid_of(fault.space)", "1",
        "fences another identifier than the faulting space's",
    ),
    gone(
        "fault.no_fence", FAULT, "forget", "arch_tlb_flush_local(op);",
        "lets a spurious fault come again without a fence",
    ),
    mutant(
        "fault.by_address_only", FAULT, "forget", "fault.times == 1", "true",
        "fences by address however often the fault comes",
    ),
]
