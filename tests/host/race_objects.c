/* SPDX-License-Identifier: MIT */
/*
 * Real threads as harts, in two spaces: programs load from and store to pages of memory objects
 * while others make the objects, map them shared, as views and private, clone and move the
 * mappings, unmap them, change their rights and their size, and end them.
 *
 * Page i of an area is page i of the object that is mapped there, whichever that is, and holds
 * zeroes or a word that tells area and page.  A mark never names a page past its object's end, a
 * view is never writable, memory and budgets may run out, and in the end all of it is back.  The
 * memory of some objects comes in 2 MiB.
 */
#include "harts/rounds.h"
#include "lib/assert.h"
#include "lib/spinlock.h"
#include "mm/mem_object.h"

#define ROUNDS  400U
#define OBJECTS 2U
#define PAGES   1024U /* of an area and of the largest object: two tables */
#define USED    8U    /* pages of them that programs know                 */
#define LARGE   512U  /* pages of an object of level 1 come together      */
#define BUDGET  6000U

/* Frames that objects of a level may have: too few at times. */
static const uint64_t makers_frames[] = {40, 3 * LARGE + 8};

static struct vm_space *spaces[2];
static struct vm_budget *budget;
static struct vm_budget *makers[2]; /* by level */
static _Thread_local struct frame_making making;

/* As a table of handles would keep them. */
static struct {
    struct spinlock lock;               /* rank LOCK_HANDLES      */
    struct mem_object *memory[OBJECTS]; /* (l) with a reference   */
} handles = {.lock = SPINLOCK_INIT(LOCK_HANDLES)};

/* The pages that are used lie around the middle, where the second table begins. */
static uint64_t pick_page(void)
{
    return PAGES / 2 - USED / 2 + pick(USED);
}

static vaddr_t page_va(unsigned area, uint64_t page)
{
    return (vaddr_t){GIB + area * (8 * MIB) + page * PAGE_SIZE};
}

static uint64_t tag_of(unsigned area, uint64_t page)
{
    return UINT64_C(0xace00000) + area * (uint64_t)PAGES + page;
}

/* Some pages of an area: one, from a page to the end, or all. */
static struct va_range some_pages(unsigned area)
{
    struct va_range all = {page_va(area, 0), page_va(area, PAGES)};
    vaddr_t page = page_va(area, pick_page());

    switch (pick(4)) {
    case 0:
        return all;
    case 1:
        return (struct va_range){page, all.end};
    default:
        return (struct va_range){page, vaddr_add(page, PAGE_SIZE)};
    }
}

static uint64_t bytes_of(struct va_range range)
{
    return range.end.raw - range.start.raw;
}

/* The object of an area, with a reference. */
static struct mem_object *object_get(unsigned area)
{
    struct mem_object *object;

    spinlock_acquire(&handles.lock);
    object = handles.memory[area];
    mem_object_get(object);
    spinlock_release(&handles.lock);
    return object;
}

/* Another object takes the place of the area's, whose handle is closed. */
static void replace_object(unsigned area)
{
    unsigned level = (unsigned)pick(2);
    struct mem_object *old;
    struct mem_object *fresh;

    if (mem_object_create(makers[level], PAGES, level, &fresh) != OK) {
        return;
    }
    spinlock_acquire(&handles.lock);
    old = handles.memory[area];
    handles.memory[area] = fresh;
    spinlock_release(&handles.lock);
    mem_object_put(old);
}

static void map(struct vm_space *space, unsigned area)
{
    struct va_range range = some_pages(area);
    struct vm_mark mark = {
        .kind = VM_ITEM_PAGED,
        .prot = pick(2) == 0 ? VM_R : VM_RW,
        .object = object_get(area),
        .object_page = (range.start.raw - page_va(area, 0).raw) / PAGE_SIZE,
        .share = (enum vm_share)pick(3),
    };
    struct vm_cursor cursor;
    struct vm_removed removed;
    status_t status;

    mark.prot = mark.share == VM_SHARE_VIEW ? VM_R : mark.prot;
    EXPECT_OK(vm_cursor_open(&cursor, space, range, VM_CURSOR_CHANGE));
    pause_maybe();
    status = vm_cursor_mark(&cursor, bytes_of(range), mark, VM_MAP_REPLACE, 8192, &removed);
    EXPECT(status == OK || status == ERR_RANGE); /* the object may be too small now */
    vm_cursor_close(&cursor);
    mem_object_put(mark.object);
}

static void unmap(struct vm_space *space, unsigned area)
{
    struct va_range range = some_pages(area);
    struct vm_cursor cursor;
    struct vm_removed removed;

    EXPECT_OK(vm_cursor_open(&cursor, space, range, VM_CURSOR_EDIT));
    EXPECT_OK(vm_cursor_unmap(&cursor, bytes_of(range), &removed));
    vm_cursor_close(&cursor);
}

static void protect(struct vm_space *space, unsigned area)
{
    static const enum vm_prot prots[] = {VM_PROT_NONE, VM_R, VM_RW, VM_RW};
    struct va_range range = some_pages(area);
    struct vm_cursor cursor;
    uint64_t pages;
    status_t status;

    EXPECT_OK(vm_cursor_open(&cursor, space, range, VM_CURSOR_EDIT));
    status = vm_cursor_protect(&cursor, bytes_of(range), prots[pick(4)], 8192, &pages);
    EXPECT(status == OK || status == ERR_ACCES);
    vm_cursor_close(&cursor);
}

/* What is there leaves, so that most of the range is cloned, or moved. */
static void hand_over(unsigned source, unsigned area)
{
    struct va_range range = some_pages(area);
    bool from_first = vm_space_root(spaces[source]).raw < vm_space_root(spaces[1 - source]).raw;
    struct vm_cursor cursors[2];
    struct vm_removed removed;

    for (unsigned i = 0; i < 2; i++) {
        unsigned which = from_first ? i : 1 - i; /* 0: the source */

        EXPECT_OK(vm_cursor_open(&cursors[which], spaces[which == 0 ? source : 1 - source], range,
                                 which == 0 ? VM_CURSOR_EDIT : VM_CURSOR_CHANGE));
    }
    EXPECT_OK(vm_cursor_unmap(&cursors[1], bytes_of(range), &removed));
    EXPECT_OK(vm_cursor_jump(&cursors[1], range.start));
    EXPECT_OK(pick(2) == 0 ? vm_cursor_clone(&cursors[0], &cursors[1], bytes_of(range), 64)
                           : vm_cursor_move(&cursors[0], &cursors[1], bytes_of(range), 64));
    vm_cursor_close(&cursors[0]);
    vm_cursor_close(&cursors[1]);
}

static void resize(unsigned area)
{
    struct mem_object *object = object_get(area);
    uint64_t pages = pick(3) == 0 ? pick_page() : PAGES;
    status_t status;

    pages = align_down(pages, mem_object_level(object) > 0 ? LARGE : 1);
    do {
        status = mem_object_resize(object, pages);
        pause_maybe();
    } while (status == ERR_AGAIN);
    EXPECT(status == OK || status == ERR_BUSY);
    mem_object_put(object);
}

/* Somebody who has the handle stores to a page, or looks what is there.  While he has the frame it
 * stays the page's. */
static void use_handle(unsigned area)
{
    struct mem_object *object = object_get(area);
    uint64_t page = pick_page();
    enum mem_object_get how = pick(2) == 0 ? MEM_OBJECT_MAKE : MEM_OBJECT_LOOK;
    struct frame *frame;
    struct frame *again;
    status_t status = mem_object_page_get(object, page, how, &frame);

    EXPECT(status == OK || status == ERR_RANGE || status == ERR_NOENT || status == ERR_NOMEM);
    if (status == OK) {
        _Atomic(uint64_t) *word = frame_bytes(frame);
        uint64_t seen = atomic_load_explicit(word, memory_order_relaxed); /* programs store too */

        EXPECT(seen == 0 || seen == tag_of(area, page));
        atomic_store_explicit(word, tag_of(area, page), memory_order_relaxed);
        pause_maybe();
        EXPECT_OK(mem_object_page_get(object, page, MEM_OBJECT_LOOK, &again));
        EXPECT(frame == again);
        frame_put(again);
        frame_put(frame);
    }
    mem_object_put(object);
}

/* While a mark is locked, its page is inside of its object. */
static void inspect(struct vm_space *space, unsigned area)
{
    vaddr_t page = page_va(area, pick_page());
    struct vm_cursor cursor;
    struct vm_slot slot;
    struct frame *frame;

    EXPECT_OK(vm_cursor_open(&cursor, space, (struct va_range){page, vaddr_add(page, PAGE_SIZE)},
                             VM_CURSOR_QUERY));
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    pause_maybe();
    if (slot.item.kind == VM_ITEM_PAGED) {
        uint64_t last = slot.item.object_page + bytes_of(slot.range) / PAGE_SIZE - 1;
        status_t status = mem_object_page_get(slot.item.object, last, MEM_OBJECT_LOOK, &frame);

        EXPECT(status == OK || status == ERR_NOENT);
        if (status == OK) {
            frame_put(frame);
        }
    }
    EXPECT(slot.item.kind == VM_ITEM_ABSENT || slot.item.share != VM_SHARE_VIEW ||
           (slot.item.prop.prot & VM_W) == 0);
    vm_cursor_close(&cursor);
}

static void change_something(void)
{
    unsigned which = (unsigned)pick(2);
    unsigned area = (unsigned)pick(OBJECTS);

    switch (pick(10)) {
    case 0:
        unmap(spaces[which], area);
        break;
    case 1:
        protect(spaces[which], area);
        break;
    case 2:
        replace_object(area);
        break;
    case 3:
        resize(area);
        break;
    case 4:
    case 5:
        use_handle(area);
        break;
    case 6:
        inspect(spaces[which], area);
        break;
    case 7:
        hand_over(which, area);
        break;
    default:
        map(spaces[which], area);
    }
}

/* A program's access.  It may be refused, or the makers' budget be spent. */
static void access_page(struct vm_space *space)
{
    enum vm_access access = pick(2) == 0 ? VM_ACCESS_READ : VM_ACCESS_WRITE;
    unsigned area = (unsigned)pick(OBJECTS);
    uint64_t page = pick_page();
    uint64_t word = tag_of(area, page);
    bool done;

    (void)rounds_access(space, page_va(area, page), access, &making, &word, &done);
    EXPECT(!done || word == 0 || word == tag_of(area, page));
}

static void run(hart_idx_t hart)
{
    static const struct rounds rounds = {ROUNDS, 12, change_something, access_page};

    rounds_run(&rounds, spaces[hart % 2]);
}

static void program(const struct harts_config *config)
{
    harts_begin(config);
    EXPECT_OK(vm_budget_create(NULL, BUDGET, &budget));
    for (unsigned level = 0; level < 2; level++) {
        EXPECT_OK(vm_budget_create(NULL, makers_frames[level], &makers[level]));
    }
    for (unsigned i = 0; i < OBJECTS; i++) {
        EXPECT_OK(mem_object_create(makers[i % 2], PAGES, i % 2, &handles.memory[i]));
    }
    for (unsigned i = 0; i < 2; i++) {
        EXPECT_OK(vm_space_create(budget, &spaces[i]));
    }
    harts_run(run);
    for (unsigned i = 0; i < OBJECTS; i++) {
        mem_object_put(handles.memory[i]);
    }
    rounds_end_spaces(spaces, 2);
    rounds_end_budget(budget);
    for (unsigned level = 0; level < 2; level++) {
        EXPECT(vm_budget_state(makers[level]).used == 0);
        vm_budget_put(makers[level]);
    }
    harts_end();
}

int main(void)
{
    return rounds_main(program);
}
