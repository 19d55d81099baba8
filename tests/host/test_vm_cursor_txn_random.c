/* SPDX-License-Identifier: MIT */
/*
 * Random transactions against the single operations: what one comes to is what they come to one
 * after another, in another space that means the same; and where one of them is refused, so is it,
 * for the same reason, and nothing has changed.
 */
#include "mm/vm_fault.h"
#include "support_txn.h"

#define START  (BASE - 8 * PAGE_SIZE)
#define END    (BASE + 4 * MIB + 8 * PAGE_SIZE)
#define COUNT  ((END - START) / PAGE_SIZE)
#define ROUNDS 300U
#define OPS    8U

static uint64_t state;
static struct mem_object *object;
static struct io_mem *io;
static struct vm_space *spaces[2]; /* for transactions, and for the single operations */

static uint64_t pick(uint64_t below)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (state * UINT64_C(2685821657736338717) >> 33) % below;
}

/* Pages beside boundaries of tables, and what lies between two of these. */
static struct va_range pick_range(void)
{
    uint64_t start = BASE + pick(3) * 2 * MIB;

    if (pick(4) == 0) {
        uint64_t end = start + 2 * MIB * (1 + pick(2));

        return va_span(start, (end < BASE + 4 * MIB ? end : END) - start);
    }
    start += (pick(16) - 8) * PAGE_SIZE;
    return va_span(start, (1 + pick((END - start) / PAGE_SIZE < 6 ? 1 : 6)) * PAGE_SIZE);
}

static enum vm_prot pick_prot(void)
{
    static const enum vm_prot prots[] = {VM_PROT_NONE, VM_R, VM_RW, VM_RW, VM_RX};

    return prots[pick(ARRAY_LEN(prots))];
}

static struct vm_mark pick_mark(void)
{
    enum vm_share share = (enum vm_share)pick(3);
    enum vm_prot prot = pick_prot();

    switch (pick(4)) {
    case 0:
        return GUARD;
    case 1:
        return (struct vm_mark){
            .kind = VM_ITEM_RESERVED, .prot = prot, .page_level = (unsigned)pick(3)};
    default:
        if (share == VM_SHARE_VIEW) {
            prot &= ~(unsigned)VM_W;
        }
        return paged(object, 512 * pick(3) + pick(2), share, prot);
    }
}

static struct vm_change pick_change(void)
{
    struct va_range range = pick_range();
    struct vm_change change = {.range = range};

    change.kind = (enum vm_change_kind)pick(3);
    change.prot = pick_prot();
    if (change.kind == VM_CHANGE_MARK) {
        change.mark = pick_mark();
        change.mode = pick(3) == 0 ? VM_MAP_EXCLUSIVE : VM_MAP_REPLACE;
    }
    return change;
}

/* ---- what is there before ---- */

static void touch(struct vm_space *space, struct va_range range, enum vm_access access)
{
    for (uint64_t at = range.start.raw, n = 0; at < range.end.raw && n < 4; at += PAGE_SIZE, n++) {
        (void)vm_space_fault(space, va(at), access);
    }
}

static void lay(struct vm_space *space, unsigned what, struct va_range range, struct vm_mark mark)
{
    struct vm_removed removed;
    struct vm_cursor cursor;
    uint64_t mapped;

    EXPECT_OK(vm_cursor_open(&cursor, space, va_span(START, END - START), VM_CURSOR_CHANGE));
    if (what == 0) {
        EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
        map_2m(&cursor, VM_RW);
    } else if (what == 1) {
        EXPECT_OK(vm_cursor_jump(&cursor, range.start));
        EXPECT_OK(
            vm_cursor_map_iomem(&cursor, io, prop(VM_RW), PAGE_SIZE, 0, VM_MAP_REPLACE, &mapped));
    } else {
        EXPECT_OK(vm_cursor_jump(&cursor, range.start));
        EXPECT_OK(vm_cursor_mark(&cursor, range.end.raw - range.start.raw, mark, VM_MAP_REPLACE,
                                 UINT_MAX, &removed));
    }
    vm_cursor_close(&cursor);
}

static void hide(struct vm_space *space, struct va_range range)
{
    struct vm_cursor cursor;
    uint64_t pages;

    EXPECT_OK(vm_cursor_open(&cursor, space, range, VM_CURSOR_CHANGE));
    EXPECT_OK(vm_cursor_protect(&cursor, range.end.raw - range.start.raw, VM_PROT_NONE, UINT64_MAX,
                                &pages));
    vm_cursor_close(&cursor);
}

static void write_words(struct vm_space *space)
{
    struct vm_cursor cursor;
    struct vm_slot slot;

    EXPECT_OK(vm_cursor_open(&cursor, space, va_span(START, END - START), VM_CURSOR_QUERY));
    for (uint64_t at = START; at < END; at += PAGE_SIZE) {
        EXPECT_OK(vm_cursor_jump(&cursor, va(at)));
        EXPECT_OK(vm_cursor_query(&cursor, &slot));
        if (slot.item.frame != NULL && slot.item.frame != frame_zero() &&
            slot.item.share == VM_SHARE_NONE) {
            uint64_t page = (at - slot.range.start.raw) / PAGE_SIZE;

            *(uint64_t *)frame_bytes(slot.item.frame + page) = at;
        }
    }
    vm_cursor_close(&cursor);
}

/* The same in both. */
static void lay_out(void)
{
    for (uint64_t pieces = pick(8); pieces > 0; pieces--) {
        unsigned what = (unsigned)pick(8);
        struct va_range range = pick_range();
        struct vm_mark mark = pick_mark();
        enum vm_access access = pick(2) == 0 ? VM_ACCESS_READ : VM_ACCESS_WRITE;
        bool is_touched = pick(2) == 0;
        bool is_hidden = pick(6) == 0 && what != 1;

        mark.page_level = 0;
        for (unsigned i = 0; i < 2; i++) {
            lay(spaces[i], what, range, mark);
            if (is_touched) {
                touch(spaces[i], range, access);
            }
            if (is_hidden) {
                hide(spaces[i], range);
            }
        }
    }
    write_words(spaces[0]);
    write_words(spaces[1]);
}

static void clear(struct vm_space *space)
{
    struct vm_removed removed;
    struct vm_cursor cursor;

    EXPECT_OK(vm_cursor_open(&cursor, space, va_span(START, END - START), VM_CURSOR_EDIT));
    EXPECT_OK(vm_cursor_unmap(&cursor, END - START, &removed));
    vm_cursor_close(&cursor);
}

/* ---- the single operations ---- */

static bool is_used(struct vm_cursor *cursor, struct va_range range)
{
    struct vm_slot slot;

    for (uint64_t at = range.start.raw; at < range.end.raw; at = slot.range.end.raw) {
        EXPECT_OK(vm_cursor_jump(cursor, va(at)));
        EXPECT_OK(vm_cursor_query(cursor, &slot));
        if (slot.item.kind != VM_ITEM_ABSENT) {
            return true;
        }
    }
    return false;
}

static status_t single(struct vm_cursor *cursor, const struct vm_change *change,
                       struct vm_removed *all)
{
    uint64_t bytes = change->range.end.raw - change->range.start.raw;
    struct vm_removed removed = {0};
    status_t status = OK;
    uint64_t pages;

    if (change->kind == VM_CHANGE_MARK && change->mode == VM_MAP_EXCLUSIVE &&
        is_used(cursor, change->range)) {
        return ERR_EXIST;
    }
    EXPECT_OK(vm_cursor_jump(cursor, change->range.start));
    switch (change->kind) {
    case VM_CHANGE_UNMAP:
        status = vm_cursor_unmap(cursor, bytes, &removed);
        break;
    case VM_CHANGE_PROTECT:
        status = vm_cursor_protect(cursor, bytes, change->prot, UINT64_MAX, &pages);
        break;
    case VM_CHANGE_MARK:
        status = vm_cursor_mark(cursor, bytes, change->mark, change->mode, UINT_MAX, &removed);
        break;
    }
    all->ram_pages += removed.ram_pages;
    all->io_pages += removed.io_pages;
    /* Rights stop at a page of a region. */
    return status == OK && cursor->va.raw < change->range.end.raw ? ERR_INVAL : status;
}

static struct txn_result singles(struct vm_space *space, const struct vm_change *ops,
                                 unsigned count)
{
    struct txn_result result = {.status = OK, .failed = 0};
    struct vm_cursor cursor;

    EXPECT_OK(vm_cursor_open(&cursor, space, va_span(START, END - START), VM_CURSOR_CHANGE));
    for (unsigned i = 0; result.status == OK && i < count; i++) {
        result.status = single(&cursor, &ops[i], &result.removed);
        result.failed = i;
    }
    vm_cursor_close(&cursor);
    return result;
}

/* ---- both ---- */

static struct meaning before[COUNT], got[COUNT], want[COUNT];

static status_t round_of(struct world *world, const struct vm_change *ops, unsigned count)
{
    struct txn_result one, all;

    meanings_read(spaces[0], va_span(START, END - START), before);
    meanings_read(spaces[1], va_span(START, END - START), want);
    expect_meanings(before, want, COUNT);
    host_events_start();
    one = txn_in(spaces[0], va_span(START, END - START), ops, count);
    cr_assert(flushes() <= 1, "%zu flushes", (size_t)flushes());
    all = singles(spaces[1], ops, count);
    meanings_read(spaces[0], va_span(START, END - START), got);
    if (one.status == OK) {
        EXPECT_STATUS(all.status, OK);
        EXPECT_EQ(one.removed.ram_pages, all.removed.ram_pages);
        EXPECT_EQ(one.removed.io_pages, all.removed.io_pages);
        meanings_read(spaces[1], va_span(START, END - START), want);
        expect_meanings(got, want, COUNT);
    } else {
        if (one.status != ERR_2BIG) {
            cr_assert(one.status == all.status && one.failed == all.failed,
                      "operation %u: %s, not %u: %s", one.failed, status_name(one.status),
                      all.failed, status_name(all.status));
        }
        expect_meanings(got, before, COUNT);
    }
    world_check(world);
    EXPECT_OK(vm_space_check(spaces[1]));
    return one.status;
}

MODE_TEST(vm_cursor_txn_random, comes_to_what_the_single_operations_come_to, .timeout = 240)
{
    struct world world = world_begin_with(*levels, 64 * MIB); /* for some pages of 2 MiB */
    unsigned done = 0, refused = 0, too_big = 0;

    object = object_new(4096);
    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, PAGE_SIZE), "x", &io));
    EXPECT_OK(vm_space_create(NULL, &spaces[1]));
    spaces[0] = world.space;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct vm_change ops[OPS];
        unsigned count;
        status_t status;

        state = round * 3 + *levels + 1;
        lay_out();
        count = 1 + (unsigned)pick(OPS);
        for (unsigned i = 0; i < count; i++) {
            ops[i] = pick_change();
        }
        status = round_of(&world, ops, count);
        done += status == OK ? 1 : 0;
        too_big += status == ERR_2BIG ? 1 : 0;
        refused += status != OK && status != ERR_2BIG ? 1 : 0;
        clear(spaces[0]);
        clear(spaces[1]);
        reap_all();
    }
    cr_assert(done > ROUNDS / 4 && refused > ROUNDS / 8 && too_big > ROUNDS / 50,
              "%u done, %u refused, %u too big", done, refused, too_big);
    vm_space_put(spaces[1]);
    expect_not_named(object);
    mem_object_put(object);
    world_end(&world);
}
