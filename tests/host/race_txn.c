/* SPDX-License-Identifier: MIT */
/*
 * Real threads as harts: transactions on pages that lie in different tables, while programs touch
 * them and others look, sweep and reap.
 *
 * Each page has a twin in another table, and each transaction does the same to both.  Whoever looks
 * at both by one cursor must see the same rights, or at neither something.  A program finds in a
 * page zeroes, or a word that tells the page: of an object or of its own.
 */
#include "harts/rounds.h"
#include "lib/assert.h"
#include "mm/mem_object.h"
#include "mm/vm_cursor_txn.h"

#define ROUNDS 400U
#define PAGES  12U
#define BUDGET 4000U /* frames: more than the space ever needs */

static struct vm_space *space;
static struct vm_budget *budget;
static struct mem_object *object;

static const struct va_range all = {{GIB - 4 * MIB}, {GIB + 2 * MIB}};

/* Pages of three tables, which lie side by side below two parents. */
static struct va_range page_range(unsigned page)
{
    vaddr_t va = {all.start.raw + page / 4 * (2 * MIB) + page % 4 * (uint64_t)PAGE_SIZE};

    return (struct va_range){va, vaddr_add(va, PAGE_SIZE)};
}

static unsigned twin_of(unsigned page)
{
    return (page + PAGES / 2) % PAGES;
}

static uint64_t tag_of(unsigned page)
{
    return UINT64_C(0xace0000) + page;
}

/* ---- transactions ---- */

struct list {
    struct vm_change changes[VM_CHANGES_MAX];
    unsigned count;
};

static enum vm_prot pick_prot(void)
{
    static const enum vm_prot prots[] = {VM_PROT_NONE, VM_R, VM_RW, VM_RW};

    return prots[pick(ARRAY_LEN(prots))];
}

/* A change of a page that never is refused. */
static struct vm_change change_of(unsigned page, unsigned what, enum vm_prot prot)
{
    struct vm_change change = {.kind = VM_CHANGE_MARK,
                               .range = page_range(page),
                               .prot = prot,
                               .mark = {.kind = VM_ITEM_RESERVED, .prot = prot},
                               .mode = VM_MAP_REPLACE};

    if (what == 0) {
        change.kind = VM_CHANGE_UNMAP;
    } else if (what <= 2) {
        change.kind = VM_CHANGE_PROTECT;
    } else if (what == 3) {
        change.mark = (struct vm_mark){.kind = VM_ITEM_GUARD};
    } else if (what == 4) {
        change.mark = (struct vm_mark){.kind = VM_ITEM_PAGED,
                                       .prot = prot,
                                       .object = object,
                                       .object_page = page,
                                       .share = VM_SHARE_ALL};
    }
    return change;
}

/* A page and its twin, up to three times. */
static void list_twins(struct list *list)
{
    unsigned page = (unsigned)pick(PAGES);

    for (uint64_t times = 1 + pick(3); times > 0; times--) {
        unsigned what = (unsigned)pick(7);
        enum vm_prot prot = pick_prot();

        list->changes[list->count++] = change_of(page, what, prot);
        list->changes[list->count++] = change_of(twin_of(page), what, prot);
    }
}

/* All tables go, and all pages are marked anew. */
static void list_all(struct list *list)
{
    unsigned what = 3 + (unsigned)pick(4);
    enum vm_prot prot = pick_prot();

    list->changes[list->count++] = (struct vm_change){.kind = VM_CHANGE_UNMAP, .range = all};
    for (unsigned page = 0; page < PAGES; page++) {
        list->changes[list->count] = change_of(page, what, prot);
        list->changes[list->count].mode = VM_MAP_EXCLUSIVE;
        list->count++;
    }
}

/* The last of them is refused. */
static void list_refusal(struct list *list)
{
    struct vm_change twice = change_of((unsigned)pick(PAGES), 4, VM_RW);

    list->changes[list->count++] = twice;
    twice.mode = VM_MAP_EXCLUSIVE;
    list->changes[list->count++] = twice;
}

static struct va_range hull_of(const struct list *list)
{
    struct va_range hull = list->changes[0].range;

    for (unsigned i = 1; i < list->count; i++) {
        struct va_range range = list->changes[i].range;

        hull.start.raw = range.start.raw < hull.start.raw ? range.start.raw : hull.start.raw;
        hull.end.raw = range.end.raw > hull.end.raw ? range.end.raw : hull.end.raw;
    }
    return hull;
}

static void change_something(void)
{
    struct list list = {.count = 0};
    struct vm_cursor cursor;
    struct vm_removed removed;
    status_t want = OK;
    unsigned failed;

    if (pick(6) == 0) {
        list_all(&list);
    } else {
        list_twins(&list);
    }
    if (pick(5) == 0) {
        list_refusal(&list);
        want = ERR_EXIST;
    }
    EXPECT_OK(vm_cursor_open(&cursor, space, hull_of(&list), VM_CURSOR_CHANGE));
    EXPECT(vm_cursor_txn(&cursor, list.changes, list.count, &removed, &failed) == want);
    EXPECT(want == OK || failed == list.count - 1);
    vm_cursor_close(&cursor);
}

/* ---- who looks, and programs ---- */

static struct vm_item item_at(struct vm_cursor *cursor, unsigned page)
{
    struct vm_slot slot;

    EXPECT_OK(vm_cursor_jump(cursor, page_range(page).start));
    EXPECT_OK(vm_cursor_query(cursor, &slot));
    return slot.item;
}

static bool is_there(const struct vm_item *item)
{
    return item->kind != VM_ITEM_ABSENT && item->kind != VM_ITEM_GUARD;
}

static void look_at_twins(void)
{
    unsigned page = (unsigned)pick(PAGES / 2);
    struct va_range hull = {page_range(page).start, page_range(twin_of(page)).end};
    struct vm_cursor cursor;
    struct vm_item one, other;

    EXPECT_OK(vm_cursor_open(&cursor, space, hull, VM_CURSOR_EDIT));
    one = item_at(&cursor, page);
    other = item_at(&cursor, twin_of(page));
    vm_cursor_close(&cursor);
    EXPECT(is_there(&one) == is_there(&other));
    EXPECT(!is_there(&one) || one.prop.prot == other.prop.prot);
    EXPECT(is_there(&one) || one.kind == other.kind);
}

static void sweep(void)
{
    vaddr_t va = {0};

    do {
        (void)vm_space_sweep(space, &va);
    } while (va.raw != 0);
}

/* A program's access. */
static void access_page(struct vm_space *in)
{
    enum vm_access access = pick(2) == 0 ? VM_ACCESS_READ : VM_ACCESS_WRITE;
    unsigned page = (unsigned)pick(PAGES);
    uint64_t word = tag_of(page);
    bool done;

    EXPECT(rounds_access(in, page_range(page).start, access, NULL, &word, &done) != VM_FAULT_NOMEM);
    EXPECT(!done || word == 0 || word == tag_of(page));
}

static void change_or_look(void)
{
    if (pick(3) == 0) {
        look_at_twins();
    } else if (pick(12) == 0) {
        sweep();
    } else {
        change_something();
    }
}

static void run(hart_idx_t hart)
{
    static const struct rounds rounds = {ROUNDS, 12, change_or_look, access_page};

    (void)hart;
    rounds_run(&rounds, space);
}

static void program(const struct harts_config *config)
{
    harts_begin(config);
    EXPECT_OK(vm_budget_create(NULL, BUDGET, &budget));
    EXPECT_OK(vm_space_create(budget, &space));
    EXPECT_OK(mem_object_create(NULL, PAGES, 0, &object));
    harts_run(run);
    rounds_end_spaces(&space, 1);
    mem_object_put(object);
    rounds_end_budget(budget);
    harts_end();
}

int main(void)
{
    return rounds_main(program);
}
