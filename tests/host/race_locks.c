/* SPDX-License-Identifier: MIT */
/*
 * Real threads as harts: ticket locks exclude each other, and the frame allocator and the object
 * caches keep their books when several harts use them at once.
 */
#include "harts/harts.h"
#include "lib/assert.h"
#include "lib/spinlock.h"
#include "mm/slab.h"

#define HARTS  4U
#define ROUNDS 2000U
#define HELD   8U /* frames and objects a hart has at once */

static struct spinlock lock = SPINLOCK_INIT(LOCK_CONSOLE);
static unsigned long guarded; /* plain on purpose: the lock is what makes it safe */
static unsigned long done[HARTS];
static struct slab_cache cache = SLAB_CACHE_INIT(cache, "race", 200);

static void lock_round(hart_idx_t hart, unsigned round)
{
    if (round % 2 == 0) {
        spinlock_acquire(&lock);
    } else if (!spinlock_try_acquire(&lock)) {
        return;
    }
    guarded++;
    done[hart]++;
    spinlock_release(&lock);
}

static void memory_round(hart_idx_t hart)
{
    struct frame *frames[HELD];
    struct frame *block;
    unsigned char *objects[HELD];
    unsigned order = (unsigned)pick(5);

    for (unsigned i = 0; i < HELD; i++) {
        EXPECT_OK(frame_alloc(FRAME_KERNEL, &frames[i]));
        objects[i] = slab_alloc(&cache);
        EXPECT(objects[i] != NULL && objects[i][0] == 0);
        *(hart_idx_t *)frame_bytes(frames[i]) = hart;
        objects[i][0] = (unsigned char)(hart + 1);
    }
    EXPECT_OK(frame_alloc_block(order, &block));
    pause_maybe();
    for (uint64_t i = UINT64_C(1) << order; i > 0; i--) {
        frame_put(block + i - 1);
    }
    for (unsigned i = 0; i < HELD; i++) {
        EXPECT(*(hart_idx_t *)frame_bytes(frames[i]) == hart);
        EXPECT(objects[i][0] == hart + 1);
        frame_get(frames[i]);
        frame_put(frames[i]);
        frame_put(frames[i]);
        slab_free(&cache, objects[i]);
    }
}

static void run(hart_idx_t hart)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        lock_round(hart, round);
        if (round % 8 == 0) {
            memory_round(hart);
        }
    }
}

static void program(const struct harts_config *config)
{
    unsigned long expected = 0;

    harts_begin(config);
    harts_run(run);
    for (unsigned hart = 0; hart < HARTS; hart++) {
        expected += done[hart];
    }
    EXPECT(guarded == expected && guarded >= (unsigned long)HARTS * ROUNDS / 2);
    EXPECT(cache.live == 0);
    harts_end();
}

int main(void)
{
    static const struct harts_config configs[] = {{HARTS, 4, 0}};

    return harts_for_each(configs, ARRAY_LEN(configs), program);
}
