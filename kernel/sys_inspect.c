/* SPDX-License-Identifier: MIT */
/* System calls that show processes and threads, and open processes by number. */
#include "kernel/handle.h"
#include "kernel/process.h"
#include "kernel/process_table.h"
#include "kernel/run_queue.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "lib/string.h"
#include "mm/user_copy.h"
#include "mm/vm_budget.h"

/* False: it has ended and nobody has a handle to it.  It lives on for a call under way, or because
 * a process that it made still names it. */
static bool process_is_known(struct process *process)
{
    /* Relaxed: a moment later it may have changed. */
    return !process_has_ended(process) ||
           atomic_load_explicit(&process->holders, memory_order_relaxed) != 0;
}

/* What its budget says: nothing once it has given up its space. */
static struct vm_budget_state budget_show(struct process *process)
{
    struct vm_budget_state state = {0, UINT64_MAX};
    struct vm_space *space;

    if (process_space_get(process, &space) == OK) {
        struct vm_budget *budget = vm_space_budget(space);

        state = budget != NULL ? vm_budget_state(budget) : state;
        process_space_put(process, space);
    }
    return state;
}

static struct process_info process_show(struct process *process)
{
    struct hart_mask harts = run_queue_harts_of(process);
    struct vm_budget_state budget = budget_show(process);
    struct process_info info = {
        .number = process->id,
        .parent = process->maker_id,
        .ended = process_has_ended(process),
        .budget_used = budget.used,
        .budget_limit = budget.limit,
    };

    if (sched_current()->process == process) {
        harts = hart_mask_with(harts, hart_index());
    }
    info.harts = harts.bits;
    memcpy(info.name, process->name, sizeof(info.name));
    spinlock_acquire(&process->handles_lock);
    info.handles = process->handles.used;
    spinlock_release(&process->handles_lock);
    spinlock_acquire(&process->lock);
    info.threads = process->thread_count;
    spinlock_release(&process->lock);
    return info;
}

enum verdict sys_process_info(struct user_frame *frame)
{
    vaddr_t buffer = {user_frame_arg(frame, 2)};
    status_t status = syscall_check_handle(frame, HANDLE_MACHINE, RIGHT_READ);

    if (status != OK) {
        return syscall_done(frame, status);
    }
    struct process *process = process_table_next(user_frame_arg(frame, 1));

    if (process == NULL) {
        return syscall_done(frame, ERR_NOENT);
    }
    if (!process_is_known(process)) {
        user_frame_set_arg(frame, 1, process->id);
        object_put(&process->object);
        return VERDICT_RESTART;
    }
    struct process_info info = process_show(process);

    object_put(&process->object);
    return syscall_done(
        frame, user_write_object(sched_current()->process->space, buffer, &info, sizeof(info)));
}

enum verdict sys_process_open(struct user_frame *frame)
{
    handle_t handle = HANDLE_NONE;
    status_t status = syscall_check_handle(frame, HANDLE_MACHINE, RIGHT_MANAGE);

    if (status != OK) {
        return syscall_done_with(frame, status, handle);
    }
    struct process *process = process_table_find(user_frame_arg(frame, 1));

    if (process == NULL) {
        return syscall_done_with(frame, ERR_SRCH, handle);
    }
    struct handle_entry entry = {.object = &process->object, .rights = RIGHT_ALL};

    status = process_has_ended(process) ? ERR_SRCH
                                        : handle_insert(sched_current()->process, entry, &handle);
    object_put(&process->object);
    return syscall_done_with(frame, status, handle);
}

/* The thread of a process with the smallest number above `after`, with a reference.
 * Errors: ERR_SRCH the process has ended; ERR_NOENT there is none. */
static status_t thread_find(struct process *process, uint64_t after, struct thread **thread)
{
    struct key_node *node = NULL;

    spinlock_acquire(&process->lock);
    status_t status = process_has_ended(process) ? ERR_SRCH : OK;

    if (status == OK && after <= UINT32_MAX) {
        node = key_tree_next(&process->numbers, (struct tree_key){.high = after << 32});
    }
    if (node != NULL) {
        *thread = LIST_ENTRY(node, struct thread, number_node);
        object_get(&(*thread)->object);
    } else if (status == OK) {
        status = ERR_NOENT;
    }
    spinlock_release(&process->lock);
    return status;
}

static uint32_t state_to_user(enum thread_state state)
{
    switch (state) {
    case THREAD_RUNNING:
        return THREAD_IS_RUNNING;
    case THREAD_BLOCKED:
        return THREAD_IS_WAITING;
    case THREAD_NEW:
    case THREAD_READY:
    case THREAD_TAKEN:
    case THREAD_ENDED:
        break;
    }
    return THREAD_IS_READY;
}

enum verdict sys_thread_info(struct user_frame *frame)
{
    vaddr_t buffer = {user_frame_arg(frame, 2)};
    struct object *object;
    struct thread *thread;
    status_t status = handle_get(sched_current()->process, user_frame_arg(frame, 0), HANDLE_PROCESS,
                                 RIGHT_READ, &object);

    if (status != OK) {
        return syscall_done(frame, status);
    }
    status =
        thread_find(LIST_ENTRY(object, struct process, object), user_frame_arg(frame, 1), &thread);
    object_put(object);
    if (status != OK) {
        return syscall_done(frame, status);
    }
    struct run_queue_thread_view view = run_queue_look_at(thread);
    struct thread_info info = {
        .number = thread->id,
        .state = state_to_user(view.state),
        .hart = view.hart,
        .call = view.call,
        .affinity = view.affinity.bits,
    };

    object_put(&thread->object);
    if (view.state == THREAD_ENDED) {
        return VERDICT_RESTART; /* just now; it is not found again */
    }
    return syscall_done(
        frame, user_write_object(sched_current()->process->space, buffer, &info, sizeof(info)));
}
