/* SPDX-License-Identifier: MIT */
/* Memory objects: their life and their size. */
#include "mm/mem_object.h"

#include <stdatomic.h>

#include "lib/assert.h"
#include "mem_object_priv.h"
#include "mm/frame_block.h"
#include "mm/slab.h"

static struct slab_cache object_cache =
    SLAB_CACHE_INIT(object_cache, "mem_object", sizeof(struct mem_object));

_Static_assert(MEM_OBJECT_PAGES_MAX <= UINT64_C(1) << MEM_TREE_PAGE_BITS,
               "a tree holds any object");

static status_t check_size(uint64_t pages, unsigned level)
{
    if (pages > MEM_OBJECT_PAGES_MAX) {
        return ERR_RANGE;
    }
    return level <= MEM_OBJECT_LEVEL_MAX && is_aligned(pages, frame_block_frames(level))
               ? OK
               : ERR_INVAL;
}

status_t mem_object_create(struct vm_budget *budget, uint64_t pages, unsigned level,
                           struct mem_object **out)
{
    status_t status = check_size(pages, level);
    struct mem_object *object;

    if (status != OK) {
        return status;
    }
    if (vm_budget_charge(budget, 1) != OK) {
        return ERR_NOMEM;
    }
    object = slab_alloc(&object_cache);
    if (object == NULL) {
        vm_budget_release(budget, 1);
        return ERR_NOMEM;
    }
    spinlock_init(&object->lock, LOCK_MEM_OBJECT);
    object->pages = pages;
    object->level = level;
    object->budget = budget;
    atomic_init(&object->refs, 1);
    vm_budget_get(budget);
    *out = object;
    return OK;
}

void mem_object_free(struct mem_object *object)
{
    struct vm_budget *budget = object->budget;

    ASSERT(object->tree.top == NULL && object->frames == 0 && object->naming == 0);
    slab_free(&object_cache, object);
    vm_budget_release(budget, 1);
    vm_budget_put(budget);
}

void mem_object_get(struct mem_object *object)
{
    /* Relaxed: the caller has a reference already. */
    uint64_t before = atomic_fetch_add_explicit(&object->refs, 1, memory_order_relaxed);

    ASSERT(before != 0);
}

void mem_object_put(struct mem_object *object)
{
    uint64_t before;

    if (object == NULL) {
        return;
    }
    /* The last put acquires what all earlier ones released. */
    before = atomic_fetch_sub_explicit(&object->refs, 1, memory_order_acq_rel);
    ASSERT(before != 0);
    if (before == 1) {
        mem_object_park(object);
    }
}

struct mem_object_state mem_object_state(struct mem_object *object)
{
    struct mem_object_state state;

    spinlock_acquire(&object->lock);
    state = (struct mem_object_state){object->pages, object->frames};
    spinlock_release(&object->lock);
    return state;
}

status_t mem_object_cut(struct mem_object *object, struct mem_tree_cut *cut)
{
    uint64_t blocks = cut->blocks;
    unsigned tables = cut->tables;
    uint64_t frames;
    status_t status;

    cut->level = object->level;
    status = mem_tree_cut(&object->tree, cut);
    frames = (blocks - cut->blocks) * frame_block_frames(object->level);
    object->frames -= frames;
    vm_budget_release(object->budget, frames + tables - cut->tables);
    return status;
}

status_t mem_object_resize(struct mem_object *object, uint64_t pages)
{
    uint64_t each = frame_block_frames(object->level);
    /* To see if a block is nobody else's, each of its frames is looked at. */
    struct mem_tree_cut cut = {.end = pages / each,
                               .whose = MEM_TREE_OWN,
                               .blocks = object->level > 0 ? 1 : RECLAIM_LEAVES,
                               .tables = RECLAIM_TABLES};
    status_t status = check_size(pages, object->level);

    if (status != OK) {
        return status;
    }
    spinlock_acquire(&object->lock);
    cut.low = object->pages / each;
    if (pages < object->pages) {
        status = object->named_end > pages ? ERR_BUSY : mem_object_cut(object, &cut);
    }
    object->pages = status == OK ? pages : cut.low * each;
    spinlock_release(&object->lock);
    return status;
}

status_t mem_object_marked(struct mem_object *object, uint64_t end, unsigned is_first)
{
    status_t status = ERR_RANGE;

    spinlock_acquire(&object->lock);
    if (end <= object->pages) {
        object->named_end = object->named_end > end ? object->named_end : end;
        object->naming += is_first != 0 ? 1 : 0;
        status = OK;
    }
    spinlock_release(&object->lock);
    return status;
}

void mem_object_unmarked(struct mem_object *object)
{
    spinlock_acquire(&object->lock);
    ASSERT(object->naming > 0);
    object->naming--;
    if (object->naming == 0) {
        object->named_end = 0;
    }
    spinlock_release(&object->lock);
}

unsigned mem_object_level(const struct mem_object *object)
{
    return object->level;
}
