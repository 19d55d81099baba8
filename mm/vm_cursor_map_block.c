/* SPDX-License-Identifier: MIT */
/*
 * Cursors: mapping blocks, and what makes room for leaves above level 0.
 *
 * As with small pages everything is checked and all memory is there before the first entry changes:
 * the charge, the tables on the way down, those for the ends of the range, and the split stock, so
 * that a part of what is mapped now can always be unmapped.  What the range holds goes first, whole
 * tables as well, empty ones too, and its flush is done before anything new is stored: a hart may
 * still walk through a table where the leaf is to be, and a dying entry keeps what it held.
 */
#include "cursor_priv.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "mm/vm_cursor_large.h"
#include "pt_split.h"
#include "vm_space_priv.h"

status_t cursor_check_ram(struct vm_prop prop)
{
    if (!pte_prot_is_legal(prop.prot)) {
        return ERR_INVAL;
    }
    return prop.mem == VM_MEM_PMA ? OK : ERR_NOTSUP;
}

/* True for a page above level 0. */
static bool is_large(const struct pt_place *place)
{
    return place->node->level > 0 && (place->kind == PTE_LEAF || place->kind == PTE_HIDDEN);
}

status_t cursor_split_large(struct vm_cursor *cursor, struct va_range part, struct pt_pool *pool)
{
    struct pt_place high = pt_walk(cursor, (vaddr_t){part.end.raw - PAGE_SIZE});
    struct pt_place low = pt_walk(cursor, part.start);
    status_t status = OK;

    if (is_large(&low) || is_large(&high)) {
        status = pt_split_ends(cursor, part, PT_ENDS_OF_ENTRIES);
    }
    if (status != OK) {
        pt_pool_empty(pool);
    }
    return status;
}

void cursor_replace_large(struct vm_cursor *cursor, const struct pt_place *place)
{
    struct vm_removed pages = cursor_remove_large(cursor, place);

    counter_add(COUNTER_pages_unmapped, pages.ram_pages + pages.io_pages);
}

status_t cursor_make_room_large(struct vm_cursor *cursor, struct va_range part, unsigned largest,
                                enum vm_map_mode mode, struct pt_pool *pool)
{
    struct removal job = {
        .cursor = cursor, .part = part, .counted = COUNT_ENTRIES, .edits_left = UINT64_MAX};
    struct pt_place place;
    status_t status;

    if (mode == VM_MAP_EXCLUSIVE && pt_find_used(cursor, part, &place)) {
        return ERR_EXIST;
    }
    status = largest > 0 ? vm_space_stock_fill(cursor->space) : OK;
    if (status == OK) {
        status = pt_pool_fill_large(cursor, part, largest, pool);
    }
    if (status != OK) {
        return status;
    }
    status = pt_split_ends(cursor, part, PT_ENDS_OF_ENTRIES);
    if (status != OK) {
        pt_pool_empty(pool);
        return status;
    }
    cursor_remove(&job);
    if (cursor->owed.tables != NULL ||
        cursor->owed.removed.start.raw < cursor->owed.removed.end.raw) {
        vm_cursor_sync(cursor);
    }
    return OK;
}

struct pt_place cursor_room_at(struct vm_cursor *cursor, vaddr_t va, unsigned level,
                               struct pt_pool *pool)
{
    struct pt_place place = pt_walk(cursor, va);

    while (place.node->level > level) {
        place = pt_link(cursor, &place, va, pool);
    }
    DASSERT(place.node->level == level && place.kind == PTE_ABSENT);
    return place;
}

void cursor_put_large(struct vm_cursor *cursor, const struct pt_place *place, pte_t leaf)
{
    struct pt_node *node = place->node;

    node->present++;
    node->large++;
    node->io = (uint16_t)(node->io + (pte_sw(leaf) == PTE_SW_IO ? 1 : 0));
    (void)cursor_put_page(cursor, place, leaf);
    counter_add(COUNTER_pages_mapped, frame_block_frames(node->level));
    counter_add(COUNTER_blocks_mapped, 1);
}

/* What is to be mapped, and where. */
struct large {
    struct frame *block;
    unsigned level;
    enum pte_sw sw;
    struct va_range part;
};

/* All that can be refused without looking at the tree; tells the part. */
static status_t check(const struct vm_cursor *cursor, struct vm_prop prop, struct large *page)
{
    status_t status = cursor_check_ram(prop);

    if (status == OK && (page->level > FRAME_LEVEL_MAX ||
                         !is_aligned(cursor->va.raw, pte_level_bytes(page->level)))) {
        status = ERR_INVAL;
    }
    if (status == OK && cursor->mode != VM_CURSOR_CHANGE) {
        status = ERR_ACCES;
    }
    if (status == OK) {
        status = cursor_part(cursor, pte_level_bytes(page->level), &page->part);
    }
    return status == OK && cursor->cover->level < page->level ? ERR_RANGE : status;
}

static status_t map_block(struct vm_cursor *cursor, const struct large *page, pte_t leaf,
                          enum vm_map_mode mode)
{
    uint64_t frames = frame_block_frames(page->level);
    struct pt_place place;
    struct pt_pool pool;
    status_t status = vm_space_charge(cursor->space, frames);

    if (status != OK) {
        return status;
    }
    status = cursor_make_room_large(cursor, page->part, page->level, mode, &pool);
    if (status != OK) {
        vm_space_release(cursor->space, frames);
        return status;
    }
    ASSERT(page->block->type == FRAME_USER);
    place = cursor_room_at(cursor, page->part.start, page->level, &pool);
    cursor_put_large(cursor, &place, leaf);
    pt_pool_empty(&pool);
    cursor->va = page->part.end;
    return OK;
}

static status_t map_as(struct vm_cursor *cursor, struct large page, struct vm_prop prop,
                       enum vm_map_mode mode)
{
    status_t status;

    if (page.level == 0) {
        return vm_cursor_map(cursor, page.block, prop, mode);
    }
    status = check(cursor, prop, &page);
    if (status != OK) {
        return status;
    }
    return map_block(cursor, &page, cursor_page_leaf(page.block, prop.prot, page.sw), mode);
}

status_t vm_cursor_map_block(struct vm_cursor *cursor, struct frame *block, unsigned level,
                             struct vm_prop prop, enum vm_map_mode mode)
{
    enum pte_sw sw = frame_block_has_one_ref(block, level) ? PTE_SW_PRIVATE : PTE_SW_RAM;

    return map_as(cursor, (struct large){.block = block, .level = level, .sw = sw}, prop, mode);
}

status_t vm_cursor_map_made(struct vm_cursor *cursor, struct frame *block, unsigned level,
                            struct vm_prop prop, enum vm_map_mode mode)
{
    struct large page = {.block = block, .level = level, .sw = PTE_SW_PRIVATE};

    return map_as(cursor, page, prop, mode);
}
