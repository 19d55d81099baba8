/* SPDX-License-Identifier: MIT */
/* Memory objects as programs hold them: each has one reference of mm's for all of its handles. */
#include "kernel/memory_object.h"

#include "kernel/sched.h"
#include "kernel/thread.h"
#include "mm/slab.h"
#include "mm/vm_space.h"

static struct slab_cache memory_cache =
    SLAB_CACHE_INIT(memory_cache, "memory_object", sizeof(struct memory_object));

status_t memory_object_create(uint64_t pages, unsigned level, struct memory_object **out)
{
    struct memory_object *memory = slab_alloc(&memory_cache);
    status_t status;

    if (memory == NULL) {
        return ERR_NOMEM;
    }
    status = mem_object_create(vm_space_budget(vm_space_active()), pages, level, &memory->memory);
    if (status != OK) {
        slab_free(&memory_cache, memory);
        return status;
    }
    object_init(&memory->object, HANDLE_MEMORY);
    *out = memory;
    return OK;
}

status_t memory_object_prepare(struct memory_object *memory, uint64_t page)
{
    struct frame_making *making = &sched_current()->making;
    unsigned level = mem_object_level(memory->memory);
    struct frame *block;
    status_t status;

    if (level == 0) {
        return OK;
    }
    status = mem_object_block_get(memory->memory, page, MEM_OBJECT_MAKE, making, &block);
    if (status == OK) {
        frame_block_put(block, level);
    } else if (status == ERR_AGAIN) {
        status = frame_making_step(making);
        status = status == OK ? ERR_AGAIN : status; /* the object takes it then */
    }
    if (status != ERR_AGAIN) {
        frame_making_drop(making); /* somebody else may have made it meanwhile */
    }
    return status;
}

void memory_object_destroy(struct memory_object *memory)
{
    mem_object_put(memory->memory);
    slab_free(&memory_cache, memory);
}
