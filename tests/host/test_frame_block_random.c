/* SPDX-License-Identifier: MIT */
/*
 * References of blocks, at random, against a flat list of who has what: after each step every count
 * is what the equation of mm/frame_block.h says, and what nobody has is free.
 */
#include <string.h>

#include "support_block.h"

#define PARTS  512U
#define SLICED 2U /* blocks of level 1 whose frames are had one by one too: the first ones */
#define ROUNDS 40U
#define STEPS  150U

static struct frame *block;                 /* of level 2 */
static unsigned wholes;                     /* who has the block   */
static unsigned blocks[PARTS];              /* who has each part   */
static unsigned frames[SLICED][PARTS];      /* who has each frame  */
static unsigned joins[FRAME_LEVEL_MAX + 1]; /* by level */

static unsigned next(unsigned *seed, unsigned below)
{
    *seed = *seed * 1103515245U + 12345U;
    return (*seed >> 16) % below;
}

static unsigned refs_of_part(unsigned part)
{
    return blocks[part] + (wholes > 0 ? 1 : 0);
}

static unsigned refs_of_frame(unsigned part, unsigned i)
{
    return (part < SLICED ? frames[part][i] : 0) + (refs_of_part(part) > 0 ? 1 : 0);
}

/* What nobody has has been given back to others, who have set counts of their own in it. */
static void check(uint64_t free_before)
{
    uint64_t had = 0;

    reap_all();
    EXPECT_EQ(wholes > 0 ? refs_of(block, 2) : 0, wholes);
    for (unsigned part = 0; part < PARTS; part++) {
        if (refs_of_part(part) > 0) {
            EXPECT_EQ(refs_of(block + part * PARTS, 1), refs_of_part(part));
            EXPECT_EQ(refs_of(block + part * PARTS + PARTS - 1, 0), refs_of_frame(part, PARTS - 1));
            had += PARTS;
        }
    }
    for (unsigned part = 0; part < SLICED; part++) {
        bool is_only = refs_of_part(part) == 1;

        for (unsigned i = 0; i < PARTS; i++) {
            had += refs_of_part(part) == 0 && frames[part][i] > 0 ? 1 : 0;
            EXPECT_EQ(refs_of(block + part * PARTS + i, 0), refs_of_frame(part, i));
            is_only = is_only && frames[part][i] == 0;
        }
        if (refs_of_part(part) > 0) {
            cr_assert(frame_block_has_one_ref(block + part * PARTS, 1) == is_only);
        }
    }
    EXPECT_EQ(frame_free_count(), free_before - had);
}

/* Somebody who has the whole, or the part, gets one more of it, or of something inside. */
static void get(unsigned *seed)
{
    unsigned part = next(seed, next(seed, 2) == 0 ? SLICED : PARTS);
    unsigned i = next(seed, PARTS);

    if (wholes > 0 && next(seed, 3) == 0) {
        frame_block_get(block, 2);
        wholes++;
    } else if (refs_of_part(part) > 0 && next(seed, 2) == 0) {
        frame_block_get(block + part * PARTS, 1);
        blocks[part]++;
    } else if (part < SLICED && refs_of_frame(part, i) > 0) {
        frame_get(block + part * PARTS + i);
        frames[part][i]++;
    }
}

static void put(unsigned *seed)
{
    unsigned part = next(seed, SLICED);
    unsigned i = next(seed, PARTS);

    if (next(seed, 2) == 0 && wholes > 0) {
        frame_block_put(block, 2);
        wholes--;
    } else if (next(seed, 2) == 0 && blocks[part] > 0) {
        frame_block_put(block + part * PARTS, 1);
        blocks[part]--;
    } else if (frames[part][i] > 0) {
        frame_put(block + part * PARTS + i);
        frames[part][i]--;
    }
}

static void split(unsigned *seed)
{
    unsigned part = next(seed, SLICED);

    if (wholes > 0 && next(seed, 2) == 0) {
        frame_block_split(block, 2);
        wholes--;
        for (unsigned i = 0; i < PARTS; i++) {
            blocks[i]++;
        }
    } else if (blocks[part] > 0) {
        frame_block_split(block + part * PARTS, 1);
        blocks[part]--;
        for (unsigned i = 0; i < PARTS; i++) {
            frames[part][i]++;
        }
    }
}

/* Who has several of something gives back all but one. */
static void give_back(void)
{
    for (unsigned part = 0; part < PARTS; part++) {
        for (; blocks[part] > 1; blocks[part]--) {
            frame_block_put(block + part * PARTS, 1);
        }
        for (unsigned i = 0; part < SLICED && i < PARTS; i++) {
            for (; frames[part][i] > 1; frames[part][i]--) {
                frame_put(block + part * PARTS + i);
            }
        }
    }
}

/* Who has the only one of each part. */
static void join(void)
{
    bool is_one[1 + SLICED];

    is_one[SLICED] = wholes == 0;
    for (unsigned part = 0; part < SLICED; part++) {
        is_one[part] = refs_of_part(part) == 0;
    }
    for (unsigned i = 0; i < PARTS; i++) {
        is_one[SLICED] = is_one[SLICED] && blocks[i] == 1;
        for (unsigned part = 0; part < SLICED; part++) {
            is_one[part] = is_one[part] && frames[part][i] == 1;
        }
    }
    for (unsigned part = 0; part < SLICED; part++) {
        if (is_one[part]) {
            frame_block_join(block + part * PARTS, 1);
            memset(frames[part], 0, sizeof(frames[part]));
            blocks[part]++;
            joins[1]++;
        }
    }
    if (is_one[SLICED]) {
        frame_block_join(block, 2);
        memset(blocks, 0, sizeof(blocks));
        wholes++;
        joins[2]++;
    }
}

static void put_all(void)
{
    for (; wholes > 0; wholes--) {
        frame_block_put(block, 2);
    }
    for (unsigned part = 0; part < PARTS; part++) {
        for (; blocks[part] > 0; blocks[part]--) {
            frame_block_put(block + part * PARTS, 1);
        }
        for (unsigned i = 0; part < SLICED && i < PARTS; i++) {
            for (; frames[part][i] > 0; frames[part][i]--) {
                frame_put(block + part * PARTS + i);
            }
        }
    }
}

Test(frame_block_random, each_count_is_what_the_equation_says)
{
    uint64_t free_before;

    machine_boot_large();
    free_before = frame_free_count();
    for (unsigned round = 1; round <= ROUNDS; round++) {
        unsigned seed = round;

        block = block_new(2);
        cr_assert(block != NULL);
        wholes = 1;
        for (unsigned step = 0; step < STEPS; step++) {
            switch (next(&seed, 8)) {
            case 0:
                split(&seed);
                break;
            case 1:
                join();
                break;
            case 2:
                give_back();
                break;
            case 3:
            case 4:
                put(&seed);
                break;
            default:
                get(&seed);
            }
            check(free_before);
        }
        put_all();
        check(free_before);
        EXPECT_OK(frame_check());
    }
    cr_assert(joins[1] > 0 && joins[2] > 0, "%u and %u were joined", joins[1], joins[2]);
}
