/* SPDX-License-Identifier: MIT */
/*
 * Transactions that are refused: for each reason every address means afterwards what it did before,
 * and nothing is held.  What memory that is out does is tested in test_vm_cursor_txn_memory.c.
 */
#include "mm/vm_fault.h"
#include "support_txn.h"

#define AROUND (2 * MIB + 64 * PAGE_SIZE) /* from BASE on: where all is */
#define COUNT  (AROUND / PAGE_SIZE)

static struct mem_object *object;

static uint64_t page(unsigned i)
{
    return BASE + i * PAGE_SIZE;
}

/* From page 0 on: 4 pages RW, a view of 4, a device page, nothing; at 2 MiB a large mark. */
static struct world world_with_all(unsigned levels)
{
    struct world world = world_begin(levels);
    struct vm_cursor cursor;
    struct io_mem *io;
    uint64_t mapped;

    object = object_new(OBJECT_PAGES);
    fill_at(&world, page(0), 4, VM_RW);
    mark_at(&world, page(4), 4 * PAGE_SIZE, paged(object, 0, VM_SHARE_VIEW, VM_R));
    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, PAGE_SIZE), "x", &io));
    cursor = cursor_open(&world, page(8), PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_OK(
        vm_cursor_map_iomem(&cursor, io, prop(VM_RW), PAGE_SIZE, 0, VM_MAP_EXCLUSIVE, &mapped));
    vm_cursor_close(&cursor);
    mark_at(&world, BASE + 2 * MIB, 2 * MIB, RESERVED_RW);
    return world;
}

static void end_with_all(struct world *world)
{
    unmap_at(world, BASE, 4 * MIB);
    expect_not_named(object);
    mem_object_put(object);
    world_end(world);
}

static void expect_refused(struct world *world, const struct vm_change *ops, unsigned count,
                           status_t status, unsigned failed)
{
    static struct meaning before[COUNT], after[COUNT];
    struct txn_result result;

    meanings_read(world->space, va_span(BASE, AROUND), before);
    result = txn(world, ops, count);
    cr_assert(result.status == status && result.failed == failed, "operation %u: %s, not %u: %s",
              result.failed, status_name(result.status), failed, status_name(status));
    meanings_read(world->space, va_span(BASE, AROUND), after);
    expect_meanings(after, before, COUNT);
}

#define EXPECT_REFUSED(world, status, failed, ...)                                                 \
    expect_refused(world, (const struct vm_change[]){__VA_ARGS__},                                 \
                   sizeof((const struct vm_change[]){__VA_ARGS__}) / sizeof(struct vm_change),     \
                   status, failed)

/* What each operation is refused for by itself, after others that would be done. */
MODE_TEST(vm_cursor_txn_refused, what_the_single_operation_refuses)
{
    static const struct vm_mark swapped = {.kind = VM_ITEM_SWAPPED, .prot = VM_RW, .cookie = 1};
    static const struct vm_mark ram = {.kind = VM_ITEM_RAM, .prot = VM_RW};
    struct world world = world_with_all(*levels);
    struct vm_change first = op_unmap(page(0), PAGE_SIZE);
    struct vm_change bad_kind = first;
    struct vm_mark w_only = RESERVED_RW;
    struct vm_mark huge = RESERVED_RW;

    w_only.prot = VM_W;
    huge.page_level = PTE_LEVEL_RAM_MAX + 1;
    bad_kind.kind = (enum vm_change_kind)3;
    EXPECT_REFUSED(&world, ERR_INVAL, 1, first, op_unmap(page(1) + 1, PAGE_SIZE));
    EXPECT_REFUSED(&world, ERR_INVAL, 1, first, op_unmap(page(1), 1));
    EXPECT_REFUSED(&world, ERR_INVAL, 1, first, op_unmap(page(1), 0));
    EXPECT_REFUSED(&world, ERR_INVAL, 1, first, op_unmap(page(1), -PAGE_SIZE));
    EXPECT_REFUSED(&world, ERR_RANGE, 1, first, op_unmap(BASE - 2 * GIB, PAGE_SIZE));
    EXPECT_REFUSED(&world, ERR_RANGE, 1, first, op_unmap(page(1), 4 * GIB));
    EXPECT_REFUSED(&world, ERR_INVAL, 1, first, op_protect(page(1), PAGE_SIZE, VM_W));
    EXPECT_REFUSED(&world, ERR_INVAL, 1, first,
                   op_mark(page(1), PAGE_SIZE, w_only, VM_MAP_REPLACE));
    EXPECT_REFUSED(&world, ERR_INVAL, 1, first, op_mark(page(1), PAGE_SIZE, huge, VM_MAP_REPLACE));
    EXPECT_REFUSED(&world, ERR_INVAL, 1, first,
                   op_mark(page(1), PAGE_SIZE, swapped, VM_MAP_REPLACE));
    EXPECT_REFUSED(&world, ERR_INVAL, 1, first, op_mark(page(1), PAGE_SIZE, ram, VM_MAP_REPLACE));
    EXPECT_REFUSED(
        &world, ERR_INVAL, 1, first,
        op_mark(page(1), PAGE_SIZE, paged(object, 0, VM_SHARE_VIEW, VM_RW), VM_MAP_REPLACE));
    EXPECT_REFUSED(&world, ERR_INVAL, 1, first, bad_kind);
    EXPECT_REFUSED(
        &world, ERR_RANGE, 2, first,
        op_mark(page(20), PAGE_SIZE, paged(object, 3, VM_SHARE_ALL, VM_RW), VM_MAP_REPLACE),
        op_mark(page(1), 2 * PAGE_SIZE, paged(object, OBJECT_PAGES - 1, VM_SHARE_ALL, VM_RW),
                VM_MAP_REPLACE));
    expect_refused(&world, NULL, 0, ERR_INVAL, 0);
    end_with_all(&world);
}

MODE_TEST(vm_cursor_txn_refused, only_cursors_that_change)
{
    static const enum vm_cursor_mode modes[] = {VM_CURSOR_QUERY, VM_CURSOR_EDIT};
    struct world world = world_with_all(*levels);
    struct vm_change op = op_unmap(page(0), PAGE_SIZE);

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct vm_cursor cursor = cursor_open(&world, BASE, AROUND, modes[i]);
        struct vm_removed removed;
        unsigned failed = 9;

        EXPECT_STATUS(vm_cursor_txn(&cursor, &op, 1, &removed, &failed), ERR_ACCES);
        EXPECT_EQ(failed, 0);
        vm_cursor_close(&cursor);
    }
    EXPECT_EQ(item_at(&world, page(0)).kind, VM_ITEM_RAM);
    end_with_all(&world);
}

/* ---- what an operation meets ---- */

MODE_TEST(vm_cursor_txn_refused, something_is_there_in_its_turn)
{
    struct world world = world_with_all(*levels);
    uint64_t charged = vm_space_charged(world.space);
    struct vm_change mark = op_mark(page(12), 2 * PAGE_SIZE, GUARD, VM_MAP_EXCLUSIVE);

    EXPECT_REFUSED(&world, ERR_EXIST, 1, op_unmap(page(0), PAGE_SIZE),
                   op_mark(page(0), 2 * PAGE_SIZE, GUARD, VM_MAP_EXCLUSIVE));
    EXPECT_REFUSED(&world, ERR_EXIST, 0, op_mark(page(7), PAGE_SIZE, GUARD, VM_MAP_EXCLUSIVE));
    EXPECT_REFUSED(&world, ERR_EXIST, 0,
                   op_mark(BASE + 3 * MIB, PAGE_SIZE, GUARD, VM_MAP_EXCLUSIVE));
    EXPECT_REFUSED(&world, ERR_EXIST, 1, mark, mark);
    EXPECT_REFUSED(&world, ERR_EXIST, 2, op_protect(page(0), 2 * PAGE_SIZE, VM_R), mark,
                   op_mark(page(1), PAGE_SIZE, RESERVED_RW, VM_MAP_EXCLUSIVE));
    EXPECT_EQ(vm_space_charged(world.space), charged);
    end_with_all(&world);
}

MODE_TEST(vm_cursor_txn_refused, rights_that_may_not_be)
{
    struct world world = world_with_all(*levels);
    uint64_t charged;
    struct vm_mark view = paged(object, 0, VM_SHARE_VIEW, VM_R);

    EXPECT_REFUSED(&world, ERR_ACCES, 1, op_unmap(page(0), PAGE_SIZE),
                   op_protect(page(2), 3 * PAGE_SIZE, VM_RW));
    EXPECT_EQ(vm_space_fault(world.space, va(page(5)), VM_ACCESS_READ), VM_FAULT_RETRY);
    EXPECT_EQ(protect_at(&world, page(5), 1, VM_PROT_NONE), 1); /* a page of it, hidden */
    charged = vm_space_charged(world.space);
    EXPECT_REFUSED(&world, ERR_ACCES, 0, op_protect(page(5), PAGE_SIZE, VM_RW));
    EXPECT_REFUSED(&world, ERR_ACCES, 1, op_mark(page(0), PAGE_SIZE, view, VM_MAP_REPLACE),
                   op_protect(page(0), PAGE_SIZE, VM_RW));
    EXPECT_REFUSED(&world, ERR_ACCES, 0, op_protect(page(4), PAGE_SIZE, VM_RW),
                   op_protect(page(4), PAGE_SIZE, VM_R)); /* in its turn it would be */
    EXPECT_REFUSED(&world, ERR_INVAL, 1, op_unmap(page(0), PAGE_SIZE),
                   op_protect(page(8), PAGE_SIZE, VM_R));
    EXPECT_REFUSED(&world, ERR_INVAL, 0, op_protect(page(8), PAGE_SIZE, VM_PROT_NONE));
    EXPECT_EQ(vm_space_charged(world.space), charged);
    EXPECT_OK(TXN(&world, op_unmap(page(8), PAGE_SIZE), op_protect(page(8), PAGE_SIZE, VM_RW),
                  op_mark(page(4), 4 * PAGE_SIZE, RESERVED_RW, VM_MAP_REPLACE),
                  op_protect(page(4), 4 * PAGE_SIZE, VM_RW))
                  .status); /* when they are gone, nothing forbids it */
    end_with_all(&world);
}

/* Of several the first is told, wherever it lies. */
MODE_TEST(vm_cursor_txn_refused, the_first_operation_is_told)
{
    struct world world = world_with_all(*levels);

    EXPECT_REFUSED(&world, ERR_INVAL, 1, op_protect(page(0), PAGE_SIZE, VM_R),
                   op_protect(page(8), PAGE_SIZE, VM_R),
                   op_mark(page(1), PAGE_SIZE, GUARD, VM_MAP_EXCLUSIVE));
    end_with_all(&world);
}

/* ---- how much ---- */

MODE_TEST(vm_cursor_txn_refused, more_operations_than_there_may_be)
{
    struct world world = world_with_all(*levels);
    struct vm_change ops[VM_CHANGES_MAX + 1];

    for (unsigned i = 0; i <= VM_CHANGES_MAX; i++) {
        ops[i] = op_mark(page(10 + 2 * i), PAGE_SIZE, GUARD, VM_MAP_EXCLUSIVE);
    }
    expect_refused(&world, ops, VM_CHANGES_MAX + 1, ERR_2BIG, 0);
    EXPECT_OK(txn(&world, ops, VM_CHANGES_MAX).status);
    expect_kind(&world, page(10), page(11), VM_ITEM_GUARD, 1);
    expect_kind(&world, page(72), page(73), VM_ITEM_GUARD, 1);
    EXPECT_EQ(item_at(&world, page(74)).kind, VM_ITEM_ABSENT);
    end_with_all(&world);
}

/* One edit more than there may be, of each sort; one less is done. */
MODE_TEST(vm_cursor_txn_refused, more_edits_than_there_may_be)
{
    struct world world = world_begin(*levels);
    uint64_t most = VM_CHANGES_EDITS_MAX * PAGE_SIZE;
    unsigned one = 1;

    fill_at(&world, BASE, VM_CHANGES_EDITS_MAX + 1, VM_RW);
    mark_at(&world, BASE + 2 * MIB, 2 * MIB, RESERVED_RW);
    EXPECT_REFUSED(&world, ERR_2BIG, 0, op_unmap(BASE, most + PAGE_SIZE));
    EXPECT_REFUSED(&world, ERR_2BIG, 0, op_protect(BASE, most + PAGE_SIZE, VM_R));
    EXPECT_REFUSED(&world, ERR_2BIG, 0, op_mark(BASE, most + PAGE_SIZE, GUARD, VM_MAP_REPLACE));
    EXPECT_REFUSED(&world, ERR_2BIG, one, op_protect(BASE, most, VM_R),
                   op_unmap(BASE + most, PAGE_SIZE));
    EXPECT_REFUSED(&world, ERR_2BIG, one, op_protect(BASE, most, VM_R),
                   op_mark(BASE + most + 9 * PAGE_SIZE, PAGE_SIZE, GUARD, VM_MAP_REPLACE));
    EXPECT_REFUSED(&world, ERR_2BIG, one, op_protect(BASE, most, VM_R),
                   op_protect(BASE + 3 * MIB, PAGE_SIZE, VM_R));
    EXPECT_OK(TXN(&world, op_protect(BASE, most, VM_R)).status);
    EXPECT_OK(TXN(&world, op_mark(BASE, most, GUARD, VM_MAP_REPLACE)).status);
    EXPECT_OK(TXN(&world, op_unmap(BASE, most)).status);
    EXPECT_EQ(TXN(&world, op_unmap(BASE, 4 * MIB)).removed.ram_pages, 1);
    world_end(&world);
}

/* What is not there counts nothing, unless it is marked. */
MODE_TEST(vm_cursor_txn_refused, absent_pages_count_where_they_are_marked)
{
    struct world world = world_begin(*levels);

    fill_at(&world, BASE, 1, VM_RW);
    fill_at(&world, BASE + 511 * PAGE_SIZE, 1, VM_RW);
    EXPECT_REFUSED(&world, ERR_2BIG, 0, op_mark(BASE, 2 * MIB - PAGE_SIZE, GUARD, VM_MAP_REPLACE));
    EXPECT_OK(TXN(&world, op_protect(BASE, 2 * MIB, VM_R)).status);
    EXPECT_EQ(TXN(&world, op_unmap(BASE, 2 * MIB - PAGE_SIZE)).removed.ram_pages, 1);
    world_end(&world);
}

/* A whole table counts 1, and each page of a region in it. */
MODE_TEST(vm_cursor_txn_refused, whole_tables_count_little)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    struct io_mem *io;
    uint64_t mapped;

    fill_at(&world, BASE, 512, VM_RW);
    EXPECT_EQ(TXN(&world, op_unmap(BASE, 2 * MIB)).removed.ram_pages, 512);
    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, 256 * PAGE_SIZE), "x", &io));
    cursor = cursor_open(&world, BASE, 4 * MIB, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_map_iomem(&cursor, io, prop(VM_RW), 256 * PAGE_SIZE, 0, VM_MAP_EXCLUSIVE,
                                  &mapped));
    vm_cursor_close(&cursor);
    EXPECT_STATUS(TXN(&world, op_unmap(BASE, 2 * MIB)).status, ERR_2BIG);
    EXPECT_EQ(TXN(&world, op_unmap(BASE, 256 * PAGE_SIZE)).removed.io_pages, 256);
    EXPECT_EQ(io_mem_refs(io), 0);
    world_end(&world);
}

/* ---- what is left ---- */

/* Takes away the tables that were made for nothing. */
static void sweep(const struct world *world)
{
    vaddr_t at = {0};

    do {
        (void)vm_space_sweep(world->space, &at);
    } while (at.raw != 0);
    reap_all();
}

/* Nothing that was charged for a transaction that came to nothing is left, when its tables are
 * swept. */
MODE_TEST(vm_cursor_txn_refused, no_charge_is_left)
{
    struct world world = world_with_all(*levels);
    uint64_t charged;

    sweep(&world);
    charged = vm_space_charged(world.space);
    EXPECT_REFUSED(&world, ERR_RANGE, 1,
                   op_mark(BASE + GIB + 4 * PAGE_SIZE, PAGE_SIZE, GUARD, VM_MAP_EXCLUSIVE),
                   op_mark(page(20), PAGE_SIZE, paged(object, OBJECT_PAGES, VM_SHARE_ALL, VM_RW),
                           VM_MAP_EXCLUSIVE));
    sweep(&world);
    EXPECT_EQ(vm_space_charged(world.space), charged);
    end_with_all(&world);
}
