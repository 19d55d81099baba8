/* SPDX-License-Identifier: MIT */
/*
 * The foreground process: who may choose it, and that the choice neither keeps a process nor
 * outlives it.  That Ctrl-C ends it is tried where somebody types (session_shell.py,
 * session_input.py).
 */
#include "support.h"

static int wait_for_ever(void *argument)
{
    handle_t process = HANDLE_NONE;

    (void)argument;
    (void)sys_process_create((uintptr_t) "sleeper", 7, 0, &process);
    (void)sys_process_wait(process, WAIT_FOREVER, NULL, NULL, NULL, NULL);
    return 1;
}

/* A handle with fewer rights. */
static handle_t weaker(handle_t handle, uint64_t rights)
{
    handle_t copy = HANDLE_NONE;

    tap_status(sys_handle_duplicate(handle, rights, &copy), 0, "a weaker handle");
    return copy;
}

static void refusals_check(handle_t child)
{
    handle_t writer = weaker(user_console(), RIGHT_WRITE);
    handle_t reader = weaker(child, RIGHT_READ);

    tap_status(sys_console_foreground(12345, child), -SYS_EBADF, "no such console");
    tap_status(sys_console_foreground(child, child), -SYS_EBADF, "a process is no console");
    tap_status(sys_console_foreground(writer, child), -SYS_EACCES, "a console without READ");
    tap_status(sys_console_foreground(user_console(), 12345), -SYS_EBADF, "no such process");
    tap_status(sys_console_foreground(user_console(), user_console()), -SYS_EBADF,
               "a console is no process");
    tap_status(sys_console_foreground(user_console(), reader), -SYS_EACCES,
               "a process without MANAGE");
    (void)sys_handle_close(writer);
    (void)sys_handle_close(reader);
}

/* A process in the foreground whose last handle goes. */
static void orphan_check(void)
{
    handle_t child = HANDLE_NONE;

    tap_status(sys_process_create((uintptr_t) "orphan", 6, 0, &child), 0,
               "a process without threads");
    tap_status(sys_console_foreground(user_console(), child), 0, "comes to the foreground");
    tap_status(sys_handle_close(child), 0, "and its only handle is closed");
}

int main(void)
{
    handle_t child = HANDLE_NONE;
    handle_t other = HANDLE_NONE;
    struct user_end end = {0};

    tap_status(user_fork_run(wait_for_ever, NULL, &child), 0, "a child starts");
    tap_status(user_fork_run(wait_for_ever, NULL, &other), 0, "another starts");
    refusals_check(child);
    tap_status(sys_console_foreground(user_console(), child), 0, "a child comes to the foreground");
    tap_status(sys_console_foreground(user_console(), child), 0, "again");
    tap_status(sys_console_foreground(user_console(), other), 0, "another takes its place");
    tap_status(sys_process_kill(other), 0, "that one is killed");
    tap_status(sys_console_foreground(user_console(), other), -SYS_ESRCH, "it cannot come back");
    tap_status(sys_console_foreground(user_console(), HANDLE_NONE), 0, "nobody is in front");
    tap_status(sys_console_foreground(user_console(), child), 0, "the first again");
    tap_status(sys_process_kill(child), 0, "it is killed in the foreground");
    tap_status(user_finish(child, &end), 0, "and waited for");
    tap_is(end.reason, EXIT_KILLED, "it was killed");
    tap_status(user_finish(other, &end), 0, "as is the other");
    orphan_check();
    return tap_done();
}
