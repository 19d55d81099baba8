/* SPDX-License-Identifier: MIT */
/*
 * Turns: how long a thread waits for its next turn while another, on the same hart, works on a huge
 * space.  One that only computes keeps the hart for its slice; one that clones, unmaps or ends much
 * memory may keep it for as long as the kernel works in one piece more.  A row is the longest time
 * between two turns, in instructions, and how many turns there were.
 *
 * One row is about shares: the other leaves just before each of its slices ends, and must not have
 * more of the hart for it.  There the row is how long the thread needs, at most, for a slice's
 * work.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define HUGE_PLACE (UINT64_C(1) << 39)
#define HUGE_BYTES (UINT64_C(64) << 30)  /* reserved      */
#define HELD_BYTES (UINT64_C(256) << 20) /* that has memory */
#define TURNS      16U
#define SLICE      UINT64_C(10000000) /* instructions: 10 ms of the benchmark's clock       */
#define AWAY_LEAST UINT64_C(100000)   /* more than any look at the clock takes by itself    */

static _Atomic(uint64_t) is_over; /* released by the witness, acquired by the other */
static _Atomic(long) failed;      /* the other's: relaxed, read when it has ended   */
static handle_t other;

static long huge_make(void)
{
    long status = sys_vm_mark(user_self(), HUGE_PLACE, HUGE_BYTES, VM_KIND_RESERVED, RW, 0, NULL);

    if (status == 0) {
        status = sys_vm_map(user_self(), HUGE_PLACE, HELD_BYTES, RW, VM_FLAG_REPLACE, NULL);
    }
    return status;
}

static long other_make(void)
{
    static const char name[] = "other";

    return sys_process_create((uintptr_t)name, strlen(name), 0, &other);
}

static long huge_clone(void)
{
    return sys_vm_clone(user_self(), other, HUGE_PLACE, HUGE_BYTES, HUGE_PLACE, NULL);
}

static long compute(void)
{
    return loop_run(100000);
}

/* A clone that comes and goes, page by page. */
static long clone_unmap(void)
{
    long status = huge_clone();

    return status != 0 ? status : sys_vm_unmap(other, HUGE_PLACE, HUGE_BYTES, NULL);
}

/* A clone that goes with its process: the kernel takes its space apart. */
static long clone_end(void)
{
    long status = huge_clone();

    if (status == 0) {
        status = sys_process_kill(other);
    }
    (void)sys_handle_close(other);
    return status != 0 ? status : other_make();
}

/* The memory itself, and its frames, come and go. */
static long map_unmap(void)
{
    long status = huge_make();

    return status != 0 ? status : sys_vm_unmap(user_self(), HUGE_PLACE, HUGE_BYTES, NULL);
}

/* Nine tenths of a slice, and then away. */
static long leave_early(void)
{
    uint64_t start = instructions_now();

    while (instructions_now() - start < SLICE / 10 * 9) {
    }
    return sys_yield();
}

static uint64_t turns_watch(void);
static uint64_t share_watch(void);

static const struct work {
    const char *name;
    long (*once)(void);
    int on_huge; /* the memory is there before */
    uint64_t (*watch)(void);
} works[] = {
    {"compute", compute, 0, turns_watch},   {"clone", clone_unmap, 1, turns_watch},
    {"end", clone_end, 1, turns_watch},     {"unmap", map_unmap, 0, turns_watch},
    {"early", leave_early, 0, share_watch},
};

static void work_on(void *argument)
{
    const struct work *work = argument;
    long status = 0;

    while (status == 0 && atomic_load_explicit(&is_over, memory_order_acquire) == 0) {
        status = work->once();
    }
    atomic_store_explicit(&failed, status, memory_order_relaxed);
}

/* Gives the hart away again and again.  Returns the longest time without it. */
static uint64_t turns_watch(void)
{
    uint64_t before = instructions_now();
    uint64_t longest = 0;

    for (unsigned turn = 0; turn < TURNS; turn++) {
        (void)sys_yield();
        uint64_t now = instructions_now();

        longest = now - before > longest ? now - before : longest;
        before = now;
    }
    return longest;
}

/* Computes as much as fits a slice, again and again.  Returns the longest time it takes. */
static uint64_t share_watch(void)
{
    uint64_t longest = 0;

    for (unsigned turn = 0; turn < TURNS; turn++) {
        uint64_t start = instructions_now();
        uint64_t before = start;
        uint64_t own = 0;

        while (own < SLICE) {
            uint64_t now = instructions_now();

            own += now - before < AWAY_LEAST ? now - before : 0;
            before = now;
        }
        longest = before - start > longest ? before - start : longest;
    }
    return longest;
}

static long work_measure(const struct work *work, uint64_t *longest)
{
    struct user_thread thread;
    long status = other_make();

    if (status == 0 && work->on_huge) {
        status = huge_make();
    }
    /* Relaxed: the other thread does not exist yet. */
    atomic_store_explicit(&is_over, 0, memory_order_relaxed);
    atomic_store_explicit(&failed, 0, memory_order_relaxed);
    if (status == 0) {
        status = user_thread_start(&thread, work_on, (void *)(uintptr_t)work);
    }
    if (status != 0) {
        return status;
    }
    *longest = work->watch();
    atomic_store_explicit(&is_over, 1, memory_order_release);
    status = user_thread_join(&thread);
    (void)sys_process_kill(other);
    (void)sys_handle_close(other);
    (void)sys_vm_unmap(user_self(), HUGE_PLACE, HUGE_BYTES, NULL);
    (void)sys_quiesce(user_machine());
    return status != 0 ? status : atomic_load_explicit(&failed, memory_order_relaxed);
}

void turns_print(void)
{
    for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
        uint64_t longest = 0;
        long status = work_measure(&works[i], &longest);

        if (status != 0) {
            printf("absent turns_%s %ld\n", works[i].name, -status);
        } else {
            printf("row turns_%s n=1 instructions=%" PRIu64 " turns=%u\n", works[i].name, longest,
                   TURNS);
        }
    }
}
