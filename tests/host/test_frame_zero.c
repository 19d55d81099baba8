/* SPDX-License-Identifier: MIT */
/*
 * Frames zeroed ahead: free like any other, given to programs first, in nobody's way; and the frame
 * of zeroes that readers share.
 */
#include <string.h>

#include "lib/counter.h"
#include "support.h"

#define FRAMES_MAX 4096U

static struct frame *taken[FRAMES_MAX];

static void boot(void)
{
    machine_default(16 * MIB);
    machine_boot(3);
}

/* How many blocks of 2 MiB there are at once. */
static unsigned blocks_of_2m(void)
{
    unsigned count = 0;

    while (frame_alloc_block(9, &taken[count]) == OK) {
        count++;
    }
    for (unsigned i = 0; i < count * 512; i++) {
        frame_put(&taken[i / 512][i % 512]);
    }
    return count;
}

/* Takes single frames until there are none; how many. */
static size_t take_all(void)
{
    size_t count = 0;

    while (count < FRAMES_MAX && frame_alloc(FRAME_KERNEL, &taken[count]) == OK) {
        count++;
    }
    return count;
}

#define STOCK 64U /* frames that are zeroed ahead at most */

/* Fills the stock from free frames that are not zero. */
static unsigned stock_fill(void)
{
    unsigned count = 0;

    while (frame_zero_ahead()) {
        count++;
    }
    return count;
}

static bool is_zero(const struct frame *frame)
{
    const unsigned char *bytes = frame_bytes(frame);

    for (size_t i = 0; i < PAGE_SIZE; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

Test(frame_zero, the_stock_is_free_and_bounded)
{
    uint64_t free_before;
    unsigned blocks;

    boot();
    blocks = blocks_of_2m();
    free_before = frame_free_count();
    EXPECT_EQ(stock_fill(), STOCK);
    EXPECT_EQ(frame_free_count(), free_before);
    EXPECT_OK(frame_check());
    cr_assert(!frame_zero_ahead());
    /* The largest blocks can be had all the same, and take it apart. */
    EXPECT_EQ(blocks_of_2m(), blocks);
    EXPECT_OK(frame_check());
    EXPECT_EQ(frame_free_count(), free_before);
    EXPECT_EQ(stock_fill(), STOCK);
    EXPECT_EQ(take_all(), free_before); /* and so do single frames of another kind */
    EXPECT_EQ(frame_free_count(), 0);
    cr_assert(!frame_zero_ahead());
    EXPECT_OK(frame_check());
}

/* Programs get what was zeroed ahead first, in the order it was made, and the rest is zeroed. */
Test(frame_zero, programs_are_given_the_stock_first)
{
    uint64_t now;
    uint64_t ahead;

    boot();
    for (unsigned i = 0; i < STOCK; i++) {
        taken[i] = frame_new();
        memset(frame_bytes(taken[i]), 0x5a, PAGE_SIZE);
    }
    for (unsigned i = STOCK; i > 0; i--) {
        frame_put(taken[i - 1]);
    }
    EXPECT_EQ(stock_fill(), STOCK);
    now = counter_read(COUNTER_frames_zeroed);
    ahead = counter_read(COUNTER_frames_from_stock);
    EXPECT_EQ(frame_alloc_many(FRAME_USER, taken, STOCK + 6), STOCK + 6);
    EXPECT_EQ(counter_read(COUNTER_frames_zeroed), now + 6);
    EXPECT_EQ(counter_read(COUNTER_frames_from_stock), ahead + STOCK);
    for (unsigned i = 0; i < STOCK + 6; i++) {
        EXPECT_EQ(taken[i]->type, FRAME_USER);
        EXPECT_EQ(frame_refs(taken[i]), 1);
        cr_assert(is_zero(taken[i]), "frame %u", i);
        cr_assert(i == 0 || i >= STOCK || frame_pa(taken[i]).raw > frame_pa(taken[i - 1]).raw);
    }
    EXPECT_EQ(stock_fill(), STOCK);
    EXPECT_OK(frame_alloc(FRAME_TABLE, &taken[STOCK + 6]));
    EXPECT_EQ(counter_read(COUNTER_frames_from_stock), ahead + STOCK);
    EXPECT_OK(frame_check());
}

Test(frame_zero, a_failure_to_come_is_the_callers_not_the_stocks)
{
    struct frame *frame;

    boot();
    frame_fail_after(1);
    EXPECT_EQ(stock_fill(), STOCK);
    EXPECT_OK(frame_alloc(FRAME_USER, &frame));
    EXPECT_STATUS(frame_alloc(FRAME_USER, &taken[0]), ERR_NOMEM);
    EXPECT_OK(frame_alloc(FRAME_USER, &taken[0]));
    EXPECT_OK(frame_check());
}

Test(frame_zero, nothing_is_zeroed_ahead_when_memory_is_short)
{
    boot();
    while (frame_free_count() > 256) {
        (void)frame_new();
    }
    cr_assert(!frame_zero_ahead());
    while (frame_free_count() > 0) {
        (void)frame_new();
    }
    EXPECT_OK(frame_check());
}

Test(frame_zero, the_frame_of_zeroes_is_never_solely_owned)
{
    boot();
    EXPECT_EQ(frame_zero()->type, FRAME_USER);
    EXPECT_EQ(frame_refs(frame_zero()), 1);
    cr_assert(is_zero(frame_zero()));
}
