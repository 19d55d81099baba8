/* SPDX-License-Identifier: MIT */
/* The flat reference: pages, what they hold, what they held a moment ago, and who watches. */
#include "world/ref.h"

#include <string.h>

#define GHOSTS_MAX 512U
#define STAMPS_MAX 12U

/* What an operation under way has replaced, or may be bringing. */
struct ghost {
    const struct ref_space *space;
    unsigned page, hart;
    struct ref_item item;
};

/* A page whose meaning matters to a hart while it is away. */
struct watch {
    const struct ref_space *space;
    unsigned page;
    enum vm_access access;
    bool was_granted, was_refused;
    unsigned stamp_count; /* more than STAMPS_MAX: any */
    uint64_t stamps[STAMPS_MAX];
};

static struct {
    uint64_t va[REF_PAGES];
    struct ref_space spaces[REF_SPACES];
    unsigned created;
    struct ghost ghosts[GHOSTS_MAX];
    unsigned ghost_count;
    struct watch watches[HART_MAX];
} ref;

/* Eight pages at the bottom of a table; then four across a boundary of 2 MiB, of 1 GiB and of a
 * higher table; then the last four there are. */
static void place_pages(unsigned levels)
{
    uint64_t limit = vm_space_user_limit().raw;
    uint64_t high = UINT64_C(1) << (levels == 3 ? 37U : 39U);
    const uint64_t around[] = {UINT64_C(1) << 21, UINT64_C(1) << 30, high, limit - 2 * PAGE_SIZE};

    for (unsigned i = 0; i < REF_PAGES; i++) {
        ref.va[i] = i < 8 ? i * PAGE_SIZE : around[i / 4 - 2] + (i % 4) * PAGE_SIZE - 2 * PAGE_SIZE;
    }
}

void ref_reset(unsigned levels)
{
    memset(&ref, 0, sizeof(ref));
    place_pages(levels);
}

struct ref_space *ref_space_add(struct vm_space *space)
{
    for (unsigned i = 0; i < REF_SPACES; i++) {
        if (ref.spaces[i].space == NULL) {
            ref.spaces[i] = (struct ref_space){.space = space, .refs = 1, .number = ++ref.created};
            return &ref.spaces[i];
        }
    }
    return NULL;
}

const struct ref_space *ref_space_row(unsigned row)
{
    return &ref.spaces[row];
}

uint64_t ref_digest(void)
{
    uint64_t digest = 0;

    for (unsigned i = 0; i < ref.created && i < REF_SPACES; i++) {
        for (unsigned page = 0; page < REF_PAGES; page++) {
            const struct ref_item *item = &ref.spaces[i].items[page];

            digest = (digest ^ item->stamp ^ (uint64_t)item->kind << 8 ^ item->prop.prot) *
                     UINT64_C(0x100000001b3);
        }
    }
    return digest;
}

uint64_t ref_stamp_at(uint64_t pa)
{
    uint64_t page_pa = align_down(pa, PAGE_SIZE);

    for (unsigned i = ref.ghost_count; i > 0; i--) {
        if (ref.ghosts[i - 1].item.pa == page_pa) {
            return ref.ghosts[i - 1].item.stamp;
        }
    }
    for (unsigned i = 0; i < REF_SPACES; i++) {
        for (unsigned page = 0; page < REF_PAGES; page++) {
            if (ref.spaces[i].items[page].pa == page_pa) {
                return ref.spaces[i].items[page].stamp;
            }
        }
    }
    return 0;
}

uint64_t ref_va(unsigned page)
{
    return ref.va[page];
}

unsigned ref_page_from(uint64_t va)
{
    unsigned page = 0;

    while (page < REF_PAGES && ref.va[page] < va) {
        page++;
    }
    return page;
}

static bool has_frame(const struct ref_item *item)
{
    return item->kind == VM_ITEM_RAM || item->kind == VM_ITEM_HIDDEN;
}

struct vm_removed ref_count(const struct ref_space *space, uint64_t start, uint64_t end)
{
    struct vm_removed count = {0};

    for (unsigned page = ref_page_from(start); page < REF_PAGES && ref.va[page] < end; page++) {
        count.ram_pages += has_frame(&space->items[page]);
        count.io_pages += space->items[page].kind == VM_ITEM_IO;
    }
    for (unsigned i = 0; i < space->run_count; i++) {
        struct ref_run part = ref_run_part(space->runs[i], start, end);

        if (part.start < part.end && has_frame(&part.item)) {
            count.ram_pages += (part.end - part.start) / PAGE_SIZE + ref_page_from(part.start) -
                               ref_page_from(part.end);
        }
    }
    return count;
}

static bool is_present(const struct ref_item *item)
{
    return item->kind == VM_ITEM_RAM || item->kind == VM_ITEM_IO;
}

uint64_t ref_present_from(const struct ref_space *space, uint64_t va, uint64_t end)
{
    unsigned page = ref_page_from(va);

    while (page < REF_PAGES && ref.va[page] < end && !is_present(&space->items[page])) {
        page++;
    }
    end = page < REF_PAGES && ref.va[page] < end ? ref.va[page] : end;
    for (unsigned i = 0; i < space->run_count; i++) {
        struct ref_run part = ref_run_part(space->runs[i], va, end);

        if (part.start < part.end && is_present(&part.item)) {
            page = ref_page_from(part.start);
            while (page < REF_PAGES && ref.va[page] == part.start && part.start < part.end) {
                part.start += PAGE_SIZE;
                page++;
            }
            end = part.start < part.end ? part.start : end;
        }
    }
    return end;
}

/* ---- what is granted ---- */

static bool item_grants(const struct ref_item *item, enum vm_access access)
{
    static const unsigned needed[] = {VM_R, VM_W, VM_X};

    return (is_present(item) || item->kind == VM_ITEM_RESERVED || item->kind == VM_ITEM_PAGED) &&
           ((unsigned)item->prop.prot & needed[access]) != 0;
}

bool ref_grants(const struct ref_space *space, unsigned page, enum vm_access access)
{
    return item_grants(&space->items[page], access);
}

bool ref_may_lead(const struct ref_space *space, unsigned page, enum vm_access access, uint64_t pa)
{
    if (item_grants(&space->items[page], access) && space->items[page].pa == pa) {
        return true;
    }
    for (unsigned i = 0; i < ref.ghost_count; i++) {
        const struct ghost *ghost = &ref.ghosts[i];

        if (ghost->space == space && ghost->page == page && ghost->item.pa == pa &&
            item_grants(&ghost->item, access)) {
            return true;
        }
    }
    return false;
}

/* ---- watching ---- */

static void watch_stamp(struct watch *watch, const struct ref_item *item)
{
    for (unsigned i = 0; i < watch->stamp_count && i < STAMPS_MAX; i++) {
        if (watch->stamps[i] == item->stamp) {
            return;
        }
    }
    if (item_grants(item, watch->access)) {
        if (watch->stamp_count < STAMPS_MAX) {
            watch->stamps[watch->stamp_count] = item->stamp;
        }
        watch->stamp_count++;
    }
}

static void watch_look(struct watch *watch)
{
    const struct ref_item *item = &watch->space->items[watch->page];

    watch->was_granted |= item_grants(item, watch->access);
    watch->was_refused |=
        !item_grants(item, watch->access) || (watch->space->unsteady >> watch->page & 1U) != 0;
    watch_stamp(watch, item);
}

void ref_watch(unsigned hart, const struct ref_space *space, unsigned page, enum vm_access access)
{
    struct watch *watch = &ref.watches[hart];

    *watch = (struct watch){.space = space, .page = page, .access = access};
    watch_look(watch);
    for (unsigned i = 0; i < ref.ghost_count; i++) {
        if (ref.ghosts[i].space == space && ref.ghosts[i].page == page) {
            watch_stamp(watch, &ref.ghosts[i].item);
        }
    }
}

bool ref_was_granted(unsigned hart)
{
    return ref.watches[hart].was_granted;
}

bool ref_was_refused(unsigned hart)
{
    return ref.watches[hart].was_refused;
}

bool ref_was_led(unsigned hart)
{
    return ref.watches[hart].stamp_count > 0;
}

bool ref_was_stamped(unsigned hart, uint64_t stamp)
{
    const struct watch *watch = &ref.watches[hart];

    for (unsigned i = 0; i < watch->stamp_count && i < STAMPS_MAX; i++) {
        if (watch->stamps[i] == stamp) {
            return true;
        }
    }
    return watch->stamp_count > STAMPS_MAX;
}

/* ---- changes ---- */

static void ghost_add(unsigned hart, const struct ref_space *space, unsigned page,
                      struct ref_item item)
{
    if (is_present(&item) && ref.ghost_count < GHOSTS_MAX) {
        ref.ghosts[ref.ghost_count++] = (struct ghost){space, page, hart, item};
    }
}

/* What the page may lead to is new to those who watch it. */
static void tell_watches(const struct ref_space *space, unsigned page, const struct ref_item *item)
{
    for (unsigned i = 0; i < HART_MAX; i++) {
        if (ref.watches[i].space == space && ref.watches[i].page == page) {
            watch_stamp(&ref.watches[i], item);
        }
    }
}

/* What is known already need not be told again: one operation may step through a large page. */
static bool is_announced(unsigned hart, const struct ref_space *space, unsigned page,
                         const struct ref_item *item)
{
    for (unsigned i = 0; i < ref.ghost_count; i++) {
        const struct ghost *ghost = &ref.ghosts[i];

        if (ghost->hart == hart && ghost->space == space && ghost->page == page &&
            ghost->item.pa == item->pa && ghost->item.stamp == item->stamp &&
            ghost->item.kind == item->kind && ghost->item.prop.prot == item->prop.prot) {
            return true;
        }
    }
    return false;
}

void ref_announce(unsigned hart, struct ref_space *space, unsigned page, struct ref_item item)
{
    if (is_announced(hart, space, page, &item)) {
        return;
    }
    ghost_add(hart, space, page, item);
    tell_watches(space, page, &item);
}

static void look_again(const struct ref_space *space, unsigned page)
{
    for (unsigned i = 0; i < HART_MAX; i++) {
        if (ref.watches[i].space == space && ref.watches[i].page == page) {
            watch_look(&ref.watches[i]);
        }
    }
}

void ref_unsteady(struct ref_space *space, uint64_t start, uint64_t end)
{
    for (unsigned page = ref_page_from(start); page < REF_PAGES && ref.va[page] < end; page++) {
        space->unsteady |= 1U << page;
        look_again(space, page);
    }
}

void ref_steady(struct ref_space *space, uint64_t start, uint64_t end)
{
    for (unsigned page = ref_page_from(start); page < REF_PAGES && ref.va[page] < end; page++) {
        space->unsteady &= ~(1U << page);
    }
}

void ref_set(unsigned hart, struct ref_space *space, unsigned page, struct ref_item item)
{
    ghost_add(hart, space, page, space->items[page]);
    space->items[page] = item;
    look_again(space, page);
}

void ref_clear(unsigned hart, struct ref_space *space, uint64_t start, uint64_t end)
{
    for (unsigned page = ref_page_from(start); page < REF_PAGES && ref.va[page] < end; page++) {
        if (space->items[page].kind != VM_ITEM_ABSENT) {
            ref_set(hart, space, page, (struct ref_item){.kind = VM_ITEM_ABSENT});
        }
    }
    ref_runs_clear(space, start, end);
}

static void clearing_add(struct ref_space *space, uint64_t start, uint64_t end, int calls)
{
    for (unsigned page = ref_page_from(start); page < REF_PAGES && ref.va[page] < end; page++) {
        space->items[page].may_lack_a = true;
        space->clearing[page] = (uint8_t)(space->clearing[page] + calls);
    }
}

void ref_clearing_begin(struct ref_space *space, uint64_t start, uint64_t end)
{
    clearing_add(space, start, end, 1);
}

void ref_clearing_end(struct ref_space *space, uint64_t start, uint64_t end)
{
    clearing_add(space, start, end, -1);
}

void ref_used(struct ref_space *space, unsigned page, uint64_t pa)
{
    struct ref_item *item = &space->items[page];

    if (item->pa == pa && space->clearing[page] == 0) {
        item->may_lack_a = false;
    }
}

void ref_written(struct ref_space *space, unsigned page, uint64_t pa)
{
    struct ref_item *item = &space->items[page];

    item->is_written |= item->kind == VM_ITEM_RAM && item->pa == pa;
}

static bool takes_stamps(const struct ref_item *item, uint64_t pa)
{
    return item->pa == pa && (item->is_private || item->is_backed);
}

bool ref_takes_stamps(uint64_t pa)
{
    for (unsigned i = 0; i < ref.ghost_count; i++) {
        if (takes_stamps(&ref.ghosts[i].item, pa)) {
            return true;
        }
    }
    for (unsigned i = 0; i < REF_SPACES; i++) {
        for (unsigned page = 0; ref.spaces[i].space != NULL && page < REF_PAGES; page++) {
            if (takes_stamps(&ref.spaces[i].items[page], pa)) {
                return true;
            }
        }
    }
    return false;
}

void ref_stamp_set(uint64_t pa, uint64_t stamp)
{
    ref_object_stamp_set(pa, stamp);
    for (unsigned i = 0; i < ref.ghost_count; i++) {
        if (ref.ghosts[i].item.pa == pa) {
            ref.ghosts[i].item.stamp = stamp;
            tell_watches(ref.ghosts[i].space, ref.ghosts[i].page, &ref.ghosts[i].item);
        }
    }
    for (unsigned i = 0; i < REF_SPACES; i++) {
        for (unsigned page = 0; ref.spaces[i].space != NULL && page < REF_PAGES; page++) {
            if (ref.spaces[i].items[page].pa == pa) {
                ref.spaces[i].items[page].stamp = stamp;
                look_again(&ref.spaces[i], page);
            }
        }
    }
}

void ref_settle(unsigned hart)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < ref.ghost_count; i++) {
        if (ref.ghosts[i].hart != hart) {
            ref.ghosts[kept++] = ref.ghosts[i];
        }
    }
    ref.ghost_count = kept;
}
