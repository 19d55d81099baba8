/* SPDX-License-Identifier: MIT */
/*
 * Memory objects in the reference: how large each is, and which of its pages are known to have
 * which frame.  A page is known from the first entry, or answer, that has led to it; its first word
 * is a stamp, and stays what it is while nobody writes.
 */
#include <string.h>

#include "arch_host/arch_host.h"
#include "mm/frame_block.h"
#include "world/ref.h"

#define PAGES_MAX 512U

static struct {
    struct ref_object rows[REF_OBJECTS];
    unsigned created;
    struct ref_object_page pages[PAGES_MAX];
    unsigned page_count;
    uint64_t now;
} objects;

void ref_object_reset(void)
{
    objects.created = 0;
    objects.page_count = 0;
    objects.now = 0;
}

struct ref_object *ref_object_add(struct mem_object *object, uint64_t pages, unsigned level)
{
    struct ref_object *row = &objects.rows[objects.created];

    if (objects.created == REF_OBJECTS) {
        return NULL;
    }
    objects.created++;
    *row = (struct ref_object){.object = object, .refs = 1, .pages = pages, .level = level};
    return row;
}

/* The record may have been another object's before: the newest row counts. */
struct ref_object *ref_object_of(const struct mem_object *object)
{
    for (unsigned i = objects.created; i > 0; i--) {
        if (objects.rows[i - 1].object == object) {
            return &objects.rows[i - 1];
        }
    }
    return NULL;
}

bool ref_object_may_differ(const struct ref_object *object, unsigned changes)
{
    return object->is_changing > 0 || object->changes != changes;
}

/* ---- pages ---- */

struct ref_object_page *ref_object_page(const struct mem_object *object, uint64_t page)
{
    const struct ref_object *row = ref_object_of(object);

    for (unsigned i = 0; i < objects.page_count; i++) {
        struct ref_object_page *known = &objects.pages[i];

        if (known->object == row && row != NULL && known->page == page) {
            return known;
        }
    }
    return NULL;
}

bool ref_object_may_lie(const struct mem_object *object, uint64_t page, uint64_t pages, uint64_t pa)
{
    const struct ref_object *row = ref_object_of(object);

    for (unsigned i = 0; i < objects.page_count; i++) {
        const struct ref_object_page *known = &objects.pages[i];

        if (known->object == row && row != NULL && known->page - page < pages &&
            !known->is_uncertain && known->pa != pa + (known->page - page) * PAGE_SIZE) {
            return false;
        }
    }
    return true;
}

static uint64_t stamp_at(uint64_t pa)
{
    uint64_t stamp;

    memcpy(&stamp, frame_bytes(frame_of((paddr_t){pa})), sizeof(stamp));
    return stamp;
}

void ref_object_page_seen(const struct mem_object *object, uint64_t page, uint64_t pa)
{
    struct ref_object_page *known = ref_object_page(object, page);
    struct ref_object *row = ref_object_of(object);
    unsigned at = 0;

    if (known != NULL && known->pa == pa && known->stamp == stamp_at(pa)) {
        known->is_uncertain = row->is_changing > 0;
        return;
    }
    while (known == NULL && at < objects.page_count && objects.pages[at].object != NULL) {
        at++;
    }
    if (at == PAGES_MAX) {
        host_fail("more pages of objects than the reference has room for");
    }
    objects.page_count += known == NULL && at == objects.page_count ? 1 : 0;
    known = known == NULL ? &objects.pages[at] : known;
    objects.now++;
    *known = (struct ref_object_page){.object = row,
                                      .is_uncertain = row->is_changing > 0,
                                      .page = page,
                                      .pa = pa,
                                      .stamp = stamp_at(pa),
                                      .made = objects.now,
                                      .changed = objects.now};
}

void ref_object_cut_begin(struct ref_object *object, uint64_t page)
{
    for (unsigned i = 0; i < objects.page_count; i++) {
        struct ref_object_page *known = &objects.pages[i];

        known->is_uncertain |= known->object == object && known->page >= page;
    }
}

void ref_object_cut(struct ref_object *object, uint64_t page)
{
    for (unsigned i = 0; i < objects.page_count; i++) {
        if (objects.pages[i].object == object && objects.pages[i].page >= page) {
            objects.pages[i].object = NULL;
        }
    }
    objects.now++;
}

uint64_t ref_object_now(void)
{
    return objects.now;
}

void ref_object_stamp_set(uint64_t pa, uint64_t stamp)
{
    for (unsigned i = 0; i < objects.page_count; i++) {
        struct ref_object_page *known = &objects.pages[i];

        if (known->object != NULL && known->pa == pa) {
            known->stamp = stamp;
            known->changed = ++objects.now;
        }
    }
}

bool ref_object_has_frame(uint64_t pa)
{
    for (unsigned i = 0; i < objects.page_count; i++) {
        const struct ref_object_page *known = &objects.pages[i];

        if (known->object != NULL && known->object->refs > 0 && !known->is_uncertain &&
            known->pa == pa) {
            return true;
        }
    }
    return false;
}

/* True if others name the page too, or what is in one block with it. */
static bool is_borrowed(const struct ref_object_page *known)
{
    uint64_t pa = align_down(known->pa, frame_block_frames(known->object->level) * PAGE_SIZE);

    return !frame_block_has_one_ref(frame_of((paddr_t){pa}), known->object->level);
}

/* How many pages from `page` on have, or had, frames that others name too. */
struct borrowed {
    unsigned certain, uncertain;
};

static struct borrowed count_borrowed(const struct ref_object *object, uint64_t page)
{
    struct borrowed count = {0};

    for (unsigned i = 0; i < objects.page_count; i++) {
        const struct ref_object_page *known = &objects.pages[i];

        if (known->object == object && known->page >= page && is_borrowed(known)) {
            count.certain += known->is_uncertain ? 0 : 1;
            count.uncertain += known->is_uncertain ? 1 : 0;
        }
    }
    return count;
}

bool ref_object_is_borrowed(const struct ref_object *object, uint64_t page)
{
    return count_borrowed(object, page).certain > 0;
}

bool ref_object_may_be_borrowed(const struct ref_object *object, uint64_t page)
{
    struct borrowed count = count_borrowed(object, page);

    return count.certain + count.uncertain > 0;
}

/* ---- who names it ---- */

static bool names(const struct ref_item *item, const struct ref_object *object)
{
    return item->kind == VM_ITEM_PAGED && item->object == object->object;
}

bool ref_object_is_named(const struct ref_object *object, uint64_t page)
{
    for (unsigned i = 0; i < REF_SPACES * REF_PAGES; i++) {
        const struct ref_space *space = ref_space_row(i / REF_PAGES);
        unsigned at = i % REF_PAGES;
        const struct ref_item *item = &space->items[at];

        if (space->space != NULL && (space->unsteady >> at & 1U) == 0 &&
            !ref_touch_has(space, at) && names(item, object) && item->object_page >= page) {
            return true;
        }
    }
    return false;
}

static bool space_uses(const struct ref_space *space, const struct ref_object *object)
{
    bool uses = false;

    for (unsigned page = 0; page < REF_PAGES; page++) {
        uses |= names(&space->items[page], object);
    }
    for (unsigned i = 0; i < space->run_count; i++) {
        uses |= names(&space->runs[i].item, object);
    }
    return uses;
}

bool ref_object_is_used(const struct ref_object *object)
{
    for (unsigned row = 0; row < REF_SPACES; row++) {
        const struct ref_space *space = ref_space_row(row);

        if (space->space != NULL && space_uses(space, object)) {
            return true;
        }
    }
    return false;
}
