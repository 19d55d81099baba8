/* SPDX-License-Identifier: MIT */
/* Memory objects as programs hold them. */
#include "kernel/memory_object.h"

#include "lib/assert.h"

void memory_object_destroy(struct memory_object *memory)
{
    PANIC("no memory object is made yet: %p", (void *)memory);
}
