/* SPDX-License-Identifier: MIT */
/* What the tests of memory objects share. */
#pragma once

#include <string.h>

#include "mm/mem_object.h"
#include "mm/vm_budget.h"
#include "support.h"

static inline struct vm_budget *budget_new(uint64_t frames)
{
    struct vm_budget *budget = NULL;

    EXPECT_OK(vm_budget_create(NULL, frames, &budget));
    return budget;
}

static inline uint64_t used(const struct vm_budget *budget)
{
    return vm_budget_state(budget).used;
}

static inline struct mem_object *object_new_in(struct vm_budget *budget, uint64_t pages)
{
    struct mem_object *object = NULL;

    EXPECT_OK(mem_object_create(budget, pages, 0, &object));
    return object;
}

static inline struct mem_object *object_new(uint64_t pages)
{
    return object_new_in(NULL, pages);
}

/* The frame of a page, made if it has none, without a reference. */
static inline struct frame *object_make(struct mem_object *object, uint64_t page)
{
    struct frame *frame = NULL;

    EXPECT_OK(mem_object_page_get(object, page, MEM_OBJECT_MAKE, &frame));
    frame_put(frame);
    return frame;
}

/* The same, NULL if it has none. */
static inline struct frame *object_look(struct mem_object *object, uint64_t page)
{
    struct frame *frame = NULL;
    status_t status = mem_object_page_get(object, page, MEM_OBJECT_LOOK, &frame);

    if (status == OK) {
        frame_put(frame);
        return frame;
    }
    EXPECT_STATUS(status, ERR_NOENT);
    cr_assert(frame == NULL);
    return NULL;
}

static inline void expect_object(struct mem_object *object, uint64_t pages, uint64_t frames)
{
    struct mem_object_state state = mem_object_state(object);

    EXPECT_EQ(state.pages, pages);
    EXPECT_EQ(state.frames, frames);
}

/* A resize to its end; how many pieces it took. */
static inline unsigned object_resize(struct mem_object *object, uint64_t pages)
{
    unsigned pieces = 1;
    status_t status;

    while ((status = mem_object_resize(object, pages)) == ERR_AGAIN) {
        pieces++;
    }
    EXPECT_OK(status);
    return pieces;
}
