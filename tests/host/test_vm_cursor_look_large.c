/* SPDX-License-Identifier: MIT */
/* Looking at large pages, and at marks for them. */
#include "arch_host/phys_mem.h"
#include "support_large.h"

#define BASE (4 * GIB)

MODE_TEST(look_large, a_query_tells_the_whole_slot)
{
    struct world world = world_with_room(*levels, 2);
    struct frame *small = map_large(&world, BASE + GIB, 1, VM_R);
    struct frame *block = map_large(&world, BASE, 2, VM_RW);
    struct vm_slot slot = slot_at(&world, BASE + 700 * MIB);

    EXPECT_EQ(slot.item.kind, VM_ITEM_RAM);
    EXPECT_EQ(slot.item.level, 2);
    EXPECT_EQ(slot.range.start.raw, BASE);
    EXPECT_EQ(slot.range.end.raw, BASE + GIB);
    EXPECT_EQ(slot.item.pa.raw, frame_pa(block).raw);
    cr_assert(slot.item.frame == block);
    EXPECT_EQ(slot.item.prop.prot, VM_RW);
    EXPECT_EQ(slot.item.share, VM_SHARE_NONE);
    slot = slot_at(&world, BASE + GIB + PAGE_SIZE);
    EXPECT_EQ(slot.item.level, 1);
    cr_assert(slot.item.frame == small);
    hide_at(&world, BASE + GIB, 2 * MIB);
    slot = slot_at(&world, BASE + GIB + PAGE_SIZE);
    EXPECT_EQ(slot.item.kind, VM_ITEM_HIDDEN);
    EXPECT_EQ(slot.item.level, 1);
    EXPECT_EQ(slot.item.pa.raw, frame_pa(small).raw);
    world_end(&world);
}

/* What next yields is clipped on both sides; frame and level stay the block's. */
static void expect_clipped(struct world *world, uint64_t start, uint64_t end,
                           enum vm_item_kind kind, uint64_t to)
{
    struct vm_cursor cursor = cursor_open(world, start, end - start, VM_CURSOR_QUERY);
    struct vm_slot slot;

    EXPECT_OK(vm_cursor_next(&cursor, &slot));
    EXPECT_EQ(slot.item.kind, kind);
    EXPECT_EQ(slot.item.level, 1);
    EXPECT_EQ(slot.range.start.raw, start);
    EXPECT_EQ(slot.range.end.raw, end);
    EXPECT_EQ(slot.item.pa.raw, to);
    EXPECT_STATUS(vm_cursor_next(&cursor, &slot), ERR_NOENT);
    vm_cursor_close(&cursor);
}

MODE_TEST(look_large, next_clips)
{
    struct world world = world_begin(*levels);
    struct frame *block = map_large(&world, BASE, 1, VM_RW);
    uint64_t start = BASE + 3 * PAGE_SIZE;
    uint64_t end = BASE + 8 * PAGE_SIZE;

    expect_clipped(&world, start, end, VM_ITEM_RAM, frame_pa(block + 3).raw);
    hide_at(&world, BASE, 2 * MIB);
    expect_clipped(&world, start, end, VM_ITEM_HIDDEN, frame_pa(block + 3).raw);
    (void)map_region(&world, BASE + 2 * MIB, 2 * MIB);
    expect_clipped(&world, start + 2 * MIB, end + 2 * MIB, VM_ITEM_IO, IO_BASE + 3 * PAGE_SIZE);
    world_end(&world);
}

MODE_TEST(look_large, a_reference_is_one_of_the_block)
{
    struct world world = world_begin(*levels);
    struct frame *block = map_large(&world, BASE, 1, VM_RW);
    struct vm_cursor cursor = cursor_open(&world, BASE + PAGE_SIZE, PAGE_SIZE, VM_CURSOR_QUERY);
    struct vm_slot slot;

    EXPECT_OK(vm_cursor_query_get(&cursor, &slot));
    vm_cursor_close(&cursor);
    EXPECT_EQ(refs_of(block, 1), 2);
    EXPECT_EQ(refs_of(block, 0), 1);
    EXPECT_EQ(unmap_at(&world, BASE, 2 * MIB).ram_pages, PARTS);
    frame_block_put(slot.item.frame, slot.item.level);
    reap_all();
    EXPECT_EQ(refs_of(block, 0), 0);
    world_end(&world);
}

/* ---- finding ---- */

static void expect_found(struct vm_cursor *cursor, uint64_t len_bytes, uint64_t want)
{
    vaddr_t found;

    EXPECT_OK(vm_cursor_find_next(cursor, len_bytes, &found));
    EXPECT_EQ(found.raw, want);
    EXPECT_EQ(vm_cursor_va(cursor).raw, want);
}

/* Large leaves and hidden ones beside tables that are empty, and one that is not. */
MODE_TEST(look_large, leaves_are_found_beside_tables)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    vaddr_t found;

    map_at(&world, BASE + 2 * MIB, frame_new(), VM_R);
    (void)unmap_at(&world, BASE + 2 * MIB, PAGE_SIZE); /* an empty table stays */
    (void)map_large(&world, BASE + 4 * MIB, 1, VM_R);
    (void)map_large(&world, BASE + 6 * MIB, 1, VM_R);
    hide_at(&world, BASE + 4 * MIB, 2 * MIB);
    map_at(&world, BASE + 10 * MIB, frame_new(), VM_R);
    cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_EDIT);
    expect_found(&cursor, GIB, BASE + 6 * MIB);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + 7 * MIB)));
    expect_found(&cursor, MIB, BASE + 7 * MIB); /* inside */
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + 8 * MIB)));
    expect_found(&cursor, GIB - 8 * MIB, BASE + 10 * MIB);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_STATUS(vm_cursor_find_next(&cursor, 6 * MIB, &found), ERR_NOENT);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 6 * MIB);
    vm_cursor_close(&cursor);
    world_end(&world);
}

MODE_TEST(look_large, what_is_used_is_in_the_way)
{
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();
    struct vm_removed removed;
    struct vm_cursor cursor;

    map_at(&world, BASE, frame_new(), VM_R);
    (void)map_large(&world, BASE + 4 * MIB, 1, VM_R);
    hide_at(&world, BASE + 4 * MIB, 2 * MIB);
    cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + 5 * MIB)));
    EXPECT_STATUS(vm_cursor_map(&cursor, frame, prop(VM_R), VM_MAP_EXCLUSIVE), ERR_EXIST);
    EXPECT_STATUS(vm_cursor_fill(&cursor, PAGE_SIZE, prop(VM_R)), ERR_EXIST);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + 2 * MIB)));
    EXPECT_STATUS(vm_cursor_map_block(&cursor, frame, 2, prop(VM_R), VM_MAP_EXCLUSIVE), ERR_INVAL);
    /* from where nothing is on, beside a table, up to it */
    EXPECT_OK(vm_cursor_mark(&cursor, 4 * MIB, RESERVED_RW, VM_MAP_EXCLUSIVE, UINT_MAX, &removed));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 4 * MIB);
    vm_cursor_close(&cursor);
    expect_extent(&world, BASE + 4 * MIB, VM_ITEM_HIDDEN, 2 * MIB);
    frame_put(frame);
    world_end(&world);
}

/* ---- marks for large pages ---- */

MODE_TEST(look_large, a_mark_says_how_large_its_pages_are_to_be)
{
    struct vm_mark mark = {.kind = VM_ITEM_RESERVED, .prot = VM_RW};
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    struct vm_removed removed;

    for (mark.page_level = 0; mark.page_level <= PTE_LEVEL_RAM_MAX; mark.page_level++) {
        mark_at(&world, BASE, 4 * GIB, mark);
        EXPECT_EQ(slot_at(&world, BASE).item.page_level, mark.page_level);
        (void)unmap_at(&world, BASE + PAGE_SIZE, PAGE_SIZE); /* parts say the same */
        EXPECT_EQ(slot_at(&world, BASE).item.page_level, mark.page_level);
        EXPECT_EQ(slot_at(&world, BASE + 2 * MIB).item.page_level, mark.page_level);
        EXPECT_EQ(slot_at(&world, BASE).item.level, 0);
        EXPECT_EQ(slot_at(&world, BASE + 2 * MIB).item.level, 1);
    }
    cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_CHANGE);
    EXPECT_STATUS(vm_cursor_mark(&cursor, GIB, mark, VM_MAP_REPLACE, UINT_MAX, &removed),
                  ERR_INVAL);
    vm_cursor_close(&cursor);
    world_end(&world);
}

/* ---- the table itself, and its audit ---- */

MODE_TEST(look_large, below_a_large_page_there_is_no_table)
{
    struct world world = world_begin(*levels);
    struct frame *block = map_large(&world, BASE, 1, VM_R);
    struct vm_table_part first = {.level = 1, .first = 0, .count = 1};
    struct vm_table_part below = {.level = 0, .first = 0, .count = 1};
    uint64_t entry = 0;
    paddr_t physical;

    EXPECT_OK(vm_space_table_read(world.space, va(BASE + PAGE_SIZE), first, &entry, &physical));
    EXPECT_EQ(pte_pa((pte_t){entry}).raw, frame_pa(block).raw);
    EXPECT_STATUS(vm_space_table_read(world.space, va(BASE + PAGE_SIZE), below, &entry, &physical),
                  ERR_NOENT);
    world_end(&world);
}

/* What a space says is wrong with one field changed, which is then put back. */
#define EXPECT_NOTICED(world, field, wrong)                                                        \
    do {                                                                                           \
        __typeof__(field) right_ = (field);                                                        \
        (field) = (wrong);                                                                         \
        EXPECT_STATUS(vm_space_check((world).space), ERR_INVAL);                                   \
        (field) = right_;                                                                          \
        EXPECT_OK(vm_space_check((world).space));                                                  \
    } while (0)

MODE_TEST(look_large, the_audit_notices_what_is_wrong)
{
    struct world world = world_begin(*levels);
    struct frame *block = map_large(&world, BASE, 1, VM_R);
    struct vm_cursor cursor;
    struct pt_node *node;
    uint64_t *entry;

    (void)map_large(&world, BASE + 2 * MIB, 1, VM_R);
    hide_at(&world, BASE + 2 * MIB, 2 * MIB);
    (void)map_region(&world, BASE + 4 * MIB, 2 * MIB);
    cursor = cursor_open(&world, BASE, 4 * MIB, VM_CURSOR_QUERY);
    node = pt_look(&cursor, va(BASE)).node;
    entry = phys_mem_pointer(frame_pa(node->frame).raw + pte_index(va(BASE + 4 * MIB), 1) * 8);
    vm_cursor_close(&cursor);
    EXPECT_NOTICED(world, node->large, 1);
    EXPECT_NOTICED(world, node->hidden, 0);
    EXPECT_NOTICED(world, node->io, 0);
    EXPECT_NOTICED(world, block[511].type, FRAME_KERNEL);
    EXPECT_NOTICED(world, *entry, pte_leaf_part((pte_t){*entry}, 1, 2 * MIB).raw);
    world_end(&world);
}
