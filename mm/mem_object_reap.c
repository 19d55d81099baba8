/* SPDX-License-Identifier: MIT */
/*
 * The end of memory objects.
 *
 * The last reference may go under the locks of nodes, and an object may have any size, so it is put
 * by, through its own record, and taken apart in pieces (vm_space_reap).  Nobody can meet it any
 * more: who finds an object without a lock has a reference.
 */
#include "mem_object_priv.h"

static struct {
    struct spinlock lock;    /* rank LOCK_REAP   */
    struct mem_object *dead; /* (l)              */
} reap = {.lock = SPINLOCK_INIT(LOCK_REAP)};

static void push(struct mem_object *object)
{
    spinlock_acquire(&reap.lock);
    object->next = reap.dead;
    reap.dead = object;
    spinlock_release(&reap.lock);
}

static struct mem_object *pop(void)
{
    struct mem_object *object;

    spinlock_acquire(&reap.lock);
    object = reap.dead;
    if (object != NULL) {
        reap.dead = object->next;
    }
    spinlock_release(&reap.lock);
    return object;
}

void mem_object_park(struct mem_object *object)
{
    reclaim_begin();
    push(object);
}

/* True if the object is gone. */
static bool take_apart(struct mem_object *object, struct reclaim_budget *budget)
{
    struct mem_tree_cut cut = {
        .whose = MEM_TREE_ANY, .blocks = budget->leaves, .tables = budget->tables};
    status_t status = mem_object_cut(object, &cut);

    budget->leaves = cut.blocks;
    budget->tables = cut.tables;
    if (status != OK) {
        push(object);
        return false;
    }
    mem_object_free(object);
    reclaim_end();
    return true;
}

bool mem_object_reap(struct reclaim_budget *budget)
{
    bool has_worked = false;
    struct mem_object *object;

    while (budget->tables > 0 && budget->leaves > 0 && (object = pop()) != NULL) {
        has_worked = true;
        budget->tables--; /* the record */
        if (!take_apart(object, budget)) {
            break;
        }
    }
    return has_worked;
}
