/* SPDX-License-Identifier: MIT */
/*
 * Futexes on all harts at once: a lock made of one neither loses a wake-up nor lets two in; of a
 * wake-up and a deadline that race exactly one counts; a wake-up of all ends, though who is woken
 * waits again; and a process that is killed in the middle of it all leaves nothing behind.
 */
#include <stdatomic.h>

#include "support.h"
#include "team.h"

#define TURNS       400U
#define ROUNDS      200U
#define KILLS       12U

#define AGAINS      40U /* more than one piece of futex_wake wakes, WAKE_STEP */
#define AGAIN_WAITS (UINT64_C(4) * AGAINS * ROUNDS)

#define CALL_WAIT   35U
#define CALL_WAKE   36U

/* ---- a lock ---- */

/* 0: free; 1: taken; 2: taken, and somebody may wait. */
static _Atomic(uint32_t) lock_word;
static uint64_t guarded; /* by the lock, in plain memory */

static void lock_take(void)
{
    uint32_t seen = 0;

    if (atomic_compare_exchange_strong_explicit(&lock_word, &seen, 1, memory_order_acquire,
                                                memory_order_relaxed)) {
        return;
    }
    while (atomic_exchange_explicit(&lock_word, 2, memory_order_acquire) != 0) {
        (void)sys_futex_wait((uintptr_t)&lock_word, 2, WAIT_FOREVER, 0);
    }
}

static void lock_give(void)
{
    if (atomic_exchange_explicit(&lock_word, 0, memory_order_release) == 2) {
        (void)sys_futex_wake((uintptr_t)&lock_word, 1, 0, NULL);
    }
}

static void lock_work(unsigned member)
{
    for (unsigned turn = 0; turn < TURNS; turn++) {
        lock_take();
        uint64_t before = guarded;

        if ((turn + member) % 16 == 0) {
            (void)sys_yield();
        }
        guarded = before + 1;
        lock_give();
    }
}

/* Twice as many threads as harts, so that some must sleep. */
static void lock_check(void)
{
    unsigned members = 2 * team_size() < TEAM_MAX ? 2 * team_size() : TEAM_MAX;

    tap_status(team_run(members, lock_work), 0, "threads on all harts share a lock");
    tap_is(guarded, (uint64_t)members * TURNS,
           "nobody was in it with another, and none stayed out");
}

/* ---- hand to hand ---- */

static _Atomic(uint32_t) turn_word; /* whose turn it is, counting on */

/* Each waits for its turn, and makes it the next one's; a lost wake-up stops all. */
static void ring_work(unsigned member)
{
    unsigned members = team_members();

    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t mine = round * members + member;
        uint32_t now = atomic_load_explicit(&turn_word, memory_order_acquire);

        while (now != mine) {
            (void)sys_futex_wait((uintptr_t)&turn_word, now, WAIT_FOREVER, FUTEX_SHARED);
            now = atomic_load_explicit(&turn_word, memory_order_acquire);
        }
        atomic_store_explicit(&turn_word, mine + 1, memory_order_release);
        (void)sys_futex_wake((uintptr_t)&turn_word, UINT64_MAX, FUTEX_SHARED, NULL);
    }
}

/* ---- wake-up or deadline ---- */

static _Atomic(uint32_t) still; /* never changes */
static _Atomic(uint64_t) told;  /* wake-ups, as their callers counted them   */
static _Atomic(uint64_t) felt;  /* waits that returned 0                     */
static _Atomic(uint64_t) waits_done;

static void count(_Atomic(uint64_t) *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_acq_rel);
}

/* Even members wait, with deadlines that are about to come; odd ones wake. */
static void either_work(unsigned member)
{
    uint64_t state = member + 1;
    uint64_t sleepers = (team_members() + 1) / 2;
    uint64_t woken = 0;

    for (unsigned round = 0; member % 2 == 0 && round < ROUNDS; round++) {
        uint64_t now = 0;

        (void)sys_time_get(&now, NULL);
        long status = sys_futex_wait((uintptr_t)&still, 0, now + random_next(&state) % 200000, 0);

        count(&felt, status == 0 ? 1 : 0);
        if (status != 0 && status != -SYS_ETIMEDOUT) {
            team_wrong((uint64_t)status, "a wait's end");
        }
    }
    count(&waits_done, member % 2 == 0 ? 1 : 0);
    while (member % 2 != 0 && atomic_load_explicit(&waits_done, memory_order_acquire) < sleepers) {
        (void)sys_futex_wake((uintptr_t)&still, 1 + random_next(&state) % 3, 0, &woken);
        count(&told, woken);
        (void)sys_yield();
    }
}

static void either_check(void)
{
    (void)team_run(team_size(), either_work);
    team_report("threads wait with deadlines while others wake them");
    tap_is(atomic_load_explicit(&felt, memory_order_acquire),
           atomic_load_explicit(&told, memory_order_acquire),
           "as many were told that they were woken as were counted");
}

/* ---- all, who wait again at once ---- */

static _Atomic(uint32_t) again_word;       /* 0 while they are to wait again                */
static _Atomic(uint64_t) again_waits_left; /* a wake-up that wakes them for ever has an end */

static void again_run(void *argument)
{
    (void)argument;
    while (atomic_load_explicit(&again_word, memory_order_acquire) == 0 &&
           atomic_fetch_sub_explicit(&again_waits_left, 1, memory_order_acq_rel) > AGAINS) {
        (void)sys_futex_wait((uintptr_t)&again_word, 0, WAIT_FOREVER, 0);
    }
}

/* Wakes all: more than one piece of the call does, and who was woken first waits again meanwhile.
 * How many times one call woke more threads than there are. */
static unsigned again_wake_all(void)
{
    unsigned wrong = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t woken = 0;

        (void)sys_futex_wake((uintptr_t)&again_word, UINT64_MAX, 0, &woken);
        wrong += woken > AGAINS ? 1 : 0;
        (void)sys_yield();
    }
    return wrong;
}

static void again_all_wait(void)
{
    while (threads_waiting_in(user_self(), CALL_WAIT) != AGAINS) {
        (void)sys_yield();
    }
}

/* The second piece of a call, as the kernel asks itself for it: one thread was woken, and the last
 * that may be is number 1 of all that ever waited there.  Whoever that was has been woken before.
 */
static void again_piece_check(void)
{
    struct raw_call call = {.number = CALL_WAKE,
                            .args = {(uintptr_t)&again_word, UINT64_MAX, 0, 1, 1}};

    again_all_wait();
    (void)sys_futex_wake((uintptr_t)&again_word, 1, 0, NULL);
    again_all_wait();
    raw_call(&call);
    tap_ok(call.out[0] == 0 && call.out[1] == 1, "a wake-up leaves out who came after its begin");
}

static void again_check(void)
{
    static struct user_thread threads[AGAINS];
    unsigned started = 0;

    atomic_store_explicit(&again_waits_left, AGAIN_WAITS, memory_order_release);
    while (started < AGAINS && user_thread_start(&threads[started], again_run, NULL) == 0) {
        started++;
    }
    tap_is(started, AGAINS, "threads wait, and wait again when they are woken");
    again_piece_check();
    tap_is(again_wake_all(), 0, "no call wakes more threads than there are");
    atomic_store_explicit(&again_word, 1, memory_order_release);
    (void)sys_futex_wake((uintptr_t)&again_word, UINT64_MAX, 0, NULL);
    for (unsigned i = 0; i < started; i++) {
        (void)user_thread_join(&threads[i]);
    }
    tap_ok(atomic_load_explicit(&again_waits_left, memory_order_acquire) > AGAINS,
           "and all went on waiting until they were told");
}

/* ---- killed ---- */

static _Atomic(uint64_t) at_work; /* read through the child's handle */

static void killed_work(unsigned member)
{
    uint64_t state = member + 1;

    for (;;) {
        uint64_t flags = random_next(&state) % 2;
        uint64_t now = 0;

        (void)sys_time_get(&now, NULL);
        (void)(random_next(&state) % 2 == 0
                   ? sys_futex_wait((uintptr_t)&still, 0, now + random_next(&state) % 100000, flags)
                   : sys_futex_wake((uintptr_t)&still, 2, flags, NULL));
        count(&at_work, 1);
    }
}

static int killed_run(void *argument)
{
    (void)argument;
    (void)team_run(team_size(), killed_work);
    return 1;
}

static void kill_check(unsigned after)
{
    handle_t process = HANDLE_NONE;
    struct user_end end = {0};
    uint64_t done = 0;

    (void)user_fork_run(killed_run, NULL, &process);
    while (done < after) {
        (void)sys_yield();
        (void)sys_vm_read(process, (uintptr_t)&at_work, (uintptr_t)&done, sizeof(done), NULL);
    }
    (void)sys_process_kill(process);
    tap_ok(user_finish(process, &end) == 0 && end.reason == EXIT_KILLED,
           "a process is killed while its threads wait and wake");
}

int main(void)
{
    lock_check();
    tap_status(team_run(team_size(), ring_work), 0, "threads on all harts take turns");
    tap_is(atomic_load_explicit(&turn_word, memory_order_acquire), ROUNDS * team_size(),
           "every turn was taken");
    either_check();
    again_check();
    for (unsigned i = 0; i < KILLS; i++) {
        kill_check(1 + 7 * i);
    }
    return tap_done();
}
