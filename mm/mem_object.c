/* SPDX-License-Identifier: MIT */
/*
 * Memory objects: their life and their pages.
 *
 * What a page needs is got without the lock: frames have to be zeroed, and budgets have words of
 * their own.  Under the lock is seen whether the page still lacks it.  Who comes second takes what
 * is there and gives his own back.
 */
#include "mm/mem_object.h"

#include <stdatomic.h>

#include "lib/assert.h"
#include "lib/string.h"
#include "mem_object_priv.h"
#include "mm/slab.h"

static struct slab_cache object_cache =
    SLAB_CACHE_INIT(object_cache, "mem_object", sizeof(struct mem_object));

_Static_assert(MEM_OBJECT_PAGES_MAX <= UINT64_C(1) << MEM_TREE_PAGE_BITS,
               "a tree holds any object");

status_t mem_object_create(struct vm_budget *budget, uint64_t pages, unsigned level,
                           struct mem_object **out)
{
    struct mem_object *object;

    if (level > 0) { /* placeholder */
        return ERR_INVAL;
    }
    if (pages > MEM_OBJECT_PAGES_MAX) {
        return ERR_RANGE;
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

/* What a page is made of, charged. */
struct supply {
    struct frame *frame;
    struct frame *tables[MEM_TREE_NEED_MAX];
    unsigned count; /* of tables */
};

static status_t take_frame(struct vm_budget *budget, enum frame_type type, struct frame **out)
{
    status_t status = vm_budget_charge(budget, 1);

    if (status == OK) {
        status = frame_alloc(type, out);
        if (status != OK) {
            vm_budget_release(budget, 1);
        }
    }
    return status;
}

/* Makes the supply a frame and `need` tables at least.  ERR_NOMEM: it has less. */
static status_t supply_fill(struct supply *supply, struct vm_budget *budget, unsigned need)
{
    status_t status = OK;

    if (supply->frame == NULL) {
        status = take_frame(budget, FRAME_USER, &supply->frame);
    }
    while (status == OK && supply->count < need) {
        struct frame **table = &supply->tables[supply->count];

        status = take_frame(budget, FRAME_KERNEL, table);
        if (status == OK) {
            memset(frame_bytes(*table), 0, PAGE_SIZE);
            supply->count++;
        }
    }
    return status;
}

/* Gives back what was not used. */
static void supply_drop(struct supply *supply, struct vm_budget *budget)
{
    while (supply->count > 0) {
        frame_put(supply->tables[--supply->count]);
        vm_budget_release(budget, 1);
    }
    if (supply->frame != NULL) {
        frame_put(supply->frame);
        vm_budget_release(budget, 1);
    }
}

/* The page's frame with a reference, if it has one. */
static status_t look_locked(struct mem_object *object, uint64_t page, struct frame **frame)
{
    struct frame *found;

    if (page >= object->pages) {
        return ERR_RANGE;
    }
    found = mem_tree_find(&object->tree, page);
    if (found == NULL) {
        return ERR_NOENT;
    }
    frame_get(found);
    *frame = found;
    return OK;
}

/* The same; if it has none, the supply's, put there with tables from the supply.  ERR_AGAIN: there
 * must be *need tables. */
static status_t make_locked(struct mem_object *object, uint64_t page, struct supply *supply,
                            unsigned *need, struct frame **frame)
{
    status_t status = look_locked(object, page, frame);

    if (status != ERR_NOENT) {
        return status;
    }
    *need = mem_tree_need(&object->tree, page);
    if (supply->count < *need) {
        return ERR_AGAIN;
    }
    supply->count -= *need;
    mem_tree_put(&object->tree, page, supply->frame, &supply->tables[supply->count]);
    object->frames++;
    frame_get(supply->frame);
    *frame = supply->frame;
    supply->frame = NULL;
    return OK;
}

/* Not inline: most pages that are asked for have a frame. */
__attribute__((noinline)) static status_t make_page(struct mem_object *object, uint64_t page,
                                                    struct frame **frame)
{
    struct supply supply = {0};
    unsigned need = 0;
    status_t status;

    do {
        status = supply_fill(&supply, object->budget, need);
        if (status == OK) {
            spinlock_acquire(&object->lock);
            status = make_locked(object, page, &supply, &need, frame);
            spinlock_release(&object->lock);
        }
    } while (status == ERR_AGAIN);
    supply_drop(&supply, object->budget);
    return status;
}

status_t mem_object_page_get(struct mem_object *object, uint64_t page, enum mem_object_get how,
                             struct frame **frame)
{
    status_t status;

    spinlock_acquire(&object->lock);
    status = look_locked(object, page, frame);
    spinlock_release(&object->lock);
    return status == ERR_NOENT && how == MEM_OBJECT_MAKE ? make_page(object, page, frame) : status;
}

status_t mem_object_cut(struct mem_object *object, struct mem_tree_cut *cut)
{
    unsigned frames = cut->frames;
    unsigned tables = cut->tables;
    status_t status = mem_tree_cut(&object->tree, cut);

    frames -= cut->frames;
    object->frames -= frames;
    vm_budget_release(object->budget, frames + tables - cut->tables);
    return status;
}

status_t mem_object_resize(struct mem_object *object, uint64_t pages)
{
    struct mem_tree_cut cut = {
        .end = pages, .whose = MEM_TREE_OWN, .frames = RECLAIM_LEAVES, .tables = RECLAIM_TABLES};
    status_t status = OK;

    if (pages > MEM_OBJECT_PAGES_MAX) {
        return ERR_RANGE;
    }
    spinlock_acquire(&object->lock);
    cut.low = object->pages;
    if (pages < object->pages) {
        status = object->named_end > pages ? ERR_BUSY : mem_object_cut(object, &cut);
    }
    object->pages = status == OK ? pages : cut.low;
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
    (void)object;
    return 0;
}

status_t mem_object_block_get(struct mem_object *object, uint64_t page, enum mem_object_get how,
                              struct frame_making *making, struct frame **block)
{
    (void)making;
    return mem_object_page_get(object, page, how, block);
}
