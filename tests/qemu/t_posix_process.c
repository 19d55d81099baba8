/* SPDX-License-Identifier: MIT */
/* Children by POSIX's names: started from the archive, waited for, killed. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#define SELF   "test/t_posix_process"
#define CROWD  5
#define COPIES 10

static int spawn_self(pid_t *pid, const char *role)
{
    char *const argv[] = {"t_posix_process", (char *)(uintptr_t)role, NULL};

    return posix_spawn(pid, SELF, NULL, NULL, argv, NULL);
}

/* What a child does, by the text it was started with. */
static int role_play(const char *role)
{
    if (strcmp(role, "fault") == 0) {
        touch(ACCESS_WRITE, PLACE);
    }
    if (strcmp(role, "illegal") == 0) {
        __asm__ volatile("unimp");
    }
    if (strcmp(role, "abort") == 0) {
        abort();
    }
    while (strcmp(role, "sleep") == 0) {
        (void)sleep(1000);
    }
    if (strcmp(role, "spawn") == 0) {
        pid_t pid = 0;
        int status = 0;

        return spawn_self(&pid, "5") == 0 && waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status)
                                                                             : 1;
    }
    return atoi(role);
}

static void check_status(const char *role, int wanted, const char *what)
{
    pid_t pid = 0;
    int status = 0;

    tap_is((uint64_t)spawn_self(&pid, role), 0, "%s: it starts", what);
    tap_ok(pid > 0 && pid != getpid(), "it has a number");
    tap_is((uint64_t)waitpid(pid, &status, 0), (uint64_t)pid, "it is waited for");
    tap_is((uint64_t)status, (uint64_t)wanted, "%s", what);
    tap_ok(waitpid(pid, &status, 0) == -1 && errno == ECHILD, "and not known any more");
}

static void check_ends(void)
{
    check_status("42", 42 << 8, "a child that exits with a status");
    check_status("300", (300 & 0xff) << 8, "a child with a status of more than a byte");
    check_status("fault", SIGSEGV, "a child that touches what it has not");
    check_status("illegal", SIGILL, "a child with an illegal instruction");
    check_status("abort", SIGKILL, "a child that aborts");
    check_status("spawn", 5 << 8, "a child with a child");
}

static void check_kill(void)
{
    pid_t pid = 0;
    int status = 0;

    (void)spawn_self(&pid, "sleep");
    tap_is((uint64_t)waitpid(pid, &status, WNOHANG), 0, "a child that sleeps has not ended");
    tap_is((uint64_t)waitpid(-1, &status, WNOHANG), 0, "nor has any");
    tap_is((uint64_t)kill(pid, 0), 0, "it is there");
    tap_ok(kill(pid, SIGUSR1) == -1 && errno == EINVAL, "signals there are none");
    tap_is((uint64_t)kill(pid, SIGTERM), 0, "but to end it");
    tap_is((uint64_t)waitpid(pid, &status, 0), (uint64_t)pid, "it ends");
    tap_ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "killed");
    tap_ok(kill(pid, 0) == -1 && errno == ESRCH, "and is not there then");
    tap_is((uint64_t)kill(getpid(), 0), 0, "oneself is there");
}

static void check_any(void)
{
    static const char *const roles[CROWD] = {"1", "2", "3", "4", "5"};
    unsigned seen = 0;
    int status = 0;

    tap_ok(wait(&status) == -1 && errno == ECHILD, "no children, nothing to wait for");
    for (unsigned i = 0; i < CROWD; i++) {
        (void)spawn_self(NULL, roles[i]);
    }
    for (unsigned i = 0; i < CROWD; i++) {
        if (wait(&status) > 0 && WIFEXITED(status)) {
            seen |= 1U << WEXITSTATUS(status);
        }
    }
    tap_is(seen, 0x3e, "%d children are waited for as they end, each once", CROWD);
    tap_ok(waitpid(-1, &status, WNOHANG) == -1 && errno == ECHILD, "then there are none");
}

static pid_t shared_child;

static void *waits(void *argument)
{
    (void)argument;
    return (void *)(uintptr_t)(waitpid(shared_child, NULL, 0) == shared_child ? 1 : 0);
}

static void check_two_waiters(void)
{
    pthread_t threads[2];
    void *results[2] = {NULL, NULL};

    (void)spawn_self(&shared_child, "sleep");
    for (unsigned i = 0; i < 2; i++) {
        (void)pthread_create(&threads[i], NULL, waits, NULL);
    }
    (void)usleep(2000);
    (void)kill(shared_child, SIGKILL);
    for (unsigned i = 0; i < 2; i++) {
        (void)pthread_join(threads[i], &results[i]);
    }
    tap_is((uintptr_t)results[0] + (uintptr_t)results[1], 1,
           "of two threads that wait for a child one is told");
}

static int sleeps(void *argument)
{
    while (argument == NULL) {
        (void)sleep(1000);
    }
    return 0;
}

/* In a copy of this process: the children are not its own; its own handles may have the numbers
 * that theirs have there. */
static int knows_none(void *argument)
{
    pid_t child = *(const pid_t *)argument;
    handle_t own = HANDLE_NONE;

    if (user_fork_run(sleeps, NULL, &own) != 0) {
        return 1;
    }
    int is_unknown = kill(child, SIGKILL) == -1 && errno == ESRCH;
    int is_alone = waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
    int lives = sys_process_wait(own, 0, NULL, NULL, NULL, NULL) == -SYS_ETIMEDOUT;

    (void)sys_process_kill(own);
    return is_unknown && is_alone && lives ? 0 : 2;
}

static _Atomic(uint32_t) is_over;

static void *spawns(void *argument)
{
    /* Relaxed: nothing comes with it. */
    while (atomic_load_explicit(&is_over, memory_order_relaxed) == 0) {
        pid_t pid = 0;

        if (spawn_self(&pid, "0") == 0) {
            (void)waitpid(pid, NULL, 0);
        }
    }
    return argument;
}

static int has_no_children(void *argument)
{
    (void)argument;
    return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : 1;
}

static void check_copies(void)
{
    pthread_t thread;
    pid_t pid = 0;
    unsigned failed = 0;

    (void)spawn_self(&pid, "sleep");
    check_child(knows_none, &pid, 0, "a copy of a process has not its children");
    tap_is((uint64_t)waitpid(pid, NULL, WNOHANG), 0, "which live on");
    (void)kill(pid, SIGKILL);
    tap_is((uint64_t)waitpid(pid, NULL, 0), (uint64_t)pid, "and are ended by who has them");

    (void)pthread_create(&thread, NULL, spawns, NULL);
    for (unsigned i = 0; i < COPIES; i++) {
        struct user_end end = {0};

        failed += user_fork_wait(has_no_children, NULL, &end) != 0 || end.reason != EXIT_STATUS ||
                          end.detail != 0
                      ? 1
                      : 0;
    }
    atomic_store_explicit(&is_over, 1, memory_order_relaxed);
    (void)pthread_join(thread, NULL);
    tap_is(failed, 0, "%d copies made while a thread starts children get on", COPIES);
}

static void check_errors(void)
{
    char *const argv[] = {"x", NULL};
    static char text[2 * PAGE];
    char *const long_argv[] = {text, NULL};
    pid_t pid = 0;

    memset(text, 'x', sizeof(text) - 1);
    tap_is((uint64_t)posix_spawn(&pid, "bin/none", NULL, NULL, argv, NULL), ENOENT,
           "a name that is not in the archive");
    tap_is((uint64_t)posix_spawn(&pid, SELF, NULL, NULL, long_argv, NULL), E2BIG,
           "arguments of more than a page");
    tap_ok(waitpid(1, NULL, 0) == -1 && errno == ECHILD, "a process that is no child");
    tap_ok(waitpid(-1, NULL, 64) == -1 && errno == EINVAL, "an unknown option");
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        return role_play(argv[1]);
    }
    tap_expect_log("process t_posix_process");
    tap_expect_log("unhandled ILLEGAL fault");
    check_ends();
    check_kill();
    check_any();
    check_two_waiters();
    check_copies();
    check_errors();
    char *const hello[] = {"hello", NULL};
    pid_t pid = 0;
    int status = 1;
    tap_is((uint64_t)posix_spawnp(&pid, "hello", NULL, NULL, hello, NULL), 0, "hello is found");
    tap_is((uint64_t)waitpid(pid, &status, 0), (uint64_t)pid, "and runs");
    tap_is((uint64_t)status, 0, "to its end");
    return tap_done();
}
