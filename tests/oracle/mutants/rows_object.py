# SPDX-License-Identifier: MIT
"""Mutants of memory objects: their pages, their size, who names them, what a touch makes of a mark."""

from rows import Edit, Mutant, argued, gone, mutant

OBJECT = "mm/mem_object.c"
PAGES = "mm/mem_object_pages.c"
REAP = "mm/mem_object_reap.c"
TREE = "mm/mem_tree.c"
BACKING = "mm/vm_backing.c"
NODE = "mm/pt_node.c"
MARK = "mm/vm_cursor_mark.c"
TOUCH = "mm/vm_cursor_touch_mark.c"
REMOVE = "mm/vm_cursor_remove.c"
RIGHTS = "mm/pt_rights.c"
PROTECT = "mm/vm_cursor_protect.c"
UNDER_LOCK = """Reads an entry of a node whose lock is held: it changes under no one else's hand but
    hardware's, which sets A and D only."""
LOOK = "look_locked(object, supply->page, supply->level, out)"

OBJECTS = [
    gone(
        "object.page_not_counted", PAGES, "look_locked", "frame_get(found);",
        "hands out the frame of an object without a reference",
    ),
    mutant(
        "object.size_ignored", PAGES, "look_locked", "page >= object->pages", "false",
        "gives pages past an object's end",
    ),
    gone(
        "object.supply_stays", PAGES, "make",
        "supply_drop(supply, object->budget);",
        "keeps what it got for a page that another hart has made meanwhile",
    ),
    Mutant(
        "object.made_twice", PAGES, (Edit("make_locked", LOOK, "ERR_NOENT", f"status = {LOOK};"),),
        "puts a second frame where another hart has put one",
    ),
    mutant(
        "object.not_charged", PAGES, "take_frame", "vm_budget_charge(budget, 1)", "OK",
        "charges nothing for a frame of an object",
    ),
    gone(
        "object.charge_stays", OBJECT, "mem_object_cut",
        "vm_budget_release(object->budget, frames + tables - cut->tables);",
        "keeps the charge for what is cut off an object",
    ),
    mutant(
        "object.cut_while_named", OBJECT, "mem_object_resize", "object->named_end > pages", "false",
        "cuts off pages that marks name",
    ),
    mutant(
        "object.cut_while_mapped", TREE, "cut_slot",
        "height == 0 && cut->whose == MEM_TREE_OWN && !frame_block_has_one_ref(*slot, level)",
        "false",
        "cuts off pages that are mapped",
    ),
    gone(
        "object.cut_not_freed", TREE, "cut_slot", "frame_block_put(*slot, level);",
        "loses the frames that it cuts off an object",
    ),
    gone(
        "object.naming_not_noted", OBJECT, "mem_object_marked",
        "object->named_end = object->named_end > end ? object->named_end : end;",
        "does not note how far marks reach",
    ),
    gone(
        "object.named_for_good", OBJECT, "mem_object_unmarked", "object->named_end = 0;",
        "never forgets how far marks have reached",
    ),
    mutant(
        "object.marked_past_end", OBJECT, "mem_object_marked", "end <= object->pages", "true",
        "lets marks reach past an object's end",
    ),
    gone(
        "object.not_parked", OBJECT, "mem_object_put", "mem_object_park(object);",
        "forgets an object with its last reference",
    ),
    gone(
        "object.park_not_counted", REAP, "mem_object_park", "reclaim_begin();",
        "does not count an object that waits for the reaper",
    ),
    gone(
        "object.end_not_counted", REAP, "take_apart", "reclaim_end();",
        "counts an object that is gone as waiting",
    ),
]  # fmt: skip

TABLE = [
    gone(
        "backing.no_reference", BACKING, "hold_locked", "mem_object_get(object);",
        "names an object without a reference to it",
    ),
    mutant(
        "backing.not_given_up", BACKING, "vm_backing_drop", "object != NULL", "false",
        "keeps an object of which no mark is left",
    ),
    gone(
        "backing.holder_not_counted", BACKING, "hold_locked", "row_of(backing, found)->marks++;",
        "does not count who holds a row",
    ),
    gone(
        "backing.rows_stay", BACKING, "vm_backing_end", "give_up(object);",
        "keeps the objects of a space that is gone",
    ),
    gone(
        "backing.page_stays", BACKING, "vm_backing_end",
        "table_frame_put(space, backing->page[backing->pages]);",
        "keeps a page of the table of a space that is gone",
    ),
    gone(
        "backing.directory_stays", BACKING, "vm_backing_end",
        "table_frame_put(space, backing->frame);",
        "keeps the directory of the table of a space that is gone",
    ),
    gone(
        "backing.frame_stays", BACKING, "table_frame_put", "frame_put(frame);",
        "gives up the charge for a frame of the table, and keeps the frame",
    ),
    mutant(
        "backing.not_charged", BACKING, "table_frame_get", "vm_space_charge(space, 1)", "OK",
        "charges nothing for the table of objects",
    ),
    gone(
        "backing.second_directory_stays", BACKING, "backing_make",
        "table_frame_put(space, frame);",
        "keeps a directory of which another hart has made one meanwhile",
    ),
    gone(
        "mark.not_counted_in_row", MARK, "cursor_put_meaning",
        "vm_backing_add(cursor->space, meaning->slot, count);",
        "does not count new marks in the row of their object",
    ),
    gone(
        "mark.row_held_for_good", MARK, "cursor_drop_meaning",
        "vm_backing_drop(cursor->space, meaning->slot, 1);",
        "holds the row of an object after its marks are stored",
    ),
    mutant(
        "mark.all_name_one", MARK, "put_marks",
        "pte_mark_at(mark, (pt_node_entry_va(node, i).raw - part.start.raw) / PAGE_SIZE)", "mark",
        "gives each mark of an object the first one's page",
    ),
    gone(
        "push.not_counted_in_row", NODE, "pt_node_link",
        "vm_backing_add(parent->space, pte_decode_mark(before).slot, PTE_ENTRIES);",
        "does not count the marks that it pushes down",
    ),
    mutant(
        "push.all_name_one", NODE, "pt_node_fill", "next.raw - entry.raw", "0",
        "gives each mark that it pushes down the first one's page",
    ),
    gone(
        "node.paged_not_counted", NODE, "pt_node_mark_added",
        "node->paged = (uint16_t)(node->paged + (pte_is_paged(mark) ? 1 : 0));",
        "does not count a mark of an object among those of its table",
    ),
    gone(
        "node.paged_stays_counted", NODE, "pt_node_mark_gone", "node->paged--;",
        "counts a mark of an object that is gone among those of its table",
    ),
    gone(
        "node.mark_stays_in_row", NODE, "pt_node_mark_gone",
        "vm_backing_drop(node->space, pte_decode_mark(mark).slot, 1);",
        "counts a mark that is gone in the row of its object",
    ),
    gone(
        "detach.marks_stay_in_row", NODE, "pt_node_forget_paged",
        "vm_backing_run_drop(&run, pte_decode_mark(entry).slot);",
        "counts the marks of a detached table in the row of their object",
    ),
    gone(
        "remove.marks_stay_in_row", REMOVE, "cursor_remove_leaves",
        "vm_backing_run_drop(&paged, pte_decode_mark(entry).slot);",
        "counts marks that are removed in the row of their object",
    ),
]  # fmt: skip

TOUCHES = [
    mutant(
        "paged.view_is_shared", TOUCH, "make_paged", "page->sw = mark->sw;",
        "page->sw = mark->sw == PTE_SW_VIEW ? PTE_SW_RAM : mark->sw;",
        "makes a page of a view one like any other",
    ),
    mutant(
        "paged.private_is_shared", TOUCH, "make_paged", "mark->sw != PTE_SW_PRIVATE", "true",
        "stores into the object through a private page",
    ),
    mutant(
        "paged.private_is_zero", TOUCH, "make_paged",
        "mem_object_page_get(object, mark->place, MEM_OBJECT_LOOK, &old)", "ERR_NOENT",
        "begins a private page with zeroes, whatever the object has",
    ),
    mutant(
        "paged.not_copied", TOUCH, "make_private", "frame_alloc_copy(old, &page->frame)",
        "frame_alloc_copy(NULL, &page->frame)",
        "begins a private page that is written with zeroes",
    ),
    gone(
        "paged.old_frame_kept", TOUCH, "make_paged", "frame_put(old);",
        "keeps a reference of the frame that a private page began with",
    ),
    gone(
        "paged.frame_not_counted", TOUCH, "make_private", "frame_get(frame);",
        "shows a frame in a private page without a reference",
    ),
    mutant(
        "paged.writable_at_once", TOUCH, "page_to_read",
        "(prot & VM_W) != 0 ? PTE_SW_PENDING : PTE_SW_PRIVATE", "PTE_SW_PRIVATE",
        "makes a private page writable with the object's frame in it",
    ),
    mutant(
        "paged.first_page", TOUCH, "make_paged",
        "mem_object_page_get(object, mark->place, MEM_OBJECT_MAKE, &page->frame)",
        "mem_object_page_get(object, 0, MEM_OBJECT_MAKE, &page->frame)",
        "gives every page the object's first",
    ),
    mutant(
        "view.page_gets_w", RIGHTS, "step_page", "pt_rights_are_refused(sw, prot)", "false",
        "gives W to a page of a view",
    ),
    mutant(
        "view.mark_gets_w", RIGHTS, "step_from",
        "pt_rights_are_refused(pte_mark_sw(entry), prot)", "false",
        "gives W to a mark of a view",
    ),
    mutant(
        "view.next_gets_w", PROTECT, "vm_cursor_protect_next",
        "pt_rights_are_refused(leaf.sw, rights.prop.prot)", "false",
        "gives W to the next page, of a view",
    ),
]  # fmt: skip
ROWS = [
    *OBJECTS,
    *TABLE,
    *TOUCHES,
    argued(NODE, "pt_node_forget_paged", "pte_slot_load", UNDER_LOCK),
    argued(
        MARK, "put_marks", "pte_slot_store",
        "What a mark that is not stored lets fail is shown by mark.not_stored.",
    ),
    argued(
        BACKING, "backing_of backing_make", "memory_order_",
        """The directory is seen whole by whoever meets it. That harts of a model meet it half made
        would need the model to order its contents, which are no entries; the races of
        tests/host/race_objects.c run it under the thread sanitizer.""",
    ),
]  # fmt: skip
