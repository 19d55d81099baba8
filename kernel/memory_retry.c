/* SPDX-License-Identifier: MIT */
/*
 * Trying again when memory is out.  It ends: a call sweeps its space once and a bounded part of
 * others, and what it waits for is given back by whatever hart leaves the kernel or idles.
 */
#include "kernel/memory_retry.h"

#include "kernel/process.h"
#include "kernel/process_table.h"
#include "kernel/reaper.h"
#include "kernel/sched.h"
#include "mm/frame.h"
#include "mm/vm_budget.h"
#include "mm/vm_space.h"

#define FEW_FRAMES 128U /* more than one step of a call has to have */

/* Sweeps a piece of a space. */
static void sweep_piece(struct sweep *sweep, struct vm_space *space)
{
    (void)vm_space_sweep(space, &sweep->swept);
    if (sweep->swept.raw == 0) {
        sweep->swept = vm_space_user_limit();
    }
}

/* A piece of the call's own space.  False: all of it has been swept, or there is none. */
static bool sweep_own(struct sweep *sweep, struct vm_space *space)
{
    bool is_wanted =
        space != NULL && sweep->number == 0 && sweep->swept.raw != vm_space_user_limit().raw;

    if (is_wanted) {
        sweep_piece(sweep, space);
    }
    return is_wanted;
}

/* The process whose space is to be swept now, with a reference, or NULL: all have been. */
static struct process *sweep_next(struct sweep *sweep)
{
    struct process *process = NULL;

    if (sweep->number != 0 && sweep->swept.raw != vm_space_user_limit().raw) {
        process = process_table_find(sweep->number);
    }
    if (process == NULL) {
        process = process_table_next(sweep->number);
        sweep->swept = (vaddr_t){0};
    }
    sweep->number = process != NULL ? process->id : sweep->number;
    return process;
}

/* A piece of another space that may have what is missing.  False: all have been swept, or enough
 * for one call. */
static bool sweep_others(struct sweep *sweep, const struct vm_space *space)
{
    struct process *process = sweep->pieces < SWEEP_PIECES ? sweep_next(sweep) : NULL;
    struct vm_space *other;

    if (process == NULL) {
        return false;
    }
    sweep->pieces++;
    if (process_space_get(process, &other) == OK) {
        bool is_payer_the_same =
            space != NULL && vm_space_budget(other) == vm_space_budget(space) && other != space;

        if (is_payer_the_same || frame_free_count() < FEW_FRAMES) {
            sweep_piece(sweep, other);
        } else {
            sweep->swept = vm_space_user_limit();
        }
        process_space_put(process, other);
    } else {
        sweep->swept = vm_space_user_limit();
    }
    object_put(&process->object);
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
    return reaper_step() || (is_scarce(space) && reaper_has_work()) ||
           sweep_own(&thread->sweep, space) ||
           (is_scarce(space) && sweep_others(&thread->sweep, space));
}

bool memory_retry(struct vm_space *space, status_t status)
{
    struct thread *thread = sched_current();

    if (status == ERR_NOMEM && help(thread, space)) {
        return true;
    }
    thread->sweep = (struct sweep){0};
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
