/* SPDX-License-Identifier: MIT */
/*
 * Floating-point registers are a thread's own: they begin as zeroes, and keep what it wrote through
 * system calls, faults, switches, preemption and moves between harts, whatever other threads and
 * processes compute meanwhile.  A thread that only reads them sees what it last wrote, too.
 */
#include <stdatomic.h>

#include "fp.h"
#include "support.h"
#include "team.h"

#define ROUNDS 30U
#define MOVES  16U
#define NOISY  2U    /* harts on which others compute */
#define NOISE  1000U /* seeds from here on are those of others */

/* ---- one thread ---- */

static void calls_work(unsigned member)
{
    struct fp_registers registers;
    uint64_t place = PLACE + member * PAGE;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t seed = member * ROUNDS + round;

        fp_fill(&registers, seed);
        fp_set(&registers);
        (void)sys_null();
        (void)sys_handle_close(HANDLE_NONE);
        (void)page_map(place, PAGE, RW);
        *word_at(place) = seed; /* a fault, where the kernel sets A and D */
        (void)page_unmap(place, PAGE);
        (void)sys_yield();
        fp_get(&registers);
        (void)team_is(fp_wrong_for(&registers, seed), 0, "registers after system calls");
    }
}

/* ---- threads that share a hart ---- */

static _Atomic(uint64_t) turns[TEAM_MAX]; /* each written by its member, released */

/* Two members on each hart.  Neither calls the kernel while it waits for the other, so each round
 * takes a preemption of both. */
static void preempted_work(unsigned member)
{
    struct fp_registers registers;
    unsigned half = team_members() / 2;
    unsigned other = member < half ? member + half : member - half;

    for (unsigned round = 1; round <= ROUNDS / 3; round++) {
        uint64_t seed = member * ROUNDS + round;

        fp_fill(&registers, seed);
        atomic_store_explicit(&turns[member], round, memory_order_release);
        fp_spin(&registers, &turns[other], round);
        (void)team_is(fp_wrong_for(&registers, seed), 0, "registers after a preemption");
    }
}

/* ---- who comes first, and who comes after ---- */

static void fresh_run(void *argument)
{
    unsigned *wrong = argument;
    struct fp_registers registers;

    fp_get(&registers);
    *wrong = fp_not_zero(&registers);
    (void)sys_yield(); /* zeroes are saved like anything else */
    fp_get(&registers);
    *wrong += fp_not_zero(&registers);
    fp_fill(&registers, NOISE);
    fp_set(&registers);
    (void)sys_yield();
    fp_get(&registers);
    *wrong += fp_wrong_for(&registers, NOISE);
}

/* A new thread, on this thread's hart. */
static void fresh_check(const char *what)
{
    struct user_thread thread;
    unsigned wrong = 1;

    if (team_is((uint64_t)user_thread_start(&thread, fresh_run, &wrong), 0, "starting a thread")) {
        (void)user_thread_join(&thread);
        (void)team_is(wrong, 0, what);
    }
}

static int end_by_fault(void *argument)
{
    struct fp_registers registers;

    (void)argument;
    fp_fill(&registers, NOISE + 1);
    fp_set(&registers);
    touch(ACCESS_WRITE, PLACE);
    return 1;
}

static _Noreturn int spin_for_ever(void *argument)
{
    struct fp_registers registers;

    (void)argument;
    fp_fill(&registers, NOISE + 2);
    fp_set(&registers);
    for (;;) {
        __asm__ volatile("");
    }
}

static void fresh_work(unsigned member)
{
    struct fp_registers registers;
    struct user_end end;
    handle_t child = HANDLE_NONE;

    fp_fill(&registers, member);
    fp_set(&registers);
    fresh_check("registers of a new thread");
    (void)team_is((uint64_t)user_fork_wait(end_by_fault, NULL, &end), 0, "a process that faults");
    fresh_check("registers of a new thread after a fault's end");
    (void)team_is((uint64_t)user_fork_run(spin_for_ever, NULL, &child), 0, "a process that spins");
    (void)sys_yield();
    (void)sys_process_kill(child);
    (void)user_finish(child, &end);
    fresh_check("registers of a new thread after a killed one");
    fp_get(&registers);
    (void)team_is(fp_wrong_for(&registers, member), 0, "registers of the thread that was there");
}

/* ---- moving between harts ---- */

struct mover {
    struct user_thread thread;
    _Atomic(uint64_t) may_begin; /* released when `thread` is filled in */
    unsigned wrong;
};

/* Every other move carries what was written before the last one. */
static void mover_run(void *argument)
{
    struct mover *mover = argument;
    struct fp_registers registers;

    team_wait(&mover->may_begin, 1);
    for (unsigned move = 0; move < MOVES; move++) {
        if (move % 2 == 0) {
            fp_fill(&registers, move);
            fp_set(&registers);
        }
        (void)sys_thread_set_affinity(mover->thread.handle, UINT64_C(1) << hart_nth(move / 2 * 3));
        fp_get(&registers);
        mover->wrong += fp_wrong_for(&registers, move - move % 2);
        (void)sys_thread_set_affinity(mover->thread.handle, UINT64_C(1) << hart_nth(move));
        fp_get(&registers);
        mover->wrong += fp_wrong_for(&registers, move - move % 2);
    }
}

static void mover_check(const char *what)
{
    struct mover mover = {.wrong = 0};

    tap_status(user_thread_start(&mover.thread, mover_run, &mover), 0, "a thread starts");
    atomic_store_explicit(&mover.may_begin, 1, memory_order_release);
    (void)user_thread_join(&mover.thread);
    tap_is(mover.wrong, 0, "its registers move with it %s", what);
}

static _Atomic(uint64_t) is_quiet; /* released by main */

static void noise_run(void *argument)
{
    struct fp_registers registers;

    fp_fill(&registers, NOISE + (uint64_t)(uintptr_t)argument);
    /* Acquire: nothing follows that depends on it. */
    while (atomic_load_explicit(&is_quiet, memory_order_acquire) == 0) {
        fp_set(&registers);
        (void)sys_yield();
    }
}

/* With another thread on some of the harts that writes the registers there.  Not on all: an
 * emulator that runs the harts in turn lets each of them that is never idle have a long one. */
static void noisy_check(void)
{
    struct user_thread threads[NOISY];
    unsigned members = team_size() < NOISY ? team_size() : NOISY;

    for (unsigned i = 0; i < members; i++) {
        if (user_thread_start(&threads[i], noise_run, (void *)(uintptr_t)i) != 0) {
            members = i;
            break;
        }
        (void)sys_thread_set_affinity(threads[i].handle, UINT64_C(1) << hart_nth(i));
    }
    mover_check("past others");
    atomic_store_explicit(&is_quiet, 1, memory_order_release);
    for (unsigned i = 0; i < members; i++) {
        (void)user_thread_join(&threads[i]);
    }
}

/* ---- processes ---- */

static int process_run(void *argument)
{
    uint64_t child = (uintptr_t)argument;
    struct fp_registers registers;
    unsigned wrong = 0;

    for (unsigned round = 0; round < ROUNDS / 2; round++) {
        uint64_t seed = child * ROUNDS + round - round % 3;

        if (round % 3 == 0) {
            fp_fill(&registers, seed);
            fp_set(&registers);
        }
        (void)sys_yield();
        fp_get(&registers);
        wrong += fp_wrong_for(&registers, seed);
    }
    return wrong == 0 ? 0 : 1;
}

static void processes_check(void)
{
    handle_t children[3 * TEAM_MAX];
    unsigned count = 3 * team_size();
    unsigned good = 0;

    for (unsigned i = 0; i < count; i++) {
        if (user_fork_run(process_run, (void *)(uintptr_t)(i + 1), &children[i]) != 0) {
            count = i;
            break;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        struct user_end end = {0};

        (void)user_finish(children[i], &end);
        good += end.reason == EXIT_STATUS && end.detail == 0 ? 1 : 0;
    }
    tap_is(good, 3 * team_size(), "many processes keep their registers");
}

int main(void)
{
    unsigned pairs = harts_count() < TEAM_MAX / 2 ? harts_count() : TEAM_MAX / 2;

    tap_status(team_run(team_size(), calls_work), 0, "threads that make system calls");
    team_report("they keep their registers");
    tap_status(team_run(2 * pairs, preempted_work), 0, "threads that share harts");
    team_report("they keep their registers");
    tap_status(team_run(team_size(), fresh_work), 0, "new threads after others' ends");
    team_report("they see zeroes");
    mover_check("where nobody else computes");
    noisy_check();
    processes_check();
    return tap_done();
}
