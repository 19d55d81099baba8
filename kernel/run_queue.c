/* SPDX-License-Identifier: MIT */
/*
 * Run queues: where a thread goes.  The rules are in kernel/run_queue.h.
 *
 * Two things must not get lost between harts that do not look at the same time:
 *   - a thread put into a queue while a hart goes idle.  The idle hart marks itself, then looks at
 *     all queues; who puts a thread does so, then looks at the marks; both with a full fence in
 *     between, so one of them sees the other.  A mark is claimed by clearing it, so that
 *     two threads are not sent to the same idle hart; whoever clears one interrupts that hart.
 *   - a queue that is no longer empty while its hart runs alone and without a timer.  Whoever makes
 *     it so interrupts the hart; on its way out that sets the timer.
 */
#include "run_queue_priv.h"

#include "kernel/sched.h"
#include "lib/assert.h"
#include "lib/trace.h"

struct run_queue run_queues[HART_MAX];
static _Atomic(uint64_t) idle_harts; /* (a) marks */

void run_queue_init(void)
{
    for (unsigned i = 0; i < HART_MAX; i++) {
        spinlock_init(&run_queues[i].lock, LOCK_SCHED);
        list_init(&run_queues[i].ready);
    }
}

static hart_idx_t home_of(const struct thread *thread)
{
    /* Acquire: who gave the thread this home read what its lock covers under another one before.
     * Pairs with the releases in choose and take_from. */
    return atomic_load_explicit(&thread->home, memory_order_acquire);
}

hart_idx_t run_queue_lock_home(const struct thread *thread)
{
    for (;;) {
        hart_idx_t home = home_of(thread);

        spinlock_acquire(&run_queues[home].lock);
        if (home_of(thread) == home) {
            return home;
        }
        spinlock_release(&run_queues[home].lock);
    }
}

void run_queue_lock(hart_idx_t hart)
{
    spinlock_acquire(&run_queues[hart].lock);
}

void run_queue_unlock(hart_idx_t hart)
{
    spinlock_release(&run_queues[hart].lock);
}

bool run_queue_has_ready(void)
{
    return run_queue_length(run_queue_here()) != 0;
}

/* ---- states ---- */

void run_queue_state_set(struct thread *thread, enum thread_state state)
{
    /* Release: pairs with the acquire in thread_state, for those without the lock. */
    atomic_store_explicit(&thread->state, state, memory_order_release);
}

void run_queue_push_locked(struct run_queue *queue, struct thread *thread)
{
    list_push_back(&queue->ready, &thread->queue_link);
    atomic_store_explicit(&queue->length, run_queue_length(queue) + 1, memory_order_relaxed);
    run_queue_state_set(thread, THREAD_READY);
}

void run_queue_remove_locked(struct run_queue *queue, struct thread *thread)
{
    list_remove(&thread->queue_link);
    atomic_store_explicit(&queue->length, run_queue_length(queue) - 1, memory_order_relaxed);
    run_queue_state_set(thread, THREAD_TAKEN);
}

bool run_queue_take(struct thread *thread)
{
    hart_idx_t home = run_queue_lock_home(thread);
    bool is_ready = thread_state(thread) == THREAD_READY;

    if (is_ready) {
        run_queue_remove_locked(&run_queues[home], thread);
    }
    run_queue_unlock(home);
    return is_ready;
}

/* ---- idle harts ---- */

static uint64_t bit_of(hart_idx_t hart)
{
    return hart_mask_with((struct hart_mask){0}, hart).bits;
}

void idle_mark(void)
{
    /* Relaxed: the fence orders it. */
    atomic_fetch_or_explicit(&idle_harts, bit_of(hart_index()), memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
}

void idle_unmark(void)
{
    /* Relaxed, here and below: the mark alone is passed on; queues have locks. */
    atomic_fetch_and_explicit(&idle_harts, ~bit_of(hart_index()), memory_order_relaxed);
}

struct hart_mask idle_among(struct hart_mask set)
{
    return (struct hart_mask){atomic_load_explicit(&idle_harts, memory_order_relaxed) & set.bits};
}

hart_idx_t idle_claim(struct hart_mask set, hart_idx_t first)
{
    struct hart_mask idle = idle_among(set);

    while (!hart_mask_is_empty(idle)) {
        hart_idx_t hart = hart_mask_has(idle, first) ? first : hart_mask_first(idle);
        uint64_t before =
            atomic_fetch_and_explicit(&idle_harts, ~bit_of(hart), memory_order_relaxed);

        if ((before & bit_of(hart)) != 0) {
            return hart;
        }
        idle = hart_mask_without(idle, hart);
    }
    return NO_HART;
}

void run_queue_nudge(hart_idx_t hart)
{
    if (hart == hart_index()) {
        sched_look();
    } else {
        arch_ipi_send((struct hart_mask){bit_of(hart)});
    }
}

/* ---- putting ---- */

/* The home, unless it is forbidden, or a queue is shorter by more than the thread itself. */
static hart_idx_t busy_choose(struct hart_mask set, hart_idx_t home)
{
    hart_idx_t best = hart_mask_has(set, home) ? home : hart_mask_first(set);
    uint32_t margin = best == home ? 1 : 0;

    if (margin != 0 && run_queue_length(&run_queues[home]) <= margin) {
        return home; /* no queue is shorter by more */
    }
    for (hart_idx_t hart = 0; set.bits >> hart != 0; hart++) {
        if (hart_mask_has(set, hart) &&
            run_queue_length(&run_queues[hart]) + margin < run_queue_length(&run_queues[best])) {
            best = hart;
            margin = 0;
        }
    }
    return best;
}

/* Where a taken thread goes. */
struct choice {
    hart_idx_t hart;
    bool is_claimed; /* its mark was cleared for this thread */
};

/* Chooses a hart, and makes it the thread's home. */
static struct choice choose(struct thread *thread)
{
    hart_idx_t home = run_queue_lock_home(thread);
    hart_idx_t idle = idle_claim(thread->affinity, home);
    struct choice choice = {.hart = idle, .is_claimed = idle != NO_HART};

    if (!choice.is_claimed) {
        choice.hart = busy_choose(thread->affinity, home);
    }
    /* Release: what was read under this lock is not read after the next home's; pairs with the
     * acquire in home_of. */
    atomic_store_explicit(&thread->home, choice.hart, memory_order_release);
    run_queue_unlock(home);
    return choice;
}

bool run_queue_is_best(struct hart_mask set, hart_idx_t home)
{
    return hart_mask_is_empty(idle_among(set)) && busy_choose(set, home) == home;
}

/* Puts the thread in the queue, whose lock is held.  True: its hart must be told. */
static bool put_locked(hart_idx_t hart, struct thread *thread)
{
    struct run_queue *queue = &run_queues[hart];
    bool is_news = queue->current == NULL || list_is_empty(&queue->ready);

    trace_note(TRACE_READY, thread->id, hart);
    run_queue_push_locked(queue, thread);
    return is_news;
}

void run_queue_look_idle(struct hart_mask set)
{
    /* The thread is in its queue before the marks are read; pairs with the fence in idle_mark. */
    atomic_thread_fence(memory_order_seq_cst);
    hart_idx_t idle = idle_claim(set, hart_index());

    if (idle != NO_HART) {
        run_queue_nudge(idle);
    }
}

/* Puts the thread where it was chosen to go.  False: its affinity has changed meanwhile. */
static bool put_at(struct thread *thread, struct choice choice)
{
    spinlock_acquire(&run_queues[choice.hart].lock);
    struct hart_mask set = thread->affinity;
    bool fits = hart_mask_has(set, choice.hart);
    bool is_news = fits && put_locked(choice.hart, thread);

    spinlock_release(&run_queues[choice.hart].lock);
    if (choice.is_claimed || is_news) {
        run_queue_nudge(choice.hart);
    }
    if (fits && !choice.is_claimed) {
        run_queue_look_idle(set);
    }
    return fits;
}

void run_queue_put_unlock(struct thread *thread, hart_idx_t home)
{
    struct hart_mask set = thread->affinity;

    ASSERT(thread_state(thread) == THREAD_TAKEN);
    if (!run_queue_is_best(set, home)) {
        run_queue_unlock(home);
        while (!put_at(thread, choose(thread))) {
        }
        return;
    }
    bool is_news = put_locked(home, thread);

    run_queue_unlock(home);
    if (is_news) {
        run_queue_nudge(home);
    }
    run_queue_look_idle(set);
}

void run_queue_put(struct thread *thread)
{
    run_queue_put_unlock(thread, run_queue_lock_home(thread));
}

void run_queue_put_current(struct thread *thread)
{
    hart_idx_t home = run_queue_lock_home(thread);

    run_queue_state_set(thread, THREAD_TAKEN);
    run_queue_put_unlock(thread, home);
}
