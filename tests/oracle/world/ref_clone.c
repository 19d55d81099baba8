/* SPDX-License-Identifier: MIT */
/*
 * Clones and moves in the reference.  After a clone both spaces hold the same frames, and no
 * program's store may land in a private frame that another page names, for it would show there.
 * Only while a clone is under way its source may still be stored to: hardware has not been told
 * yet.
 */
#include <string.h>

#include "arch_host/arch_host.h"
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

/* The page of the universe that lies there; REF_PAGES: none. */
static unsigned page_at(uint64_t va)
{
    unsigned page = ref_page_from(va);

    return page < REF_PAGES && ref_va(page) == va ? page : REF_PAGES;
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
        struct ref_item item;

        if (ref_va(page) - clone->target >= clone->end - clone->start) {
            continue;
        }
        item = ref_at(clone->from, clone->start + (ref_va(page) - clone->target));
        if (item.kind == VM_ITEM_RAM || (item.kind == VM_ITEM_IO && moves)) {
            ref_announce(hart, clone->to, page, item);
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

/* ---- pieces: what lies between pages of the universe, and those pages ---- */

static struct {
    unsigned count;
    struct ref_run at[2 * REF_RUNS + REF_PAGES];
} pieces;

static void piece_add(uint64_t start, uint64_t end, struct ref_item item)
{
    if (start < end && item.kind != VM_ITEM_ABSENT) {
        if (pieces.count == sizeof(pieces.at) / sizeof(pieces.at[0])) {
            host_fail("more pieces of a clone than the reference has room for");
        }
        pieces.at[pieces.count++] = (struct ref_run){start, end, item};
    }
}

/* A run, without the pages of the universe that it reaches over. */
static void run_cut(struct ref_run run)
{
    for (unsigned page = ref_page_from(run.start); page < REF_PAGES && ref_va(page) < run.end;
         page++) {
        piece_add(run.start, ref_va(page), run.item);
        run = ref_run_part(run, ref_va(page) + PAGE_SIZE, run.end);
    }
    piece_add(run.start, run.end, run.item);
}

/* All that lies below `end`. */
static void collect(const struct ref_clone *clone, uint64_t end)
{
    pieces.count = 0;
    for (unsigned i = 0; i < clone->from->run_count; i++) {
        struct ref_run run = ref_run_part(clone->from->runs[i], clone->start, end);

        if (run.start < run.end) {
            run_cut(run);
        }
    }
    for (unsigned page = 0; page < REF_PAGES; page++) {
        if (is_in(clone, page) && ref_va(page) < end) {
            piece_add(ref_va(page), ref_va(page) + PAGE_SIZE, item_there(clone, page));
        }
    }
}

bool ref_clone_fits(const struct ref_clone *clone, uint64_t end)
{
    collect(clone, end);
    for (unsigned i = 0; i < pieces.count; i++) {
        const struct ref_run *piece = &pieces.at[i];

        if (ref_is_taken(clone->to, va_there(clone, piece->start), va_there(clone, piece->end))) {
            return false;
        }
    }
    return true;
}

unsigned ref_clone_misfit(const struct ref_clone *clone, unsigned first_io_page)
{
    for (unsigned page = 0; page < REF_PAGES; page++) {
        const struct ref_item *item = &clone->from->items[page];
        unsigned at = page_at(va_there(clone, ref_va(page)));

        if (is_in(clone, page) && item->kind == VM_ITEM_IO &&
            (at == REF_PAGES || at < first_io_page)) {
            return page;
        }
    }
    return REF_PAGES;
}

void ref_clone_done(unsigned hart, const struct ref_clone *clone, uint64_t end)
{
    collect(clone, end);
    for (unsigned i = 0; i < pieces.count; i++) {
        const struct ref_run *piece = &pieces.at[i];
        uint64_t there = va_there(clone, piece->start);
        unsigned page = page_at(there);

        if (page < REF_PAGES && piece->end - piece->start == PAGE_SIZE &&
            page_at(piece->start) < REF_PAGES) {
            ref_set(hart, clone->to, page, piece->item); /* with what is known of its D */
        } else {
            ref_put(hart, clone->to, there, va_there(clone, piece->end), piece->item);
        }
    }
    if (clone->kind == REF_MOVE) {
        ref_clear(hart, clone->from, clone->start, end);
    }
}

/* True if what an item of so many bytes holds is the frame at pa, privately. */
static bool is_private_at(const struct ref_item *item, uint64_t bytes, uint64_t pa)
{
    return has_frame(item) && item->is_private && pa - item->pa < bytes;
}

bool ref_is_moving(unsigned hart, uint64_t pa)
{
    const struct ref_clone *move = under_way[hart];

    if (move == NULL || move->kind != REF_MOVE) {
        return false;
    }
    for (unsigned page = 0; page < REF_PAGES; page++) {
        const struct ref_item *item = &move->from->items[page];

        if (is_in(move, page) && is_private_at(item, PAGE_SIZE, pa) &&
            (item->prop.prot & VM_W) != 0) {
            return true;
        }
    }
    for (unsigned i = 0; i < move->from->run_count; i++) {
        const struct ref_run *run = &move->from->runs[i];

        if (is_private_at(&run->item, run->end - run->start, pa) &&
            (run->item.prop.prot & VM_W) != 0) {
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

/* True if pages between those of the universe name the frame, privately. */
static bool runs_name(const struct ref_space *space, uint64_t pa)
{
    for (unsigned i = 0; i < space->run_count; i++) {
        const struct ref_run *run = &space->runs[i];
        uint64_t va = run->start + (pa - run->item.pa);

        if (is_private_at(&run->item, run->end - run->start, pa) && page_at(va) == REF_PAGES) {
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

        if (other->space != NULL && other->refs > 0 && other->unsteady == 0 &&
            runs_name(other, pa)) {
            return true;
        }

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
