/* SPDX-License-Identifier: MIT */
/*
 * Processes: children by their numbers.  The list holds the children that posix_spawn and fork made
 * and nobody has been told the end of, with a handle to each.  A handle is closed when nobody waits
 * with it any more.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"
#include "failure.h"
#include "user/copy.h"
#include "user/lock.h"
#include "user/vellum.h"
#include "vellum/calls.h"

#define STATUS_SHIFT 8

/* All fields: (l). */
struct child {
    handle_t handle; /* HANDLE_NONE: the place is free            */
    pid_t pid;       /* 0: somebody has been told of its end      */
    uint32_t users;  /* threads that use the handle now           */
};

static struct {
    struct user_lock lock;
    size_t used; /* places of the list from the first on that have ever held a child */
    struct child list[HANDLE_MAX];
} children;

/* Only what the parent has used is written: the rest has no memory yet. */
void user_children_copied(void)
{
    memset(children.list, 0, children.used * sizeof(children.list[0]));
    children.used = 0;
    children.lock = (struct user_lock){0};
}

static pid_t number_of(handle_t process)
{
    uint64_t number = 0;

    (void)sys_handle_info(process, NULL, NULL, &number);
    return (pid_t)number;
}

/* There is a place: no process has more handles than the list has. */
static void child_add_locked(handle_t process, pid_t pid)
{
    for (size_t i = 0; i < HANDLE_MAX; i++) {
        if (children.list[i].handle == HANDLE_NONE) {
            children.list[i] = (struct child){.handle = process, .pid = pid};
            children.used = i < children.used ? children.used : i + 1;
            return;
        }
    }
}

/* Under the lock as a whole: whoever looks for a child that has ended finds it in the list, or
 * looks before it has begun. */
long child_spawn(const struct user_program *program, pid_t *pid)
{
    handle_t process = HANDLE_NONE;

    user_lock_acquire(&children.lock);
    long status = user_spawn(program, &process);
    if (status == 0) {
        *pid = number_of(process);
        child_add_locked(process, *pid);
    }
    user_lock_release(&children.lock);
    return status;
}

/* The lock is the parent's: the copy forgets it with the list. */
long child_fork(int (*run)(void *argument), void *argument, pid_t *pid)
{
    handle_t process = HANDLE_NONE;

    user_lock_acquire(&children.lock);
    long status = user_fork_run(run, argument, &process);
    if (status == 0) {
        *pid = number_of(process);
        child_add_locked(process, *pid);
    }
    user_lock_release(&children.lock);
    return status;
}

/* The child of that number, whose handle stays until child_put; NULL: there is none. */
static struct child *child_get(pid_t pid)
{
    struct child *found = NULL;

    user_lock_acquire(&children.lock);
    for (size_t i = 0; i < children.used && found == NULL; i++) {
        if (pid > 0 && children.list[i].pid == pid) {
            found = &children.list[i];
            found->users++;
        }
    }
    user_lock_release(&children.lock);
    return found;
}

enum put {
    CHILD_STAYS,
    CHILD_ENDED, /* the caller tells of its end, unless somebody has already */
};

/* Nonzero: the caller is the one to tell of its end. */
static int child_put(struct child *child, enum put put)
{
    user_lock_acquire(&children.lock);
    int tells = put == CHILD_ENDED && child->pid != 0;
    if (tells) {
        child->pid = 0;
    }
    child->users--;
    if (child->users == 0 && child->pid == 0) {
        (void)sys_handle_close(child->handle);
        child->handle = HANDLE_NONE;
    }
    user_lock_release(&children.lock);
    return tells;
}

/* The end of a process as wait() tells it. */
static int status_of(const struct user_end *end)
{
    switch (end->reason) {
    case EXIT_STATUS:
        return (int)(end->detail & 0xff) << STATUS_SHIFT;
    case EXIT_KILLED:
    case EXIT_NO_MEMORY:
        return SIGKILL;
    case EXIT_FAULT:
        break;
    default: /* its threads ended one by one */
        return 0;
    }
    switch (end->access) {
    case ACCESS_ILLEGAL:
        return SIGILL;
    case ACCESS_BREAKPOINT:
        return SIGTRAP;
    case ACCESS_OTHER:
        return SIGBUS;
    default:
        return SIGSEGV;
    }
}

/* Waits for a child.  Returns 0 and writes *status, ECHILD, or ETIMEDOUT. */
static int child_wait(pid_t pid, uint64_t deadline, int *status)
{
    struct user_end end = {0};
    struct child *child = child_get(pid);

    if (child == NULL) {
        return ECHILD;
    }
    long waited =
        sys_process_wait(child->handle, deadline, &end.reason, &end.detail, &end.access, &end.pc);
    if (waited != 0) {
        (void)child_put(child, CHILD_STAYS);
        return waited == -SYS_ETIMEDOUT ? ETIMEDOUT : ECHILD;
    }
    if (!child_put(child, CHILD_ENDED)) {
        return ECHILD;
    }
    if (status != NULL) {
        *status = status_of(&end);
    }
    return 0;
}

/* Looks whether any child has ended.  Returns its number, 0: none yet, -1: there are none. */
static pid_t children_look(int *status)
{
    pid_t result = -1;

    for (size_t i = 0; i < HANDLE_MAX; i++) {
        user_lock_acquire(&children.lock);
        pid_t pid = children.list[i].pid;
        user_lock_release(&children.lock);
        int error = pid == 0 ? ECHILD : child_wait(pid, 0, status);
        if (error == 0) {
            return pid;
        }
        if (error == ETIMEDOUT) {
            result = 0;
        }
    }
    return result;
}

static pid_t any_wait(int *status, int options)
{
    uint64_t ended = 0;

    for (;;) {
        /* Read before one looks: an end between the two is not missed. */
        (void)sys_children_wait(0, 0, &ended);
        pid_t pid = children_look(status);
        if (pid < 0) {
            return failure(ECHILD);
        }
        if (pid > 0 || (options & WNOHANG) != 0) {
            return pid;
        }
        (void)sys_children_wait(ended, WAIT_FOREVER, NULL);
    }
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    if ((options & ~WNOHANG) != 0) {
        return failure(EINVAL);
    }
    if (pid == -1 || pid == 0) { /* all processes are one group */
        return any_wait(status, options);
    }
    int error = child_wait(pid, (options & WNOHANG) != 0 ? 0 : WAIT_FOREVER, status);
    if (error == ETIMEDOUT) {
        return 0;
    }
    return error == 0 ? pid : failure(error);
}

pid_t wait(int *status)
{
    return waitpid(-1, status, 0);
}

/* Signals whose default is to end the process; nobody can wish otherwise. */
static int signal_ends(int signal)
{
    return signal == SIGHUP || signal == SIGINT || signal == SIGQUIT || signal == SIGABRT ||
           signal == SIGKILL || signal == SIGTERM;
}

int kill(pid_t pid, int signal)
{
    if (signal != 0 && !signal_ends(signal)) {
        return failure(EINVAL);
    }
    if (pid == getpid()) {
        return signal == 0 ? 0 : (int)sys_process_kill(user_self());
    }
    struct child *child = child_get(pid);
    if (child == NULL) {
        return failure(ESRCH);
    }
    if (signal != 0) {
        (void)sys_process_kill(child->handle);
    }
    (void)child_put(child, CHILD_STAYS);
    return 0;
}

pid_t getpid(void)
{
    return number_of(user_self());
}
