/* SPDX-License-Identifier: MIT */
/*
 * Looking at nodes: every entry of every level is as it lies in memory, the node named is the one
 * the level above points to, and where there is none nothing is made.
 */
#include "arch/arch.h"
#include "arch_host/phys_mem.h"
#include "lib/counter.h"
#include "mm/vm_space.h"
#include "support.h"

#define PLACE_AT (3 * GIB + 5 * MIB)

static void expect_as_in_memory(struct world *world, uint64_t va, unsigned level)
{
    uint64_t entries[512];
    paddr_t physical = {0};
    struct vm_table_part all = {.level = level, .first = 0, .count = 512};

    EXPECT_OK(vm_space_table_read(world->space, (vaddr_t){va}, all, entries, &physical));
    for (unsigned i = 0; i < 512; i++) {
        uint64_t entry = 0;

        cr_assert(phys_mem_read64(physical.raw + i * 8, &entry));
        EXPECT_EQ(entries[i], entry);
    }
}

MODE_TEST(vm_space_table, every_level_is_shown_as_it_lies_in_memory)
{
    struct world world = world_begin(*levels);
    paddr_t below = {0};
    uint64_t entry = 0;

    for (uint64_t i = 0; i < 3; i++) {
        map_at(&world, PLACE_AT + i * PAGE_SIZE, frame_new(), VM_RW);
    }
    for (unsigned level = 0; level < *levels; level++) {
        struct vm_table_part one = {
            .level = level, .first = pte_index((vaddr_t){PLACE_AT}, level), .count = 1};
        paddr_t physical = {0};

        expect_as_in_memory(&world, PLACE_AT, level);
        EXPECT_OK(vm_space_table_read(world.space, (vaddr_t){PLACE_AT}, one, &entry, &physical));
        if (level > 0) {
            EXPECT_EQ(pte_pa((pte_t){entry}).raw, below.raw);
        }
        below = physical;
    }
    EXPECT_EQ(below.raw, vm_space_root(world.space).raw);
    world_end(&world);
}

/* From an entry in the middle to the last one. */
MODE_TEST(vm_space_table, a_part_is_the_part_asked_for)
{
    struct world world = world_begin(*levels);
    struct vm_table_part last = {.level = 0, .first = 300, .count = 212};
    struct vm_table_part all = {.level = 0, .first = 0, .count = 512};
    uint64_t entries[512];
    uint64_t some[212];
    paddr_t physical = {0};

    map_at(&world, PLACE_AT, frame_new(), VM_RW);
    map_at(&world, align_down(PLACE_AT, 2 * MIB) + 400 * PAGE_SIZE, frame_new(), VM_R);
    EXPECT_OK(vm_space_table_read(world.space, va(PLACE_AT), all, entries, &physical));
    EXPECT_OK(vm_space_table_read(world.space, va(PLACE_AT), last, some, &physical));
    for (unsigned i = 0; i < 212; i++) {
        EXPECT_EQ(some[i], entries[300 + i]);
    }
    cr_assert(some[100] != 0);
    world_end(&world);
}

MODE_TEST(vm_space_table, where_there_is_no_node_none_is_made)
{
    struct world world = world_begin(*levels);
    struct vm_table_part leaf = {.level = 0, .first = 0, .count = 1};
    uint64_t tables = counter_read(COUNTER_tables_allocated);
    uint64_t entry = 7;
    paddr_t physical = {0};

    EXPECT_STATUS(vm_space_table_read(world.space, (vaddr_t){PLACE_AT}, leaf, &entry, &physical),
                  ERR_NOENT);
    EXPECT_EQ(entry, 7);
    EXPECT_EQ(counter_read(COUNTER_tables_allocated), tables);
    world_end(&world);
}
