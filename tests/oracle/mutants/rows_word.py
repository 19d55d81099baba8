# SPDX-License-Identifier: MIT
"""Mutants of what is owed, of flushes, and of the space's words."""

from rows import gone, mutant, weaker

FLUSH = "mm/vm_cursor_flush.c"
TLB = "mm/tlb.c"
WORD = "mm/space_word.c"
ADD = "shared_fetch_add(&space->word, GENERATION_ONE, memory_order_acq_rel)"
OR = "shared_fetch_or(&space->word, UINT64_C(1) << hart, memory_order_acq_rel)"
AND = "shared_fetch_and(&space->word, ~(UINT64_C(1) << hart), memory_order_acq_rel)"
CODE_ADD = "shared_fetch_add(&space->code, 1, memory_order_acq_rel)"
CODE_OR = "shared_fetch_or(&space->word, 0, memory_order_acq_rel)"
CODE_LOAD = "shared_load(&space->code, memory_order_acquire)"

OWING = [
    gone(
        "owe.not_upwards", FLUSH, "hull_add",
        "hull->end.raw = pages.end.raw > hull->end.raw ? pages.end.raw : hull->end.raw;",
        "does not extend upwards what is owed",
    ),
    gone(
        "owe.not_downwards", FLUSH, "hull_add",
        "hull->start.raw = pages.start.raw < hull->start.raw ? pages.start.raw : hull->start.raw;",
        "does not extend downwards what is owed",
    ),
    mutant(
        "owe.latest_kind", FLUSH, "vm_cursor_issue",
        "kind > cursor->owed.flush_kind ? kind : cursor->owed.flush_kind", "kind",
        "lets a page take the place of the whole space in what is owed",
    ),
    gone(
        "owe.dying_not_noted", FLUSH, "cursor_owe_dying",
        "cursor_owe_release(cursor, pages);", "does not note which entries are dying",
    ),
    gone(
        "owe.nothing_for_leaf", FLUSH, "cursor_owe_dying",
        "vm_cursor_issue(cursor, VM_FLUSH_PAGES, pages);", "owes no flush for a removed leaf",
    ),
    gone(
        "owe.nothing_for_table", FLUSH, "cursor_owe_table",
        "vm_cursor_issue(cursor, VM_FLUSH_SPACE, (struct va_range){0});",
        "owes no flush for a detached table",
    ),
    mutant(
        "owe.table_by_address", FLUSH, "cursor_owe_table",
        "vm_cursor_issue(cursor, VM_FLUSH_SPACE, (struct va_range){0});",
        "vm_cursor_issue(cursor, VM_FLUSH_PAGES,"
        " (struct va_range){detached->base, vaddr_add(detached->base, PAGE_SIZE)});",
        "flushes a detached table by an address, which leaves walk caches alone",
    ),
    mutant(
        "dispatch.nothing", FLUSH, "vm_cursor_dispatch",
        "cursor->owed.flush_kind != VM_FLUSH_NONE", "false", "flushes nothing at all",
    ),
    mutant(
        "dispatch.one_page", FLUSH, "vm_cursor_dispatch",
        "tlb_flush(cursor->space, pages);",
        "pages.end.raw = pages.end.raw == 0 ? 0 : pages.start.raw + PAGE_SIZE;"
        " tlb_flush(cursor->space, pages);",
        "flushes the first page of a range only",
    ),
    gone(
        "dispatch.no_code", FLUSH, "vm_cursor_dispatch", "tlb_sync_code(cursor->space);",
        "makes pages executable without a fence.i",
    ),
]

FENCES = [
    gone(
        "flush.no_local", TLB, "tlb_flush", "arch_tlb_flush_local(op);",
        "leaves out the fence of the hart that flushes",
    ),
    gone(
        "flush.no_remote", TLB, "tlb_flush",
        "fence_others(hart_mask_without(running, hart_index()), op);",
        "leaves out the fences of the other harts",
    ),
    mutant(
        "fence.nothing", TLB, "fence_others", "arch_tlb_flush_remote(harts, op)", "OK",
        "asks the firmware for no fence",
    ),
    mutant(
        "fence.refusal_ignored", TLB, "fence_others",
        "arch_tlb_flush_remote(harts, (struct tlb_op){0})", "OK",
        "takes a fence that the firmware refuses for done",
    ),
    mutant(
        "flush.no_dispatch", TLB, "tlb_flush", "space_word_dispatch(space)",
        "(struct hart_mask){1}", "fences hart 0 without asking the word who runs the space",
    ),
    mutant(
        "flush.asid_before_word", TLB, "tlb_flush", "space_word_dispatch(space)",
        "(op.asid = asid_of(space), space_word_dispatch(space))",
        "reads the identifier before the word",
        ("tlb_flush", "op.asid = asid_of(space);", ";"),
    ),
    mutant(
        "flush.other_asid", TLB, "tlb_flush", "asid_of(space)",
        "(asid_of(space) == 0 ? 0 : 1)", "fences identifier 1 whichever the space has",
    ),
    mutant(
        "code.not_synced", TLB, "tlb_sync_code", "vm_space_icache_sync(space)", "OK",
        "does nothing for pages that become executable",
    ),
    gone(
        "code.no_fence_i", TLB, "vm_space_icache_sync",
        "status = arch_icache_sync(hart_mask_without(running, hart_index()));",
        "does no fence.i on the harts that run the space",
    ),
    mutant(
        "code.local_only", TLB, "vm_space_icache_sync",
        "hart_mask_without(running, hart_index())", "((struct hart_mask){0})",
        "does the fence.i of this hart only",
    ),
    mutant(
        "code.no_dispatch", TLB, "vm_space_icache_sync",
        "space_word_dispatch_code(space, &generation)", "(generation = 0, (struct hart_mask){1})",
        "does not tell harts that do not run the space of new code",
    ),
    mutant(
        "code.nobody_runs", TLB, "vm_space_icache_sync", "hart_mask_is_empty(running)", "true",
        "leaves new code to the harts that join",
    ),
]

WORDS = [
    mutant(
        "word.generation_hidden", WORD, "space_word_generation",
        "shared_load(&space->word, memory_order_acquire) >> GENERATION_SHIFT", "0",
        "tells the same generation always",
    ),
    mutant(
        "word.no_generation", WORD, "space_word_dispatch", "GENERATION_ONE", "0",
        "does not raise the generation",
    ),
    mutant(
        "word.dispatch_loads", WORD, "space_word_dispatch", ADD,
        "shared_load(&space->word, memory_order_acquire)", "only reads the word to dispatch",
    ),
    weaker("word.dispatch_acquire", WORD, "space_word_dispatch", ADD, "acq_rel acquire",
           "the dispatch"),
    mutant(
        "code.no_generation", WORD, "space_word_dispatch_code", CODE_ADD,
        "shared_load(&space->code, memory_order_acquire)",
        "does not raise the generation of the code",
    ),
    mutant(
        "code.word_loads", WORD, "space_word_dispatch_code", CODE_OR,
        "shared_load(&space->word, memory_order_acquire)",
        "only reads the word after the code's generation",
    ),
    weaker("code.word_acquire", WORD, "space_word_dispatch_code", CODE_OR, "acq_rel acquire",
           "the code's place in the order of the word"),
    mutant(
        "code.word_first", WORD, "space_word_dispatch_code",
        f"*generation = {CODE_ADD} + 1;", ";", "asks who runs the space before it raises the"
        " code's generation",
        ("space_word_dispatch_code", f"word = {CODE_OR};",
         f"word = {CODE_OR}; *generation = {CODE_ADD} + 1;"),
    ),
    mutant(
        "join.not_in_word", WORD, "space_word_join", OR,
        "shared_load(&space->word, memory_order_acquire)", "joins without setting the bit",
    ),
    mutant(
        "join.never_missed", WORD, "space_word_join",
        "seen->flushes != (before >> GENERATION_SHIFT) + 1", "false",
        "does not compare the generation at a join",
    ),
    mutant(
        "join.code_never_missed", WORD, "space_word_join", "seen->code != code", "false",
        "does not compare the code's generation at a join",
    ),
    weaker("join.release", WORD, "space_word_join", OR, "acq_rel release", "the join"),
    mutant(
        "join.code_first", WORD, "space_word_join", OR,
        f"(mutant_scratch[hart] = {CODE_LOAD}, {OR})",
        "reads the code's generation before it joins",
        ("space_word_join", CODE_LOAD, "mutant_scratch[hart]"),
    ),
    mutant(
        "leave.stays", WORD, "space_word_leave", AND,
        "shared_load(&space->word, memory_order_acquire)", "leaves without clearing the bit",
    ),
    mutant(
        "leave.sees_future", WORD, "space_word_leave",
        "(before >> GENERATION_SHIFT) + 1", "(before >> GENERATION_SHIFT) + 2",
        "notes one generation more than the hart has seen",
    ),
]

ROWS = OWING + FENCES + WORDS
