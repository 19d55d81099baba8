/* SPDX-License-Identifier: MIT */
/* Run queues: the harts that a thread may run on. */
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

bool run_queue_may_stay(const struct thread *thread)
{
    return hart_mask_has(run_queue_affinity(thread), hart_index());
}
