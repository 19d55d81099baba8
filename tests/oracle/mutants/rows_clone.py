# SPDX-License-Identifier: MIT
"""Mutants of clones: what is shared, what is owed for it, who pays."""

from rows import argued, gone, mutant

CLONE = "mm/vm_cursor_clone.c"
UNDER_LOCK = """Reads an entry of a node whose lock is held: it changes under no one else's hand but
    hardware's, which sets A and D only."""

ROWS = [
    mutant(
        "clone.not_pending", CLONE, "make_pending", "pte_slot_flip(slot, PENDING_FLIPS).raw",
        "pte_slot_load(slot).raw", "leaves the source of a clone writable",
    ),
    mutant(
        "clone.not_marked_pending", CLONE, "make_pending",
        "pte_slot_flip(slot, PENDING_FLIPS).raw ^ PENDING_FLIPS",
        "pte_slot_flip(slot, PTE_W).raw ^ PTE_W",
        "takes W from the source of a clone for good",
    ),
    gone(
        "clone.not_owed", CLONE, "clone_run",
        "vm_cursor_issue(pass->from, VM_FLUSH_PAGES, pt_node_part(source->node, span));",
        "owes no flush for what the source of a clone has lost",
    ),
    mutant(
        "clone.last_not_owed", CLONE, "clone_entry", "cloned->tightened_end = from + 1;",
        "cloned->tightened_end = from;", "owes a flush for all pages that lost W but the last",
    ),
    gone(
        "clone.page_not_counted", CLONE, "clone_entry", "frame_get(frame_of(pte_pa(entry)));",
        "counts no reference for a page of a clone",
    ),
    gone(
        "clone.hidden_not_counted", CLONE, "clone_entry",
        "frame_get(frame_of(pte_kept_pa(entry)));",
        "counts no reference for a hidden page of a clone",
    ),
    mutant(
        "clone.not_charged", CLONE, "clone_pages", "vm_space_charge(to->space, count)", "OK",
        "charges nothing for a clone",
    ),
    gone(
        "clone.charge_stays", CLONE, "clone_pages", "vm_space_release(to->space, count);",
        "keeps the charge of a clone for which it found no table",
    ),
    gone(
        "clone.no_code_owed", CLONE, "clone_run",
        "pass->to->owed.code = pass->to->owed.code || (cloned.bits & PTE_X) != 0;",
        "owes no fence.i for the code of a clone",
    ),
    mutant(
        "clone.over_something", CLONE, "clone_pages", "target.kind != PTE_ABSENT", "false",
        "clones over what is there",
    ),
    mutant(
        "clone.io_too", CLONE, "clone_some", "pte_sw(source.entry) == PTE_SW_IO", "false",
        "clones the pages of devices",
    ),
    mutant(
        "clone.page_not_stored", CLONE, "clone_entry",
        "cloned->bits |= entry.raw; pte_slot_store(to, entry);", "cloned->bits |= entry.raw;",
        "counts a page of a clone, and does not store it",
    ),
    mutant(
        "clone.hidden_not_stored", CLONE, "clone_entry",
        "pte_slot_store(to, entry); cloned->hidden++;", "cloned->hidden++;",
        "counts a hidden page of a clone, and does not store it",
    ),
    gone(
        "clone.large_not_owed", CLONE, "clone_whole",
        "vm_cursor_issue(pass->from, VM_FLUSH_PAGES, pt_place_range(source));",
        "owes no flush for a large page that lost W",
    ),
    mutant(
        "clone.large_not_pending", CLONE, "clone_whole", "make_pending(slot)", "entry",
        "leaves a large page of the source of a clone writable",
    ),
    gone(
        "clone.large_not_counted", CLONE, "clone_whole",
        "frame_block_get(frame_of(pte_pa(entry)), node->level);",
        "counts no reference for a large page of a clone",
    ),
    gone(
        "clone.large_hidden_not_counted", CLONE, "clone_whole",
        "frame_block_get(frame_of(pte_kept_pa(entry)), node->level);",
        "counts no reference for a large hidden page of a clone",
    ),
    gone(
        "clone.large_not_stored", CLONE, "clone_whole",
        "pte_slot_store(&node->slots[target->index], entry);",
        "counts a large page of a clone, and does not store it",
    ),
    gone(
        "clone.large_no_code_owed", CLONE, "clone_whole",
        """pass->to->owed.code = pass->to->owed.code ||
                          (entry.raw & (PTE_V | PTE_X)) == (PTE_V | PTE_X);""",
        "owes no fence.i for the code in a large page of a clone",
    ),
    argued(CLONE, "count_pages count_absent clone_entry clone_whole marks_end", "pte_slot_load",
           UNDER_LOCK),
]  # fmt: skip
