/* SPDX-License-Identifier: MIT */
/*
 * Real threads as harts: cursors on disjoint, nested and overlapping ranges of one space, one at a
 * time, a second one while the first is open, and two at once; whole tables are removed under
 * descents and linked again.
 *
 * What a cursor owns is written down in plain memory, which nothing but the cursor guards: two that
 * overlap at the same time are a data race, and so are entries that change under a cursor.
 */
#include "harts/harts.h"

#define ROUNDS  3000U
#define ISLANDS 3U
#define ISLAND  8U /* pages around a boundary of tables */
#define PAGES   (ISLANDS * ISLAND)

static struct vm_space *space;
static hart_idx_t owner[PAGES];     /* 1 + hart whose cursor has the page; plain on purpose */
static struct frame *mapped[PAGES]; /* likewise                                             */
static uint64_t refused[HART_MAX], second[HART_MAX];

/* Pages in order of address, four on each side of a boundary. */
static vaddr_t page_va(unsigned page)
{
    static const uint64_t boundaries[ISLANDS] = {2 * MIB, GIB, GIB + 4 * MIB};

    return (vaddr_t){boundaries[page / ISLAND] - (uint64_t)ISLAND / 2 * PAGE_SIZE +
                     (uint64_t)(page % ISLAND) * PAGE_SIZE};
}

static unsigned first_page_from(vaddr_t va)
{
    unsigned page = 0;

    while (page < PAGES && page_va(page).raw < va.raw) {
        page++;
    }
    return page;
}

/* From one page to another, or just what one or more entries hold. */
static struct va_range pick_range(void)
{
    static const struct va_range whole[] = {
        {{0}, {2 * MIB}},       {{2 * MIB}, {4 * MIB}},        {{0}, {GIB}},
        {{GIB}, {2 * GIB}},     {{GIB}, {GIB + 2 * MIB}},      {{0}, {2 * GIB}},
        {{2 * MIB}, {6 * MIB}}, {{GIB - 2 * MIB}, {GIB + MIB}}};
    unsigned first = (unsigned)pick(PAGES);
    unsigned last = first + (unsigned)pick(pick(2) == 0 ? 3 : PAGES - first);

    if (pick(4) == 0) {
        return whole[pick(sizeof(whole) / sizeof(whole[0]))];
    }
    last = last < PAGES ? last : PAGES - 1;
    return (struct va_range){page_va(first), vaddr_add(page_va(last), PAGE_SIZE)};
}

static void claim(const struct vm_cursor *cursor)
{
    for (unsigned i = first_page_from(cursor->range.start); i < first_page_from(cursor->range.end);
         i++) {
        EXPECT(owner[i] == 0);
        owner[i] = hart_index() + 1;
    }
}

static void disclaim(const struct vm_cursor *cursor)
{
    for (unsigned i = first_page_from(cursor->range.start); i < first_page_from(cursor->range.end);
         i++) {
        EXPECT(owner[i] == hart_index() + 1);
        owner[i] = 0;
    }
}

static void check_page(struct vm_cursor *cursor, unsigned page)
{
    struct vm_slot slot;

    EXPECT_OK(vm_cursor_jump(cursor, page_va(page)));
    EXPECT_OK(vm_cursor_query(cursor, &slot));
    EXPECT(slot.item.frame == mapped[page]);
}

static void map_page(struct vm_cursor *cursor, unsigned page)
{
    struct frame *frame = frame_with(page);

    EXPECT_OK(vm_cursor_jump(cursor, page_va(page)));
    EXPECT_OK(vm_cursor_map(cursor, frame, (struct vm_prop){VM_RW, VM_MEM_PMA}, VM_MAP_REPLACE));
    mapped[page] = frame;
}

static void unmap_all(struct vm_cursor *cursor, unsigned first, unsigned end)
{
    struct vm_removed removed;
    unsigned expected = 0;

    for (unsigned i = first; i < end; i++) {
        expected += mapped[i] != NULL;
        mapped[i] = NULL;
    }
    EXPECT_OK(vm_cursor_jump(cursor, cursor->range.start));
    EXPECT_OK(vm_cursor_unmap(cursor, cursor->range.end.raw - cursor->range.start.raw, &removed));
    EXPECT(removed.ram_pages == expected && removed.io_pages == 0);
}

/* Uses an open cursor as its mode allows. */
static void use(struct vm_cursor *cursor)
{
    unsigned first = first_page_from(cursor->range.start);
    unsigned end = first_page_from(cursor->range.end);

    claim(cursor);
    for (unsigned i = first; i < end; i++) {
        check_page(cursor, i);
    }
    if (cursor->mode != VM_CURSOR_QUERY && pick(3) == 0) {
        unmap_all(cursor, first, end);
    }
    if (cursor->mode == VM_CURSOR_CHANGE && first < end) {
        map_page(cursor, first + (unsigned)pick(end - first));
    }
    pause_maybe();
    disclaim(cursor);
}

static void one_cursor(void)
{
    struct vm_cursor cursor;
    unsigned max_nodes = pick(2) == 0 ? 1 + (unsigned)pick(5) : 1000;

    EXPECT_OK(vm_cursor_open_bounded(&cursor, space, pick_range(),
                                     (enum vm_cursor_mode)pick(VM_CURSOR_CHANGE + 1), max_nodes));
    use(&cursor);
    vm_cursor_close(&cursor);
}

/* The second may be refused, at once; it must not wait for ever. */
static void one_after_the_other(void)
{
    struct vm_cursor first, next;
    enum vm_cursor_mode mode = (enum vm_cursor_mode)pick(VM_CURSOR_CHANGE + 1);
    status_t status;

    EXPECT_OK(vm_cursor_open(&first, space, pick_range(), mode));
    status = vm_cursor_open(&next, space, pick_range(), mode);
    EXPECT(status == OK || status == ERR_DEADLK);
    if (status == OK) {
        second[hart_index()]++;
        use(&next);
        vm_cursor_close(&next);
    } else {
        refused[hart_index()]++;
    }
    use(&first);
    vm_cursor_close(&first);
}

static void two_at_once(void)
{
    struct va_range ranges[2] = {pick_range(), pick_range()};
    struct vm_cursor pair[2];
    bool overlap =
        ranges[0].start.raw < ranges[1].end.raw && ranges[1].start.raw < ranges[0].end.raw;
    status_t status =
        vm_cursor_open_two(pair, space, ranges, (enum vm_cursor_mode)pick(VM_CURSOR_CHANGE + 1));

    EXPECT(status == (overlap ? ERR_INVAL : OK));
    if (status == OK) {
        use(&pair[0]);
        use(&pair[1]);
        vm_cursor_close_two(pair);
    }
}

static void run(hart_idx_t hart)
{
    (void)hart;
    for (unsigned round = 0; round < ROUNDS; round++) {
        kernel_enter();
        switch (pick(4)) {
        case 0:
            one_after_the_other();
            break;
        case 1:
            two_at_once();
            break;
        default:
            one_cursor();
        }
        (void)vm_space_reap();
        kernel_leave();
    }
}

static void program(const struct harts_config *config)
{
    uint64_t refusals = 0, seconds = 0;

    harts_begin(config);
    EXPECT_OK(vm_space_create(NULL, &space));
    harts_run(run);
    for (unsigned i = 0; i < HART_MAX; i++) {
        refusals += refused[i];
        seconds += second[i];
    }
    EXPECT(refusals > 0 && seconds > 0);
    EXPECT_OK(vm_space_check(space));
    vm_space_put(space);
    harts_end();
}

int main(void)
{
    static const struct harts_config configs[] = {{4, 3, 0}, {4, 5, 0}};

    return harts_for_each(configs, sizeof(configs) / sizeof(configs[0]), program);
}
