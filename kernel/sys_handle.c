/* SPDX-License-Identifier: MIT */
/* System calls on handles. */
#include "kernel/handle.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"

enum verdict sys_handle_close(struct user_frame *frame)
{
    return syscall_done(frame, handle_close(sched_current()->process, user_frame_arg(frame, 0)));
}

/* Finds a handle of the caller that has `need`, to copy it with the rights `want`.  On OK the entry
 * has these rights, and a reference on the object. */
static status_t copy_decode(uint64_t handle, uint32_t need, uint64_t want,
                            struct handle_entry *entry)
{
    status_t status = handle_find(sched_current()->process, handle, entry);

    if (status != OK) {
        return status;
    }
    status = (entry->rights & need) == need ? OK : ERR_ACCES;
    if (status == OK) {
        status = handle_rights_check(entry->rights, want);
    }
    if (status != OK) {
        object_put(entry->object);
        return status;
    }
    entry->rights = (uint32_t)want;
    return OK;
}

enum verdict sys_handle_duplicate(struct user_frame *frame)
{
    struct handle_entry entry;
    handle_t copy = HANDLE_NONE;
    status_t status =
        copy_decode(user_frame_arg(frame, 0), RIGHT_DUPLICATE, user_frame_arg(frame, 1), &entry);

    if (status == OK) {
        status = handle_insert(sched_current()->process, entry, &copy);
        object_put(entry.object);
    }
    return syscall_done_with(frame, status, copy);
}

static uint64_t object_number(struct object *object)
{
    if (object->type == HANDLE_PROCESS) {
        return LIST_ENTRY(object, struct process, object)->id;
    }
    if (object->type == HANDLE_THREAD) {
        return LIST_ENTRY(object, struct thread, object)->id;
    }
    return 0;
}

enum verdict sys_handle_info(struct user_frame *frame)
{
    struct handle_entry entry;
    status_t status = handle_find(sched_current()->process, user_frame_arg(frame, 0), &entry);

    if (status != OK) {
        return syscall_done(frame, status);
    }
    enum verdict verdict = syscall_done_with(frame, OK, entry.object->type);

    user_frame_set_arg(frame, 2, entry.rights);
    user_frame_set_arg(frame, 3, object_number(entry.object));
    object_put(entry.object);
    return verdict;
}

enum verdict sys_handle_transfer(struct user_frame *frame)
{
    struct process *self = sched_current()->process;
    struct object *to;
    struct handle_entry entry;
    handle_t theirs = HANDLE_NONE;
    status_t status = handle_get(self, user_frame_arg(frame, 0), HANDLE_PROCESS, RIGHT_MANAGE, &to);

    if (status != OK) {
        return syscall_done(frame, status);
    }
    status =
        copy_decode(user_frame_arg(frame, 1), RIGHT_TRANSFER, user_frame_arg(frame, 2), &entry);
    if (status == OK) {
        status = handle_insert(LIST_ENTRY(to, struct process, object), entry, &theirs);
        object_put(entry.object);
    }
    object_put(to);
    return syscall_done_with(frame, status, theirs);
}
