/* SPDX-License-Identifier: MIT */
/*
 * Real threads as harts, for the thread sanitizer: ticket locks exclude each other, and the frame
 * allocator and the object caches keep their books when several harts use them at once.
 *
 * A plain program: Criterion cannot run under that sanitizer.  Exit status 0: nothing was found.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "arch/layout.h"
#include "arch_host/arch_host.h"
#include "lib/spinlock.h"
#include "mm/frame.h"
#include "mm/mm.h"
#include "mm/slab.h"

#define HARTS  2U
#define ROUNDS 2000U
#define HELD   8U /* frames and objects a hart has at once */

static const struct machine machine = {
    .banks = {{{0x80000000}, {0x81000000}}},
    .bank_count = 1,
    .hart_count = HARTS,
};
static const struct mm_image image = {
    .start = {0x80200000}, .text_bytes = 0x1000, .rodata_bytes = 0x1000, .data_bytes = 0x1000};

static struct spinlock lock = SPINLOCK_INIT(LOCK_CONSOLE);
static unsigned long guarded; /* plain on purpose: the lock is what makes it safe */
static struct slab_cache cache = SLAB_CACHE_INIT(cache, "race", 200);

static void expect(int holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "race_locks: %s\n", what);
        exit(1);
    }
}

static void lock_round(unsigned round)
{
    if (round % 2 == 0) {
        spinlock_acquire(&lock);
    } else if (!spinlock_try_acquire(&lock)) {
        return;
    }
    guarded++;
    spinlock_release(&lock);
}

static void memory_round(hart_idx_t hart)
{
    struct frame *frames[HELD];
    unsigned char *objects[HELD];

    for (unsigned i = 0; i < HELD; i++) {
        expect(frame_alloc(FRAME_KERNEL, &frames[i]) == OK, "no frame");
        objects[i] = slab_alloc(&cache);
        expect(objects[i] != NULL, "no object");
        *(hart_idx_t *)frame_bytes(frames[i]) = hart;
        objects[i][0] = (unsigned char)hart;
    }
    for (unsigned i = 0; i < HELD; i++) {
        expect(*(hart_idx_t *)frame_bytes(frames[i]) == hart, "a frame has two owners");
        expect(objects[i][0] == hart, "an object has two owners");
        frame_put(frames[i]);
        slab_free(&cache, objects[i]);
    }
}

static void *run_hart(void *argument)
{
    hart_idx_t hart = *(const hart_idx_t *)argument;

    host_hart_set(hart);
    for (unsigned round = 0; round < ROUNDS; round++) {
        lock_round(round);
        if (round % 8 == 0) {
            memory_round(hart);
        }
    }
    expect(spinlock_held_count() == 0, "a lock is still held");
    return NULL;
}

int main(void)
{
    pthread_t threads[HARTS];
    hart_idx_t harts[HARTS];
    uint64_t free_before;

    host_machine_start(&machine, 4);
    expect(mm_init(&machine, &image, host_activate) == OK, "mm_init failed");
    free_before = frame_free_count();
    for (unsigned i = 0; i < HARTS; i++) {
        harts[i] = i;
        expect(pthread_create(&threads[i], NULL, run_hart, &harts[i]) == 0, "no thread");
    }
    for (unsigned i = 0; i < HARTS; i++) {
        expect(pthread_join(threads[i], NULL) == 0, "no join");
    }
    expect(guarded >= (unsigned long)HARTS * ROUNDS / 2, "increments were lost");
    expect(frame_free_count() == free_before && frame_check() == OK, "frames were lost");
    (void)printf("race_locks: %lu increments, all frames back\n", guarded);
    return 0;
}
