/* SPDX-License-Identifier: MIT */
/* Threads by POSIX's and C11's names: results, fates, keys, what they leave behind. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <threads.h>

#include "support.h"

#define ROUNDS 200

static void *plus_one(void *argument)
{
    return (void *)((uintptr_t)argument + 1);
}

static void check_join(void)
{
    pthread_t thread;
    void *result = NULL;

    tap_is((uint64_t)pthread_create(&thread, NULL, plus_one, (void *)41), 0, "a thread begins");
    tap_is((uint64_t)pthread_join(thread, &result), 0, "it is joined");
    tap_is((uintptr_t)result, 42, "and its result is there");
    tap_is((uint64_t)pthread_join(pthread_self(), NULL), EDEADLK, "nobody joins himself");
}

static int errno_own(void *argument)
{
    int before = errno;

    errno = EIO;
    return before == 0 && argument == NULL ? 7 : 1;
}

static void check_c11(void)
{
    thrd_t thread;
    int result = 0;

    errno = ENOENT;
    tap_is((uint64_t)thrd_create(&thread, errno_own, NULL), thrd_success, "a C11 thread begins");
    tap_is((uint64_t)thrd_join(thread, &result), thrd_success, "it is joined");
    tap_is((uint64_t)result, 7, "it began with errno 0");
    tap_is((uint64_t)errno, ENOENT, "and its errno is not ours");
}

static _Atomic(uint32_t) count;

static void *count_one(void *argument)
{
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    return argument;
}

/* Waits until so many have counted. */
static void await(uint32_t wanted)
{
    while (atomic_load_explicit(&count, memory_order_acquire) < wanted) {
        (void)sys_yield();
    }
}

static void check_detached(void)
{
    pthread_attr_t attr;
    unsigned failed = 0;
    uint64_t before = 0;

    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        pthread_t thread;

        failed += pthread_create(&thread, &attr, count_one, NULL) != 0 ? 1 : 0;
        await(i + 1);
        if (i == ROUNDS / 2) {
            before = frames_free();
        }
    }
    tap_is(failed, 0, "%d detached threads run, one after another", ROUNDS);
    uint64_t after = frames_free();
    tap_ok(before - after < 64 || after >= before, "their stacks come back as they go on");

    pthread_t thread;
    atomic_store_explicit(&count, 0, memory_order_relaxed);
    (void)pthread_create(&thread, NULL, count_one, NULL);
    await(1);
    tap_is((uint64_t)pthread_detach(thread), 0, "a thread is detached at its end");
}

static void *sleeps(void *argument)
{
    while (atomic_load_explicit(&count, memory_order_acquire) == 0) {
        (void)sys_yield();
    }
    return argument;
}

static void check_fates(void)
{
    pthread_t thread;
    pthread_attr_t attr;

    atomic_store_explicit(&count, 0, memory_order_relaxed);
    (void)pthread_attr_init(&attr);
    tap_is((uint64_t)pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN - 1), EINVAL,
           "a stack too small is refused");
    tap_is((uint64_t)pthread_attr_setdetachstate(&attr, 9), EINVAL, "an unknown state is refused");
    (void)pthread_create(&thread, NULL, sleeps, NULL);
    tap_is((uint64_t)pthread_detach(thread), 0, "a running thread is detached");
    tap_is((uint64_t)pthread_join(thread, NULL), EINVAL, "it cannot be joined any more");
    tap_is((uint64_t)pthread_detach(thread), EINVAL, "nor detached again");
    atomic_store_explicit(&count, 1, memory_order_release);
}

static void *deep(void *argument)
{
    volatile char *page = (volatile char *)__builtin_frame_address(0);

    for (uint64_t i = 0; i < 64; i++) {
        page -= PAGE;
        *page = 1;
    }
    return argument;
}

static int overflow_child(void *argument)
{
    pthread_t thread;

    (void)pthread_create(&thread, NULL, deep, argument);
    (void)pthread_join(thread, NULL);
    return 0;
}

static void check_guard(void)
{
    struct user_end end = {0};

    tap_status(user_fork_wait(overflow_child, NULL, &end), 0, "a thread overflows its stack");
    tap_is(end.reason, EXIT_FAULT, "its program ends by a fault");
    tap_is(end.access, ACCESS_WRITE, "of a store");
    tap_ok(end.detail >= USER_PAGES_START, "before it reaches the stack of another thread");
    tap_expect_log("unhandled WRITE fault");
}

static pthread_key_t key;
static unsigned destroyed;

static void destroy(void *value)
{
    destroyed += (unsigned)(uintptr_t)value;
    if ((uintptr_t)value == 3) {
        (void)pthread_setspecific(key, (void *)5);
    }
}

static void *sets_key(void *argument)
{
    uintptr_t before = (uintptr_t)pthread_getspecific(key);

    (void)pthread_setspecific(key, argument);
    return (void *)before;
}

static void check_keys(void)
{
    pthread_t thread;
    void *before = NULL;
    pthread_key_t again = 0;

    tap_is((uint64_t)pthread_key_create(&key, destroy), 0, "a key is made");
    tap_is((uint64_t)pthread_setspecific(key, (void *)9), 0, "it has a value here");
    (void)pthread_create(&thread, NULL, sets_key, (void *)3);
    (void)pthread_join(thread, &before);
    tap_is((uintptr_t)before, 0, "another thread begins without");
    tap_is(destroyed, 8, "its values are destroyed, that of the destructor too");
    tap_is((uintptr_t)pthread_getspecific(key), 9, "ours stays");
    tap_is((uint64_t)pthread_key_delete(key), 0, "the key is deleted");
    tap_is((uint64_t)pthread_setspecific(key, NULL), EINVAL, "and is no key then");
    (void)pthread_key_create(&again, NULL);
    tap_is(again, key, "its number is used again");
    tap_is((uintptr_t)pthread_getspecific(again), 0, "and has no value");
    (void)pthread_key_delete(again);
}

static unsigned cleaned;

static void clean(void *argument)
{
    cleaned = cleaned * 10 + (unsigned)(uintptr_t)argument;
}

static void *exits_inside(void *argument)
{
    pthread_cleanup_push(clean, (void *)1);
    pthread_cleanup_push(clean, (void *)2);
    pthread_exit(argument);
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return NULL;
}

static void check_cleanup(void)
{
    pthread_t thread;

    (void)pthread_create(&thread, NULL, exits_inside, NULL);
    (void)pthread_join(thread, NULL);
    tap_is(cleaned, 21, "cleanup functions run, the last one first");
}

static int create_until_full(void *argument)
{
    static pthread_t threads[HANDLE_MAX + 2];
    pthread_attr_t attr;
    unsigned made = 0;
    int error = 0;

    (void)argument;
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN);
    atomic_store_explicit(&count, 0, memory_order_relaxed);
    while (made <= HANDLE_MAX && error == 0) {
        error = pthread_create(&threads[made], &attr, sleeps, NULL);
        made += error == 0 ? 1 : 0;
    }
    /* The stack of the one that failed is kept for the next, which fails too. */
    uint64_t before = frames_free();
    int again = pthread_create(&threads[made], &attr, sleeps, NULL);
    int leaks = frames_free() != before || again != EAGAIN;
    atomic_store_explicit(&count, 1, memory_order_release);
    for (unsigned i = 0; i < made; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    return error != EAGAIN || leaks || made < HANDLE_MAX / 2;
}

int main(void)
{
    check_join();
    check_c11();
    check_detached();
    check_fates();
    check_guard();
    check_keys();
    check_cleanup();
    check_child(create_until_full, NULL, 0, "too many threads: EAGAIN, and nothing is left");
    return tap_done();
}
