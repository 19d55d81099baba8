/* SPDX-License-Identifier: MIT */
/*
 * Walks inside a locked sub-tree.
 *
 * Everything here runs under the locks of a cursor, so entries do not change under it but for the A
 * and D bits that hardware sets.  A cursor remembers where its last walk ended, so that a step to
 * the next page does not start from the top.
 */
#include "pt_walk.h"

#include "lib/assert.h"
#include "pt_lock.h"

static struct pt_place place_at(struct pt_node *node, vaddr_t va)
{
    unsigned index = pte_index(va, node->level);
    pte_t entry = pte_slot_load(&node->slots[index]);

    return (struct pt_place){node, index, entry, pte_kind(entry, node->level)};
}

struct pt_place pt_look(const struct vm_cursor *cursor, vaddr_t va)
{
    struct pt_node *node = pt_node_contains(cursor->near, va) ? cursor->near : cursor->cover;
    struct pt_place place = place_at(node, va);

    while (place.kind == PTE_TABLE) {
        place = place_at(pt_node_of(place.entry), va);
    }
    ASSERT_FMT(place.kind != PTE_UNKNOWN, "va=%lx entry=%lx", (unsigned long)va.raw,
               (unsigned long)place.entry.raw);
    return place;
}

struct pt_place pt_walk(struct vm_cursor *cursor, vaddr_t va)
{
    struct pt_place place = pt_look(cursor, va);

    cursor->near = place.node;
    return place;
}

struct va_range pt_place_range(const struct pt_place *place)
{
    vaddr_t start = pt_node_entry_va(place->node, place->index);

    return (struct va_range){start, vaddr_add(start, pt_node_entry_bytes(place->node))};
}

/* What a search looks for, beside tables, which lead to more. */
enum wanted {
    LEAVES, /* what V is set in                         */
    USED,   /* leaves, hidden entries and marks as well */
};

/* First entry of the span that is wanted or a table; its end: none is. */
static inline unsigned first_wanted(struct pt_node *node, struct pt_span span, enum wanted wanted)
{
    unsigned index;

    if (node->level > 0 && node->large == 0 &&
        (wanted == LEAVES || (node->marked | node->hidden) == 0)) {
        /* Nothing but tables leads to what is wanted. */
        return pt_node_next_table(node, &span, &index) ? index : span.end;
    }
    for (index = span.first; index < span.end; index++) {
        pte_t entry = pte_slot_load_locked(&node->slots[index]);

        if (!pte_is_absent(entry) &&
            ((entry.raw & PTE_V) != 0 || (wanted == USED && !pte_is_dying(entry)))) {
            break;
        }
    }
    return index;
}

/* First address past the place, in its node, whose entry is wanted or a table; or the node's end,
 * or `end`, which is not looked past. */
static inline vaddr_t skip(const struct pt_place *place, vaddr_t end, enum wanted wanted)
{
    struct pt_node *node = place->node;
    struct pt_span rest = {place->index + 1, PTE_ENTRIES};

    if (wanted == LEAVES ? node->present == 0 : !pt_node_is_used(node)) {
        return vaddr_add(node->base, pt_node_bytes(node));
    }
    if (pt_node_contains(node, end)) {
        unsigned last = pte_index(end, node->level); /* that of the place, if it lies in that */

        rest.end = last > rest.first ? last : rest.first;
    }
    return pt_node_entry_va(node, first_wanted(node, rest, wanted));
}

static inline bool find(struct vm_cursor *cursor, struct va_range in, enum wanted wanted,
                        struct pt_place *place)
{
    vaddr_t va = in.start;

    while (va.raw < in.end.raw) {
        *place = pt_walk(cursor, va);
        if (place->kind == PTE_LEAF) {
            return true;
        }
        if (wanted == USED && (place->kind == PTE_MARK || place->kind == PTE_HIDDEN)) {
            return true;
        }
        va = skip(place, in.end, wanted);
    }
    return false;
}

bool pt_find_leaf(struct vm_cursor *cursor, struct va_range in, struct pt_place *place)
{
    return find(cursor, in, LEAVES, place);
}

bool pt_find_used(struct vm_cursor *cursor, struct va_range in, struct pt_place *place)
{
    return find(cursor, in, USED, place);
}

/* Extents of 2^shift bytes that `in` holds a part of, but not all.  One of that size at least fits
 * in it, so none is cut at both ends. */
static uint64_t cut_extents(struct va_range in, unsigned shift)
{
    uint64_t bytes = UINT64_C(1) << shift;

    return (is_aligned(in.start.raw, bytes) ? 0U : 1U) + (is_aligned(in.end.raw, bytes) ? 0U : 1U);
}

/* Nodes below an absent entry of `level`, or a mark, that leaves throughout `in` need, which are as
 * large as fit, up to `largest`. */
static uint64_t nodes_below_absent(unsigned level, struct va_range in, unsigned largest)
{
    uint64_t count = 0;

    for (unsigned below = 0; below < level; below++) {
        unsigned shift = PAGE_SHIFT + PTE_INDEX_BITS * (below + 1);

        count += below < largest ? cut_extents(in, shift)
                                 : ((in.end.raw - 1) >> shift) - (in.start.raw >> shift) + 1;
    }
    return count;
}

/* What becomes of the tables that `in` holds all of. */
enum tables {
    TABLES_STAY,
    TABLES_GO,
};

/* At most PTE_LEVELS_MAX deep. */
static uint64_t count_missing(struct pt_node *node, struct va_range in, enum tables whole,
                              unsigned largest)
{
    struct pt_span span = pt_node_span(node, in);
    uint64_t count = 0;

    for (unsigned i = span.first; node->level > 0 && i < span.end; i++) {
        pte_t entry = pte_slot_load(&node->slots[i]);
        uint64_t start = pt_node_entry_va(node, i).raw;
        uint64_t end = start + pt_node_entry_bytes(node);
        struct va_range part = {{start > in.start.raw ? start : in.start.raw},
                                {end < in.end.raw ? end : in.end.raw}};

        if (pte_kind(entry, node->level) == PTE_TABLE &&
            (whole == TABLES_STAY || part.end.raw - part.start.raw < pt_node_entry_bytes(node))) {
            count += count_missing(pt_node_of(entry), part, whole, largest);
        } else {
            count += nodes_below_absent(node->level, part, largest);
        }
    }
    return count;
}

void pt_pool_empty(struct pt_pool *pool)
{
    while (pool->first != NULL) {
        struct pt_node *node = pt_pool_pop(pool);

        pt_node_destroy(node);
    }
}

void pt_pool_push(struct pt_pool *pool, struct pt_node *node)
{
    node->next = pool->first;
    pool->first = node;
}

struct pt_node *pt_pool_pop(struct pt_pool *pool)
{
    struct pt_node *node = pool->first;

    if (node != NULL) {
        pool->first = node->next;
        node->next = NULL;
    }
    return node;
}

status_t pt_pool_get(struct vm_space *space, uint64_t count, struct pt_pool *pool)
{
    pool->first = NULL;
    for (; count > 0; count--) {
        struct pt_node *node;
        status_t status = pt_node_create(space, (vaddr_t){0}, 0, &node);

        if (status != OK) {
            pt_pool_empty(pool);
            return status;
        }
        pt_pool_push(pool, node);
    }
    return OK;
}

status_t pt_pool_fill(struct vm_cursor *cursor, struct va_range in, struct pt_pool *pool)
{
    struct pt_node *from = pt_node_contains(cursor->near, in.start) &&
                                   pt_node_contains(cursor->near, (vaddr_t){in.end.raw - 1})
                               ? cursor->near
                               : cursor->cover;

    return pt_pool_get(cursor->space, count_missing(from, in, TABLES_STAY, 0), pool);
}

status_t pt_pool_fill_large(struct vm_cursor *cursor, struct va_range in, unsigned largest,
                            struct pt_pool *pool)
{
    return pt_pool_get(cursor->space, count_missing(cursor->cover, in, TABLES_GO, largest), pool);
}

/* Links a node where neither nothing nor a mark is.  Not inline: that is rare. */
__attribute__((noinline)) static void link_over(struct vm_cursor *cursor,
                                                const struct pt_place *place, struct pt_node *node)
{
    if (place->kind == PTE_DYING) {
        vm_cursor_sync(cursor); /* the entry is the list of what waits for the flush */
        pt_node_link(place->node, place->index, node);
        return;
    }
    ASSERT(place->kind == PTE_LEAF || place->kind == PTE_HIDDEN);
    pt_node_split(place->node, place->index, node);
    if (place->kind == PTE_LEAF) {
        vm_cursor_issue(cursor, VM_FLUSH_SPACE, (struct va_range){0});
    }
    if (cursor->is_pair) {
        vm_cursor_dispatch(cursor); /* the other may pay for a part before this one pays */
    }
}

struct pt_place pt_link(struct vm_cursor *cursor, const struct pt_place *place, vaddr_t va,
                        struct pt_pool *pool)
{
    struct pt_node *node = pt_pool_pop(pool);

    ASSERT(place->kind != PTE_TABLE && node != NULL);
    node->level = (uint8_t)(place->node->level - 1U);
    node->base = pt_node_entry_va(place->node, place->index);
    pt_lock_unlinked(node);
    if (place->kind == PTE_ABSENT || place->kind == PTE_MARK) {
        pt_node_link(place->node, place->index, node);
    } else {
        link_over(cursor, place, node);
    }
    cursor->stores++;
    cursor->near = node;
    return place_at(node, va);
}

struct pt_place pt_walk_linking(struct vm_cursor *cursor, vaddr_t va, struct pt_pool *pool)
{
    struct pt_place place = pt_walk(cursor, va);

    while (place.node->level > 0) {
        place = pt_link(cursor, &place, va, pool);
    }
    return place;
}
