/* SPDX-License-Identifier: MIT */
/*
 * Which entries of a node point to tables: what is noted of them, looking for the next and the one
 * before, and that the audit finds a note that is wrong.
 */
#include "mm/pt_node.h"
#include "mm/vm_space_priv.h"
#include "support.h"

#define BASE   (4 * GIB)
#define ROUNDS 200U

static uint64_t state;

/* A generator of its own (xorshift64), so that each run meets the same. */
static unsigned pick(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state % below);
}

static struct pt_node *node_new(struct world *world)
{
    struct pt_node *node;

    EXPECT_OK(pt_node_create(world->space, va(BASE), 1, &node));
    pt_node_fill(node, pte_absent());
    return node;
}

/* Both searches find the tables of the span that `is_table` has, each once, in their order. */
static void expect_found(const struct pt_node *node, const bool is_table[PTE_ENTRIES],
                         struct pt_span span)
{
    struct pt_span up = span;
    struct pt_span down = span;
    unsigned index;

    for (unsigned i = span.first; i < span.end; i++) {
        if (is_table[i]) {
            cr_assert(pt_node_next_table(node, &up, &index), "%u is not found", i);
            EXPECT_EQ(index, i);
            EXPECT_EQ(up.first, i + 1);
        }
    }
    cr_assert(!pt_node_next_table(node, &up, &index), "%u is one too many", index);
    for (unsigned i = span.end; i > span.first; i--) {
        if (is_table[i - 1]) {
            cr_assert(pt_node_prev_table(node, &down, &index), "%u is not found", i - 1);
            EXPECT_EQ(index, i - 1);
            EXPECT_EQ(down.end, i - 1);
        }
    }
    cr_assert(!pt_node_prev_table(node, &down, &index), "%u is one too many", index);
}

Test(pt_node, both_searches_find_each_table_of_a_span_once)
{
    static const unsigned shares[] = {2, 10, 100, 1000}; /* one entry in so many is changed */
    struct world world = world_begin(4);
    struct pt_node *parent = node_new(&world);
    struct pt_node *child = node_new(&world);
    bool is_table[PTE_ENTRIES] = {0};
    unsigned count = 0;

    state = 1;
    expect_found(parent, is_table, (struct pt_span){0, PTE_ENTRIES});
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned share = shares[pick(ARRAY_LEN(shares))];

        for (unsigned i = 0; i < PTE_ENTRIES; i++) {
            if (pick(share) != 0) {
                continue;
            }
            if (is_table[i]) {
                pt_node_take_table(parent, i);
            } else {
                pt_node_put_table(parent, i, child);
            }
            is_table[i] = !is_table[i];
            count += is_table[i] ? 1 : -1U;
            EXPECT_EQ(pte_is_table(pte_slot_load(&parent->slots[i])), is_table[i]);
        }
        EXPECT_EQ(parent->present, count);
        expect_found(parent, is_table, (struct pt_span){0, PTE_ENTRIES});
        for (unsigned spans = 0; spans < 32; spans++) {
            unsigned first = pick(PTE_ENTRIES);
            unsigned end = first + 1 + pick(PTE_ENTRIES - first);

            expect_found(parent, is_table, (struct pt_span){first, end});
        }
    }
    pt_node_destroy(child);
    pt_node_destroy(parent);
    world_end(&world);
}

Test(pt_node, each_single_table_is_found_in_the_spans_that_hold_it_alone)
{
    struct world world = world_begin(4);
    struct pt_node *parent = node_new(&world);
    struct pt_node *child = node_new(&world);

    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        bool is_table[PTE_ENTRIES] = {0};

        is_table[i] = true;
        pt_node_put_table(parent, i, child);
        expect_found(parent, is_table, (struct pt_span){i, i + 1});
        expect_found(parent, is_table, (struct pt_span){0, i + 1});
        expect_found(parent, is_table, (struct pt_span){i, PTE_ENTRIES});
        if (i > 0) {
            expect_found(parent, is_table, (struct pt_span){0, i});
        }
        if (i + 1 < PTE_ENTRIES) {
            expect_found(parent, is_table, (struct pt_span){i + 1, PTE_ENTRIES});
        }
        pt_node_take_table(parent, i);
    }
    pt_node_destroy(child);
    pt_node_destroy(parent);
    world_end(&world);
}

/* The table of level 0 that maps the page. */
static struct pt_node *node_of_page(struct world *world, uint64_t at)
{
    struct vm_cursor cursor = cursor_open(world, at, PAGE_SIZE, VM_CURSOR_QUERY);
    struct pt_node *node = cursor.cover;

    EXPECT_EQ(node->level, 0);
    vm_cursor_close(&cursor);
    return node;
}

MODE_TEST(pt_node, the_audit_finds_a_wrong_note)
{
    struct world world = world_begin(*levels);
    struct pt_node *root = world.space->root;
    struct pt_span span = {0, PTE_ENTRIES / 2};
    struct pt_node *leaf;
    unsigned index;

    map_at(&world, BASE, frame_new(), VM_R);
    EXPECT_OK(vm_space_check(world.space));
    cr_assert(pt_node_next_table(root, &span, &index));
    root->tables[index / 64] ^= UINT64_C(1) << index % 64; /* a table is forgotten */
    EXPECT_STATUS(vm_space_check(world.space), ERR_INVAL);
    root->tables[index / 64] ^= UINT64_C(1) << index % 64;
    leaf = node_of_page(&world, BASE);
    leaf->tables[0] ^= 1; /* what is no table is taken for one */
    EXPECT_STATUS(vm_space_check(world.space), ERR_INVAL);
    leaf->tables[0] ^= 1;
    EXPECT_OK(vm_space_check(world.space));
    world_end(&world);
}
