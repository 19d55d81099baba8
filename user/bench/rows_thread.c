/* SPDX-License-Identifier: MIT */
/* Rows: threads, two of them that wake each other, and one that lets the hart idle. */
#include <stdatomic.h>

#include "bench.h"

#define SLEEP_NS UINT64_C(100000)

/* A thread that only ends. */
extern const char thread_nothing[];
__asm__(".text\n"
        ".balign 4\n"
        "thread_nothing:\n"
        "    li a7, 12\n" /* thread_exit */
        "    ecall\n");

static long thread_run(uint64_t times)
{
    static _Alignas(16) char stack[16];
    long status = 0;

    for (uint64_t i = 0; i < times && status == 0; i++) {
        handle_t thread = HANDLE_NONE;

        status = sys_thread_start(user_self(), (uintptr_t)thread_nothing,
                                  (uintptr_t)stack + sizeof(stack), 0, 0, &thread);
        if (status == 0) {
            status = sys_thread_wait(thread, WAIT_FOREVER);
            (void)sys_handle_close(thread);
        }
    }
    return status != 0 ? status : sys_quiesce(user_machine());
}

/* Whose turn it is: each of the two waits for its word to become 1 and takes it back to 0.  Each
 * store releases to the load of the other that acquires. */
static _Atomic(uint32_t) word_there;
static _Atomic(uint32_t) word_here;
static _Atomic(uint32_t) finished; /* released by the row's end, acquired by the partner */
static struct user_thread partner;

static long word_send(_Atomic(uint32_t) *word)
{
    atomic_store_explicit(word, 1, memory_order_release);
    return sys_futex_wake((uintptr_t)word, 1, 0, NULL);
}

static long word_take(_Atomic(uint32_t) *word)
{
    while (atomic_load_explicit(word, memory_order_acquire) == 0) {
        long status = sys_futex_wait((uintptr_t)word, 0, WAIT_FOREVER, 0);

        if (status != 0 && status != -SYS_EAGAIN) {
            return status;
        }
    }
    atomic_store_explicit(word, 0, memory_order_relaxed); /* the next send comes after ours */
    return 0;
}

static void partner_run(void *argument)
{
    (void)argument;
    for (;;) {
        if (word_take(&word_there) != 0 ||
            atomic_load_explicit(&finished, memory_order_acquire) != 0) {
            return;
        }
        (void)word_send(&word_here);
    }
}

static long partner_start(void)
{
    long status = sys_futex_wake((uintptr_t)&word_there, 1, 0, NULL);

    if (status != 0) {
        return status;
    }
    atomic_store_explicit(&finished, 0, memory_order_relaxed); /* there is no partner yet */
    return user_thread_start(&partner, partner_run, NULL);
}

static void partner_stop(void)
{
    atomic_store_explicit(&finished, 1, memory_order_release);
    (void)word_send(&word_there);
    (void)user_thread_join(&partner);
}

static long futex_run(uint64_t times)
{
    long status = 0;

    for (uint64_t i = 0; i < times && status == 0; i++) {
        status = word_send(&word_there);
        if (status == 0) {
            status = word_take(&word_here);
        }
    }
    return status;
}

static long sleep_run(uint64_t times)
{
    static uint32_t word;
    long status = 0;

    for (uint64_t i = 0; i < times && status == 0; i++) {
        uint64_t now = 0;

        (void)sys_time_get(&now, NULL);
        status = sys_futex_wait((uintptr_t)&word, word, now + SLEEP_NS, 0);
        status = status == -SYS_ETIMEDOUT ? 0 : -SYS_EIO;
    }
    return status;
}

const struct row rows_thread[] = {
    {"futex_round_trip", 2000, 0, partner_start, futex_run, partner_stop},
    {"thread", 1000, 0, NULL, thread_run, NULL},
    {"sleep", 200, 0, NULL, sleep_run, NULL},
    {.name = NULL},
};
