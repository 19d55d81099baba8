/* SPDX-License-Identifier: MIT */
/*
 * Processes that begin as a copy of the caller: its whole space is cloned, copy on write.  The
 * child runs on the copy of the caller's stack, below the frame of user_fork_run, so it finds its
 * struct user_launch where the caller made it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fork.h"
#include "give.h"
#include "launch.h"
#include "user/console_line.h"
#include "user/copy.h"
#include "user/lock.h"
#include "user/space.h"
#include "user/vellum.h"
#include "vellum/calls.h"

/* Gives one handle; *theirs stays 0 where it may not be given away. */
static long handle_give(handle_t process, handle_t handle, handle_t *theirs)
{
    uint64_t rights = 0;
    long status = handle == HANDLE_NONE ? 0 : sys_handle_info(handle, NULL, &rights, NULL);

    *theirs = HANDLE_NONE;
    if (status != 0 || (rights & RIGHT_TRANSFER) == 0) {
        return status;
    }
    return sys_handle_transfer(process, handle, rights, theirs);
}

long user_handles_give(handle_t process, struct start_info *info)
{
    const struct start_info *own = user_info();
    long status = sys_handle_transfer(process, process, RIGHT_ALL, &info->self);

    if (status == 0) {
        status = handle_give(process, own->console, &info->console);
    }
    if (status == 0) {
        status = handle_give(process, own->machine, &info->machine);
    }
    for (size_t i = 0; i < START_IO_MAX && status == 0; i++) {
        status = handle_give(process, own->io[i], &info->io[i]);
    }
    return status;
}

/* The child begins as this thread was: it holds the library's locks. */
static void library_lock(void)
{
    user_files_lock();
    user_libc_lock();
    user_stdio_lock();
    user_malloc_lock();
    user_space_lock();
}

static void library_unlock(void)
{
    user_space_unlock();
    user_malloc_unlock();
    user_stdio_unlock();
    user_libc_unlock();
    user_files_unlock();
}

_Noreturn static void child_begin(struct user_launch *launch)
{
    library_unlock();
    user_console_line_copied();
    user_exit_copied();
    user_threads_copied();
    user_keys_copied();
    user_children_copied();
    exit(launch->run_process(launch->argument));
}

static long child_fill(handle_t process, const struct user_launch *launch)
{
    struct start_info info = *user_info();
    handle_t thread = HANDLE_NONE;
    uint64_t place = (uintptr_t)launch;
    long status = sys_vm_clone(user_self(), process, 0, user_limit(), 0, NULL);

    if (status == 0) {
        status = user_handles_give(process, &info);
    }
    if (status == 0) {
        status = user_files_give(process);
    }
    if (status == 0) {
        status =
            sys_vm_write(process, (uintptr_t)user_info_own(), (uintptr_t)&info, sizeof(info), NULL);
    }
    if (status == 0) {
        status = sys_thread_start(process, (uintptr_t)user_launch_entry, place & ~UINT64_C(15),
                                  place, 0, &thread);
    }
    if (status == 0) {
        (void)sys_handle_close(thread);
    }
    return status;
}

long user_fork_limited(uint64_t frames, int (*run)(void *argument), void *argument,
                       handle_t *process)
{
    static const char name[] = "child";
    struct user_launch launch = {
        .begin = child_begin, .run_process = run, .argument = argument, .tp = user_thread_id()};
    handle_t created = HANDLE_NONE;

    (void)fflush(stdout);
    long status = sys_process_create((uintptr_t)name, strlen(name), frames, &created);
    if (status != 0) {
        return status;
    }
    library_lock();
    status = child_fill(created, &launch);
    library_unlock();
    if (status != 0) {
        (void)sys_process_kill(created);
        (void)sys_handle_close(created);
        return status;
    }
    *process = created;
    return 0;
}

long user_fork_run(int (*run)(void *argument), void *argument, handle_t *process)
{
    return user_fork_limited(0, run, argument, process);
}

long user_fork_wait(int (*run)(void *argument), void *argument, struct user_end *end)
{
    handle_t process = HANDLE_NONE;
    long status = user_fork_run(run, argument, &process);

    return status == 0 ? user_finish(process, end) : status;
}
