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

/* First address past the place, in its node, whose entry has V set; or the node's end, or `end`,
 * which is not looked past. */
static vaddr_t skip_absent(const struct pt_place *place, vaddr_t end)
{
    struct pt_node *node = place->node;
    unsigned index = place->index + 1;
    unsigned last = PTE_ENTRIES;

    if (node->present == 0) {
        return vaddr_add(node->base, pt_node_bytes(node));
    }
    if (pt_node_contains(node, end)) {
        last = pte_index(end, node->level);
    }
    while (index < last && (pte_slot_load(&node->slots[index]).raw & PTE_V) == 0) {
        index++;
    }
    return pt_node_entry_va(node, index);
}

bool pt_find_leaf(struct vm_cursor *cursor, struct va_range in, struct pt_place *place)
{
    vaddr_t va = in.start;

    while (va.raw < in.end.raw) {
        *place = pt_walk(cursor, va);
        if (place->kind == PTE_LEAF) {
            return true;
        }
        va = skip_absent(place, in.end);
    }
    return false;
}

/* Nodes below an absent entry of `level` that leaves at level 0 throughout `in` need. */
static uint64_t nodes_below_absent(unsigned level, struct va_range in)
{
    uint64_t count = 0;

    for (unsigned below = 0; below < level; below++) {
        unsigned shift = PAGE_SHIFT + PTE_INDEX_BITS * (below + 1);

        count += ((in.end.raw - 1) >> shift) - (in.start.raw >> shift) + 1;
    }
    return count;
}

/* At most PTE_LEVELS_MAX deep. */
static uint64_t count_missing(struct pt_node *node, struct va_range in)
{
    struct pt_span span = pt_node_span(node, in);
    uint64_t count = 0;

    for (unsigned i = span.first; node->level > 0 && i < span.end; i++) {
        pte_t entry = pte_slot_load(&node->slots[i]);
        uint64_t start = pt_node_entry_va(node, i).raw;
        uint64_t end = start + pt_node_entry_bytes(node);
        struct va_range part = {{start > in.start.raw ? start : in.start.raw},
                                {end < in.end.raw ? end : in.end.raw}};

        if (pte_kind(entry, node->level) == PTE_TABLE) {
            count += count_missing(pt_node_of(entry), part);
        } else {
            count += nodes_below_absent(node->level, part);
        }
    }
    return count;
}

void pt_pool_empty(struct pt_pool *pool)
{
    while (pool->first != NULL) {
        struct pt_node *node = pool->first;

        pool->first = node->next;
        pt_node_destroy(node);
    }
}

status_t pt_pool_fill(struct vm_cursor *cursor, struct va_range in, struct pt_pool *pool)
{
    struct pt_node *from = pt_node_contains(cursor->near, in.start) &&
                                   pt_node_contains(cursor->near, (vaddr_t){in.end.raw - 1})
                               ? cursor->near
                               : cursor->cover;
    uint64_t missing = count_missing(from, in);

    pool->first = NULL;
    for (; missing > 0; missing--) {
        struct pt_node *node;
        status_t status = pt_node_create(cursor->space, in.start, 0, &node);

        if (status != OK) {
            pt_pool_empty(pool);
            return status;
        }
        node->next = pool->first;
        pool->first = node;
    }
    return OK;
}

struct pt_place pt_walk_linking(struct vm_cursor *cursor, vaddr_t va, struct pt_pool *pool)
{
    struct pt_place place = pt_walk(cursor, va);

    while (place.node->level > 0) {
        struct pt_node *node = pool->first;

        ASSERT(place.kind == PTE_ABSENT && node != NULL);
        pool->first = node->next;
        node->next = NULL;
        node->level = (uint8_t)(place.node->level - 1U);
        node->base = pt_node_entry_va(place.node, place.index);
        pt_lock_unlinked(node);
        pte_slot_store(&place.node->slots[place.index], pte_make_table(frame_pa(node->frame)));
        cursor->stores++;
        place.node->present++;
        place = place_at(node, va);
        cursor->near = node;
    }
    return place;
}
