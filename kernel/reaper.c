/* SPDX-License-Identifier: MIT */
/*
 * The reaper.  Two lists, of ended threads and of ended processes.  A hart takes the first element
 * out, does a piece of its work, and puts it back at the end if more is to be done; `waiting`
 * counts what is listed or in some hart's hands, and so says when all is done.
 *
 *   thread    wake those who wait for it -> give up what it had under way -> let its process go
 *             -> let it go
 *   process   wake those who wait for it -> and for any that its maker made -> stop its threads
 *             -> close its handles -> give its space to mm
 *
 * A piece touches at most PIECE_ITEMS threads or handles, and mm's at most 64 tables.  What must
 * wait for another hart stays in its list, and no hart waits for it in place: a thread whose
 * registers a trap exit still saves; a process with threads that other harts run (they have been
 * interrupted, and end their threads on the way out); tables that a hart may still be looking at.
 */
#include "kernel/reaper.h"

#include "arch/arch.h"
#include "kernel/handle.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/thread.h"
#include "lib/assert.h"
#include "lib/log.h"

#define PIECE_ITEMS 32U

/* Only what another hart has in hand cannot be worked on, and a hart has one thread in hand. */
#define TRIES (HART_MAX + 1U)

static struct spinlock lock = SPINLOCK_INIT(LOCK_REAP);
static struct list_node threads = LIST_INIT(threads);     /* lock, by queue_link */
static struct list_node processes = LIST_INIT(processes); /* lock, by reap_link  */
static _Atomic(uint32_t) waiting; /* (a) threads and processes that are not put away yet */
static struct wait_queue quiescence = WAIT_QUEUE_INIT(quiescence); /* threads in quiesce */
static _Atomic(uint32_t) has_waiters; /* (a) 1: there may be threads in it */
static const struct process *watched;

void reaper_watch_init(const struct process *init)
{
    watched = init;
}

static void list_add(struct list_node *list, struct list_node *node)
{
    spinlock_acquire(&lock);
    list_push_back(list, node);
    spinlock_release(&lock);
}

static struct list_node *list_take(struct list_node *list)
{
    spinlock_acquire(&lock);
    struct list_node *node = list_pop_front(list);

    spinlock_release(&lock);
    return node;
}

void reaper_expect(void)
{
    /* Relaxed: whoever sees the end acquires a later release of this hart. */
    atomic_fetch_add_explicit(&waiting, 1, memory_order_relaxed);
}

static void work_is_done(void)
{
    /* Release: pairs with the acquire in is_done. */
    atomic_fetch_sub_explicit(&waiting, 1, memory_order_release);
}

static bool lists_are_done(void)
{
    /* Acquire: what was put away is seen to be. */
    return atomic_load_explicit(&waiting, memory_order_acquire) == 0;
}

static bool is_done(void)
{
    return lists_are_done() && vm_space_reap_is_done();
}

void reaper_add_thread(struct thread *thread)
{
    list_add(&threads, &thread->queue_link);
    sched_look();
}

void reaper_add_process(struct process *process)
{
    object_get(&process->object);
    list_add(&processes, &process->reap_link);
    sched_look();
}

/* ---- threads ---- */

/* The first ended thread that no trap exit needs any more, out of its list. */
static struct thread *thread_take(void)
{
    struct thread *found = NULL;
    struct list_node *node;
    unsigned looked_at = 0;

    spinlock_acquire(&lock);
    LIST_FOR_EACH (node, &threads) {
        struct thread *thread = LIST_ENTRY(node, struct thread, queue_link);

        if (user_frame_owner(&thread->frame) == 0) {
            list_remove(node);
            found = thread;
            break;
        }
        if (++looked_at == TRIES) {
            break;
        }
    }
    spinlock_release(&lock);
    return found;
}

static bool reap_thread(void)
{
    struct thread *thread = thread_take();

    if (thread == NULL) {
        return false;
    }
    if (wait_queue_wake(&thread->waiters, PIECE_ITEMS)) {
        list_add(&threads, &thread->queue_link);
        return true;
    }
    struct process *process = thread->process;

    frame_making_drop(&thread->making);
    thread->process = NULL;
    process_release(process);
    object_put(&thread->object);
    work_is_done();
    return true;
}

/* ---- processes ---- */

/* What a piece of a process came to. */
enum piece {
    PIECE_LAST,  /* this was the last one                  */
    PIECE_MORE,  /* there is more to do                    */
    PIECE_LATER, /* other harts must end their threads now */
};

/* The first thread that is left, with a reference, and at the end of the list now; or NULL. */
static struct thread *thread_next(struct process *process)
{
    struct thread *thread = NULL;

    spinlock_acquire(&process->lock);
    struct list_node *node = list_pop_front(&process->threads);

    if (node != NULL) {
        list_push_back(&process->threads, node);
        thread = LIST_ENTRY(node, struct thread, process_link);
        object_get(&thread->object);
    }
    spinlock_release(&process->lock);
    return thread;
}

/* Ends threads that no hart runs.  PIECE_LAST: none is left at all. */
static enum piece stop_threads(struct process *process)
{
    enum piece piece = PIECE_LATER;

    for (unsigned i = 0; i < PIECE_ITEMS; i++) {
        struct thread *thread = thread_next(process);

        if (thread == NULL) {
            return PIECE_LAST;
        }
        if (thread_stop(thread)) {
            piece = PIECE_MORE;
        }
        object_put(&thread->object);
    }
    return piece;
}

/* Without its first program the machine has nothing to do. */
static void power_off_after_init(const struct process_exit *how)
{
    uint64_t status = how->reason == EXIT_STATUS ? how->detail : 1;

    log_printf("vellum: init has ended\n");
    arch_power_off(status);
}

static enum piece process_piece(struct process *process)
{
    if (process == watched) {
        power_off_after_init(&process->exit);
    }
    if (wait_queue_wake(&process->waiters, PIECE_ITEMS) ||
        process_tell_maker(process, PIECE_ITEMS)) {
        return PIECE_MORE;
    }
    enum piece piece = stop_threads(process);

    if (piece != PIECE_LAST) {
        return piece;
    }
    if (handle_close_some(process, &process->reap_place, PIECE_ITEMS)) {
        return PIECE_MORE;
    }
    vm_space_put(process_space_take(process));
    return PIECE_LAST;
}

static bool reap_process(void)
{
    const struct list_node *first = NULL;

    for (unsigned i = 0; i < TRIES; i++) {
        struct list_node *node = list_take(&processes);

        if (node == NULL) {
            return false;
        }
        struct process *process = LIST_ENTRY(node, struct process, reap_link);
        enum piece piece = process_piece(process);

        if (piece == PIECE_LAST) {
            object_put(&process->object);
            work_is_done();
            return true;
        }
        bool is_round = node == first;

        first = first == NULL ? node : first;
        list_add(&processes, node);
        if (piece == PIECE_MORE) {
            return true;
        }
        if (is_round) {
            return false; /* all have been looked at */
        }
    }
    return false;
}

/* ---- all of it ---- */

/* Wakes those who wait until all is done, if it is.  True: there were some. */
static bool wake_waiters(void)
{
    /* Acquire: pairs with the release in reaper_block, as far as the queue's lock does not. */
    if (atomic_load_explicit(&has_waiters, memory_order_acquire) == 0 || !is_done()) {
        return false;
    }
    /* Taken down before the queue is looked at: who comes later puts it up again. */
    atomic_store_explicit(&has_waiters, 0, memory_order_relaxed);
    if (wait_queue_wake(&quiescence, PIECE_ITEMS)) {
        atomic_store_explicit(&has_waiters, 1, memory_order_release);
    }
    return true;
}

bool reaper_step(void)
{
    /* With nothing to do no lock is taken: every hart comes here, and often. */
    bool has_done = (!lists_are_done() && (reap_thread() || reap_process())) ||
                    (!vm_space_reap_is_done() && vm_space_reap());

    return wake_waiters() || has_done;
}

bool reaper_has_work(void)
{
    return atomic_load_explicit(&has_waiters, memory_order_acquire) != 0 || !is_done();
}

bool reaper_block(struct thread *thread)
{
    spinlock_acquire(&quiescence.lock);
    bool must_wait = !is_done();

    if (must_wait) {
        wait_queue_block_locked(&quiescence, thread, NULL);
        /* Pairs with the acquire in wake_waiters. */
        atomic_store_explicit(&has_waiters, 1, memory_order_release);
    }
    spinlock_release(&quiescence.lock);
    return must_wait;
}
