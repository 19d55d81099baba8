/* SPDX-License-Identifier: MIT */
/*
 * Budgets.  A charge goes up the chain of budgets, at most VM_BUDGET_DEPTH of them; if one refuses,
 * those below it are given back.  Each is one word that harts add to: no lock.
 */
#include "mm/vm_budget.h"

#include "arch/shared.h"
#include "lib/assert.h"
#include "mm/slab.h"

#define VM_BUDGET_DEPTH 4U

/* Fields: (c) constant, (a) atomic. */
struct vm_budget {
    struct vm_budget *parent; /* (c) with a reference; NULL: none */
    unsigned depth;           /* (c) 1: without a parent          */
    struct shared used;       /* (a) frames                       */
    struct shared limit;      /* (a) frames                       */
    struct shared refs;       /* (a) spaces, processes, children  */
};

static struct slab_cache budget_cache =
    SLAB_CACHE_INIT(budget_cache, "vm_budget", sizeof(struct vm_budget));

status_t vm_budget_create(struct vm_budget *parent, uint64_t frames, struct vm_budget **out)
{
    unsigned depth = parent != NULL ? parent->depth + 1 : 1;
    struct vm_budget *budget;

    if (depth > VM_BUDGET_DEPTH) {
        return ERR_RANGE;
    }
    budget = slab_alloc(&budget_cache);
    if (budget == NULL) {
        return ERR_NOMEM;
    }
    if (parent != NULL) {
        vm_budget_get(parent);
    }
    budget->parent = parent;
    budget->depth = depth;
    /* Relaxed: nobody else knows it yet. */
    shared_store(&budget->used, 0, memory_order_relaxed);
    shared_store(&budget->limit, frames, memory_order_relaxed);
    shared_store(&budget->refs, 1, memory_order_relaxed);
    *out = budget;
    return OK;
}

void vm_budget_get(struct vm_budget *budget)
{
    if (budget != NULL) {
        /* Relaxed: the caller has a reference already. */
        (void)shared_fetch_add(&budget->refs, 1, memory_order_relaxed);
    }
}

void vm_budget_put(struct vm_budget *budget)
{
    while (budget != NULL) {
        struct vm_budget *parent = budget->parent;

        /* The last put acquires what all earlier ones released. */
        if (shared_fetch_add(&budget->refs, UINT64_MAX, memory_order_acq_rel) != 1) {
            return;
        }
        ASSERT(shared_load(&budget->used, memory_order_relaxed) == 0);
        slab_free(&budget_cache, budget);
        budget = parent;
    }
}

struct vm_budget_state vm_budget_state(const struct vm_budget *budget)
{
    /* Relaxed: two numbers of about the same moment, for people. */
    return (struct vm_budget_state){shared_load(&budget->used, memory_order_relaxed),
                                    shared_load(&budget->limit, memory_order_relaxed)};
}

void vm_budget_set_limit(struct vm_budget *budget, uint64_t frames)
{
    /* Relaxed: who charges at the same time may see either limit. */
    shared_store(&budget->limit, frames, memory_order_relaxed);
}

/* Gives frames back to `budget` and what it lies in, up to but not including `end`. */
static void release_up_to(struct vm_budget *budget, const struct vm_budget *end, uint64_t frames)
{
    for (; budget != end; budget = budget->parent) {
        /* Relaxed: the number orders nothing; whoever frees the budget has the last reference. */
        uint64_t before = shared_fetch_add(&budget->used, 0 - frames, memory_order_relaxed);

        ASSERT(before >= frames);
    }
}

status_t vm_budget_charge(struct vm_budget *budget, uint64_t frames)
{
    for (struct vm_budget *at = budget; at != NULL; at = at->parent) {
        /* Relaxed, as above.  Added first and looked at then: two that charge at once may both be
         * refused where one would have fit, but never both be granted where one must not. */
        uint64_t before = shared_fetch_add(&at->used, frames, memory_order_relaxed);
        uint64_t limit = shared_load(&at->limit, memory_order_relaxed);

        if (before > limit || frames > limit - before) {
            release_up_to(budget, at->parent, frames);
            return ERR_NOMEM;
        }
    }
    return OK;
}

void vm_budget_release(struct vm_budget *budget, uint64_t frames)
{
    release_up_to(budget, NULL, frames);
}
