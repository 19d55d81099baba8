/* SPDX-License-Identifier: MIT */
/*
 * Caches of equal kernel objects, carved from single frames.
 *
 * An empty frame goes back to the frame allocator at once, so that "all frames are back" can be
 * tested exactly.  Objects come zeroed.
 */
#pragma once

#include "lib/list.h"
#include "lib/spinlock.h"
#include "lib/types.h"

struct slab_cache {
    struct spinlock lock;     /* rank LOCK_SLAB                        */
    struct list_node partial; /* (l) slabs with room                   */
    const char *name;         /* (c)                                   */
    uint32_t object_bytes;    /* (c) rounded up to 16                  */
    uint32_t live;            /* (l) objects handed out                */
};

#define SLAB_CACHE_INIT(cache, cache_name, bytes)                                                  \
    {                                                                                              \
        .lock = SPINLOCK_INIT(LOCK_SLAB), .partial = LIST_INIT((cache).partial),                   \
        .name = (cache_name), .object_bytes = ((bytes) + 15U) & ~15U                               \
    }

#define SLAB_OBJECT_MAX 2000U

/* A zeroed object, 16-byte aligned, or NULL if there is no memory.  object_bytes is not more than
 * SLAB_OBJECT_MAX.
 * Context: any below LOCK_SLAB. */
void *slab_alloc(struct slab_cache *cache);

/* Gives an object of this cache back. */
void slab_free(struct slab_cache *cache, void *object);
