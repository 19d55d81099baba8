/* SPDX-License-Identifier: MIT */
/*
 * Budgets.  A charge goes up the chain of budgets, at most VM_BUDGET_DEPTH of them; if one refuses,
 * those below it are given back.  Each is one word that harts change by compare and exchange: no
 * lock, and never more in it than its limit allowed when it was charged.  So a charge that is
 * refused has taken nothing, not even for a moment, from whoever shares the budget that refused.
 */
#include "mm/vm_budget.h"

#include <stdatomic.h>

#include "lib/assert.h"
#include "mm/slab.h"

#define VM_BUDGET_DEPTH 4U

/* Fields: (c) constant, (a) atomic. */
struct vm_budget {
    struct vm_budget *parent; /* (c) with a reference; NULL: none */
    unsigned depth;           /* (c) 1: without a parent          */
    _Atomic(uint64_t) used;   /* (a) frames                       */
    _Atomic(uint64_t) limit;  /* (a) frames                       */
    _Atomic(uint64_t) refs;   /* (a) spaces, processes, children  */
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
    atomic_init(&budget->used, 0);
    atomic_init(&budget->limit, frames);
    atomic_init(&budget->refs, 1);
    *out = budget;
    return OK;
}

void vm_budget_get(struct vm_budget *budget)
{
    if (budget != NULL) {
        /* Relaxed: the caller has a reference already. */
        (void)atomic_fetch_add_explicit(&budget->refs, 1, memory_order_relaxed);
    }
}

void vm_budget_put(struct vm_budget *budget)
{
    while (budget != NULL) {
        struct vm_budget *parent = budget->parent;

        /* The last put acquires what all earlier ones released. */
        if (atomic_fetch_sub_explicit(&budget->refs, 1, memory_order_acq_rel) != 1) {
            return;
        }
        ASSERT(atomic_load_explicit(&budget->used, memory_order_relaxed) == 0);
        slab_free(&budget_cache, budget);
        budget = parent;
    }
}

struct vm_budget_state vm_budget_state(const struct vm_budget *budget)
{
    /* Relaxed: two numbers of about the same moment, for people. */
    return (struct vm_budget_state){atomic_load_explicit(&budget->used, memory_order_relaxed),
                                    atomic_load_explicit(&budget->limit, memory_order_relaxed)};
}

void vm_budget_set_limit(struct vm_budget *budget, uint64_t frames)
{
    /* Relaxed: who charges at the same time may see either limit. */
    atomic_store_explicit(&budget->limit, frames, memory_order_relaxed);
}

/* Gives frames back to `budget` and what it lies in, up to but not including `end`. */
static void release_up_to(struct vm_budget *budget, const struct vm_budget *end, uint64_t frames)
{
    for (; budget != end; budget = budget->parent) {
        /* Relaxed: the number orders nothing; whoever frees the budget has the last reference. */
        uint64_t before = atomic_fetch_sub_explicit(&budget->used, frames, memory_order_relaxed);

        ASSERT(before >= frames);
    }
}

/* Takes frames of one budget, if it has them. */
static bool take(struct vm_budget *budget, uint64_t frames)
{
    /* Relaxed: the number orders nothing. */
    uint64_t used = atomic_load_explicit(&budget->used, memory_order_relaxed);

    do {
        uint64_t limit = atomic_load_explicit(&budget->limit, memory_order_relaxed);

        if (used > limit || frames > limit - used) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&budget->used, &used, used + frames,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

status_t vm_budget_charge(struct vm_budget *budget, uint64_t frames)
{
    for (struct vm_budget *at = budget; at != NULL; at = at->parent) {
        if (!take(at, frames)) {
            release_up_to(budget, at, frames);
            return ERR_NOMEM;
        }
    }
    return OK;
}

void vm_budget_release(struct vm_budget *budget, uint64_t frames)
{
    release_up_to(budget, NULL, frames);
}
