/* SPDX-License-Identifier: MIT */
/*
 * Cursors: touching what a mark says.  What the first access to a page makes of it.
 *
 *   reserved, read          the frame of zeroes, PENDING if the mark grants W
 *   reserved, write         a zeroed frame, PRIVATE
 *   paged                   the object's frame, RAM or VIEW; the object makes it, for a read as
 *                           well: what others store later must be seen here
 *   paged, private, read    the object's frame if it has one, else that of zeroes; PENDING or
 *                           PRIVATE as above
 *   paged, private, write   a copy of it, or a zeroed frame, PRIVATE
 *
 * A mark above level 0 becomes a larger page if it is to (vm_cursor_touch_block.c), or is pushed
 * down first.  The frame and its charge are there before the page's
 * entry changes.  V was clear, so no flush is owed.
 */
#include "cursor_priv.h"
#include "lib/counter.h"
#include "vm_backing.h"
#include "vm_space_priv.h"

/* What a page is to be. */
struct page {
    struct frame *frame; /* with the reference for the entry */
    enum pte_sw sw;
};

static bool is_store(enum touch_for what)
{
    return what == TOUCH_TO_WRITE || what == TOUCH_TO_FILL;
}

/* The page shows what others may name too, until it is written. */
static struct page page_to_read(struct frame *frame, enum vm_prot prot)
{
    return (struct page){frame, (prot & VM_W) != 0 ? PTE_SW_PENDING : PTE_SW_PRIVATE};
}

/* A page of this space's alone, which begins as `old`; NULL: as zeroes. */
static status_t make_private(struct frame *old, enum vm_prot prot, enum touch_for what,
                             struct page *page)
{
    struct frame *frame = old != NULL ? old : frame_zero();

    if (is_store(what)) {
        page->sw = PTE_SW_PRIVATE;
        return frame_alloc_copy(old, &page->frame);
    }
    if (old == NULL) {
        counter_add(COUNTER_zero_frame_faults, 1);
    }
    frame_get(frame);
    *page = page_to_read(frame, prot);
    return OK;
}

/* The page of an object that a mark of level 0 names. */
static status_t make_paged(struct vm_cursor *cursor, const struct pte_mark *mark,
                           enum touch_for what, struct page *page)
{
    struct mem_object *object = vm_backing_object(cursor->space, mark->slot);
    struct frame *old = NULL;
    status_t status;

    page->sw = mark->sw;
    if (mark->sw != PTE_SW_PRIVATE) {
        if (mem_object_level(object) > 0) {
            status = cursor_make_slice(cursor, object, mark->place);
            if (status != OK) {
                return status;
            }
        }
        return mem_object_page_get(object, mark->place, MEM_OBJECT_MAKE, &page->frame);
    }
    status = mem_object_page_get(object, mark->place, MEM_OBJECT_LOOK, &old);
    if (status != OK && status != ERR_NOENT) {
        return status;
    }
    status = make_private(old, mark->prot, what, page);
    if (old != NULL) {
        frame_put(old);
    }
    return status;
}

/* The slot of a page that a mark above level 0 gives a meaning, with tables made of the mark. */
static status_t push_down(struct vm_cursor *cursor, struct pt_place *place)
{
    struct va_range page = {cursor->va, vaddr_add(cursor->va, PAGE_SIZE)};
    struct pt_pool pool;
    status_t status = pt_pool_fill(cursor, page, &pool);

    if (status == OK) {
        *place = pt_walk_linking(cursor, page.start, &pool);
    }
    return status;
}

/* The mark makes room for the page. */
static pte_t replace_mark(struct vm_cursor *cursor, const struct pt_place *place, pte_t leaf)
{
    pt_node_mark_gone(place->node, place->entry);
    place->node->present++;
    counter_add(COUNTER_demand_faults, 1);
    counter_add(COUNTER_pages_mapped, 1);
    return cursor_put_page(cursor, place, leaf);
}

enum touch cursor_touch_mark(struct vm_cursor *cursor, struct pt_place *place, enum touch_for what,
                             pte_t *entry)
{
    struct pte_mark mark;
    struct page page;
    status_t status;

    if (pte_mark_kind(place->entry) == PTE_MARK_SWAPPED ||
        (what == TOUCH_TO_FILL && pte_mark_sw(place->entry) == PTE_SW_VIEW)) {
        return TOUCH_REFUSED;
    }
    if (place->node->level > 0) {
        status = cursor_touch_block(cursor, place, what, entry);
        if (status != ERR_NOENT) {
            return status == OK ? TOUCH_MADE : TOUCH_WANTS;
        }
        if (push_down(cursor, place) != OK) {
            return TOUCH_NOMEM;
        }
    }
    if (vm_space_charge(cursor->space, 1) != OK) {
        return TOUCH_NOMEM;
    }
    mark = pte_decode_mark(place->entry);
    status = mark.kind == PTE_MARK_PAGED ? make_paged(cursor, &mark, what, &page)
                                         : make_private(NULL, mark.prot, what, &page);
    if (status != OK) {
        vm_space_release(cursor->space, 1);
        return status == ERR_AGAIN ? TOUCH_WANTS : TOUCH_NOMEM;
    }
    *entry = replace_mark(cursor, place, cursor_page_leaf(page.frame, mark.prot, page.sw));
    return TOUCH_MADE;
}
