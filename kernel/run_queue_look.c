/* SPDX-License-Identifier: MIT */
/* Run queues, from outside: the harts that a thread may run on, and what a hart does. */
#include "kernel/process.h"
#include "lib/string.h"
#include "run_queue_priv.h"

status_t run_queue_set_affinity(struct thread *thread, struct hart_mask harts)
{
    hart_idx_t home = run_queue_lock_home(thread);
    enum thread_state state = thread_state(thread);
    bool is_allowed = hart_mask_has(harts, home);
    bool must_move =
        state == THREAD_READY && (!is_allowed || !hart_mask_is_empty(idle_among(harts)));

    thread->affinity = harts;
    if (must_move) {
        run_queue_remove_locked(&run_queues[home], thread);
    }
    run_queue_unlock(home);
    if (must_move) {
        run_queue_put(thread);
    }
    if (state == THREAD_ENDED) {
        return ERR_SRCH;
    }
    if (state == THREAD_RUNNING && !is_allowed) {
        run_queue_nudge(home);
        return home == hart_index() ? OK : ERR_AGAIN;
    }
    return OK;
}

struct hart_mask run_queue_affinity(const struct thread *thread)
{
    hart_idx_t home = run_queue_lock_home(thread);
    struct hart_mask harts = thread->affinity;

    run_queue_unlock(home);
    return harts;
}

struct hart_mask run_queue_harts_of(const struct process *process)
{
    struct hart_mask rest = hart_mask_without(arch_harts(), hart_index());
    struct hart_mask harts = {0};

    while (!hart_mask_is_empty(rest)) {
        hart_idx_t hart = hart_mask_first(rest);

        spinlock_acquire(&run_queues[hart].lock);
        const struct thread *thread = run_queues[hart].current;

        if (thread != NULL && thread->process == process) {
            harts = hart_mask_with(harts, hart);
        }
        spinlock_release(&run_queues[hart].lock);
        rest = hart_mask_without(rest, hart);
    }
    return harts;
}

struct run_queue_view run_queue_look(hart_idx_t hart)
{
    struct run_queue *queue = &run_queues[hart];
    struct run_queue_view view = {0};

    spinlock_acquire(&queue->lock);
    const struct thread *thread = queue->current;

    view.ready = run_queue_length(queue);
    if (thread != NULL) {
        view.thread_id = thread->id;
        view.process_id = thread->process->id;
        memcpy(view.name, thread->process->name, sizeof(view.name));
    }
    spinlock_release(&queue->lock);
    return view;
}

struct run_queue_thread_view run_queue_look_at(const struct thread *thread)
{
    hart_idx_t home = run_queue_lock_home(thread);
    struct run_queue_thread_view view = {
        .state = thread_state(thread),
        .hart = home,
        .affinity = thread->affinity,
    };

    if (view.state == THREAD_BLOCKED) {
        /* Written on the way in; the trap exit, which may still be at it, saves other registers. */
        view.call = (uint32_t)user_frame_syscall(&thread->frame);
    }
    run_queue_unlock(home);
    return view;
}
