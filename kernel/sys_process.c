/* SPDX-License-Identifier: MIT */
/* System calls on processes and threads. */
#include "kernel/handle.h"
#include "kernel/process.h"
#include "kernel/run_queue.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/timeouts.h"
#include "kernel/vm_args.h"
#include "mm/user_copy.h"

/* A process's name: short, not empty, printable. */
static status_t name_decode(struct user_frame *frame, char name[PROCESS_NAME_BYTES])
{
    uint64_t bytes = user_frame_arg(frame, 1);

    if (bytes == 0 || bytes >= PROCESS_NAME_BYTES) {
        return ERR_INVAL;
    }
    status_t status = user_read_object(sched_current()->process->space,
                                       (vaddr_t){user_frame_arg(frame, 0)}, name, bytes);

    for (uint64_t i = 0; status == OK && i < bytes; i++) {
        if (name[i] < ' ' || name[i] > '~') {
            status = ERR_INVAL;
        }
    }
    return status;
}

enum verdict sys_process_create(struct user_frame *frame)
{
    char name[PROCESS_NAME_BYTES] = {0};
    struct process *process;
    handle_t handle = HANDLE_NONE;
    status_t status = name_decode(frame, name);

    if (status == OK) {
        status = process_create(name, &process);
    }
    if (status != OK) {
        return syscall_done(frame, status);
    }
    struct handle_entry entry = {.object = &process->object, .rights = RIGHT_ALL};

    status = handle_insert(sched_current()->process, entry, &handle);
    process_release(process); /* without a handle this ends it */
    return syscall_done_with(frame, status, handle);
}

enum verdict sys_process_exit(struct user_frame *frame)
{
    struct process_exit how = {.reason = EXIT_STATUS, .detail = user_frame_arg(frame, 0)};

    process_end(sched_current()->process, how);
    return VERDICT_EXIT;
}

enum verdict sys_process_kill(struct user_frame *frame)
{
    struct object *object;
    status_t status = handle_get(sched_current()->process, user_frame_arg(frame, 0), HANDLE_PROCESS,
                                 RIGHT_MANAGE, &object);

    if (status == OK) {
        process_end(LIST_ENTRY(object, struct process, object),
                    (struct process_exit){.reason = EXIT_KILLED});
        object_put(object);
    }
    return syscall_done(frame, status);
}

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
    if (status != OK && status != ERR_AGAIN) {
        verdict = syscall_done(frame, status);
    } else if (status == OK) {
        verdict = syscall_done_with(frame, OK, process->exit.reason);
        user_frame_set_arg(frame, 2, process->exit.detail);
        user_frame_set_arg(frame, 3, process->exit.access);
        user_frame_set_arg(frame, 4, process->exit.pc);
    }
    object_put(object);
    return verdict;
}

/* Checks where a new thread is to start. */
static status_t start_decode(uint64_t pc, uint64_t sp)
{
    uint64_t limit = vm_space_user_limit().raw;

    if (pc % 2 != 0 || sp % 16 != 0) {
        return ERR_INVAL;
    }
    return pc < limit && sp <= limit ? OK : ERR_RANGE;
}

/* Makes a thread with a handle in the caller's table, and starts it. */
static status_t thread_perform(struct user_frame *frame, struct process *process, handle_t *handle)
{
    struct process *self = sched_current()->process;
    struct thread *thread;
    struct hart_mask affinity = run_queue_affinity(sched_current());
    status_t status = process_has_ended(process) ? ERR_SRCH : thread_create(affinity, &thread);

    if (status != OK) {
        return status;
    }
    struct handle_entry entry = {.object = &thread->object, .rights = RIGHT_ALL};

    user_frame_init(&thread->frame, (vaddr_t){user_frame_arg(frame, 1)},
                    (vaddr_t){user_frame_arg(frame, 2)}, user_frame_arg(frame, 3),
                    user_frame_arg(frame, 4));
    status = handle_insert(self, entry, handle);
    if (status == OK) {
        status = thread_start(thread, process);
        if (status != OK) {
            handle_take_back(self, *handle, &thread->object);
        }
    }
    if (status != OK) {
        object_put(&thread->object);
    }
    return status;
}

enum verdict sys_thread_start(struct user_frame *frame)
{
    struct object *object;
    handle_t handle = HANDLE_NONE;
    status_t status = handle_get(sched_current()->process, user_frame_arg(frame, 0), HANDLE_PROCESS,
                                 RIGHT_EXECUTE, &object);

    if (status != OK) {
        return syscall_done(frame, status);
    }
    status = start_decode(user_frame_arg(frame, 1), user_frame_arg(frame, 2));
    if (status == OK) {
        status = thread_perform(frame, LIST_ENTRY(object, struct process, object), &handle);
    }
    object_put(object);
    return syscall_done_with(frame, status, status == OK ? handle : HANDLE_NONE);
}

enum verdict sys_thread_exit(struct user_frame *frame)
{
    thread_end(thread_of_frame(frame));
    return VERDICT_EXIT;
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
