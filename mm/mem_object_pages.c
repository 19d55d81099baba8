/* SPDX-License-Identifier: MIT */
/*
 * Memory objects: their pages.
 *
 * What a page needs is got without the lock: frames have to be zeroed, and budgets have words of
 * their own.  Under the lock is seen whether the page still lacks it.  Who comes second takes what
 * is there and gives his own back.
 *
 * Of an object of level 1 the tree holds blocks by number, each with one reference of its level; a
 * page is a slice of one.
 */
#include "lib/string.h"
#include "mem_object_priv.h"
#include "mm/frame_block.h"

/* What a page is made of, charged; and what is wanted of it. */
struct supply {
    uint64_t page;
    unsigned level;              /* of the reference that is wanted: 0, or the object's */
    struct frame *frame;         /* of an object of level 0                             */
    struct frame_making *making; /* of another: its block is ready                      */
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

/* Makes the supply `need` tables at least.  ERR_NOMEM: it has less. */
static status_t supply_tables(struct supply *supply, struct vm_budget *budget, unsigned need)
{
    status_t status = OK;

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

/* Gives back what was not used; a block stays with who makes it. */
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

/* The frame of a page of an object whose memory comes in blocks; NULL: it has none. */
__attribute__((noinline)) static struct frame *find_in_block(struct mem_object *object,
                                                             uint64_t page)
{
    uint64_t frames = frame_block_frames(object->level);
    struct frame *block = mem_tree_find(&object->tree, page / frames);

    return block != NULL ? block + page % frames : NULL;
}

/* The page's frame with a reference of level 0, or its block with one of the object's level, if it
 * has one. */
static inline status_t look_locked(struct mem_object *object, uint64_t page, unsigned level,
                                   struct frame **out)
{
    struct frame *found;

    if (page >= object->pages) {
        return ERR_RANGE;
    }
    found = object->level == 0 ? mem_tree_find(&object->tree, page) : find_in_block(object, page);
    if (found == NULL) {
        return ERR_NOENT;
    }
    if (level > 0) {
        found -= page % frame_block_frames(level);
        frame_block_get(found, level);
    } else {
        frame_get(found);
    }
    *out = found;
    return OK;
}

/* The same; if it has none, the supply's, put there with tables from the supply.  ERR_AGAIN: there
 * must be *need tables. */
static status_t make_locked(struct mem_object *object, struct supply *supply, unsigned *need,
                            struct frame **out)
{
    uint64_t frames = frame_block_frames(object->level);
    status_t status = look_locked(object, supply->page, supply->level, out);
    struct frame *made = supply->frame;

    if (status != ERR_NOENT) {
        return status;
    }
    *need = mem_tree_need(&object->tree, supply->page / frames);
    if (supply->count < *need) {
        return ERR_AGAIN;
    }
    if (supply->making != NULL) {
        made = frame_making_take_charged(supply->making);
    }
    supply->frame = NULL;
    supply->count -= *need;
    mem_tree_put(&object->tree, supply->page / frames, made, &supply->tables[supply->count]);
    object->frames += frames;
    return look_locked(object, supply->page, supply->level, out);
}

/* Makes the page; the supply is used up. */
static status_t make(struct mem_object *object, struct supply *supply, struct frame **out)
{
    unsigned need = 0;
    status_t status;

    do {
        status = supply_tables(supply, object->budget, need);
        if (status == OK) {
            spinlock_acquire(&object->lock);
            status = make_locked(object, supply, &need, out);
            spinlock_release(&object->lock);
        }
    } while (status == ERR_AGAIN);
    supply_drop(supply, object->budget);
    return status;
}

status_t mem_object_block_get(struct mem_object *object, uint64_t page, enum mem_object_get how,
                              struct frame_making *making, struct frame **block)
{
    struct supply supply = {.page = page, .level = object->level, .making = making};
    status_t status;

    if (object->level == 0) {
        return mem_object_page_get(object, page, how, block);
    }
    spinlock_acquire(&object->lock);
    status = look_locked(object, page, object->level, block);
    spinlock_release(&object->lock);
    if (status != ERR_NOENT || how == MEM_OBJECT_LOOK) {
        return status;
    }
    if (!frame_making_is_ready(making, object->level, object->budget)) {
        frame_making_want(making, object->level, object->budget);
        return ERR_AGAIN;
    }
    return make(object, &supply, block);
}

/* A page of an object whose memory comes in blocks: the block is made on the spot. */
static status_t make_slice(struct mem_object *object, uint64_t page, struct frame **frame)
{
    struct frame_making making = {0};
    struct supply supply = {.page = page, .making = &making};
    status_t status;

    frame_making_want(&making, object->level, object->budget);
    do {
        status = frame_making_step(&making);
    } while (status == ERR_AGAIN);
    if (status == OK) {
        status = make(object, &supply, frame);
    }
    frame_making_drop(&making);
    return status;
}

/* Not inline: most pages that are asked for have a frame. */
__attribute__((noinline)) static status_t make_page(struct mem_object *object, uint64_t page,
                                                    struct frame **frame)
{
    struct supply supply = {.page = page};
    status_t status;

    if (object->level > 0) {
        return make_slice(object, page, frame);
    }
    status = take_frame(object->budget, FRAME_USER, &supply.frame);
    return status == OK ? make(object, &supply, frame) : status;
}

status_t mem_object_page_get(struct mem_object *object, uint64_t page, enum mem_object_get how,
                             struct frame **frame)
{
    status_t status;

    spinlock_acquire(&object->lock);
    status = look_locked(object, page, 0, frame);
    spinlock_release(&object->lock);
    return status == ERR_NOENT && how == MEM_OBJECT_MAKE ? make_page(object, page, frame) : status;
}
