/* SPDX-License-Identifier: MIT */
/*
 * Address-space identifiers (ASIDs), machine-wide, without reuse inside an epoch.
 *
 * A space gets the next free identifier when a hart is about to run it and its own is of an older
 * epoch.  When none is left a new epoch begins: spaces that harts run, or have announced, keep
 * theirs, all other identifiers are free again, and each hart flushes its whole TLB before its next
 * activation.  So an identifier names one space in any TLB that has not been flushed since.
 *
 * A space changes its identifier only while no hart runs it.  The hart announces first, then looks
 * at the epoch; a new epoch is stored first, then the announcements are read; both sides with a
 * full fence in between, so at least one sees the other:
 *
 *   hart:   announce S | fence | epoch as in S?  else again
 *   epoch:  epoch + 1  | fence | read announcements, keep their identifiers
 *
 * Privileged spec, "Supervisor Address Translation and Protection (satp) Register".
 */
#include "asid.h"

#include "lib/assert.h"
#include "lib/counter.h"
#include "lib/spinlock.h"
#include "vm_space_priv.h"

#define ASID_BITS_MAX 16U
#define EPOCH_SHIFT   16U
#define ASID_MASK     UINT64_C(0xffff)

/* A space's tag is its epoch above, its identifier below; 0: it never had one. */
static struct {
    uint32_t limit;      /* (c) first number past the identifiers; 0: none used */
    uint32_t next;       /* (l) where the search goes on                        */
    struct shared epoch; /* (a) changes under the lock; 1, 2, ...               */
    uint64_t taken[(1U << ASID_BITS_MAX) / 64]; /* (l) in this epoch                     */
    struct {
        struct shared runs;      /* (a) a space: satp names it; by the hart alone    */
        struct shared announced; /* (a) a space: satp will name it; likewise         */
        struct shared flush_due; /* (a) set under the lock, taken by the hart */
    } hart[HART_MAX];
} asids;

/* Of (l), rank LOCK_ASID.  Outside, so that the zeroes above are no bytes of the image. */
static struct spinlock asids_lock = SPINLOCK_INIT(LOCK_ASID);

void asid_init(unsigned bits, size_t hart_count)
{
    unsigned width = bits < ASID_BITS_MAX ? bits : ASID_BITS_MAX;
    uint32_t count = (1U << width) - 1; /* 0 is the kernel's own */

    asids.limit = count > 2 * hart_count ? count + 1 : 0;
    asids.next = 1;
    /* Relaxed: boot, one hart. */
    shared_store(&asids.epoch, 1, memory_order_relaxed);
}

bool asid_is_used(void)
{
    return asids.limit != 0;
}

asid_t asid_of(struct vm_space *space)
{
    /* Acquire pairs with the release in asid_assign. */
    return (asid_t)(shared_load(&space->asid_tag, memory_order_acquire) & ASID_MASK);
}

static void take(uint32_t asid)
{
    asids.taken[asid / 64] |= UINT64_C(1) << (asid % 64);
}

/* A space that a hart runs or has announced keeps its identifier in the new epoch.  One announced
 * with an older tag is not kept: its identifier may be another's by now, and the hart that
 * announced it will look again. */
static void keep(struct vm_space *space, uint64_t epoch)
{
    uint64_t tag;

    if (space == NULL) {
        return;
    }
    /* Relaxed: the tag changes under the lock, which is held. */
    tag = shared_load(&space->asid_tag, memory_order_relaxed);
    if (tag >> EPOCH_SHIFT != epoch - 1) {
        return;
    }
    take((uint32_t)(tag & ASID_MASK));
    shared_store(&space->asid_tag, epoch << EPOCH_SHIFT | (tag & ASID_MASK), memory_order_release);
}

/* The space that a hart runs or has announced.  Acquire pairs with the releases in asid_announce
 * and asid_settle. */
static struct vm_space *space_in(const struct shared *place)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): a shared word holds 64 bits of anything. */
    return (struct vm_space *)(uintptr_t)shared_load(place, memory_order_acquire);
}

/* Begins a new epoch.  Called with the lock held. */
static void start_over_locked(void)
{
    uint64_t epoch = shared_load(&asids.epoch, memory_order_relaxed) + 1;

    shared_store(&asids.epoch, epoch, memory_order_relaxed);
    /* Orders the epoch before the announcements; pairs with the fence in asid_announce. */
    shared_fence(memory_order_seq_cst);
    for (size_t i = 0; i < sizeof(asids.taken) / sizeof(asids.taken[0]); i++) {
        asids.taken[i] = 0;
    }
    for (hart_idx_t hart = 0; hart < HART_MAX; hart++) {
        /* In this order: a space on its way from one place to the other is seen in one of them.
         * Acquire pairs with the releases in asid_settle. */
        keep(space_in(&asids.hart[hart].announced), epoch);
        keep(space_in(&asids.hart[hart].runs), epoch);
        /* Release pairs with the exchange in asid_take_flush. */
        shared_store(&asids.hart[hart].flush_due, 1, memory_order_release);
    }
    asids.next = 1;
    counter_add(COUNTER_asid_epochs, 1);
}

/* First free identifier from asids.next on, or 0.  Called with the lock held. */
static uint32_t find_free_locked(void)
{
    for (; asids.next < asids.limit; asids.next++) {
        if ((asids.taken[asids.next / 64] >> (asids.next % 64) & 1) == 0) {
            return asids.next++;
        }
    }
    return 0;
}

/* Gives the space an identifier of this epoch if it has none. */
static void assign(struct vm_space *space)
{
    uint64_t epoch;
    uint32_t asid;

    spinlock_acquire(&asids_lock);
    epoch = shared_load(&asids.epoch, memory_order_relaxed);
    if (shared_load(&space->asid_tag, memory_order_relaxed) >> EPOCH_SHIFT != epoch) {
        asid = find_free_locked();
        if (asid == 0) {
            start_over_locked();
            epoch++;
            asid = find_free_locked();
        }
        ASSERT(asid != 0); /* there are more than twice as many as harts */
        take(asid);
        /* Release pairs with the acquire in asid_of. */
        shared_store(&space->asid_tag, epoch << EPOCH_SHIFT | asid, memory_order_release);
    }
    spinlock_release(&asids_lock);
}

static bool is_of_this_epoch(struct vm_space *space)
{
    return shared_load(&space->asid_tag, memory_order_acquire) >> EPOCH_SHIFT ==
           shared_load(&asids.epoch, memory_order_acquire);
}

void asid_announce(hart_idx_t hart, struct vm_space *space)
{
    for (;;) {
        if (!is_of_this_epoch(space)) {
            assign(space);
        }
        shared_store(&asids.hart[hart].announced, (uintptr_t)space, memory_order_release);
        /* Orders the announcement before the epoch; pairs with the fence in start_over_locked. */
        shared_fence(memory_order_seq_cst);
        if (is_of_this_epoch(space)) {
            return;
        }
        shared_store(&asids.hart[hart].announced, 0, memory_order_release);
    }
}

void asid_settle(hart_idx_t hart, struct vm_space *space)
{
    /* Release, in this order; pairs with the loads in start_over_locked. */
    shared_store(&asids.hart[hart].runs, (uintptr_t)space, memory_order_release);
    shared_store(&asids.hart[hart].announced, 0, memory_order_release);
}

bool asid_take_flush(hart_idx_t hart)
{
    /* Acquire pairs with the release in start_over_locked. */
    return shared_exchange(&asids.hart[hart].flush_due, 0, memory_order_acq_rel) != 0;
}
