/* SPDX-License-Identifier: MIT */
/*
 * Object caches.
 *
 * A slab is one frame: a header, then objects.  Free objects are linked through their first word.
 * A slab with room stands in its cache's list; a full one stands nowhere and is found again through
 * the address of the object that comes back; an empty one is given back at once.
 */
#include "mm/slab.h"

#include "lib/assert.h"
#include "lib/string.h"
#include "mm/frame.h"

struct slab {
    struct list_node node;    /* (l) in the cache's partial list, if there is room */
    struct slab_cache *cache; /* (c)                                               */
    struct frame *frame;      /* (c)                                               */
    void *free;               /* (l) first free object                             */
    uint32_t used;            /* (l)                                               */
};

#define SLAB_HEADER_BYTES 64U

_Static_assert(sizeof(struct slab) <= SLAB_HEADER_BYTES, "the header leaves its room");

static struct slab *slab_of(void *object)
{
    return (struct slab *)((char *)object - ((uintptr_t)object & PAGE_MASK));
}

static uint32_t objects_in_slab(const struct slab_cache *cache)
{
    return (uint32_t)(PAGE_SIZE - SLAB_HEADER_BYTES) / cache->object_bytes;
}

/* A new slab with all objects free, in the partial list; NULL if there is no memory. */
static struct slab *slab_create(struct slab_cache *cache)
{
    struct frame *frame;
    struct slab *slab;
    char *object;

    if (frame_alloc(FRAME_SLAB, &frame) != OK) {
        return NULL;
    }
    slab = frame_bytes(frame);
    *slab = (struct slab){.cache = cache, .frame = frame};
    frame->slab = slab;
    object = (char *)slab + SLAB_HEADER_BYTES;
    for (uint32_t i = 0; i < objects_in_slab(cache); i++, object += cache->object_bytes) {
        *(void **)(void *)object = slab->free;
        slab->free = object;
    }
    list_push_back(&cache->partial, &slab->node);
    return slab;
}

void *slab_alloc(struct slab_cache *cache)
{
    struct slab *slab;
    void *object;

    ASSERT(cache->object_bytes <= SLAB_OBJECT_MAX);
    spinlock_acquire(&cache->lock);
    slab = list_is_empty(&cache->partial) ? slab_create(cache)
                                          : LIST_ENTRY(cache->partial.next, struct slab, node);
    if (slab == NULL) {
        spinlock_release(&cache->lock);
        return NULL;
    }
    object = slab->free;
    ASSERT(object != NULL);
    slab->free = *(void **)object;
    slab->used++;
    cache->live++;
    if (slab->free == NULL) {
        list_remove(&slab->node);
    }
    spinlock_release(&cache->lock);
    memset(object, 0, cache->object_bytes);
    return object;
}

void slab_free(struct slab_cache *cache, void *object)
{
    struct slab *slab = slab_of(object);

    spinlock_acquire(&cache->lock);
    ASSERT(slab->cache == cache && slab->used > 0);
    if (slab->free == NULL) {
        list_push_back(&cache->partial, &slab->node);
    }
    *(void **)object = slab->free;
    slab->free = object;
    slab->used--;
    cache->live--;
    if (slab->used == 0) {
        list_remove(&slab->node);
        frame_put(slab->frame);
    }
    spinlock_release(&cache->lock);
}
