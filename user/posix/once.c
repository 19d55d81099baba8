/* SPDX-License-Identifier: MIT */
/* Functions that run once: whoever comes while it runs waits for its end. */
#include <pthread.h>

#include "user/lock.h"
#include "vellum/calls.h"

enum {
    ONCE_NEW,
    ONCE_RUNS,
    ONCE_AWAITED, /* runs, and somebody may sleep */
    ONCE_DONE,
};

static void once_run(struct vellum_once *once, void (*run)(void))
{
    run();
    /* Release pairs with the acquires in pthread_once. */
    if (atomic_exchange_explicit(&once->state, ONCE_DONE, memory_order_release) == ONCE_AWAITED) {
        (void)sys_futex_wake((uintptr_t)&once->state, UINT32_MAX, 0, NULL);
    }
}

int pthread_once(pthread_once_t *once, void (*run)(void))
{
    /* Acquire pairs with the release in once_run. */
    uint32_t state = atomic_load_explicit(&once->state, memory_order_acquire);

    while (state != ONCE_DONE) {
        uint32_t next = state == ONCE_NEW ? ONCE_RUNS : ONCE_AWAITED;

        if (!atomic_compare_exchange_strong_explicit(&once->state, &state, next,
                                                     memory_order_acquire, memory_order_acquire)) {
            continue;
        }
        if (state == ONCE_NEW) {
            once_run(once, run);
            return 0;
        }
        (void)sys_futex_wait((uintptr_t)&once->state, ONCE_AWAITED, WAIT_FOREVER, 0);
        state = atomic_load_explicit(&once->state, memory_order_acquire);
    }
    return 0;
}
