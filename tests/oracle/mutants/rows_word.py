# SPDX-License-Identifier: MIT
"""Mutants of the flush and of the space's word (mm/tlb.c, mm/space_word.c)."""

from rows import gone, mutant, weaker

TLB = "mm/tlb.c"
WORD = "mm/space_word.c"
ADD = "shared_fetch_add(&space->word, GENERATION_ONE, memory_order_acq_rel)"
OR = "shared_fetch_or(&space->word, UINT64_C(1) << hart, memory_order_acq_rel)"
AND = "shared_fetch_and(&space->word, ~(UINT64_C(1) << hart), memory_order_acq_rel)"

ROWS = [
    gone(
        "owe.first_page_only", TLB, "tlb_owe_page",
        "hull->end.raw = page.end.raw > hull->end.raw ? page.end.raw : hull->end.raw;",
        "does not extend what is owed upwards, so only the first page is flushed",
    ),
    gone(
        "owe.last_page_only", TLB, "tlb_owe_page",
        "hull->start.raw = page.start.raw < hull->start.raw ? page.start.raw : hull->start.raw;",
        "does not extend what is owed downwards",
    ),
    mutant(
        "owe.space_forgotten", TLB, "tlb_owe_page", "cursor->owed.flush_kind == VM_FLUSH_SPACE",
        "false", "lets a page take the place of the whole space in what is owed",
    ),
    mutant(
        "owe.table_by_address", TLB, "tlb_owe_space",
        "cursor->owed.flush_kind = VM_FLUSH_SPACE;",
        "tlb_owe_page(cursor, (struct va_range){cursor->range.start,"
        " vaddr_add(cursor->range.start, PAGE_SIZE)});",
        "flushes a detached table by one address, which leaves walk caches alone",
    ),
    mutant(
        "pay.nothing", TLB, "tlb_pay", "cursor->owed.flush_kind == VM_FLUSH_NONE", "true",
        "flushes nothing at all",
    ),
    mutant(
        "pay.one_page", TLB, "tlb_pay", "running = space_word_dispatch(cursor->space);",
        "op.bytes = op.bytes > PAGE_SIZE ? PAGE_SIZE : op.bytes;"
        " running = space_word_dispatch(cursor->space);",
        "flushes the first page of a range only",
    ),
    mutant(
        "pay.no_dispatch", TLB, "tlb_pay", "space_word_dispatch(cursor->space)",
        "(struct hart_mask){1}", "fences hart 0 without asking the word who runs the space",
    ),
    mutant(
        "pay.asid_before_word", TLB, "tlb_pay",
        "running = space_word_dispatch(cursor->space); op.asid = asid_of(cursor->space);",
        "op.asid = asid_of(cursor->space); running = space_word_dispatch(cursor->space);",
        "reads the identifier before the word",
    ),
    mutant(
        "pay.asid_zero_page", TLB, "tlb_pay", "asid_of(cursor->space)", "1",
        "fences another identifier than the space's",
    ),
    gone(
        "pay.no_local", TLB, "tlb_pay", "arch_tlb_flush_local(op);",
        "leaves out the fence of the hart that flushes",
    ),
    mutant(
        "pay.no_remote", TLB, "tlb_pay",
        "arch_tlb_flush_remote(hart_mask_without(running, hart_index()), op)", "OK",
        "leaves out the fences of the other harts",
    ),
    mutant(
        "dispatch.no_generation", WORD, "space_word_dispatch", "GENERATION_ONE", "0",
        "does not raise the generation",
    ),
    mutant(
        "dispatch.load", WORD, "space_word_dispatch", ADD,
        "shared_load(&space->word, memory_order_acquire)", "only reads the word",
    ),
    weaker(
        "dispatch.acquire", WORD, "space_word_dispatch", ADD, "acq_rel acquire", "the dispatch"
    ),
    weaker(
        "dispatch.release", WORD, "space_word_dispatch", ADD, "acq_rel release", "the dispatch"
    ),
    mutant(
        "join.not_in_word", WORD, "space_word_join", OR,
        "shared_load(&space->word, memory_order_acquire)", "joins without setting the bit",
    ),
    mutant(
        "join.never_missed", WORD, "space_word_join",
        "space->seen[hart] != (before >> GENERATION_SHIFT) + 1", "false",
        "does not compare the generation at a join",
    ),
    weaker("join.acquire", WORD, "space_word_join", OR, "acq_rel acquire", "the join"),
    weaker("join.release", WORD, "space_word_join", OR, "acq_rel release", "the join"),
    mutant(
        "leave.stays", WORD, "space_word_leave", AND,
        "shared_load(&space->word, memory_order_acquire)", "leaves without clearing the bit",
    ),
    mutant(
        "leave.sees_future", WORD, "space_word_leave",
        "(before >> GENERATION_SHIFT) + 1", "(before >> GENERATION_SHIFT) + 2",
        "notes one generation more than the hart has seen",
    ),
    weaker("leave.acquire", WORD, "space_word_leave", AND, "acq_rel acquire", "the leave"),
    weaker("leave.release", WORD, "space_word_leave", AND, "acq_rel release", "the leave"),
]
