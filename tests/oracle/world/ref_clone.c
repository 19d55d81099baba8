/* SPDX-License-Identifier: MIT */
/*
 * Clones and moves in the reference.  After a clone both spaces hold the same frames, and no
 * program's store may land in a private frame that another page names, for it would show there.
 * Only while a clone is under way its source may still be stored to: hardware has not been told
 * yet.
 */
#include <string.h>

#include "world/ref.h"

static const struct ref_clone *under_way[HART_MAX];

void ref_clone_reset(void)
{
    memset(under_way, 0, sizeof(under_way));
}

static bool has_frame(const struct ref_item *item)
{
    return item->kind == VM_ITEM_RAM || item->kind == VM_ITEM_HIDDEN;
}

static bool is_in(const struct ref_clone *clone, unsigned page)
{
    return ref_va(page) >= clone->start && ref_va(page) < clone->end;
}

static uint64_t va_there(const struct ref_clone *clone, uint64_t va)
{
    return clone->target + (va - clone->start);
}

/* The page of the universe that this one becomes; REF_PAGES: none. */
static unsigned page_there(const struct ref_clone *clone, unsigned page)
{
    uint64_t va = va_there(clone, ref_va(page));
    unsigned at = ref_page_from(va);

    return at < REF_PAGES && ref_va(at) == va ? at : REF_PAGES;
}

void ref_clone_begin(unsigned hart, const struct ref_clone *clone)
{
    under_way[hart] = clone;
}

void ref_clone_announce(unsigned hart, struct ref_clone *clone)
{
    bool moves = clone->kind == REF_MOVE;

    memcpy(clone->before, clone->from->items, sizeof(clone->before));
    for (unsigned page = 0; page < REF_PAGES; page++) {
        if (is_in(clone, page) && (clone->before[page].kind == VM_ITEM_RAM ||
                                   (clone->before[page].kind == VM_ITEM_IO && moves))) {
            ref_announce(hart, clone->to, page_there(clone, page), clone->before[page]);
        }
    }
}

void ref_clone_end(unsigned hart)
{
    under_way[hart] = NULL;
}

/* The item that a clone of this page is to hold.  D may be older there than in the source; a page
 * that has moved takes it along. */
static struct ref_item item_there(const struct ref_clone *clone, unsigned page)
{
    struct ref_item item = clone->before[page];

    if (clone->kind == REF_MOVE) {
        return clone->from->items[page];
    }
    item.stamp = clone->from->items[page].stamp; /* perhaps of a store meanwhile */
    return item.kind == VM_ITEM_IO ? (struct ref_item){.kind = VM_ITEM_ABSENT} : item;
}

bool ref_clone_fits(const struct ref_clone *clone, uint64_t end)
{
    for (unsigned page = 0; page < REF_PAGES; page++) {
        uint64_t va = va_there(clone, ref_va(page));

        if (is_in(clone, page) && ref_va(page) < end &&
            item_there(clone, page).kind != VM_ITEM_ABSENT &&
            ref_is_taken(clone->to, va, va + PAGE_SIZE)) {
            return false;
        }
    }
    return true;
}

unsigned ref_clone_misfit(const struct ref_clone *clone, unsigned first_io_page)
{
    for (unsigned page = 0; page < REF_PAGES; page++) {
        const struct ref_item *item = &clone->from->items[page];
        unsigned at = page_there(clone, page);

        if (is_in(clone, page) &&
            (has_frame(item) || item->kind == VM_ITEM_IO || item->kind == VM_ITEM_SWAPPED) &&
            (at == REF_PAGES || (item->kind == VM_ITEM_IO && at < first_io_page))) {
            return page;
        }
    }
    return REF_PAGES;
}

/* Marks reach over pages; there the pages say what is there, and they come later. */
static void clone_runs(unsigned hart, const struct ref_clone *clone, uint64_t end)
{
    static struct ref_run runs[REF_RUNS]; /* both sides may be one space */
    unsigned count = clone->from->run_count;

    memcpy(runs, clone->from->runs, count * sizeof(runs[0]));
    for (unsigned i = 0; i < count; i++) {
        struct ref_run run = ref_run_part(runs[i], clone->start, end);

        if (run.start < run.end) {
            ref_mark(hart, clone->to, va_there(clone, run.start), va_there(clone, run.end),
                     run.mark);
        }
    }
}

void ref_clone_done(unsigned hart, const struct ref_clone *clone, uint64_t end)
{
    struct ref_item there[REF_PAGES];
    struct ref_item here[REF_PAGES];

    memcpy(there, clone->to->items, sizeof(there));
    for (unsigned page = 0; page < REF_PAGES; page++) {
        here[page] = item_there(clone, page);
    }
    clone_runs(hart, clone, end);
    for (unsigned page = 0; page < REF_PAGES; page++) {
        unsigned at = page_there(clone, page);

        if (is_in(clone, page) && ref_va(page) < end && at < REF_PAGES) {
            ref_set(hart, clone->to, at,
                    here[page].kind == VM_ITEM_ABSENT ? there[at] : here[page]);
        }
    }
    if (clone->kind == REF_MOVE) {
        ref_clear(hart, clone->from, clone->start, end);
    }
}

bool ref_is_moving(unsigned hart, uint64_t pa)
{
    const struct ref_clone *move = under_way[hart];

    for (unsigned page = 0; move != NULL && move->kind == REF_MOVE && page < REF_PAGES; page++) {
        const struct ref_item *item = &move->from->items[page];

        if (is_in(move, page) && item->kind == VM_ITEM_RAM && item->pa == pa && item->is_private &&
            (item->prop.prot & VM_W) != 0) {
            return true;
        }
    }
    return false;
}

static bool may_be_late(const struct ref_space *space, unsigned page)
{
    for (unsigned hart = 0; hart < HART_MAX; hart++) {
        if (under_way[hart] != NULL && under_way[hart]->from == space &&
            is_in(under_way[hart], page)) {
            return true;
        }
    }
    return false;
}

bool ref_store_shows(const struct ref_space *space, unsigned page, uint64_t pa)
{
    bool may = space->items[page].is_shared || may_be_late(space, page);

    if (space->items[page].pa != pa) {
        return false; /* by an entry that an operation under way has taken away, or is bringing */
    }
    if (space->items[page].is_private && ref_object_has_frame(pa)) {
        return true;
    }
    for (unsigned i = 0; i < REF_SPACES && !may; i++) {
        const struct ref_space *other = ref_space_row(i);

        for (unsigned at = 0; other->space != NULL && other->refs > 0 && at < REF_PAGES; at++) {
            const struct ref_item *item = &other->items[at];

            if (!(other == space && at == page) && has_frame(item) && item->pa == pa &&
                item->is_private && (other->unsteady >> at & 1U) == 0) {
                return true;
            }
        }
    }
    return false;
}
