/* SPDX-License-Identifier: MIT */
/*
 * Marks, and large pages, in the reference.  A page of the universe holds what it holds as an item;
 * what lies between the pages is a row of runs, ascending, none empty.  Runs may reach over pages:
 * there the item counts.
 */
#include <string.h>

#include "arch_host/arch_host.h"
#include "mm/frame.h"
#include "world/ref.h"

struct ref_item ref_item_of_mark(struct vm_mark mark, uint64_t bytes)
{
    bool is_paged = mark.kind == VM_ITEM_PAGED;

    return (struct ref_item){.kind = mark.kind,
                             .prop.prot = mark.kind == VM_ITEM_GUARD ? VM_PROT_NONE : mark.prot,
                             .share = is_paged ? mark.share : VM_SHARE_NONE,
                             .object = is_paged ? mark.object : NULL,
                             .object_page = is_paged ? mark.object_page + bytes / PAGE_SIZE : 0,
                             .page_level = mark.kind == VM_ITEM_RESERVED ? mark.page_level : 0};
}

static bool has_frame(const struct ref_item *item)
{
    return item->kind == VM_ITEM_RAM || item->kind == VM_ITEM_HIDDEN;
}

struct ref_item ref_item_at(const struct ref_item *item, uint64_t bytes)
{
    struct ref_item there = *item;

    there.object_page += item->kind == VM_ITEM_PAGED ? bytes / PAGE_SIZE : 0;
    there.pa += has_frame(item) ? bytes : 0;
    return there;
}

static bool is_marked(const struct ref_item *item)
{
    return item->kind == VM_ITEM_RESERVED || item->kind == VM_ITEM_GUARD ||
           item->kind == VM_ITEM_PAGED || item->kind == VM_ITEM_SWAPPED;
}

/* True if b, so many bytes after a, goes on with what a is. */
static bool goes_on(const struct ref_item *a, const struct ref_item *b, uint64_t bytes)
{
    return a->kind == b->kind && a->prop.prot == b->prop.prot &&
           (a->kind != VM_ITEM_RESERVED || a->page_level == b->page_level) &&
           (!has_frame(a) || (a->pa + bytes == b->pa && a->is_private == b->is_private &&
                              a->is_shared == b->is_shared)) &&
           (a->kind != VM_ITEM_SWAPPED || (a->cookie == b->cookie && bytes < PAGE_SIZE)) &&
           (a->kind != VM_ITEM_PAGED || (a->object == b->object && a->share == b->share &&
                                         a->object_page + bytes / PAGE_SIZE == b->object_page));
}

/* ---- runs ---- */

static void run_insert(struct ref_space *space, unsigned at, struct ref_run run)
{
    if (space->run_count == REF_RUNS) {
        host_fail("more marks than the reference has room for");
    }
    memmove(&space->runs[at + 1], &space->runs[at], (space->run_count - at) * sizeof(run));
    space->runs[at] = run;
    space->run_count++;
}

struct ref_run ref_run_part(struct ref_run run, uint64_t start, uint64_t end)
{
    uint64_t from = run.start > start ? run.start : start;

    return (struct ref_run){from, run.end < end ? run.end : end,
                            ref_item_at(&run.item, from - run.start)};
}

/* From now on no run has va inside. */
static void split_at(struct ref_space *space, uint64_t va)
{
    for (unsigned i = 0; i < space->run_count; i++) {
        struct ref_run *run = &space->runs[i];

        if (run->start < va && va < run->end) {
            struct ref_run low = ref_run_part(*run, run->start, va);

            *run = ref_run_part(*run, va, run->end);
            run_insert(space, i, low);
            return;
        }
    }
}

void ref_runs_clear(struct ref_space *space, uint64_t start, uint64_t end)
{
    unsigned kept = 0;

    split_at(space, start);
    split_at(space, end);
    for (unsigned i = 0; i < space->run_count; i++) {
        if (space->runs[i].start < start || space->runs[i].start >= end) {
            space->runs[kept++] = space->runs[i];
        }
    }
    space->run_count = kept;
}

/* Runs that are one in truth become one. */
static void join_runs(struct ref_space *space)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < space->run_count; i++) {
        struct ref_run *last = kept > 0 ? &space->runs[kept - 1] : NULL;
        const struct ref_run *run = &space->runs[i];

        if (last != NULL && last->end == run->start &&
            goes_on(&last->item, &run->item, run->start - last->start)) {
            last->end = run->end;
        } else {
            space->runs[kept++] = *run;
        }
    }
    space->run_count = kept;
}

static uint64_t stamp_at(uint64_t pa)
{
    uint64_t stamp;

    memcpy(&stamp, frame_bytes(frame_of((paddr_t){pa})), sizeof(stamp));
    return stamp;
}

void ref_put(unsigned hart, struct ref_space *space, uint64_t start, uint64_t end,
             struct ref_item item)
{
    unsigned at = 0;

    if (start == end) {
        return;
    }
    ref_runs_clear(space, start, end);
    while (at < space->run_count && space->runs[at].start < start) {
        at++;
    }
    run_insert(space, at, (struct ref_run){start, end, item});
    join_runs(space);
    for (unsigned page = ref_page_from(start); page < REF_PAGES && ref_va(page) < end; page++) {
        struct ref_item here = ref_item_at(&item, ref_va(page) - start);

        here.stamp = has_frame(&here) ? stamp_at(here.pa) : here.stamp;
        ref_set(hart, space, page, here);
    }
}

void ref_mark(unsigned hart, struct ref_space *space, uint64_t start, uint64_t end,
              struct vm_mark mark)
{
    ref_put(hart, space, start, end, ref_item_of_mark(mark, 0));
}

static struct ref_item with_rights(struct ref_item item, enum vm_prot prot)
{
    item.prop.prot = prot;
    if (has_frame(&item)) {
        item.kind = prot == VM_PROT_NONE ? VM_ITEM_HIDDEN : VM_ITEM_RAM;
    }
    return item;
}

void ref_rights_set(unsigned hart, struct ref_space *space, uint64_t start, uint64_t end,
                    enum vm_prot prot)
{
    split_at(space, start);
    split_at(space, end);
    for (unsigned i = 0; i < space->run_count; i++) {
        struct ref_run *run = &space->runs[i];

        if (run->start >= start && run->start < end && has_frame(&run->item)) {
            run->item = with_rights(run->item, prot);
        }
    }
    join_runs(space);
    for (unsigned page = ref_page_from(start); page < REF_PAGES && ref_va(page) < end; page++) {
        if (has_frame(&space->items[page]) || space->items[page].kind == VM_ITEM_IO) {
            ref_set(hart, space, page, with_rights(space->items[page], prot));
        }
    }
}

void ref_mark_protect(unsigned hart, struct ref_space *space, uint64_t start, uint64_t end,
                      enum vm_prot prot)
{
    split_at(space, start);
    split_at(space, end);
    for (unsigned i = 0; i < space->run_count; i++) {
        struct ref_run *run = &space->runs[i];

        if (run->start >= start && run->start < end && is_marked(&run->item) &&
            run->item.kind != VM_ITEM_GUARD) {
            run->item.prop.prot = prot;
        }
    }
    join_runs(space);
    for (unsigned page = ref_page_from(start); page < REF_PAGES && ref_va(page) < end; page++) {
        struct ref_item item = space->items[page];

        if (is_marked(&item) && item.kind != VM_ITEM_GUARD) {
            item.prop.prot = prot;
            ref_set(hart, space, page, item);
        }
    }
}

/* ---- looking ---- */

struct ref_item ref_at(const struct ref_space *space, uint64_t va)
{
    unsigned page = ref_page_from(align_down(va, PAGE_SIZE));

    if (page < REF_PAGES && ref_va(page) == align_down(va, PAGE_SIZE)) {
        return space->items[page];
    }
    for (unsigned i = 0; i < space->run_count; i++) {
        if (space->runs[i].start <= va && va < space->runs[i].end) {
            struct ref_item item = ref_item_at(&space->runs[i].item, va - space->runs[i].start);

            item.may_lack_a = true; /* nobody notes where it was taken between the pages */
            return item;
        }
    }
    return (struct ref_item){.kind = VM_ITEM_ABSENT};
}

uint64_t ref_next_edge(const struct ref_space *space, uint64_t va, uint64_t end)
{
    unsigned page = ref_page_from(va);
    uint64_t edge = end;

    if (page < REF_PAGES && ref_va(page) < edge) {
        edge = ref_va(page) == va ? va + PAGE_SIZE : ref_va(page);
    }
    for (unsigned i = 0; i < space->run_count; i++) {
        const struct ref_run *run = &space->runs[i];

        edge = run->start > va && run->start < edge ? run->start : edge;
        edge = run->end > va && run->end < edge ? run->end : edge;
    }
    return edge;
}

bool ref_is_uniform(const struct ref_space *space, uint64_t start, uint64_t end,
                    const struct ref_item *item)
{
    for (uint64_t va = start; va < end; va = ref_next_edge(space, va, end)) {
        struct ref_item here = ref_at(space, va);

        if (!goes_on(item, &here, va - start)) {
            return false;
        }
    }
    return true;
}

bool ref_has_large(const struct ref_space *space, uint64_t start, uint64_t end)
{
    for (unsigned i = 0; i < space->run_count; i++) {
        const struct ref_run *run = &space->runs[i];

        if (has_frame(&run->item) && run->start < end && start < run->end) {
            return true;
        }
    }
    return false;
}

bool ref_has_marks(const struct ref_space *space, uint64_t start, uint64_t end)
{
    for (uint64_t va = start; va < end; va = ref_next_edge(space, va, end)) {
        struct ref_item here = ref_at(space, va);

        if (is_marked(&here)) {
            return true;
        }
    }
    return false;
}

bool ref_is_taken(const struct ref_space *space, uint64_t start, uint64_t end)
{
    const struct ref_item nothing = {.kind = VM_ITEM_ABSENT};

    return !ref_is_uniform(space, start, end, &nothing);
}

uint64_t ref_first_view(const struct ref_space *space, uint64_t start, uint64_t end)
{
    for (uint64_t va = start; va < end; va = ref_next_edge(space, va, end)) {
        struct ref_item here = ref_at(space, va);

        if (here.kind != VM_ITEM_ABSENT && here.kind != VM_ITEM_GUARD &&
            here.share == VM_SHARE_VIEW) {
            return va;
        }
    }
    return end;
}
