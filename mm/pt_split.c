/* SPDX-License-Identifier: MIT */
/*
 * Splitting large entries at the ends of a range.
 *
 *   parent  | ... | E (1 GiB) | ...          E, before: a mark, a leaf or hidden pages
 *   parent  | ... |  table    | ...          after, for an end that is 2 MiB aligned, at `^`
 *                    | E0 | E1 | E2 | E3 | ... | E511      Ei: what E meant there
 *                         ^
 *
 * The new table is complete and locked when the parent's entry names it.  Of a mark and of hidden
 * pages V was clear before, and is clear in all entries, so no flush is owed.  Of a leaf the
 * translations stay what they are, but harts may remember the large one: a flush of the space is
 * owed, so that later ones may be by address (pt_link).
 */
#include "pt_split.h"

#include "lib/assert.h"
#include "vm_space_priv.h"

static bool must_split(const struct pt_place *place, enum pt_ends ends)
{
    bool is_nothing = place->kind == PTE_ABSENT || place->kind == PTE_DYING;

    return ends == PT_ENDS_ALL || !is_nothing;
}

/* True if entries of that level have a boundary there. */
static bool is_boundary(vaddr_t va, unsigned level)
{
    return is_aligned(va.raw, pte_level_bytes(level));
}

static vaddr_t last_page(struct va_range part)
{
    return (vaddr_t){part.end.raw - PAGE_SIZE};
}

/* Tables that make an end at va a boundary, below a place that it lies in. */
static unsigned count_for_end(const struct pt_place *place, vaddr_t va, enum pt_ends ends)
{
    unsigned count = 0;
    unsigned level = place->node->level;

    for (; must_split(place, ends) && level > 0 && !is_boundary(va, level); level--) {
        count++;
    }
    return count;
}

/* Tables that both ends need, which lie in one place: as long as one entry holds both. */
static unsigned count_shared(unsigned level, struct va_range part)
{
    unsigned count = 0;
    uint64_t last = part.end.raw - 1;

    for (; level > 0 && !is_boundary(part.start, level) && !is_boundary(part.end, level); level--) {
        if (part.start.raw / pte_level_bytes(level) != last / pte_level_bytes(level)) {
            break;
        }
        count++;
    }
    return count;
}

static unsigned count_for_both(struct vm_cursor *cursor, struct va_range part, enum pt_ends ends)
{
    struct pt_place high = pt_walk(cursor, last_page(part));
    struct pt_place low = pt_walk(cursor, part.start);
    unsigned count = count_for_end(&low, part.start, ends) + count_for_end(&high, part.end, ends);

    if (low.node == high.node && low.index == high.index && must_split(&low, ends)) {
        count -= count_shared(low.node->level, part);
    }
    return count;
}

/* The same as pt_pool_get, but what the allocator does not have comes from the split stock. */
static status_t get_from_stock_too(struct vm_space *space, unsigned count, struct pt_pool *pool)
{
    unsigned borrowed = 0;

    pool->first = NULL;
    for (; count > 0; count--) {
        struct pt_node *node;

        if (pt_node_create(space, (vaddr_t){0}, 0, &node) != OK) {
            node = vm_space_stock_take(space);
            if (node == NULL) {
                break;
            }
            borrowed++;
        }
        pt_pool_push(pool, node);
    }
    if (count == 0) {
        return OK;
    }
    for (; borrowed > 0; borrowed--) {
        vm_space_stock_put(space, pt_pool_pop(pool));
    }
    pt_pool_empty(pool);
    return ERR_NOMEM;
}

/* Makes `end` a boundary of entries; `inside` is the page of the part beside it. */
static void split_at(struct vm_cursor *cursor, vaddr_t end, vaddr_t inside, enum pt_ends ends,
                     struct pt_pool *pool)
{
    struct pt_place place = pt_walk(cursor, inside);

    while (must_split(&place, ends) && !is_boundary(end, place.node->level)) {
        place = pt_link(cursor, &place, inside, pool);
    }
}

/* Pays for detached tables, through which a hart may still walk to where one is to be linked. */
static void pay_for_tables(struct vm_cursor *cursor)
{
    if (cursor->owed.tables != NULL) {
        vm_cursor_sync(cursor);
    }
}

/* Not inline: most ranges have nothing to split. */
__attribute__((noinline)) static status_t split_ends(struct vm_cursor *cursor, struct va_range part,
                                                     enum pt_ends ends)
{
    struct pt_pool pool;
    unsigned count = count_for_both(cursor, part, ends);
    status_t status;

    if (count == 0) {
        return OK;
    }
    status = ends == PT_ENDS_OF_ENTRIES ? get_from_stock_too(cursor->space, count, &pool)
                                        : pt_pool_get(cursor->space, count, &pool);
    if (status != OK) {
        return status;
    }
    pay_for_tables(cursor);
    split_at(cursor, part.start, part.start, ends, &pool);
    split_at(cursor, part.end, last_page(part), ends, &pool);
    ASSERT(pool.first == NULL);
    return OK;
}

inline status_t pt_split_ends(struct vm_cursor *cursor, struct va_range part, enum pt_ends ends)
{
    uint64_t entry_bytes = pt_node_entry_bytes(cursor->cover);

    /* No entry below the covering node is larger than those in it. */
    if (part.start.raw == part.end.raw || is_aligned(part.start.raw | part.end.raw, entry_bytes)) {
        return OK;
    }
    return split_ends(cursor, part, ends);
}

status_t pt_split_to(struct vm_cursor *cursor, vaddr_t va, unsigned level)
{
    struct pt_place place = pt_walk(cursor, va);
    struct pt_pool pool;
    status_t status;

    if (place.node->level <= level || !must_split(&place, PT_ENDS_OF_ENTRIES)) {
        return OK;
    }
    status = get_from_stock_too(cursor->space, place.node->level - level, &pool);
    if (status != OK) {
        return status;
    }
    pay_for_tables(cursor);
    while (place.node->level > level) {
        place = pt_link(cursor, &place, va, &pool);
    }
    return OK;
}

status_t pt_split_place(struct vm_cursor *cursor, struct pt_place *place, struct va_range part)
{
    struct va_range extent = pt_place_range(place);
    struct va_range inside = {extent.start.raw > part.start.raw ? extent.start : part.start,
                              extent.end.raw < part.end.raw ? extent.end : part.end};
    status_t status;

    if (inside.start.raw == extent.start.raw && inside.end.raw == extent.end.raw) {
        return OK;
    }
    status = pt_split_ends(cursor, inside, PT_ENDS_OF_ENTRIES);
    if (status == OK) {
        *place = pt_walk(cursor, inside.start);
    }
    return status;
}
