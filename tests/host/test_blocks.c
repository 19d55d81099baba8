/* SPDX-License-Identifier: MIT */
/* malloc's blocks: random taking and giving, each block filled with a mark of its own. */
#include "user/lib/pure/blocks.h"

#include <criterion/criterion.h>
#include <string.h>

#define POOL_BYTES  (1U << 16)
#define BLOCKS_MOST 100U

static _Alignas(4096) unsigned char pool[2 * POOL_BYTES];
static struct blocks blocks;

struct taken {
    unsigned char *memory;
    size_t bytes;
    unsigned char mark;
};

static struct taken list[BLOCKS_MOST];

static unsigned random_next(unsigned *state)
{
    *state = *state * 1103515245U + 12345U;
    return *state >> 16;
}

static void fill(struct taken *taken)
{
    memset(taken->memory, taken->mark, taken->bytes);
}

static void check(const struct taken *taken)
{
    for (size_t i = 0; i < taken->bytes; i++) {
        cr_assert(taken->memory[i] == taken->mark);
    }
}

static void give(struct taken *taken)
{
    check(taken);
    if (taken->memory != NULL) {
        blocks_give(&blocks, taken->memory);
    }
    *taken = (struct taken){0};
}

static void take(struct taken *taken, size_t bytes, size_t align, unsigned mark)
{
    unsigned char *memory = blocks_take_aligned(&blocks, bytes, align);

    if (memory != NULL) {
        cr_assert((uintptr_t)memory % (align < BLOCKS_ALIGN ? BLOCKS_ALIGN : align) == 0);
        cr_assert(memory >= pool && memory + bytes <= pool + sizeof(pool));
        cr_assert(blocks_bytes(memory) >= bytes);
        *taken = (struct taken){memory, bytes, (unsigned char)mark};
        fill(taken);
    }
}

static void resize(struct taken *taken, size_t bytes)
{
    check(taken);
    if (taken->memory != NULL && blocks_resize(&blocks, taken->memory, bytes) != 0) {
        cr_assert(blocks_bytes(taken->memory) >= bytes);
        taken->bytes = taken->bytes < bytes ? taken->bytes : bytes;
        check(taken);
        taken->bytes = bytes;
        fill(taken);
    }
}

static void begin(void)
{
    memset(&blocks, 0, sizeof(blocks));
    memset(list, 0, sizeof(list));
    blocks_extend(&blocks, pool, POOL_BYTES);
}

/* All free memory is one block again. */
static void check_whole(size_t bytes)
{
    void *all = blocks_take(&blocks, bytes - 32);

    cr_assert(all != NULL && blocks_take(&blocks, 1) == NULL);
    blocks_give(&blocks, all);
}

Test(blocks, random_use_keeps_what_is_in_blocks_and_ends_with_one_free_block)
{
    for (unsigned seed = 1; seed <= 60; seed++) {
        unsigned state = seed;

        begin();
        for (unsigned step = 0; step < 3000; step++) {
            struct taken *taken = &list[random_next(&state) % BLOCKS_MOST];
            size_t bytes = random_next(&state) % (random_next(&state) % 10 == 0 ? 6000 : 200);

            if (random_next(&state) % 4 == 0) {
                resize(taken, bytes);
            } else if (taken->memory != NULL) {
                give(taken);
            } else {
                take(taken, bytes, (size_t)1 << random_next(&state) % 10, step);
            }
            if (step == 1500) {
                blocks_extend(&blocks, pool + POOL_BYTES, POOL_BYTES);
            }
        }
        for (unsigned i = 0; i < BLOCKS_MOST; i++) {
            give(&list[i]);
        }
        check_whole(2 * POOL_BYTES);
    }
}

Test(blocks, memory_that_does_not_continue_is_a_stretch_of_its_own)
{
    begin();
    blocks_extend(&blocks, pool + POOL_BYTES + 64, POOL_BYTES - 64);
    cr_assert(blocks_take(&blocks, POOL_BYTES) == NULL);
    void *one = blocks_take(&blocks, POOL_BYTES - 64 - 32);
    void *other = blocks_take(&blocks, POOL_BYTES - 128 - 32);
    cr_assert(one != NULL && other != NULL);
    blocks_give(&blocks, one);
    blocks_give(&blocks, other);
}

Test(blocks, the_free_end_is_taken_away_but_what_is_to_be_kept)
{
    void *end = NULL;

    begin();
    void *first = blocks_take(&blocks, 100);
    void *second = blocks_take(&blocks, POOL_BYTES - 1000);
    cr_assert(blocks_trim(&blocks, 4096, 0, &end) == 0);
    blocks_give(&blocks, second);
    size_t less = blocks_trim(&blocks, 4096, 8192, &end);
    cr_assert(less == POOL_BYTES - 3 * 4096 - 4096 || less == POOL_BYTES - 3 * 4096);
    cr_assert(end == pool + POOL_BYTES - less);
    memset(pool + POOL_BYTES - less, 0xee, less);
    blocks_extend(&blocks, end, less);
    blocks_give(&blocks, first);
    check_whole(POOL_BYTES);
}

Test(blocks, without_memory_there_is_nothing)
{
    void *end = NULL;

    memset(&blocks, 0, sizeof(blocks));
    cr_assert(blocks_take(&blocks, 1) == NULL);
    cr_assert(blocks_trim(&blocks, 16, 0, &end) == 0);
}
