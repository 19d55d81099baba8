/* SPDX-License-Identifier: MIT */
/* System calls on processes and threads. */
#include "kernel/handle.h"
#include "kernel/memory_retry.h"
#include "kernel/process.h"
#include "kernel/run_queue.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
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
        status = process_create(name, sched_current()->process, user_frame_arg(frame, 2), &process);
        if (memory_retry(sched_current()->process->space, status)) {
            return VERDICT_RESTART;
        }
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
    struct vm_budget *payer = vm_space_budget(self->space);
    status_t status =
        process_has_ended(process) ? ERR_SRCH : thread_create(affinity, payer, &thread);

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
    if (memory_retry(sched_current()->process->space, status)) {
        return VERDICT_RESTART;
    }
    return syscall_done_with(frame, status, status == OK ? handle : HANDLE_NONE);
}

enum verdict sys_thread_exit(struct user_frame *frame)
{
    thread_end(thread_of_frame(frame));
    return VERDICT_EXIT;
}
