/* SPDX-License-Identifier: MIT */
/* How programs with threads end, and copies of them, in which one thread goes on alone. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "support.h"

#define COPIES 10

static pthread_t main_thread;

static void *joins_main(void *argument)
{
    void *result = NULL;

    (void)argument;
    exit(pthread_join(main_thread, &result) == 0 && (uintptr_t)result == 77 ? 23 : 1);
}

static int main_leaves(void *argument)
{
    pthread_t thread;

    main_thread = pthread_self();
    (void)pthread_create(&thread, NULL, joins_main, argument);
    pthread_exit((void *)77);
}

static int last_leaves(void *argument)
{
    pthread_exit(argument);
}

static unsigned at_exit_runs;

static void at_exit(void)
{
    at_exit_runs++;
    (void)sys_yield();
    _Exit(at_exit_runs == 1 ? 5 : 6);
}

static void *exits(void *argument)
{
    exit(argument == NULL ? 1 : 2);
}

static int all_exit(void *argument)
{
    pthread_t threads[4];

    (void)argument;
    (void)atexit(at_exit);
    for (unsigned i = 0; i < COUNT_OF(threads); i++) {
        (void)pthread_create(&threads[i], NULL, exits, NULL);
    }
    exit(3);
}

static int copy_leaves(void *argument)
{
    (void)argument;
    struct user_end end = {0};

    if (user_fork_wait(last_leaves, NULL, &end) != 0) {
        return 1;
    }
    return end.reason == EXIT_STATUS && end.detail == 0 ? 0 : 2;
}

/* A thread of a process with two makes a copy: the copy's first and only thread has a handle
 * neither of itself nor to be joined by. */
static void *copies(void *argument)
{
    return (void *)(intptr_t)copy_leaves(argument);
}

static void *nothing(void *argument)
{
    return argument;
}

static _Atomic(uint32_t) is_over;

static void *makes_threads(void *argument)
{
    /* Relaxed: nothing comes with it. */
    while (atomic_load_explicit(&is_over, memory_order_relaxed) == 0) {
        pthread_t thread;
        pthread_key_t key;

        if (pthread_create(&thread, NULL, nothing, NULL) == 0) {
            (void)pthread_join(thread, NULL);
        }
        if (pthread_key_create(&key, NULL) == 0) {
            (void)pthread_key_delete(key);
        }
    }
    return argument;
}

/* In a copy: threads and keys can be made and joined. */
static int goes_on(void *argument)
{
    pthread_t thread;
    pthread_key_t key;

    (void)argument;
    int error = pthread_create(&thread, NULL, nothing, NULL);
    if (error == 0) {
        error = pthread_join(thread, NULL);
    }
    return error == 0 && pthread_key_create(&key, NULL) == 0 ? 0 : 1;
}

static void check_copies(void)
{
    pthread_t thread;
    void *result = NULL;
    unsigned failed = 0;

    (void)pthread_create(&thread, NULL, copies, NULL);
    (void)pthread_join(thread, &result);
    tap_is((uintptr_t)result, 0, "a copy of a process with two threads has one, which ends it");
    (void)pthread_create(&thread, NULL, makes_threads, NULL);
    for (unsigned i = 0; i < COPIES; i++) {
        struct user_end end = {0};

        failed +=
            user_fork_wait(goes_on, NULL, &end) != 0 || end.reason != EXIT_STATUS || end.detail != 0
                ? 1
                : 0;
    }
    atomic_store_explicit(&is_over, 1, memory_order_relaxed);
    (void)pthread_join(thread, NULL);
    tap_is(failed, 0, "%d copies made while a thread makes others get on", COPIES);
}

int main(void)
{
    check_child(main_leaves, NULL, 23, "the first thread ends, and is joined");
    check_child(last_leaves, NULL, 0, "the last thread ends the program with status 0");
    check_child(all_exit, NULL, 5, "five threads exit, one runs what atexit was told");
    check_copies();
    return tap_done();
}
