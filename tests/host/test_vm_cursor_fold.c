/* SPDX-License-Identifier: MIT */
/*
 * Folding: 512 entries of a table become one, and what every address means stays; what can not be
 * one entry stays as it is.
 */
#include "mm/vm_backing.h"
#include "support_fold.h"
#include "support_paged.h"

MODE_TEST(vm_cursor_fold, pages_side_by_side_become_one)
{
    struct world world = world_begin(*levels);
    uint64_t free_before = frame_free_count();
    struct frame *frames = map_pieces(&world, BASE, VM_RW);
    uint64_t charged = vm_space_charged(world.space);

    *(uint64_t *)frame_bytes(frames + 300) = 42;
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
    EXPECT_EQ(slot_bytes_at(&world, BASE), 2 * MIB);
    for (unsigned i = 0; i < PAGES; i += 73) {
        expect_mapped(&world, BASE + i * PAGE_SIZE, frames + i, VM_RW);
    }
    EXPECT_EQ(*(uint64_t *)frame_bytes(frames + 300), 42);
    /* The split stock has come, a table has gone. */
    EXPECT_EQ(vm_space_charged(world.space), charged + vm_space_split_stock(world.space) - 1);
    EXPECT_EQ(vm_space_split_stock(world.space), 2 * (*levels - 1));
    cr_assert(frame_block_has_one_ref(frames, 1));
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 0);
    EXPECT_EQ(unmap_at(&world, BASE, 2 * MIB).ram_pages, PAGES);
    reap_all();
    EXPECT_EQ(frame_free_count(), free_before - vm_space_charged(world.space) + 1);
    world_end(&world);
}

MODE_TEST(vm_cursor_fold, it_is_one_flush_whatever_the_number_of_tables)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    unsigned folded;

    (void)map_pieces(&world, BASE, VM_RW);
    (void)map_pieces(&world, BASE + 2 * MIB, VM_R);
    (void)map_pieces(&world, BASE + 4 * MIB, VM_RX);
    cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_EDIT);
    host_events_start();
    EXPECT_OK(vm_cursor_fold(&cursor, GIB, TABLES, &folded));
    EXPECT_EQ(folded, 3);
    EXPECT_EQ(flushes(), 1);
    vm_cursor_close(&cursor);
    EXPECT_EQ(flushes(), 1);
    world_check(&world);
    world_end(&world);
}

/* ---- A and D ---- */

MODE_TEST(vm_cursor_fold, what_any_page_has_of_accessed_and_dirty_is_kept)
{
    static const uint64_t bits[] = {0, PTE_A, PTE_D, PTE_A | PTE_D};
    struct world world = world_begin(*levels);
    struct vm_item item;

    for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
        (void)map_pieces(&world, BASE, VM_RW);
        for (unsigned page = 0; page < PAGES; page++) {
            *entry_at(&world, BASE + page * PAGE_SIZE) &= ~(PTE_A | PTE_D);
        }
        *entry_at(&world, BASE + 77 * PAGE_SIZE) |= bits[i] & PTE_A;
        *entry_at(&world, BASE + 511 * PAGE_SIZE) |= bits[i] & PTE_D;
        EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
        item = item_at(&world, BASE);
        EXPECT_EQ(item.accessed, (bits[i] & PTE_A) != 0);
        EXPECT_EQ(item.dirty, (bits[i] & PTE_D) != 0);
        (void)unmap_at(&world, BASE, 2 * MIB);
    }
    world_end(&world);
}

static uint64_t *stored_to; /* the entry by which a hart stores just before the flush ends */

static void store_before_flush(void *context, struct tlb_op op)
{
    (void)context;
    (void)op;
    *stored_to |= PTE_A | PTE_D;
}

MODE_TEST(vm_cursor_fold, what_hardware_sets_before_the_flush_is_kept)
{
    struct world world = world_begin(*levels);

    (void)map_pieces(&world, BASE, VM_RW);
    for (unsigned page = 0; page < PAGES; page++) {
        *entry_at(&world, BASE + page * PAGE_SIZE) &= ~(PTE_A | PTE_D);
    }
    stored_to = entry_at(&world, BASE + 5 * PAGE_SIZE);
    host_on_flush(store_before_flush, NULL);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
    host_on_flush(NULL, NULL);
    EXPECT_EQ(item_at(&world, BASE).dirty, true);
    EXPECT_EQ(item_at(&world, BASE).accessed, true);
    world_end(&world);
}

/* ---- what can not be one ---- */

enum spoiling {
    HOLE,
    OTHER_RIGHTS,
    OTHER_FRAME,
    OTHER_ORDER,
    OTHER_OWNER,
    HIDDEN_PAGE,
    MARK_AMONG_THEM,
    SPOILINGS
};

static void spoil(struct world *world, enum spoiling how, struct frame *frames)
{
    uint64_t at = BASE + 100 * PAGE_SIZE;

    switch (how) {
    case HOLE:
        (void)unmap_at(world, at, PAGE_SIZE);
        break;
    case OTHER_RIGHTS:
        EXPECT_EQ(protect_at(world, at, 1, VM_R), 1);
        break;
    case OTHER_FRAME:
        map_at(world, at, frame_new(), VM_RW);
        break;
    case OTHER_ORDER:
        frame_get(frames + 100);
        frame_get(frames + 101);
        map_at(world, at, frames + 101, VM_RW);
        map_at(world, at + PAGE_SIZE, frames + 100, VM_RW);
        *entry_at(world, at) |= (uint64_t)PTE_SW_PRIVATE << PTE_RSW_SHIFT;
        *entry_at(world, at + PAGE_SIZE) |= (uint64_t)PTE_SW_PRIVATE << PTE_RSW_SHIFT;
        break;
    case OTHER_OWNER:
        frame_get(frames + 100);
        break;
    case HIDDEN_PAGE:
        EXPECT_EQ(protect_at(world, at, 1, VM_PROT_NONE), 1);
        break;
    case MARK_AMONG_THEM:
    case SPOILINGS:
        (void)mark_at(world, at, PAGE_SIZE, RESERVED_RW);
        break;
    }
}

MODE_TEST(vm_cursor_fold, one_page_that_differs_keeps_the_table)
{
    struct world world = world_begin(*levels);

    for (unsigned how = 0; how < SPOILINGS; how++) {
        struct frame *frames = map_pieces(&world, BASE, VM_RW);

        spoil(&world, how, frames);
        host_events_start();
        cr_assert(fold_at(&world, BASE, 2 * MIB) == 0, "spoiling %u", how);
        EXPECT_EQ(flushes(), 0);
        EXPECT_EQ(slot_bytes_at(&world, BASE), PAGE_SIZE);
        (void)unmap_at(&world, BASE, 2 * MIB);
        if (how == OTHER_OWNER) {
            frame_put(frames + 100);
        }
        reap_all();
    }
    world_end(&world);
}

MODE_TEST(vm_cursor_fold, frames_of_two_blocks_are_no_block)
{
    struct world world = world_begin(*levels);
    struct frame *frames = frames_new(10);

    map_frames(&world, BASE, frames + 1, PAGES, VM_RW);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 0);
    for (unsigned i = 0; i < 2 * PAGES; i++) {
        if (i == 0 || i > PAGES) {
            frame_put(frames + i);
        }
    }
    world_end(&world);
}

MODE_TEST(vm_cursor_fold, what_others_have_on_purpose_stays)
{
    struct world world = world_begin(*levels);
    struct frame *frames = frames_new(9);

    for (unsigned i = 0; i < PAGES; i++) {
        frame_get(frames + i);
    }
    map_frames(&world, BASE, frames, PAGES, VM_RW); /* shared, for there is another owner */
    for (unsigned i = 0; i < PAGES; i++) {
        frame_put(frames + i);
    }
    EXPECT_EQ(item_at(&world, BASE).share, VM_SHARE_ALL);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 0);
    world_end(&world);
}

/* ---- hidden pages, pending ones ---- */

MODE_TEST(vm_cursor_fold, hidden_pages_fold_and_come_back_as_one)
{
    struct world world = world_begin(*levels);
    struct frame *frames = map_pieces(&world, BASE, VM_RW);
    struct vm_cursor cursor;
    struct vm_item item;
    unsigned folded;

    EXPECT_EQ(protect_at(&world, BASE, PAGES, VM_PROT_NONE), PAGES);
    cursor = cursor_open(&world, BASE, 2 * MIB, VM_CURSOR_EDIT);
    host_events_start();
    EXPECT_OK(vm_cursor_fold(&cursor, 2 * MIB, 1, &folded));
    EXPECT_EQ(folded, 1);
    EXPECT_EQ(flushes(), 0); /* no translation of a page is left, but one of the table may be */
    vm_cursor_close(&cursor);
    EXPECT_EQ(flushes(), 1);
    world_check(&world);
    item = item_at(&world, BASE);
    cr_assert(item.kind == VM_ITEM_HIDDEN && item.frame == frames);
    EXPECT_EQ(item.level, 1);
    EXPECT_EQ(unmap_at(&world, BASE, 2 * MIB).ram_pages, PAGES);
    world_end(&world);
}

/* ---- marks ---- */

/* Writes 2 MiB of marks page by page. */
static void mark_pages(struct world *world, uint64_t at, struct vm_mark mark)
{
    map_at(world, at, frame_new(), VM_RW); /* a table */
    for (unsigned i = 0; i < PAGES; i++) {
        mark_at(world, at + i * PAGE_SIZE, PAGE_SIZE, mark);
        mark.object_page++;
    }
}

MODE_TEST(vm_cursor_fold, equal_marks_become_one)
{
    static const struct vm_mark marks[] = {
        {.kind = VM_ITEM_RESERVED, .prot = VM_RW},
        {.kind = VM_ITEM_RESERVED, .prot = VM_PROT_NONE},
        {.kind = VM_ITEM_GUARD},
    };
    struct world world = world_begin(*levels);

    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        mark_pages(&world, BASE, marks[i]);
        EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
        expect_slot(&world, BASE + MIB, marks[i].kind, BASE, 2 * MIB);
        EXPECT_EQ(slot_at(&world, BASE).item.prop.prot, marks[i].prot);
        mark_at(&world, BASE + 9 * PAGE_SIZE, PAGE_SIZE,
                (struct vm_mark){.kind = VM_ITEM_RESERVED, .prot = VM_R});
        EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 0);
        (void)unmap_at(&world, BASE, 2 * MIB);
    }
    world_end(&world);
}

MODE_TEST(vm_cursor_fold, marks_of_an_object_fold_where_their_pages_go_on)
{
    struct world world = world_begin(*levels);
    struct mem_object *object = object_new(4 * PAGES);
    struct vm_mark mark = paged(object, 33, VM_SHARE_NONE, VM_RW);

    mark_pages(&world, BASE, mark);
    EXPECT_EQ(vm_backing_sum(world.space).marks, PAGES);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
    EXPECT_EQ(vm_backing_sum(world.space).marks, 1);
    expect_paged(&world, BASE, BASE + 2 * MIB, object, 33);
    mark.object_page = 33 + 8;
    mark_at(&world, BASE + 7 * PAGE_SIZE, PAGE_SIZE, mark); /* splits it, and says another page */
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 0);
    EXPECT_EQ(vm_backing_sum(world.space).marks, PAGES);
    (void)unmap_at(&world, BASE, 2 * MIB);
    expect_not_named(object);
    mem_object_put(object);
    world_end(&world);
}

MODE_TEST(vm_cursor_fold, swapped_pages_stay_though_their_cookies_are_equal)
{
    struct world world = world_begin(*levels);

    mark_pages(&world, BASE, (struct vm_mark){.kind = VM_ITEM_SWAPPED, .prot = VM_RW, .cookie = 7});
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 0);
    EXPECT_EQ(slot_at(&world, BASE).item.cookie, 7);
    (void)unmap_at(&world, BASE, 2 * MIB);
    world_end(&world);
}

MODE_TEST(vm_cursor_fold, marks_fold_level_by_level)
{
    struct world world = world_begin(*levels);
    uint64_t charged;

    mark_at(&world, BASE, GIB, RESERVED_RW);
    charged = vm_space_charged(world.space);
    (void)unmap_at(&world, BASE + 7 * MIB, PAGE_SIZE);
    mark_at(&world, BASE + 7 * MIB, PAGE_SIZE, RESERVED_RW);
    EXPECT_EQ(vm_space_charged(world.space), charged + 2);
    EXPECT_EQ(fold_at(&world, BASE, GIB), 2);
    EXPECT_EQ(vm_space_charged(world.space), charged);
    expect_slot(&world, BASE, VM_ITEM_RESERVED, BASE, GIB);
    world_end(&world);
}

/* ---- pages of a region ---- */

static void map_region(struct world *world, struct io_mem *io, uint64_t at, uint64_t offset,
                       uint64_t pages)
{
    struct vm_cursor cursor = cursor_open(world, at, pages * PAGE_SIZE, VM_CURSOR_CHANGE);
    uint64_t mapped;

    for (uint64_t i = 0; i < pages; i++) {
        EXPECT_OK(vm_cursor_map_iomem(&cursor, io, prop(VM_RW), PAGE_SIZE, offset + i * PAGE_SIZE,
                                      VM_MAP_EXCLUSIVE, &mapped));
    }
    vm_cursor_close(&cursor);
}

static struct io_mem *region_new(uint64_t start, uint64_t bytes)
{
    struct io_mem *io = NULL;

    EXPECT_OK(io_mem_create(pa_span(start, bytes), "test,device", &io));
    return io;
}

MODE_TEST(vm_cursor_fold, pages_of_a_region_fold_and_hold_it_as_before)
{
    struct world world = world_begin(*levels);
    struct io_mem *io = region_new(DEVICE_BASE, 4 * MIB);
    struct vm_removed removed;

    map_region(&world, io, BASE, 2 * MIB, PAGES);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
    EXPECT_EQ(slot_bytes_at(&world, BASE), 2 * MIB);
    expect_mapped_pa(&world, BASE + MIB, DEVICE_BASE + 3 * MIB, VM_RW);
    EXPECT_EQ(io_mem_refs(io), PAGES);
    removed = unmap_at(&world, BASE, 2 * MIB);
    EXPECT_EQ(removed.io_pages, PAGES);
    EXPECT_EQ(removed.ram_pages, 0);
    EXPECT_EQ(io_mem_refs(io), 0);
    world_end(&world);
}

MODE_TEST(vm_cursor_fold, pages_of_two_regions_stay)
{
    struct world world = world_begin(*levels);
    struct io_mem *low = region_new(DEVICE_BASE, MIB);
    struct io_mem *high = region_new(DEVICE_BASE + MIB, MIB);

    map_region(&world, low, BASE, 0, PAGES / 2);
    map_region(&world, high, BASE + MIB, 0, PAGES / 2);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 0);
    (void)unmap_at(&world, BASE, 2 * MIB);
    EXPECT_EQ(io_mem_refs(low) + io_mem_refs(high), 0);
    world_end(&world);
}

/* ---- ranges, bounds, refusals ---- */

MODE_TEST(vm_cursor_fold, a_table_folds_only_if_all_of_it_lies_in_the_range)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    unsigned folded;

    (void)map_pieces(&world, BASE, VM_RW);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB - PAGE_SIZE), 0);
    EXPECT_EQ(fold_at(&world, BASE + PAGE_SIZE, 4 * MIB), 0);
    cursor = cursor_open(&world, BASE, 2 * MIB, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_fold(&cursor, MIB, TABLES, &folded));
    EXPECT_EQ(folded, 0);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + MIB);
    EXPECT_OK(vm_cursor_fold(&cursor, MIB, TABLES, &folded));
    EXPECT_EQ(folded, 0);
    vm_cursor_close(&cursor);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
    world_end(&world);
}

MODE_TEST(vm_cursor_fold, a_bounded_one_says_how_far_it_came)
{
    struct world world = world_begin(*levels);
    uint64_t bytes = 6 * MIB;
    struct vm_cursor cursor;
    unsigned folded;

    for (uint64_t at = BASE; at < BASE + bytes; at += 2 * MIB) {
        mark_pages(&world, at, GUARD);
    }
    cursor = cursor_open(&world, BASE, bytes, VM_CURSOR_EDIT);
    for (uint64_t at = BASE + 2 * MIB; at <= BASE + bytes; at += 2 * MIB) {
        EXPECT_OK(vm_cursor_fold(&cursor, BASE + bytes - vm_cursor_va(&cursor).raw, 1, &folded));
        EXPECT_EQ(folded, 1);
        EXPECT_EQ(vm_cursor_va(&cursor).raw, at);
    }
    EXPECT_OK(vm_cursor_fold(&cursor, 0, 1, &folded));
    EXPECT_EQ(folded, 0);
    vm_cursor_close(&cursor);
    expect_kind(&world, BASE, BASE + bytes, VM_ITEM_GUARD, 3);
    world_end(&world);
}

MODE_TEST(vm_cursor_fold, what_is_refused_changes_nothing)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    unsigned folded = 99;

    mark_pages(&world, BASE, GUARD);
    cursor = cursor_open(&world, BASE, 2 * MIB, VM_CURSOR_QUERY);
    EXPECT_STATUS(vm_cursor_fold(&cursor, 2 * MIB, TABLES, &folded), ERR_ACCES);
    vm_cursor_close(&cursor);
    cursor = cursor_open(&world, BASE, 2 * MIB, VM_CURSOR_EDIT);
    EXPECT_STATUS(vm_cursor_fold(&cursor, 2 * MIB, 0, &folded), ERR_INVAL);
    EXPECT_STATUS(vm_cursor_fold(&cursor, 2 * MIB + 1, TABLES, &folded), ERR_INVAL);
    EXPECT_STATUS(vm_cursor_fold(&cursor, 4 * MIB, TABLES, &folded), ERR_RANGE);
    EXPECT_EQ(folded, 99);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
    vm_cursor_close(&cursor);
    EXPECT_EQ(slot_bytes_at(&world, BASE), PAGE_SIZE);
    world_end(&world);
}

MODE_TEST(vm_cursor_fold, without_tables_to_put_by_nothing_folds)
{
    struct world world = world_begin(*levels);
    unsigned stock = 2 * (*levels - 1);
    unsigned failed = 0;

    (void)map_pieces(&world, BASE, VM_RW);
    for (unsigned fail = 0; vm_space_split_stock(world.space) < stock; fail++) {
        struct vm_cursor cursor = cursor_open(&world, BASE, 2 * MIB, VM_CURSOR_EDIT);
        unsigned folded = 99;
        status_t status;

        frame_fail_after(fail);
        status = vm_cursor_fold(&cursor, 2 * MIB, TABLES, &folded);
        frame_fail_after(UINT64_MAX);
        EXPECT_EQ(vm_cursor_va(&cursor).raw, status == OK ? BASE + 2 * MIB : BASE);
        vm_cursor_close(&cursor);
        world_check(&world);
        EXPECT_EQ(folded, status == OK ? 1 : 0);
        EXPECT_EQ(slot_bytes_at(&world, BASE), status == OK ? 2 * MIB : PAGE_SIZE);
        cr_assert(status == OK || status == ERR_NOMEM);
        failed += status == ERR_NOMEM ? 1 : 0;
    }
    cr_assert(failed >= stock, "%u allocations failed", failed);
    world_end(&world);
}
