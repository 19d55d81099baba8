# SPDX-License-Identifier: MIT
"""Mutants of larger pages: blocks and their counts, splitting, folding, what is owed for each."""

from rows import argued, gone, mutant

WALK = "mm/pt_walk.c"
NODE = "mm/pt_node.c"
BLOCK = "mm/frame_block.c"
ENDS = "mm/frame_block_reap.c"
MAKING = "mm/frame_making.c"
FOLD = "mm/vm_cursor_fold.c"
REMOVE = "mm/vm_cursor_remove.c"
LEAVES = "mm/reclaim_leaves.c"
MAP = "mm/vm_cursor_map_block.c"
TOUCH = "mm/vm_cursor_touch.c"
TOUCH_BLOCK = "mm/vm_cursor_touch_block.c"
RIGHTS = "mm/pt_rights.c"
PAGES = "mm/mem_object_pages.c"
UNDER_LOCK = """Reads an entry of a node whose lock is held: it changes under no one else's hand but
    hardware's, which sets A and D only."""
COUNTS = """For what the last owner of a block does with it. The counts are plain words here, which
    harts of one thread share; race_blocks looks at them with threads."""
SPLIT_OWES = "vm_cursor_issue(cursor, VM_FLUSH_SPACE, (struct va_range){0});"
GATHERED = """{ unsigned long bits = 0;
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        bits |= pte_slot_load(&node->slots[i]).raw & (PTE_A | PTE_D);
    }
    mutant_scratch[hart_index()] = first.raw | bits; cursor_detach(cursor, place); }"""

ROWS = [
    # ---- splitting ----
    gone("split.not_owed", WALK, "link_over", SPLIT_OWES, "splits a page and owes no flush"),
    mutant(
        "split.by_address", WALK, "link_over", SPLIT_OWES,
        "vm_cursor_issue(cursor, VM_FLUSH_PAGES, pt_place_range(place));"
        " cursor->owed.flush.end = vaddr_add(cursor->owed.flush.start, PAGE_SIZE);",
        "splits a page and flushes an address of it",
    ),
    gone(
        "split.of_a_pair_later", WALK, "link_over", "vm_cursor_dispatch(cursor);",
        "splits a page by one of two cursors, and flushes it when both are closed",
    ),
    gone(
        "split.over_dying", WALK, "link_over", "vm_cursor_sync(cursor);",
        "puts a table where a large page is dying",
    ),
    mutant(
        "split.no_compare", NODE, "pt_node_split",
        "pte_slot_replace(slot, &before, pte_make_table(frame_pa(child->frame)))",
        "(pte_slot_store(slot, pte_make_table(frame_pa(child->frame))), true)",
        "loses what hardware sets in a page while it is split",
    ),
    mutant(
        "split.forgets_use", NODE, "pt_node_split", "pt_node_fill(child, before);",
        "pt_node_fill(child, (pte_t){before.raw & ~(PTE_A | PTE_D)});",
        "splits a page into parts that nobody has used",
    ),
    gone(
        "split.counts_nothing", NODE, "pt_node_split",
        "frame_block_split(frame_of(is_leaf ? pte_pa(before) : pte_kept_pa(before)),"
        " parent->level);",
        "splits a page, and not the reference of its block",
    ),
    gone(
        "split.still_large", NODE, "pt_node_split", "parent->large--;",
        "counts a page as large that was split",
    ),
    gone(
        "split.still_present", NODE, "pt_node_split", "parent->present--;",
        "counts a page that was split, and the table in its place",
    ),
    gone(
        "split.still_hidden", NODE, "pt_node_split", "parent->hidden--;",
        "counts a hidden page that was split, and the table in its place",
    ),
    # ---- references of blocks ----
    gone(
        "block.split_no_parts", BLOCK, "frame_block_split",
        "frame_block_get(part_of(frame, level, i), level - 1);",
        "splits a reference of a block and counts none of its parts",
    ),
    mutant(
        "block.split_as_sole", BLOCK, "frame_block_split",
        "frame_block_is_named_once(frame, level)", "true",
        "splits a block that others name as if nobody did",
    ),
    gone(
        "block.split_keeps", BLOCK, "frame_block_split", "frame_block_put(frame, level);",
        "keeps a reference of a block that was split",
    ),
    mutant(
        "block.alone_by_count", BLOCK, "frame_block_has_one_ref",
        "frame_has_one_ref(frame + i)", "true",
        "takes a block whose parts others name for one owner's",
    ),
    mutant(
        "block.alone_by_parts", BLOCK, "frame_block_has_one_ref",
        "frame_block_is_named_once(frame, level)", "true",
        "takes a block that others name for one owner's",
    ),
    gone(
        "block.not_parked", BLOCK, "frame_block_put", "frame_block_park(frame, level);",
        "forgets a block whose last reference goes",
    ),
    gone(
        "block.parts_kept", ENDS, "give_back_frames",
        "frame_run_put(&run, frame_pa(block + i));",
        "gives back a block, and holds its parts for good",
    ),
    gone(
        "block.run_lost", ENDS, "give_back_frames", "frame_run_end(&run);",
        "loses the last frames of a block",
    ),
    gone(
        "block.not_counted", ENDS, "frame_block_park", "reclaim_begin();",
        "does not count a block that waits for the reaper",
    ),
    gone(
        "block.counted_for_good", ENDS, "frame_block_reap", "reclaim_end();",
        "counts a block for the reaper that has been given back",
    ),
    gone(
        "making.not_zeroed", MAKING, "make_piece", "arch_zero_frame(frame_bytes(first + i));",
        "makes blocks of what was there",
    ),
    gone(
        "making.run_lost", MAKING, "give_back", "frame_run_end(&run);",
        "loses frames of a block that is given up while it is made",
    ),
    gone(
        "making.frames_kept", MAKING, "give_back",
        "frame_run_put(&run, frame_pa(block + i));",
        "keeps the frames of a block that is given up while it is made",
    ),
    # ---- removing ----
    gone(
        "remove.large_charged", REMOVE, "cursor_remove_large",
        "vm_space_release(cursor->space, pages);", "charges a space for a large page that is gone",
    ),
    mutant(
        "remove.large_not_owed", REMOVE, "cursor_remove_large",
        "cursor_owe_dying(cursor, extent);", "cursor_owe_release(cursor, extent);",
        "gives a block back without a flush",
    ),
    mutant(
        "remove.large_at_once", REMOVE, "cursor_remove_large",
        "cursor_owe_dying(cursor, extent);",
        "pte_slot_store(&node->slots[place->index], pte_absent()); node->dying--;"
        " frame_block_put(frame_of(pte_pa(place->entry)), node->level);"
        " vm_cursor_issue(cursor, VM_FLUSH_PAGES, extent);",
        "gives a block back before the flush",
    ),
    gone(
        "remove.large_hidden_stays", REMOVE, "cursor_remove_large",
        "cursor_owe_release(cursor, extent);", "leaves a hidden large page dying",
    ),
    gone(
        "remove.large_stays", REMOVE, "cursor_remove_large",
        "pte_slot_store(&node->slots[place->index], is_leaf ? pte_make_dying(place->entry)"
        " : pte_hidden_make_dying(place->entry));",
        "leaves a large page that it counts as gone",
    ),
    gone(
        "remove.still_large", REMOVE, "cursor_remove_large", "node->large--;",
        "counts a large page that is gone",
    ),
    gone(
        "reclaim.large_lost", LEAVES, "dying_large",
        "release_large_page(node, pte_kept_pa(entry), pte_dying_is_io(entry));",
        "loses a block whose page has died",
    ),
    gone(
        "reclaim.large_dying_stays", LEAVES, "dying_large",
        "pte_slot_store(&node->slots[i], pte_absent());",
        "leaves a dying entry whose block is gone",
    ),
    gone(
        "reclaim.detached_large_lost", LEAVES, "release_large",
        "release_large_page(node, kind == PTE_HIDDEN ? pte_kept_pa(entry) : pte_pa(entry), is_io);",
        "loses a block that a detached table maps",
    ),
    mutant(
        "reclaim.large_charge", LEAVES, "note_released",
        "ram << (PTE_INDEX_BITS * node->level)", "ram",
        "gives up the charge of a page for a large one",
    ),
    # ---- mapping ----
    gone(
        "map.block_no_flush", MAP, "cursor_make_room_large", "vm_cursor_sync(cursor);",
        "maps a block where something is dying, or walked to",
    ),
    mutant(
        "map.block_not_charged", MAP, "map_block", "vm_space_charge(cursor->space, frames)", "OK",
        "charges nothing for a block",
    ),
    gone(
        "map.block_charge_stays", MAP, "map_block", "vm_space_release(cursor->space, frames);",
        "charges for a block that was not mapped",
    ),
    mutant(
        "map.block_private", MAP, "vm_cursor_map_block", "frame_block_has_one_ref(block, level)",
        "true", "makes a block private that others have",
    ),
    gone(
        "put.nothing_of_a_device", "mm/vm_cursor_map_io.c", "put_small",
        "pte_slot_store(&node->slots[span.first + i], pte_leaf_part(leaf, i, PAGE_SIZE));",
        "counts a page of a device, and does not map it",
    ),
    gone(
        "map.block_not_large", MAP, "cursor_put_large", "node->large++;",
        "does not count a large page",
    ),
    mutant(
        "map.large_not_split", MAP, "cursor_split_large",
        "status = pt_split_ends(cursor, part, PT_ENDS_OF_ENTRIES);", "status = OK;",
        "maps a page in the place of a large one",
    ),
    # ---- objects in blocks ----
    gone(
        "object.block_not_counted", PAGES, "look_locked", "frame_block_get(found, level);",
        "counts no reference for a block that an object gives",
    ),
    mutant(
        "object.first_of_block", PAGES, "find_in_block", "page % frames", "0",
        "gives the first frame of a block for any page of it",
    ),
    gone(
        "object.block_lost", PAGES, "make_slice", "frame_making_drop(&making);",
        "loses a block that another hart has made first",
    ),
    # ---- touching ----
    mutant(
        "touch.large_is_sole", TOUCH, "narrow",
        "frame_block_has_one_ref(frame_of(pte_pa(place->entry)), place->node->level)", "true",
        "makes a large page writable whose block others have",
    ),
    mutant(
        "touch.block_not_charged", TOUCH_BLOCK, "put_page",
        "vm_space_charge(cursor->space, frames)", "OK", "charges nothing for a block on demand",
    ),
    gone(
        "touch.block_charge_stays", TOUCH_BLOCK, "put_page",
        "vm_space_release(cursor->space, frames);", "charges for a block that found no table",
    ),
    gone(
        "touch.large_mark_stays", TOUCH_BLOCK, "put_page",
        "pt_node_mark_gone(place->node, place->entry);",
        "counts a mark that has become a large page",
    ),
    gone(
        "touch.block_lost", TOUCH_BLOCK, "cursor_touch_block",
        "frame_block_put(page.block, page.level);", "loses a block that could not be mapped",
    ),
    # ---- rights ----
    mutant(
        "rights.large_by_count", RIGHTS, "step_page",
        "frame_block_has_one_ref(step.frame, level)",
        "frame_block_is_named_once(step.frame, level)",
        "grants W to a large page whose parts others have",
    ),
    # ---- folding ----
    gone(
        "fold.no_flush", FOLD, "fold_below", "vm_cursor_dispatch(job->cursor);",
        "puts a large page where harts may walk through a table",
    ),
    mutant(
        "fold.by_address", FOLD, "fold_below", "vm_cursor_dispatch(job->cursor);",
        "job->cursor->owed.flush_kind = VM_FLUSH_PAGES;"
        " job->cursor->owed.flush ="
        " (struct va_range){job->part.start, vaddr_add(job->part.start, PAGE_SIZE)};"
        " vm_cursor_dispatch(job->cursor);",
        "flushes an address where a table becomes a large page",
    ),
    mutant(
        "fold.no_invalid", FOLD, "take_out", "cursor_detach(cursor, place);",
        "cursor_detach(cursor, place);"
        " pte_slot_store(&place->node->slots[place->index], place->entry);",
        "puts a large page over the pointer to a table",
    ),
    mutant(
        "fold.gathers_early", FOLD, "take_out", "cursor_detach(cursor, place);", GATHERED,
        "gathers A and D of a table before the flush",
        ("put_whole", "gather(node)",
         "(pt_node_is_root(parent) ? gather(node) : (pte_t){mutant_scratch[hart_index()]})"),
    ),
    gone(
        "fold.first_use_only", FOLD, "gather",
        "whole.raw |= pte_slot_load(&node->slots[i]).raw & (PTE_A | PTE_D);",
        "takes A and D of a large page from its first part",
    ),
    gone(
        "fold.not_joined", FOLD, "put_whole",
        "frame_block_join(frame_of(is_leaf ? pte_pa(whole) : pte_kept_pa(whole)),"
        " parent->level);",
        "folds a table, and not the references of its frames",
    ),
    gone(
        "fold.charge_given_up", FOLD, "take_out", "node->present = 0;",
        "gives up the charge of the pages that it folds",
    ),
    gone(
        "fold.hidden_charge_given_up", FOLD, "take_out", "node->hidden = 0;",
        "gives up the charge of the hidden pages that it folds",
    ),
    gone(
        "fold.paged_forgotten", FOLD, "take_out", "node->paged = 0;",
        "lets the object's row forget the marks that it folds",
    ),
    gone(
        "fold.row_kept", FOLD, "take_out",
        "vm_backing_drop(cursor->space, pte_decode_mark(first).slot, PTE_ENTRIES - 1);",
        "counts 512 marks of an object where one is left",
    ),
    argued(FOLD, "are_parts can_be_one take_out gather fold_below", "pte_slot_load", UNDER_LOCK),
    argued(FOLD, "put_whole", "pte_slot_store", "What fold.no_flush and fold.no_invalid precede."),
    argued(NODE, "pt_node_split", "pte_slot_load", UNDER_LOCK),
    argued(LEAVES, "release_large release_small dying_large", "pte_slot_load", UNDER_LOCK),
    argued(REMOVE, "sum_up", "pte_slot_load", UNDER_LOCK),
    argued(LEAVES, "release_leaves", "release_", "What page.not_released and the like take out."),
    argued("mm/reclaim.c", "take_apart", "reclaim_take_leaves", "Shown by apart.leaf_skipped."),
    argued(BLOCK, "frame_block_put frame_block_is_named_once", "memory_order_ac", COUNTS),
    argued(BLOCK, "frame_block_put", "frame_put", "Level 0 is a frame's (frame.c)."),
]  # fmt: skip
