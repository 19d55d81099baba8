/* SPDX-License-Identifier: MIT */
/*
 * Reclamation: the end of detached tables and of dead spaces.
 *
 * A frame may go when its flush is done.  A node may also be in the hands of a descent on another
 * hart, which walks without locks (mm/pt_lock.c), and a space in the hands of a hart that looks for
 * identifiers in use (mm/asid.c).  Nobody waits for them in place: the sub-tree is parked, through
 * its own record, so that parking needs no memory, and is taken apart in pieces later.
 *
 *   flushed -> parked --snapshot--> waiting --each hart seen even or changed--> past -> taken apart
 *
 * Every hart has a counter that is odd while it is in the kernel (arch_quiescence_count).  One that
 * is even is in no descent, and its next entry ends in a full fence, so that it then sees what was
 * detached before the snapshot.  One that has changed has been outside since.  The hart that looks
 * is here, and not in a descent.  One snapshot serves all that were parked before it.
 */
#include "reclaim.h"

#include "arch/arch.h"
#include "lib/counter.h"
#include "lib/spinlock.h"
#include "mem_object_priv.h"
#include "mm/frame_block.h"
#include "vm_backing.h"
#include "vm_space_priv.h"

static struct {
    struct spinlock lock;        /* rank LOCK_REAP                              */
    struct pt_node *parked;      /* (l) since the last snapshot                 */
    struct pt_node *waiting;     /* (l) parked before it                        */
    struct pt_node *past;        /* (l) no hart can have met them               */
    uint64_t snapshot[HART_MAX]; /* (l) the counters of those behind, then      */
    struct hart_mask behind;     /* (l) harts not seen even or changed since    */
    struct shared left;          /* (a) what is not taken apart yet             */
} reclaim = {.lock = SPINLOCK_INIT(LOCK_REAP)};

static void push(struct pt_node **list, struct pt_node *node)
{
    node->next = *list;
    *list = node;
}

static struct pt_node *pop(struct pt_node **list)
{
    struct pt_node *node = *list;

    if (node != NULL) {
        *list = node->next;
        node->next = NULL;
    }
    return node;
}

void reclaim_begin(void)
{
    /* Relaxed: the count comes down only after the lock of the list was taken. */
    (void)shared_fetch_add(&reclaim.left, 1, memory_order_relaxed);
}

void reclaim_end(void)
{
    /* Release pairs with the acquire in vm_space_reap_is_done: the frames are back by then. */
    (void)shared_fetch_add(&reclaim.left, UINT64_MAX, memory_order_release);
}

void reclaim_park(struct pt_node *node)
{
    counter_add(COUNTER_tables_parked, 1);
    reclaim_begin();
    spinlock_acquire(&reclaim.lock);
    push(&reclaim.parked, node);
    spinlock_release(&reclaim.lock);
}

static void take_snapshot_locked(void)
{
    reclaim.waiting = reclaim.parked;
    reclaim.parked = NULL;
    /* Orders the detaching of all that was parked before the counters; pairs with the full fence
     * that ends each entry into the kernel. */
    shared_fence(memory_order_seq_cst);
    for (hart_idx_t hart = 0; hart < HART_MAX; hart++) {
        uint64_t count = arch_quiescence_count(hart);

        /* One that is outside now is past already, and so is this one. */
        if (count % 2 != 0 && hart != hart_index()) {
            reclaim.snapshot[hart] = count;
            reclaim.behind = hart_mask_with(reclaim.behind, hart);
        }
    }
}

/* True if the hart can not be in a descent that began before the snapshot. */
static bool has_passed_locked(hart_idx_t hart)
{
    uint64_t count = arch_quiescence_count(hart);

    return hart == hart_index() || count % 2 == 0 || count != reclaim.snapshot[hart];
}

/* Looks where the harts are; what is waiting is past when none is behind. */
static void advance_locked(void)
{
    if (reclaim.waiting == NULL) {
        if (reclaim.parked == NULL) {
            return;
        }
        take_snapshot_locked();
    }
    for (struct hart_mask rest = reclaim.behind; !hart_mask_is_empty(rest);) {
        hart_idx_t hart = hart_mask_first(rest);

        rest = hart_mask_without(rest, hart);
        if (has_passed_locked(hart)) {
            reclaim.behind = hart_mask_without(reclaim.behind, hart);
        }
    }
    if (hart_mask_is_empty(reclaim.behind)) {
        reclaim.past = reclaim.waiting;
        reclaim.waiting = NULL;
    }
}

static struct pt_node *next_past(void)
{
    struct pt_node *node;

    spinlock_acquire(&reclaim.lock);
    if (reclaim.past == NULL) {
        advance_locked();
    }
    node = pop(&reclaim.past);
    spinlock_release(&reclaim.lock);
    return node;
}

/* Releases and frees what is below `node`, as far as the budget goes; true when nothing is left in
 * it.  What a piece has done is gone from the tables, so the next finds its place by itself.  At
 * most PTE_LEVELS_MAX deep. */
static bool take_apart(struct pt_node *node, struct reclaim_budget *budget)
{
    struct pt_span span = {0, PTE_ENTRIES};
    unsigned i;

    if (!reclaim_take_leaves(node, budget)) {
        return false;
    }
    while (node->level > 0 && pt_node_next_table(node, &span, &i)) {
        struct pt_node *child = pt_node_of(pte_slot_load(&node->slots[i]));

        if (!take_apart(child, budget) || budget->tables == 0) {
            return false; /* an empty child is found again by the next piece */
        }
        budget->tables--;
        pt_node_take_table(node, i);
        pt_node_destroy(child);
    }
    return true;
}

/* A piece of a dead space's table of objects, when its tables are gone.  True: nothing is left. */
static bool give_up_objects(const struct pt_node *node)
{
    return !pt_node_is_root(node) || vm_backing_end(node->space);
}

/* Frees the top of a sub-tree that is empty; with a root goes its space. */
static void free_top(struct pt_node *node)
{
    struct vm_space *space = node->space;
    bool is_root = pt_node_is_root(node);

    pt_node_destroy(node);
    if (is_root) {
        vm_space_free(space);
    }
    reclaim_end();
}

bool vm_space_reap(void)
{
    struct reclaim_budget budget = {RECLAIM_TABLES, RECLAIM_LEAVES};
    bool has_worked = false;

    while (!vm_space_reap_is_done() && budget.tables > 0) {
        struct pt_node *node = next_past();

        if (node == NULL) {
            return frame_block_reap() || mem_object_reap(&budget) || has_worked;
        }
        has_worked = true;
        if (!take_apart(node, &budget) || budget.tables == 0 || !give_up_objects(node)) {
            spinlock_acquire(&reclaim.lock);
            push(&reclaim.past, node);
            spinlock_release(&reclaim.lock);
            return true;
        }
        budget.tables--;
        free_top(node);
    }
    return has_worked;
}

bool vm_space_reap_is_done(void)
{
    return shared_load(&reclaim.left, memory_order_acquire) == 0;
}
