/* SPDX-License-Identifier: MIT */
/*
 * Cursors: making mappings.
 *
 * Everything is checked and every table is there before the first entry changes.  Replacing is
 * break before make: the old entry is invalid and flushed before the new one is stored.  Absent to
 * present needs no flush; a hart that cached the absence takes one spurious fault.
 */
#include "cursor_priv.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "vm_space_priv.h"

#define FILL_FRAMES 64U /* taken from the allocator at once */

/* Gets the tables that `part` needs, then takes out what is there.  Errors: ERR_EXIST, ERR_NOMEM;
 * nothing has changed. */
static status_t make_room(struct vm_cursor *cursor, struct va_range part, enum vm_map_mode mode,
                          struct pt_pool *pool)
{
    struct va_range rest = part;
    struct pt_place place;
    status_t status;

    if (mode == VM_MAP_EXCLUSIVE && pt_find_used(cursor, part, &place)) {
        return ERR_EXIST;
    }
    status = pt_pool_fill(cursor, part, pool);
    if (status == OK && mode == VM_MAP_REPLACE && cursor->cover->level > 0) {
        status = cursor_split_large(cursor, part, pool);
    }
    if (status != OK) {
        return status;
    }
    while (mode == VM_MAP_REPLACE && pt_find_used(cursor, rest, &place)) {
        struct pt_span span = pt_node_span(place.node, rest);
        struct leaves leaves;

        if (place.node->level > 0) { /* a mark stays, and moves into a table from the pool */
            if (place.kind != PTE_MARK) {
                cursor_replace_large(cursor, &place);
            }
            rest.start = pt_place_range(&place).end;
            continue;
        }
        leaves = cursor_remove_leaves(cursor, place.node, span, PTE_ENTRIES);
        counter_add(COUNTER_pages_unmapped, leaves.count);
        rest.start = pt_node_entry_va(place.node, leaves.end);
    }
    return OK;
}

/* What is mapped on pages side by side. */
struct mapping {
    pte_t leaf;
    struct frame *const *frames;
    enum {
        OWNERS_KNOWN, /* the leaf's RSW says it                                          */
        OWNERS_ASKED, /* a frame whose only reference comes with the mapping is private  */
    } owners;
};

/* The leaf of a frame whose owner the mapping does not know. */
static pte_t asked_leaf(pte_t leaf, const struct frame *frame)
{
    leaf = pte_with_pa(leaf, frame_pa(frame));
    return frame_has_one_ref(frame) ? pte_with_sw(leaf, PTE_SW_PRIVATE) : leaf;
}

/* Stores the leaves for `count` pages, the first of which is the mapping's page `done`.  A loop for
 * each kind of mapping, for most of what a page costs is here. */
static void store_leaves(struct pte_slot *slots, unsigned count, const struct mapping *mapping,
                         uint64_t done)
{
    struct frame *const *frames = &mapping->frames[done];
    pte_t leaf = mapping->leaf;

    if (mapping->owners == OWNERS_ASKED) {
        for (unsigned i = 0; i < count; i++) {
            pte_slot_store(&slots[i], asked_leaf(leaf, frames[i]));
        }
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        pte_slot_store(&slots[i], pte_with_pa(leaf, frame_pa(frames[i])));
    }
}

static bool has_dying(const struct pt_node *node, struct pt_span span)
{
    for (unsigned i = span.first; node->dying > 0 && i < span.end; i++) {
        if (pte_is_dying(pte_slot_load(&node->slots[i]))) {
            return true;
        }
    }
    return false;
}

/* Marks in a part of a node of level 0 that leaves are about to be stored over. */
static void forget_marks(struct pt_node *node, struct pt_span span)
{
    for (unsigned i = span.first; node->marked > 0 && i < span.end; i++) {
        pte_t entry = pte_slot_load(&node->slots[i]);

        if (pte_is_mark(entry)) {
            pt_node_mark_gone(node, entry);
        }
    }
}

/* The slot of the first page of `rest`, with a table from the pool if one is missing.  What was
 * removed before goes first, all of it with one flush: a dying entry holds its frame in the slot,
 * and a hart may still walk through a table that was detached. */
static struct pt_place room_at(struct vm_cursor *cursor, struct va_range rest, struct pt_pool *pool)
{
    struct pt_place place;

    if (cursor->owed.tables != NULL) {
        vm_cursor_sync(cursor);
    }
    place = pt_walk_linking(cursor, rest.start, pool);
    if (has_dying(place.node, pt_node_span(place.node, rest))) {
        vm_cursor_sync(cursor);
    }
    return place;
}

/* Stores leaves for `part`, which begins at the position and where nothing is but marks, and moves
 * past it. */
static void put_leaves(struct vm_cursor *cursor, struct va_range part, struct pt_pool *pool,
                       struct mapping mapping)
{
    uint64_t done = 0;

    while (cursor->va.raw < part.end.raw) {
        struct va_range rest = {cursor->va, part.end};
        struct pt_node *node = room_at(cursor, rest, pool).node;
        struct pt_span span = pt_node_span(node, rest);
        unsigned count = span.end - span.first;

        forget_marks(node, span);
        store_leaves(&node->slots[span.first], count, &mapping, done);
        done += count;
        node->present = (uint16_t)(node->present + count);
        cursor->stores += count;
        cursor->va = pt_node_entry_va(node, span.end);
    }
    if ((pte_prot(mapping.leaf) & VM_X) != 0) {
        cursor->owed.code = true;
    }
    counter_add(COUNTER_pages_mapped, done);
}

static pte_t ram_leaf(struct vm_prop prop, enum pte_sw sw)
{
    return pte_make_leaf(
        (struct pte_leaf){.prot = prop.prot, .mem = prop.mem, .sw = sw, .user = true});
}

status_t vm_cursor_map_frames(struct vm_cursor *cursor, struct frame *const *frames, size_t count,
                              struct vm_prop prop, enum vm_map_mode mode)
{
    struct va_range part;
    struct pt_pool pool;
    status_t status = cursor_check_ram(prop);

    if (status == OK && count == 0) {
        status = ERR_INVAL;
    }
    if (status == OK && count > UINT64_MAX / PAGE_SIZE) {
        status = ERR_RANGE;
    }
    if (status == OK && cursor->mode != VM_CURSOR_CHANGE) {
        status = ERR_ACCES;
    }
    if (status == OK) {
        status = cursor_part(cursor, count * PAGE_SIZE, &part);
    }
    if (status == OK) {
        status = vm_space_charge(cursor->space, count);
    }
    if (status != OK) {
        return status;
    }
    status = make_room(cursor, part, mode, &pool);
    if (status != OK) {
        vm_space_release(cursor->space, count);
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        ASSERT(frames[i]->type == FRAME_USER);
    }
    put_leaves(cursor, part, &pool,
               (struct mapping){ram_leaf(prop, PTE_SW_RAM), frames, OWNERS_ASKED});
    pt_pool_empty(&pool); /* tables for what was split instead */
    return OK;
}

/* Pages of `rest` from its start on, in its node of level 0, where nothing is: FILL_FRAMES at most.
 * `place` is that of the first. */
static uint64_t absent_pages(const struct pt_place *place, struct va_range rest)
{
    uint64_t first = pte_index(rest.start, 0);
    struct pte_slot *slots = &place->node->slots[first]; /* of level 0 */
    uint64_t limit = (rest.end.raw - rest.start.raw) / PAGE_SIZE;
    uint64_t count = 0;

    limit = limit < PTE_ENTRIES - first ? limit : PTE_ENTRIES - first;
    limit = limit < FILL_FRAMES ? limit : FILL_FRAMES;
    if (place->node->level > 0) {
        return place->kind == PTE_ABSENT || place->kind == PTE_DYING ? limit : 0;
    }
    for (; count < limit; count++) {
        pte_t entry = pte_slot_load_locked(&slots[count]);

        if (!pte_is_absent(entry) && !pte_is_dying(entry)) {
            break;
        }
    }
    return count;
}

/* Charges for as many pages as the budget has left, up to `count`.  Returns how many. */
static uint64_t charge_some(struct vm_space *space, uint64_t count)
{
    while (count > 0 && vm_space_charge(space, count) != OK) {
        count /= 2;
    }
    return count;
}

/* Gets up to `count` frames, charged for.  Returns how many. */
static uint64_t take_frames(struct vm_space *space, struct frame **frames, uint64_t count)
{
    uint64_t charged = charge_some(space, count);
    uint64_t taken = frame_alloc_many(FRAME_USER, frames, (unsigned)charged);

    if (taken < charged) {
        vm_space_release(space, charged - taken);
    }
    return taken;
}

/* Maps fresh frames on a few pages from the position on. */
static status_t fill_some(struct vm_cursor *cursor, struct va_range rest, pte_t leaf)
{
    struct frame *frames[FILL_FRAMES];
    struct pt_place place = pt_walk(cursor, rest.start);
    uint64_t count = absent_pages(&place, rest);
    struct pt_pool pool = {NULL};
    status_t status = OK;

    if (count == 0) {
        return ERR_EXIST;
    }
    rest.end = vaddr_add(rest.start, count * PAGE_SIZE);
    if (place.node->level > 0) {
        status = pt_pool_fill(cursor, rest, &pool);
    }
    if (status != OK) {
        return status;
    }
    count = take_frames(cursor->space, frames, count);
    if (count == 0) {
        pt_pool_empty(&pool);
        return ERR_NOMEM;
    }
    rest.end = vaddr_add(rest.start, count * PAGE_SIZE);
    put_leaves(cursor, rest, &pool, (struct mapping){leaf, frames, OWNERS_KNOWN});
    return OK;
}

status_t vm_cursor_fill(struct vm_cursor *cursor, uint64_t len_bytes, struct vm_prop prop)
{
    pte_t leaf = ram_leaf(prop, PTE_SW_PRIVATE);
    struct va_range part;
    status_t status = cursor_check_ram(prop);

    if (status == OK && cursor->mode != VM_CURSOR_CHANGE) {
        status = ERR_ACCES;
    }
    if (status == OK) {
        status = cursor_part(cursor, len_bytes, &part);
    }
    while (status == OK && cursor->va.raw < part.end.raw) {
        status = fill_some(cursor, (struct va_range){cursor->va, part.end}, leaf);
    }
    return status;
}

status_t vm_cursor_map(struct vm_cursor *cursor, struct frame *frame, struct vm_prop prop,
                       enum vm_map_mode mode)
{
    return vm_cursor_map_frames(cursor, &frame, 1, prop, mode);
}
