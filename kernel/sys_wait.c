/* SPDX-License-Identifier: MIT */
/*
 * System calls that wait for an end.  Each looks at what it waits for, then at its deadline, with
 * the lock of the queue held, and only then blocks; when it is made again it looks anew.
 */
#include "kernel/handle.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/timeouts.h"

/* Blocks the thread if the process has not ended.
 * OK: it has.  ERR_AGAIN: the thread waits now.  ERR_TIMEDOUT: the deadline is past. */
static status_t wait_for_process(struct thread *self, struct process *process, uint64_t deadline)
{
    status_t status = OK;

    spinlock_acquire(&process->waiters.lock);
    if (process_has_ended(process)) {
        status = OK;
    } else if (timeouts_is_past(deadline)) {
        status = ERR_TIMEDOUT;
    } else {
        wait_queue_block_until_locked(&process->waiters, self, &process->object, deadline);
        status = ERR_AGAIN;
    }
    spinlock_release(&process->waiters.lock);
    return status;
}

enum verdict sys_process_wait(struct user_frame *frame)
{
    struct thread *self = thread_of_frame(frame);
    struct object *object;
    status_t status =
        handle_get(self->process, user_frame_arg(frame, 0), HANDLE_PROCESS, RIGHT_READ, &object);

    if (status != OK) {
        return syscall_done(frame, status);
    }
    struct process *process = LIST_ENTRY(object, struct process, object);
    enum verdict verdict = VERDICT_BLOCK;

    status = process == self->process ? ERR_DEADLK
                                      : wait_for_process(self, process, user_frame_arg(frame, 1));
    if (status == OK) {
        verdict = syscall_done_with(frame, OK, process->exit.reason);
        user_frame_set_arg(frame, 2, process->exit.detail);
        user_frame_set_arg(frame, 3, process->exit.access);
        user_frame_set_arg(frame, 4, process->exit.pc);
    } else if (status != ERR_AGAIN) {
        verdict = syscall_done(frame, status);
    }
    object_put(object);
    return verdict;
}

enum verdict sys_thread_wait(struct user_frame *frame)
{
    struct thread *self = thread_of_frame(frame);
    struct object *object;
    status_t status =
        handle_get(self->process, user_frame_arg(frame, 0), HANDLE_THREAD, RIGHT_READ, &object);

    if (status != OK) {
        return syscall_done(frame, status);
    }
    struct thread *thread = LIST_ENTRY(object, struct thread, object);
    enum verdict verdict = VERDICT_BLOCK;

    spinlock_acquire(&thread->waiters.lock);
    if (thread == self) {
        verdict = syscall_done(frame, ERR_DEADLK);
    } else if (thread_has_ended(thread)) {
        verdict = syscall_done(frame, OK);
    } else if (timeouts_is_past(user_frame_arg(frame, 1))) {
        verdict = syscall_done(frame, ERR_TIMEDOUT);
    } else {
        wait_queue_block_until_locked(&thread->waiters, self, object, user_frame_arg(frame, 1));
    }
    spinlock_release(&thread->waiters.lock);
    object_put(object);
    return verdict;
}

enum verdict sys_children_wait(struct user_frame *frame)
{
    struct thread *self = thread_of_frame(frame);
    struct process *process = self->process;
    uint64_t seen = user_frame_arg(frame, 0);
    uint64_t deadline = user_frame_arg(frame, 1);
    enum verdict verdict = VERDICT_BLOCK;

    spinlock_acquire(&process->maker_waiters.lock);
    uint64_t ended = process_children_ended(process);

    if (ended != seen) {
        verdict = syscall_done_with(frame, OK, ended);
    } else if (timeouts_is_past(deadline)) {
        verdict = syscall_done_with(frame, ERR_TIMEDOUT, ended);
    } else {
        wait_queue_block_until_locked(&process->maker_waiters, self, &process->object, deadline);
    }
    spinlock_release(&process->maker_waiters.lock);
    return verdict;
}
