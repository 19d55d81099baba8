/* SPDX-License-Identifier: MIT */
/*
 * Cursors: touching marks that are to become larger pages.
 *
 *   reserved, of larger pages, any access   a block of zeroes, PRIVATE, if somebody makes blocks
 *                                           (cursor->making)
 *   paged, the object has larger pages      the object's block, RAM or VIEW; the object makes it
 *   the same, private, no store             the object's block, if it has one; PENDING or PRIVATE
 *
 * The mark must be as large as the page, and of an object's pages the first one that it names must
 * be the first of a block.  It is pushed down to the page's level.  If anything is not there that
 * a larger page needs, a small one takes its place.
 */
#include "cursor_priv.h"
#include "lib/counter.h"
#include "mm/frame_block.h"
#include "vm_backing.h"
#include "vm_space_priv.h"

/* The page to come. */
struct page {
    struct frame *block; /* with a reference, for the entry */
    unsigned level;
    enum pte_sw sw;
};

/* The level of the page that is to be there; 0: a small one. */
static unsigned level_at(const struct vm_cursor *cursor, const struct pt_place *place,
                         const struct pte_mark *mark, enum touch_for what)
{
    bool is_store = what == TOUCH_TO_WRITE || what == TOUCH_TO_FILL;
    unsigned level = (unsigned)mark->place;

    if (mark->kind == PTE_MARK_PAGED) {
        level = mem_object_level(vm_backing_object(cursor->space, mark->slot));
        if (!is_aligned(mark->place, frame_block_frames(level)) ||
            (mark->sw == PTE_SW_PRIVATE && is_store)) {
            return 0;
        }
    }
    return level <= place->node->level ? level : 0;
}

/* A block of zeroes that nobody else names. */
static status_t take_made(struct vm_cursor *cursor, struct page *page)
{
    struct vm_budget *budget = cursor->space->budget;

    if (cursor->making == NULL) {
        return ERR_NOENT;
    }
    if (!frame_making_is_ready(cursor->making, page->level, budget)) {
        frame_making_want(cursor->making, page->level, budget);
        return ERR_AGAIN;
    }
    page->block = frame_making_take(cursor->making);
    page->sw = PTE_SW_PRIVATE;
    return OK;
}

/* The object makes the block on the spot: nobody here makes one in pieces. */
static status_t make_at_once(struct mem_object *object, uint64_t number, struct frame **block)
{
    struct frame *frame;
    status_t status = mem_object_page_get(object, number, MEM_OBJECT_MAKE, &frame);

    if (status == OK) {
        status = mem_object_block_get(object, number, MEM_OBJECT_LOOK, NULL, block);
        frame_put(frame);
    }
    return status;
}

/* The block of an object that page `number` lies in. */
static status_t take_paged(struct vm_cursor *cursor, const struct pte_mark *mark, uint64_t number,
                           struct page *page)
{
    struct mem_object *object = vm_backing_object(cursor->space, mark->slot);
    enum pte_sw to_read = (mark->prot & VM_W) != 0 ? PTE_SW_PENDING : PTE_SW_PRIVATE;
    status_t status;

    page->sw = mark->sw == PTE_SW_PRIVATE ? to_read : mark->sw;
    status = mem_object_block_get(object, number, MEM_OBJECT_LOOK, NULL, &page->block);
    if (status != ERR_NOENT || mark->sw == PTE_SW_PRIVATE) {
        return status;
    }
    if (cursor->making == NULL) {
        return make_at_once(object, number, &page->block);
    }
    return mem_object_block_get(object, number, MEM_OBJECT_MAKE, cursor->making, &page->block);
}

status_t cursor_make_slice(struct vm_cursor *cursor, struct mem_object *object, uint64_t number)
{
    struct frame *block;
    status_t status;

    if (cursor->making == NULL) {
        return OK;
    }
    status = mem_object_block_get(object, number, MEM_OBJECT_MAKE, cursor->making, &block);
    if (status == OK) {
        frame_block_put(block, mem_object_level(object));
    }
    return status;
}

/* Pushes the mark down to `level`.  The stock is full then, for what is mapped large may have to be
 * split. */
static status_t push_down(struct vm_cursor *cursor, struct pt_place *place, unsigned level)
{
    struct pt_pool pool;
    status_t status = vm_space_stock_fill(cursor->space);

    if (status == OK) {
        status = pt_pool_get(cursor->space, place->node->level - level, &pool);
    }
    while (status == OK && place->node->level > level) {
        *place = pt_link(cursor, place, cursor->va, &pool);
    }
    return status;
}

/* Puts the page in the mark's place. */
static status_t put_page(struct vm_cursor *cursor, struct pt_place *place, const struct page *page,
                         enum vm_prot prot, pte_t *entry)
{
    uint64_t frames = frame_block_frames(page->level);
    pte_t leaf;
    status_t status = vm_space_charge(cursor->space, frames);

    if (status != OK) {
        return status;
    }
    status = push_down(cursor, place, page->level);
    if (status != OK) {
        vm_space_release(cursor->space, frames);
        return status;
    }
    pt_node_mark_gone(place->node, place->entry);
    leaf = cursor_page_leaf(page->block, prot, page->sw);
    cursor_put_large(cursor, place, leaf);
    *entry = pte_leaf_part(leaf, (cursor->va.raw - pt_place_range(place).start.raw) / PAGE_SIZE,
                           PAGE_SIZE);
    counter_add(COUNTER_demand_faults, 1);
    return OK;
}

status_t cursor_touch_block(struct vm_cursor *cursor, struct pt_place *place, enum touch_for what,
                            pte_t *entry)
{
    struct pte_mark mark = pte_decode_mark(place->entry);
    uint64_t before = (cursor->va.raw - pt_place_range(place).start.raw) / PAGE_SIZE;
    struct page page = {.level = level_at(cursor, place, &mark, what)};
    status_t status = ERR_NOENT;

    if (page.level > 0) {
        status = mark.kind == PTE_MARK_PAGED ? take_paged(cursor, &mark, mark.place + before, &page)
                                             : take_made(cursor, &page);
    }
    if (status == OK && put_page(cursor, place, &page, mark.prot, entry) != OK) {
        frame_block_put(page.block, page.level);
        status = ERR_NOENT;
    }
    return status == OK || status == ERR_AGAIN ? status : ERR_NOENT;
}
