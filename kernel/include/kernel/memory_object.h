/* SPDX-License-Identifier: MIT */
/* Memory objects as programs hold them: the object that a handle names, around one of mm's. */
#pragma once

#include "kernel/object.h"
#include "mm/mem_object.h"

struct memory_object {
    struct object object;
    struct mem_object *memory; /* (c) with a reference */
};

/* A new one of so many pages, whose memory comes in blocks of `level`, charged to the budget of the
 * space that is active here.  Errors of mem_object_create. */
status_t memory_object_create(uint64_t pages, unsigned level, struct memory_object **out);

/* For the thread that runs here, before it asks for the memory of a page: if that comes in blocks,
 * and there is none yet, it is made, a piece a call.  ERR_AGAIN: call again; else OK, or an error
 * of mem_object_block_get.  Context: no lock held, no cursor open. */
status_t memory_object_prepare(struct memory_object *memory, uint64_t page);

/* The last reference has gone. */
void memory_object_destroy(struct memory_object *memory);
