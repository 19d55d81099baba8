/* SPDX-License-Identifier: MIT */
/* malloc: many threads, sizes of all kinds, the machine's memory used up. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"
#include "team.h"

#define THREADS 6U
#define BLOCKS  32U
#define TURNS   2000U

struct block {
    unsigned char *bytes;
    size_t length;
    unsigned char mark;
};

static unsigned is_damaged(const struct block *block)
{
    return block->length != 0 &&
           (block->bytes[0] != block->mark || block->bytes[block->length - 1] != block->mark);
}

/* Makes, grows and frees blocks at random; returns how many were damaged. */
static void *churns(void *argument)
{
    struct block blocks[BLOCKS] = {0};
    uint64_t random = (uintptr_t)argument;
    uintptr_t damaged = 0;

    for (unsigned i = 0; i < TURNS; i++) {
        struct block *block = &blocks[random_next(&random) % BLOCKS];

        damaged += is_damaged(block);
        if (random_next(&random) % 3 == 0) {
            free(block->bytes);
            *block = (struct block){0};
            continue;
        }
        size_t length = 1 + random_next(&random) % (random_next(&random) % 20 == 0 ? 20000 : 300);
        unsigned char *bytes = realloc(block->bytes, length);
        if (bytes == NULL) {
            damaged++;
            continue;
        }
        damaged += block->length != 0 && bytes[0] != block->mark ? 1 : 0;
        *block = (struct block){bytes, length, (unsigned char)random_next(&random)};
        bytes[0] = block->mark;
        bytes[length - 1] = block->mark;
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        damaged += is_damaged(&blocks[i]);
        free(blocks[i].bytes);
    }
    return (void *)damaged;
}

static void check_threads(void)
{
    pthread_t threads[THREADS];
    uintptr_t damaged = 0;

    for (uintptr_t i = 0; i < THREADS; i++) {
        (void)pthread_create(&threads[i], NULL, churns, (void *)(i + 1));
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *result = NULL;

        (void)pthread_join(threads[i], &result);
        damaged += (uintptr_t)result;
    }
    tap_is(damaged, 0, "%u threads use malloc, no block is damaged", THREADS);
}

static void check_kinds(void)
{
    unsigned char *zeroes = calloc(100, 100);
    void *aligned = NULL;
    volatile size_t all = SIZE_MAX;
    unsigned sum = 0;

    for (unsigned i = 0; zeroes != NULL && i < 10000; i++) {
        sum += zeroes[i];
    }
    tap_ok(zeroes != NULL && sum == 0, "calloc gives zeroes");
    free(zeroes);
    tap_is((uint64_t)posix_memalign(&aligned, 4096, 100), 0, "memory at a page's beginning");
    tap_is((uintptr_t)aligned % 4096, 0, "is there");
    free(aligned);
    tap_is((uintptr_t)malloc(1) % 16 + (uintptr_t)malloc(17) % 16, 0, "blocks begin at 16 bytes");
    aligned = memalign(1 << 20, 100);
    tap_is((uintptr_t)aligned % (1 << 20), 0, "or at a MiB");
    free(aligned);
    tap_ok(memalign(3, 1) == NULL && errno == EINVAL, "but not at 3");
    void *volatile nothing = malloc(all); /* a compiler may else leave out the call */
    tap_ok(nothing == NULL && errno == ENOMEM, "not all of memory");
    nothing = calloc(all / 2, 4);
    tap_ok(nothing == NULL && errno == ENOMEM, "nor more than all");
}

static void check_return(void)
{
    static void *blocks[64];
    uint64_t before = frames_free();

    for (unsigned i = 0; i < COUNT_OF(blocks); i++) {
        size_t bytes = i % 2 == 0 ? 50000 : 500000;

        blocks[i] = malloc(bytes);
        memset(blocks[i], 1, bytes);
    }
    uint64_t with = frames_free();
    /* A little less than they are long: some was kept from the blocks before. */
    tap_ok(before - with > 64 * (270000 / PAGE), "blocks take memory");
    for (unsigned i = 0; i < COUNT_OF(blocks); i++) {
        free(blocks[i]);
    }
    uint64_t after = frames_free();
    tap_ok(before - after < 128 || after >= before, "which goes back when they are freed");
    tap_ok(after - with > before - with - 128, "but for what is kept for the next ones");
}

/* Memory comes as it is used, so that addresses run out first. */
static int use_all(void *argument)
{
    const size_t bytes = (size_t)1 << 30;
    uint64_t blocks = 0;
    void *block = NULL;
    void *last = NULL;

    (void)argument;
    while ((block = malloc(bytes)) != NULL) {
        last = block;
        blocks++;
    }
    int error = errno;
    free(last);
    char *again = malloc(bytes);
    again[bytes - 1] = 1;
    return error == ENOMEM && blocks == (USER_PAGES_END - USER_PAGES_START) / bytes - 1 ? 0 : 1;
}

static void check_break(void)
{
    char *before = sbrk(0);
    char *grown = sbrk(100000);

    tap_ok(before == grown, "the break grows from where it was");
    grown[99999] = 1;
    tap_ok(sbrk(-100000) == before + 100000, "and shrinks");
    tap_ok(sbrk(INTPTR_MAX) == (void *)-1 && errno == ENOMEM, "but not without end");
    tap_ok(sbrk(INTPTR_MIN) == (void *)-1 && errno == ENOMEM, "nor below its beginning");
    tap_ok(sbrk(0) == before, "an error moves nothing");
}

int main(void)
{
    check_threads();
    check_kinds();
    check_return();
    check_break();
    uint64_t before = frames_free();
    check_child(use_all, NULL, 0, "a child uses up all addresses, and goes on");
    tap_is(frames_free(), before, "at its end all of it comes back");
    return tap_done();
}
