/* SPDX-License-Identifier: MIT */
/*
 * Futexes, one step at a time: the word decides who sleeps, wake-ups are counted exactly and come
 * in the order of the sleepers, private and shared ones never meet, and what cannot be waited on is
 * refused.
 */
#include <stdatomic.h>

#include "support.h"

#define SLEEPERS  12U
#define THOUSANDS 3000U
#define CALL_WAIT 35U
#define CALL_WAKE 36U

static _Atomic(uint32_t) word;

static uint64_t wake(uint64_t threads, uint64_t flags)
{
    uint64_t woken = UINT64_MAX;

    (void)sys_futex_wake((uintptr_t)&word, threads, flags, &woken);
    return woken;
}

/* How many threads of this process wait in futex_wait. */
static unsigned sleeping(void)
{
    return threads_waiting_in(user_self(), CALL_WAIT);
}

static void sleeping_wait(unsigned count)
{
    while (sleeping() != count) {
        (void)sys_yield();
    }
}

/* ---- refusals ---- */

static void refusals_check(void)
{
    uint64_t at = (uintptr_t)&word;
    uint64_t woken = 1;

    tap_status(sys_futex_wait(at + 2, 0, 0, 0), -SYS_EINVAL, "a word lies at a multiple of 4");
    tap_status(sys_futex_wait(at, UINT64_C(1) << 32, 0, 0), -SYS_EINVAL, "and has 32 bits");
    tap_status(sys_futex_wait(at, 0, 0, 2), -SYS_EINVAL, "no other flags are known");
    tap_status(sys_futex_wake(at + 1, 1, 0, &woken), -SYS_EINVAL, "nor other places to wake at");
    tap_status(sys_futex_wake(at, 1, UINT64_MAX, &woken), -SYS_EINVAL, "nor flags");
    tap_is(woken, 0, "then nobody is woken");
    tap_status(raw_status(CALL_WAKE, (uint64_t[7]){at, 1, 0, 2}), -SYS_EINVAL,
               "more progress than threads is refused");
    tap_status(sys_futex_wait(user_limit(), 0, 0, 0), -SYS_ERANGE, "a word is the program's");
    tap_status(sys_futex_wake(user_limit(), 1, 0, NULL), -SYS_ERANGE, "here too");
    tap_status(sys_futex_wait(UINT64_MAX - 3, 0, 0, 0), -SYS_ERANGE, "up to the last one");
    for (uint64_t flags = 0; flags <= FUTEX_SHARED; flags++) {
        tap_status(sys_futex_wait(PLACE, 0, WAIT_FOREVER, flags), -SYS_EFAULT,
                   "what is not mapped cannot be read");
    }
    tap_status(sys_futex_wake(PLACE, 1, FUTEX_SHARED, &woken), -SYS_EFAULT,
               "and is no shared word");
    tap_status(sys_futex_wake(PLACE, 1, 0, &woken), 0, "but might have been a private one");
    tap_is(woken, 0, "of nobody");
    (void)page_map(PLACE, PAGE, VM_PROT_X);
    for (uint64_t flags = 0; flags <= FUTEX_SHARED; flags++) {
        tap_status(sys_futex_wait(PLACE, 0, WAIT_FOREVER, flags), -SYS_EFAULT,
                   "nor can what may only be executed");
    }
    (void)page_unmap(PLACE, PAGE);
}

static void looks_check(void)
{
    for (uint64_t flags = 0; flags <= FUTEX_SHARED; flags++) {
        uint64_t at = (uintptr_t)&word;

        tap_status(sys_futex_wait(at, 1, WAIT_FOREVER, flags), -SYS_EAGAIN, "another value");
        tap_status(sys_futex_wait(at, 1, 0, flags), -SYS_EAGAIN, "comes before the deadline");
        tap_status(sys_futex_wait(at, 0, 0, flags), -SYS_ETIMEDOUT, "this value and only a look");
        tap_status(sys_futex_wait(at, 0, 1, flags), -SYS_ETIMEDOUT, "or a deadline long past");
    }
    tap_is(wake(UINT64_MAX, 0), 0, "nobody waits");
}

/* ---- counts and order ---- */

static struct {
    _Atomic(uint64_t) awake;  /* how many have woken                 */
    uint64_t order[SLEEPERS]; /* this and statuses[]: read after the join */
    long statuses[SLEEPERS];
    uint64_t flags;
    struct user_thread threads[SLEEPERS];
} sleepers;

static void sleeper_run(void *argument)
{
    uint64_t number = (uintptr_t)argument;
    long status = sys_futex_wait((uintptr_t)&word, 0, WAIT_FOREVER, sleepers.flags);
    uint64_t place = atomic_fetch_add_explicit(&sleepers.awake, 1, memory_order_acq_rel);

    sleepers.order[place % SLEEPERS] = number;
    sleepers.statuses[number] = status;
}

/* Starts threads that wait, one after another in order. */
static void sleepers_start(uint64_t flags)
{
    sleepers.flags = flags;
    atomic_store_explicit(&sleepers.awake, 0, memory_order_relaxed);
    for (unsigned i = 0; i < SLEEPERS; i++) {
        (void)user_thread_start(&sleepers.threads[i], sleeper_run, (void *)(uintptr_t)i);
        sleeping_wait(i + 1);
    }
}

static void sleepers_join(void)
{
    unsigned wrong = 0;

    for (unsigned i = 0; i < SLEEPERS; i++) {
        (void)user_thread_join(&sleepers.threads[i]);
        wrong += sleepers.statuses[i] != 0 ? 1 : 0;
    }
    tap_is(wrong, 0, "all were told that they were woken");
}

static void awake_wait(uint64_t count)
{
    while (atomic_load_explicit(&sleepers.awake, memory_order_acquire) < count) {
        (void)sys_yield();
    }
}

static void order_check(uint64_t flags)
{
    unsigned in_order = 0;

    sleepers_start(flags);
    for (unsigned i = 0; i < SLEEPERS; i++) {
        uint64_t woken = wake(1, flags);

        awake_wait(i + 1);
        in_order += woken == 1 && sleeping() == SLEEPERS - 1 - i ? 1 : 0;
    }
    sleepers_join();
    for (unsigned i = 0; i < SLEEPERS; i++) {
        in_order += sleepers.order[i] == i ? 1 : 0;
    }
    tap_is(in_order, 2 * SLEEPERS, "each wake-up wakes one, who has waited longest");
}

static void counts_check(void)
{
    sleepers_start(0);
    tap_is(wake(0, 0), 0, "nobody is to be woken");
    tap_is(wake(5, 0), 5, "five are");
    awake_wait(5);
    tap_is(sleeping(), SLEEPERS - 5, "and the others sleep on");
    atomic_store_explicit(&word, 1, memory_order_relaxed);
    tap_is(wake(UINT64_MAX, 0), SLEEPERS - 5, "then all");
    sleepers_join();
    atomic_store_explicit(&word, 0, memory_order_relaxed);
}

static void scopes_check(void)
{
    sleepers_start(0);
    tap_is(wake(UINT64_MAX, FUTEX_SHARED), 0, "private sleepers are not met by a shared wake-up");
    tap_is(wake(UINT64_MAX, 0), SLEEPERS, "but by a private one");
    sleepers_join();
    sleepers_start(FUTEX_SHARED);
    tap_is(wake(UINT64_MAX, 0), 0, "shared sleepers are not met by a private wake-up");
    tap_is(wake(UINT64_MAX, FUTEX_SHARED), SLEEPERS, "but by a shared one");
    sleepers_join();
}

/* ---- a word that goes away ---- */

static void away_run(void *argument)
{
    long *status = argument;

    *status = sys_futex_wait(PLACE, 0, WAIT_FOREVER, sleepers.flags);
}

/* Private: the address stays a place to meet, whatever is mapped there.  Shared: the frame of a
 * shared page is, and nobody maps it any more. */
static int away_private(void *argument)
{
    struct user_thread thread;
    uint64_t woken = 0;
    long status = -1;

    (void)argument;
    sleepers.flags = 0;
    (void)page_map(PLACE, PAGE, RW);
    (void)user_thread_start(&thread, away_run, &status);
    sleeping_wait(1);
    (void)page_unmap(PLACE, PAGE);
    (void)sys_futex_wake(PLACE, 1, 0, &woken);
    (void)user_thread_join(&thread);
    return status == 0 && woken == 1 ? 6 : 1;
}

static int away_shared(void *argument)
{
    struct user_thread thread;
    handle_t memory = HANDLE_NONE;
    uint64_t woken = 0;
    long status = -1;

    (void)argument;
    sleepers.flags = FUTEX_SHARED;
    if (sys_memory_create(PAGE, 0, &memory) != 0 ||
        sys_memory_map(user_self(), PLACE, PAGE, RW, 0, memory, 0, NULL) != 0) {
        return 1;
    }
    (void)user_thread_start(&thread, away_run, &status);
    sleeping_wait(1);
    (void)sys_vm_map(user_self(), PLACE, PAGE, RW, VM_FLAG_REPLACE, NULL);
    (void)sys_futex_wake(PLACE, 1, FUTEX_SHARED, &woken);
    return woken == 0 && sleeping() == 1 ? 7 : 1;
}

/* The word's page is made by the wait or the wake-up, if it is reserved, and does not change its
 * frame by the write that follows, though all it had been was read. */
static void reserved_check(void)
{
    _Atomic(uint32_t) *at = (_Atomic(uint32_t) *)PLACE;
    struct user_thread thread;

    for (unsigned has_read = 0; has_read < 2; has_read++) {
        uint64_t woken = 0;
        long status = -1;

        sleepers.flags = FUTEX_SHARED;
        (void)sys_vm_mark(user_self(), PLACE, PAGE, VM_KIND_RESERVED, RW, VM_FLAG_REPLACE, NULL);
        if (has_read != 0) {
            tap_is(atomic_load_explicit(at, memory_order_relaxed), 0, "zeroes are read");
        }
        (void)user_thread_start(&thread, away_run, &status);
        sleeping_wait(1);
        atomic_store_explicit(at, 1, memory_order_relaxed);
        (void)sys_futex_wake(PLACE, 1, FUTEX_SHARED, &woken);
        tap_is(woken, 1, "a reserved word keeps its waiters when it is written to");
        if (woken == 0) { /* it waits for good: the rest has no sense */
            sys_process_exit(1);
        }
        (void)user_thread_join(&thread);
        tap_is((uint64_t)status, 0, "and they are woken");
        (void)page_unmap(PLACE, PAGE);
    }
}

static int child_waits(void *argument)
{
    (void)argument;
    (void)sys_futex_wait(PLACE, 0, WAIT_FOREVER, 0);
    return 0;
}

/* A page of the process's own gets another frame by the first write after a fork; who sleeps on a
 * word of it is met all the same. */
static void moved_check(void)
{
    struct user_thread thread;
    struct user_end end;
    handle_t child = HANDLE_NONE;
    uint64_t woken = 0;
    long status = -1;

    sleepers.flags = FUTEX_SHARED;
    (void)page_map(PLACE, PAGE, RW);
    (void)user_thread_start(&thread, away_run, &status);
    sleeping_wait(1);

    tap_status(user_fork_run(child_waits, NULL, &child), 0, "a fork while a thread sleeps");
    atomic_store_explicit((_Atomic(uint32_t) *)PLACE, 1, memory_order_relaxed);
    (void)sys_futex_wake(PLACE, 1, FUTEX_SHARED, &woken);
    tap_is(woken, 1, "a sleeper is met though its page has another frame");
    if (woken == 0) {
        sys_process_exit(1);
    }
    (void)user_thread_join(&thread);
    tap_status(status, 0, "and it is woken");
    (void)sys_process_kill(child);
    (void)user_finish(child, &end);
    (void)page_unmap(PLACE, PAGE);
}

/* ---- thousands ---- */

static struct {
    _Atomic(uint32_t) word;
    _Atomic(uint64_t) awake; /* at 8 */
} thousands;

/* Waits on the word at a0, counts itself in if it was woken, and ends; needs no stack. */
void thousand_run(void);

__asm__(".text\n"
        ".balign 4\n"
        ".globl thousand_run\n"
        "thousand_run:\n"
        "    mv s0, a0\n"
        "    li a1, 0\n"
        "    li a2, -1\n"
        "    li a3, 0\n"
        "    li a7, 35\n" /* futex_wait */
        "    ecall\n"
        "    bnez a0, 1f\n"
        "    addi t0, s0, 8\n"
        "    li t1, 1\n"
        "    amoadd.d.aqrl zero, t1, (t0)\n"
        "1:  li a7, 12\n" /* thread_exit */
        "    ecall\n"
        "    unimp\n");

static void thousands_check(void)
{
    uint64_t woken = 0;

    for (unsigned i = 0; i < THOUSANDS; i++) {
        handle_t thread = HANDLE_NONE;

        if (sys_thread_start(user_self(), (uintptr_t)thousand_run, PLACE, (uintptr_t)&thousands, 0,
                             &thread) == 0) {
            (void)sys_handle_close(thread);
        }
    }
    sleeping_wait(THOUSANDS);
    atomic_store_explicit(&thousands.word, 1, memory_order_relaxed);
    tap_status(sys_futex_wake((uintptr_t)&thousands.word, UINT64_MAX, 0, &woken), 0,
               "thousands are woken by one call");
    tap_is(woken, THOUSANDS, "all of them");
    while (atomic_load_explicit(&thousands.awake, memory_order_acquire) != THOUSANDS) {
        (void)sys_yield();
    }
    tap_ok(1, "and all know");
}

int main(void)
{
    refusals_check();
    looks_check();
    order_check(0);
    order_check(FUTEX_SHARED);
    counts_check();
    scopes_check();
    reserved_check();
    moved_check();
    check_child(away_private, NULL, 6, "a private word that is unmapped still wakes");
    check_child(away_shared, NULL, 7, "a shared word that is replaced leads elsewhere");
    thousands_check();
    return tap_done();
}
