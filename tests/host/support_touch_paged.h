/* SPDX-License-Identifier: MIT */
/* What the tests of touching pages of objects share: a world where some pages are an object's, and
 * touching them. */
#pragma once

#include "mm/cursor_priv.h"
#include "mm/vm_fault.h"
#include "support_paged.h"
#include "support_touch.h"

#define PAGES 512U

/* [BASE, BASE + 8 pages) means the first pages of the object. */
static inline struct world world_of(struct mem_object **object, unsigned levels, enum vm_prot prot,
                                    enum vm_share share)
{
    struct world world = world_with_a_table(levels);

    *object = object_new(PAGES);
    mark_at(&world, BASE, 8 * PAGE_SIZE, paged(*object, 0, share, prot));
    return world;
}

static inline void finish(struct world *world, struct mem_object *object)
{
    world_check(world);
    mem_object_put(object);
    world_end(world);
}

static inline enum vm_fault_result fault(const struct world *world, uint64_t at,
                                         enum vm_access access)
{
    return vm_space_fault(world->space, va(at), access);
}

/* Touches for somebody who fills the page, whatever it permits; how user_read_to_page does it. */
static inline status_t fill(const struct world *world, uint64_t at)
{
    struct vm_cursor cursor = {0};
    pte_t entry;
    status_t status;

    EXPECT_OK(vm_cursor_open(&cursor, world->space, va_span(at, PAGE_SIZE), VM_CURSOR_EDIT));
    status = cursor_touch_status(cursor_touch(&cursor, TOUCH_TO_FILL, &entry));
    vm_cursor_close(&cursor);
    return status;
}

static inline void fill_frame(struct frame *frame, unsigned char byte)
{
    memset(frame_bytes(frame), byte, PAGE_SIZE);
}
