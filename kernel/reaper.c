/* SPDX-License-Identifier: MIT */
/*
 * The reaper.  Ended threads are put away by the hart that ended them, after its trap exit has
 * let go of their registers; ended processes by any hart, one piece at a time:
 *
 *   wake those who wait for it -> stop its threads -> close its handles -> give its space to mm
 *
 * A piece touches at most PIECE_ITEMS threads or handles, and mm's at most 64 tables.
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

static struct list_node ended_threads[HART_MAX]; /* each the hart's own */
static struct spinlock process_lock = SPINLOCK_INIT(LOCK_SCHED);
static struct list_node ended_processes = LIST_INIT(ended_processes); /* process_lock */
static const struct process *watched;

void reaper_init(void)
{
    for (unsigned i = 0; i < HART_MAX; i++) {
        list_init(&ended_threads[i]);
    }
}

void reaper_watch_init(const struct process *init)
{
    watched = init;
}

void reaper_add_thread(struct thread *thread)
{
    list_push_back(&ended_threads[hart_index()], &thread->queue_link);
    sched_look();
}

void reaper_add_process(struct process *process)
{
    object_get(&process->object);
    spinlock_acquire(&process_lock);
    list_push_back(&ended_processes, &process->reap_link);
    spinlock_release(&process_lock);
    sched_look();
}

/* Wakes those who wait for the thread, then lets it go, unless the trap exit still needs it. */
static bool reap_thread(const struct thread *leaving)
{
    struct list_node *list = &ended_threads[hart_index()];
    struct list_node *node = list->next;

    if (node == list) {
        return false;
    }
    struct thread *thread = LIST_ENTRY(node, struct thread, queue_link);

    if (wait_queue_wake(&thread->waiters, PIECE_ITEMS)) {
        return true;
    }
    list_remove(node);
    if (thread == leaving) {
        list_push_back(list, node);
        return list->next != node;
    }
    struct process *process = thread->process;

    thread->process = NULL;
    process_release(process);
    object_put(&thread->object);
    return true;
}

/* The first process that has ended, with the list's reference; it stays in the list. */
static struct process *first_process(void)
{
    spinlock_acquire(&process_lock);
    struct list_node *node = ended_processes.next;
    bool is_empty = node == &ended_processes;

    spinlock_release(&process_lock);
    return is_empty ? NULL : LIST_ENTRY(node, struct process, reap_link);
}

/* True if some are left. */
static bool stop_threads(struct process *process)
{
    for (unsigned i = 0; i < PIECE_ITEMS; i++) {
        spinlock_acquire(&process->lock);
        struct list_node *node = process->threads.next;
        bool is_empty = node == &process->threads;

        spinlock_release(&process->lock);
        if (is_empty) {
            return false;
        }
        thread_stop(LIST_ENTRY(node, struct thread, process_link));
    }
    return true;
}

/* Without its first program the machine has nothing to do. */
static void power_off_after_init(const struct process_exit *how)
{
    uint64_t status = how->reason == EXIT_STATUS ? how->detail : 1;

    log_printf("vellum: init has ended\n");
    arch_power_off(status);
}

static bool reap_process(void)
{
    struct process *process = first_process();

    if (process == NULL) {
        return false;
    }
    if (process == watched) {
        power_off_after_init(&process->exit);
    }
    if (wait_queue_wake(&process->waiters, PIECE_ITEMS) || stop_threads(process) ||
        handle_close_some(process, &process->reap_place, PIECE_ITEMS)) {
        return true;
    }
    struct vm_space *space = process_space_take(process);

    ASSERT(space != vm_space_active());
    vm_space_put(space);
    spinlock_acquire(&process_lock);
    list_remove(&process->reap_link);
    spinlock_release(&process_lock);
    object_put(&process->object);
    return true;
}

bool reaper_step(const struct thread *leaving)
{
    if (reap_thread(leaving) || reap_process()) {
        return true;
    }
    if (!vm_space_reap_is_done()) {
        (void)vm_space_reap();
        return true;
    }
    return false;
}

bool reaper_is_done(void)
{
    return list_is_empty(&ended_threads[hart_index()]) && first_process() == NULL &&
           vm_space_reap_is_done();
}
