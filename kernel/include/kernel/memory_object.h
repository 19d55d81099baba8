/* SPDX-License-Identifier: MIT */
/* Memory objects as programs hold them: the object that a handle names, around one of mm's. */
#pragma once

#include "kernel/object.h"
#include "mm/mem_object.h"

struct memory_object {
    struct object object;
    struct mem_object *memory; /* (c) with a reference */
};

/* A new one of so many pages, charged to the budget of the space that is active here.  Errors of
 * mem_object_create. */
status_t memory_object_create(uint64_t pages, struct memory_object **out);

/* The last reference has gone. */
void memory_object_destroy(struct memory_object *memory);
