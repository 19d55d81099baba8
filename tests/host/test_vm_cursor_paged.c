/* SPDX-License-Identifier: MIT */
/*
 * Marks of pages of a memory object: each address says its own page, whatever the mark was when it
 * was written, however it is pushed down, cloned or cut; and however it leaves, the object is given
 * up with the last of them.  The audit (world_check) compares the table of objects with the marks.
 */
#include "support_paged.h"

#include "lib/counter.h"
#include "mm/vm_backing.h"

#define BASE  (4 * GIB)
#define FIRST 12345U /* page of the object that is at BASE */

static struct world world_with_object(unsigned levels, struct mem_object **object)
{
    struct world world = world_begin(levels);

    *object = object_new(OBJECT_PAGES);
    return world;
}

static void end_with_object(struct world *world, struct mem_object *object)
{
    world_check(world);
    expect_not_named(object);
    mem_object_put(object);
    world_end(world);
}

MODE_TEST(vm_cursor_paged, each_slot_of_a_range_names_its_own_pages)
{
    struct mem_object *object;
    struct world world = world_with_object(*levels, &object);
    uint64_t start = BASE - 2 * MIB - 3 * PAGE_SIZE;
    uint64_t end = BASE + 2 * GIB + 4 * MIB + 5 * PAGE_SIZE;

    mark_at(&world, start, end - start, paged(object, FIRST, VM_SHARE_ALL, VM_RW));
    expect_kind(&world, start, end, VM_ITEM_PAGED, 3 + 1 + 2 + 2 + 5);
    expect_paged(&world, start, end, object, FIRST);
    EXPECT_EQ(vm_backing_sum(world.space).marks, 13);
    expect_named(object, FIRST + (end - start) / PAGE_SIZE);
    world_check(&world);
    unmap_at(&world, start, end - start);
    end_with_object(&world, object);
}

MODE_TEST(vm_cursor_paged, a_mark_is_one_store_without_a_fence)
{
    struct mem_object *object;
    struct world world = world_with_object(*levels, &object);
    struct vm_removed removed;
    struct vm_cursor cursor;
    uint64_t stores;

    mark_at(&world, BASE, GIB, paged(object, 0, VM_SHARE_ALL, VM_RW));
    cursor = cursor_open(&world, BASE + GIB, GIB, VM_CURSOR_CHANGE);
    stores = counter_read(COUNTER_entry_stores);
    host_events_start();
    EXPECT_OK(vm_cursor_mark(&cursor, GIB, paged(object, 1, VM_SHARE_ALL, VM_R), VM_MAP_EXCLUSIVE,
                             1, &removed));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 2 * GIB);
    vm_cursor_close(&cursor);
    EXPECT_EQ(host_event_count(), 1);
    EXPECT_EQ(counter_read(COUNTER_entry_stores) - stores, 1);
    unmap_at(&world, BASE, 2 * GIB);
    end_with_object(&world, object);
}

/* A page in the middle is taken out of a mark of each level. */
MODE_TEST(vm_cursor_paged, pushed_down_every_page_is_what_it_was)
{
    struct mem_object *object;
    struct world world = world_with_object(*levels, &object);

    for (unsigned level = 1; level < 3; level++) {
        uint64_t bytes = pte_level_bytes(level);
        uint64_t hole = BASE + bytes / 2 + 5 * PAGE_SIZE;

        mark_at(&world, BASE, bytes, paged(object, FIRST, VM_SHARE_NONE, VM_RW));
        unmap_at(&world, hole, PAGE_SIZE);
        expect_paged(&world, BASE, hole, object, FIRST);
        EXPECT_EQ(slot_at(&world, hole).item.kind, VM_ITEM_ABSENT);
        expect_paged(&world, hole + PAGE_SIZE, BASE + bytes, object,
                     FIRST + (hole + PAGE_SIZE - BASE) / PAGE_SIZE);
        EXPECT_EQ(vm_backing_sum(world.space).marks, level * 511);
        world_check(&world);
        unmap_at(&world, BASE, bytes); /* detaches the tables */
        EXPECT_EQ(vm_backing_sum(world.space).marks, 0);
        expect_not_named(object);
    }
    end_with_object(&world, object);
}

/* ---- how they leave ---- */

enum leaving {
    UNMAPPED,
    GUARDED,
    MAPPED_OVER,
    DETACHED,
    MARKED_ANEW,
    LEAVINGS
};

static void leave(struct world *world, enum leaving how, struct mem_object *other)
{
    switch (how) {
    case UNMAPPED:
        for (uint64_t at = BASE; at < BASE + 8 * PAGE_SIZE; at += PAGE_SIZE) {
            unmap_at(world, at, PAGE_SIZE);
        }
        break;
    case GUARDED:
        mark_at(world, BASE, 8 * PAGE_SIZE, GUARD);
        break;
    case MAPPED_OVER:
        for (uint64_t at = BASE; at < BASE + 8 * PAGE_SIZE; at += PAGE_SIZE) {
            map_at(world, at, frame_new(), VM_RW);
        }
        break;
    case DETACHED:
        unmap_at(world, BASE, 2 * MIB);
        break;
    case MARKED_ANEW:
    case LEAVINGS:
        mark_at(world, BASE, 8 * PAGE_SIZE, paged(other, 0, VM_SHARE_VIEW, VM_R));
        break;
    }
}

MODE_TEST(vm_cursor_paged, the_object_goes_with_the_last_mark)
{
    struct mem_object *object;
    struct world world = world_with_object(*levels, &object);
    struct mem_object *other = object_new(8);

    for (unsigned how = UNMAPPED; how < LEAVINGS; how++) {
        mark_at(&world, BASE, 4 * PAGE_SIZE, paged(object, 0, VM_SHARE_ALL, VM_RW));
        mark_at(&world, BASE + 4 * PAGE_SIZE, 4 * PAGE_SIZE,
                paged(object, 8, VM_SHARE_NONE, VM_RW));
        expect_named(object, 12);
        leave(&world, (enum leaving)how, other);
        EXPECT_EQ(vm_backing_sum(world.space).marks, how == MARKED_ANEW ? 8 : 0);
        world_check(&world);
        expect_not_named(object);
        unmap_at(&world, BASE, 2 * MIB);
        expect_not_named(other);
    }
    mem_object_put(other);
    end_with_object(&world, object);
}

/* A frame in the middle of a large mark. */
MODE_TEST(vm_cursor_paged, a_page_is_mapped_over_a_large_mark)
{
    struct mem_object *object;
    struct world world = world_with_object(*levels, &object);
    uint64_t at = BASE + 300 * MIB + 7 * PAGE_SIZE;

    mark_at(&world, BASE, GIB, paged(object, FIRST, VM_SHARE_ALL, VM_RW));
    map_at(&world, at, frame_new(), VM_RW);
    expect_paged(&world, BASE, at, object, FIRST);
    expect_paged(&world, at + PAGE_SIZE, BASE + GIB, object,
                 FIRST + (at + PAGE_SIZE - BASE) / PAGE_SIZE);
    EXPECT_EQ(vm_backing_sum(world.space).marks, 511 + 511);
    world_check(&world);
    unmap_at(&world, BASE, GIB);
    end_with_object(&world, object);
}

/* Three objects page by page in one table, detached at once. */
MODE_TEST(vm_cursor_paged, a_detached_table_gives_up_what_several_objects_count)
{
    struct world world = world_begin(*levels);
    struct mem_object *objects[3];

    for (unsigned i = 0; i < ARRAY_LEN(objects); i++) {
        objects[i] = object_new(OBJECT_PAGES);
        mark_at(&world, BASE + GIB * (i + 1), GIB, paged(objects[i], 0, VM_SHARE_ALL, VM_R));
    }
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        mark_at(&world, BASE + i * PAGE_SIZE, PAGE_SIZE,
                paged(objects[i % 7 % 3], i, VM_SHARE_ALL, VM_R));
    }
    world_check(&world);
    unmap_at(&world, BASE, 2 * MIB);
    EXPECT_EQ(vm_backing_sum(world.space).marks, 3);
    world_check(&world);
    unmap_at(&world, BASE, 4 * GIB);
    for (unsigned i = 0; i < ARRAY_LEN(objects); i++) {
        expect_not_named(objects[i]);
        mem_object_put(objects[i]);
    }
    world_end(&world);
}

/* ---- who looks, protects and clones ---- */

MODE_TEST(vm_cursor_paged, what_is_clipped_says_the_first_page_that_is_left)
{
    struct mem_object *object;
    struct world world = world_with_object(*levels, &object);
    struct vm_cursor cursor;
    struct vm_slot slot;

    mark_at(&world, BASE, GIB, paged(object, FIRST, VM_SHARE_VIEW, VM_RX));
    cursor = cursor_open(&world, BASE + 3 * PAGE_SIZE, 2 * PAGE_SIZE, VM_CURSOR_QUERY);
    EXPECT_OK(vm_cursor_next(&cursor, &slot));
    EXPECT_EQ(slot.range.start.raw, BASE + 3 * PAGE_SIZE);
    EXPECT_EQ(slot.range.end.raw, BASE + 5 * PAGE_SIZE);
    EXPECT_EQ(slot.item.object_page, FIRST + 3);
    EXPECT_EQ(slot.item.share, VM_SHARE_VIEW);
    EXPECT_EQ(slot.item.prop.prot, VM_RX);
    vm_cursor_close(&cursor);
    unmap_at(&world, BASE, GIB);
    end_with_object(&world, object);
}

MODE_TEST(vm_cursor_paged, rights_change_and_the_pages_stay)
{
    static const enum vm_share shares[] = {VM_SHARE_ALL, VM_SHARE_NONE};
    static const enum vm_prot prots[] = {VM_PROT_NONE, VM_RX, VM_RW};
    struct mem_object *object;
    struct world world = world_with_object(*levels, &object);
    uint64_t part = BASE + 2 * MIB + PAGE_SIZE;

    for (size_t share = 0; share < ARRAY_LEN(shares); share++) {
        mark_at(&world, BASE, GIB, paged(object, FIRST, shares[share], VM_R));
        for (size_t i = 0; i < ARRAY_LEN(prots); i++) {
            struct vm_cursor cursor = cursor_open(&world, part, 2 * MIB, VM_CURSOR_EDIT);
            uint64_t pages;

            EXPECT_OK(vm_cursor_protect(&cursor, 2 * MIB, prots[i], UINT64_MAX, &pages));
            EXPECT_EQ(pages, 0);
            vm_cursor_close(&cursor);
            expect_paged(&world, BASE, BASE + GIB, object, FIRST);
            EXPECT_EQ(slot_at(&world, part - PAGE_SIZE).item.prop.prot, VM_R);
            EXPECT_EQ(slot_at(&world, part).item.prop.prot, prots[i]);
            EXPECT_EQ(slot_at(&world, part).item.share, shares[share]);
            EXPECT_EQ(slot_at(&world, part + 2 * MIB).item.prop.prot, VM_R);
        }
        world_check(&world);
    }
    unmap_at(&world, BASE, GIB);
    end_with_object(&world, object);
}

/* Another space, to other addresses, so that a large mark becomes many; its slot is its own. */
MODE_TEST(vm_cursor_paged, a_clone_names_the_same_pages_under_a_slot_of_its_own)
{
    struct mem_object *object;
    struct world world = world_with_object(*levels, &object);
    struct mem_object *other = object_new(1);
    struct world clone = {.levels = *levels};
    struct vm_cursor from, to;

    EXPECT_OK(vm_space_create(NULL, &clone.space));
    mark_at(&clone, BASE, PAGE_SIZE, paged(other, 0, VM_SHARE_ALL, VM_R)); /* slot 0 */
    mark_at(&world, BASE, 4 * MIB, paged(object, FIRST, VM_SHARE_VIEW, VM_R));
    unmap_at(&world, BASE + PAGE_SIZE, PAGE_SIZE);
    for (unsigned i = 0; i < 2; i++) {
        bool is_from =
            (i == 0) == (vm_space_root(world.space).raw < vm_space_root(clone.space).raw);

        EXPECT_OK(vm_cursor_open(is_from ? &from : &to, is_from ? world.space : clone.space,
                                 va_span(BASE + (is_from ? 0 : GIB + PAGE_SIZE), 4 * MIB),
                                 is_from ? VM_CURSOR_EDIT : VM_CURSOR_CHANGE));
    }
    EXPECT_OK(vm_cursor_clone(&from, &to, 4 * MIB, UINT_MAX));
    vm_cursor_close(&from);
    vm_cursor_close(&to);
    expect_paged(&clone, BASE + GIB + 3 * PAGE_SIZE, BASE + GIB + PAGE_SIZE + 4 * MIB, object,
                 FIRST + 2);
    EXPECT_EQ(slot_at(&clone, BASE + GIB + PAGE_SIZE).item.share, VM_SHARE_VIEW);
    EXPECT_EQ(slot_at(&clone, BASE + GIB + 2 * PAGE_SIZE).item.kind, VM_ITEM_ABSENT);
    EXPECT_OK(vm_space_check(clone.space));
    unmap_at(&world, BASE, 4 * MIB);
    expect_named(object, FIRST + 1024);
    vm_space_put(clone.space);
    reap_all();
    expect_not_named(other);
    mem_object_put(other);
    end_with_object(&world, object);
}

/* ---- what is refused ---- */

MODE_TEST(vm_cursor_paged, impossible_marks_change_nothing)
{
    struct mem_object *object;
    struct world world = world_with_object(*levels, &object);
    const struct {
        struct vm_mark mark;
        status_t status;
    } rows[] = {
        {paged(object, 0, VM_SHARE_VIEW, VM_RW), ERR_INVAL},
        {paged(object, 0, VM_SHARE_ALL, VM_W), ERR_INVAL},
        {paged(object, 0, (enum vm_share)3, VM_R), ERR_INVAL},
        {paged(object, OBJECT_PAGES - 1, VM_SHARE_ALL, VM_R), ERR_RANGE},
        {paged(object, OBJECT_PAGES, VM_SHARE_ALL, VM_R), ERR_RANGE},
        {paged(object, UINT64_MAX, VM_SHARE_ALL, VM_R), ERR_RANGE},
    };

    map_at(&world, BASE, frame_new(), VM_RW);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct vm_cursor cursor = cursor_open(&world, BASE, 2 * PAGE_SIZE, VM_CURSOR_CHANGE);
        struct vm_removed removed;

        EXPECT_STATUS(vm_cursor_mark(&cursor, 2 * PAGE_SIZE, rows[i].mark, VM_MAP_REPLACE, UINT_MAX,
                                     &removed),
                      rows[i].status);
        EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
        vm_cursor_close(&cursor);
        EXPECT_EQ(slot_at(&world, BASE).item.kind, VM_ITEM_RAM);
        EXPECT_EQ(slot_at(&world, BASE + PAGE_SIZE).item.kind, VM_ITEM_ABSENT);
        world_check(&world);
        expect_not_named(object);
    }
    end_with_object(&world, object);
}

/* Each allocation fails in turn: tables, the split stock, the table of objects. */
MODE_TEST(vm_cursor_paged, no_memory_changes_no_meaning)
{
    uint64_t bytes = GIB + 2 * MIB + PAGE_SIZE;
    struct mem_object *object;
    struct world world = world_with_object(*levels, &object);
    status_t status = ERR_NOMEM;

    for (unsigned n = 0; status != OK; n++) {
        struct vm_removed removed;
        struct vm_cursor cursor;
        struct world fresh = {.levels = *levels};

        EXPECT_OK(vm_space_create(NULL, &fresh.space));
        map_at(&fresh, BASE, frame_new(), VM_RW);
        frame_fail_after(n);
        status = vm_cursor_open(&cursor, fresh.space, va_span(BASE, bytes), VM_CURSOR_CHANGE);
        if (status == OK) {
            status = vm_cursor_mark(&cursor, bytes, paged(object, 0, VM_SHARE_ALL, VM_RW),
                                    VM_MAP_REPLACE, UINT_MAX, &removed);
            EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + (status == OK ? bytes : 0));
            vm_cursor_close(&cursor);
        }
        frame_fail_after(UINT64_MAX);
        EXPECT_OK(vm_space_check(fresh.space));
        if (status == OK) {
            cr_assert(n > 2U * (*levels - 1)); /* the stock at least, and the table of objects */
            expect_paged(&fresh, BASE, BASE + bytes, object, 0);
        } else {
            EXPECT_STATUS(status, ERR_NOMEM);
            EXPECT_EQ(slot_at(&fresh, BASE).item.kind, VM_ITEM_RAM);
            EXPECT_EQ(slot_at(&fresh, BASE + GIB).item.kind, VM_ITEM_ABSENT);
            expect_not_named(object);
        }
        vm_space_put(fresh.space);
        reap_all();
    }
    end_with_object(&world, object);
}

/* Giving up a part of a large mark needs no memory: the tables are those of the stock. */
MODE_TEST(vm_cursor_paged, the_stock_splits_them_too)
{
    static struct frame *held[8192];
    struct mem_object *object;
    struct world world = world_with_object(*levels, &object);
    struct vm_removed removed;
    struct vm_cursor cursor;
    size_t count = 0;

    mark_at(&world, BASE, GIB, paged(object, FIRST, VM_SHARE_ALL, VM_RW));
    while (frame_alloc(FRAME_KERNEL, &held[count]) == OK) {
        count++;
    }
    cursor = cursor_open(&world, BASE, 2 * GIB, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + 5 * MIB + PAGE_SIZE)));
    EXPECT_OK(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed));
    vm_cursor_close(&cursor);
    while (count > 0) {
        frame_put(held[--count]);
    }
    expect_paged(&world, BASE, BASE + 5 * MIB + PAGE_SIZE, object, FIRST);
    expect_paged(&world, BASE + 5 * MIB + 2 * PAGE_SIZE, BASE + GIB, object, FIRST + 1280 + 2);
    world_check(&world);
    unmap_at(&world, BASE, GIB);
    end_with_object(&world, object);
}
