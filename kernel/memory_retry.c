/* SPDX-License-Identifier: MIT */
/*
 * Trying again when memory is out.  It ends: a call sweeps its space once, and what it waits for is
 * given back by whatever hart leaves the kernel or idles.
 */
#include "kernel/memory_retry.h"

#include "kernel/process.h"
#include "kernel/reaper.h"
#include "kernel/sched.h"
#include "mm/frame.h"
#include "mm/vm_budget.h"
#include "mm/vm_space.h"

#define FEW_FRAMES 128U /* more than one step of a call has to have */

/* Sweeps a piece of the space.  False: all of it has been swept, or there is none. */
static bool sweep(struct thread *thread, struct vm_space *space)
{
    vaddr_t limit = vm_space_user_limit();

    if (space == NULL || thread->swept.raw == limit.raw) {
        return false;
    }
    (void)vm_space_sweep(space, &thread->swept);
    if (thread->swept.raw == 0) {
        thread->swept = limit;
    }
    return true;
}

/* True if what the reaper gives back may be what is missing: frames, or what the space may have. */
static bool is_scarce(const struct vm_space *space)
{
    struct vm_budget *budget = space != NULL ? vm_space_budget(space) : NULL;
    struct vm_budget_state state = {.limit = UINT64_MAX};

    if (budget != NULL) {
        state = vm_budget_state(budget);
    }
    return frame_free_count() < FEW_FRAMES || state.used + FEW_FRAMES > state.limit;
}

/* One piece of work, or nothing to do but to wait.  Not inline: most calls have memory. */
__attribute__((noinline)) static bool help(struct thread *thread, struct vm_space *space)
{
    return reaper_step() || (is_scarce(space) && reaper_has_work()) || sweep(thread, space);
}

bool memory_retry(struct vm_space *space, status_t status)
{
    struct thread *thread = sched_current();

    if (status == ERR_NOMEM && help(thread, space)) {
        return true;
    }
    thread->swept = (vaddr_t){0};
    return false;
}

enum verdict memory_retry_copy(struct user_frame *frame, status_t status, unsigned progress_arg,
                               struct copied copied)
{
    bool tries_again = status == ERR_AGAIN || memory_retry(sched_current()->process->space, status);

    if (tries_again || (status == OK && copied.done < copied.bytes)) {
        user_frame_set_arg(frame, progress_arg, copied.done);
        return VERDICT_RESTART;
    }
    return syscall_done_with(frame, status, copied.done);
}
