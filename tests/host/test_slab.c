/* SPDX-License-Identifier: MIT */
/* Object caches: zeroed, aligned, distinct objects; empty frames go back at once. */
#include "mm/slab.h"

#include <stdlib.h>
#include <string.h>

#include "support.h"

#define OBJECTS 500U

static unsigned char *objects[OBJECTS];

static struct slab_cache cache_of(uint32_t bytes)
{
    struct slab_cache cache = {
        .lock = SPINLOCK_INIT(LOCK_SLAB), .name = "test", .object_bytes = (bytes + 15U) & ~15U};

    return cache;
}

/* Fresh objects: aligned and zeroed; each is then filled with its own byte. */
static void take(struct slab_cache *cache, size_t i)
{
    objects[i] = slab_alloc(cache);
    cr_assert(objects[i] != NULL);
    cr_assert(is_aligned((uintptr_t)objects[i], 16));
    for (size_t byte = 0; byte < cache->object_bytes; byte++) {
        cr_assert(objects[i][byte] == 0, "byte %zu of object %zu", byte, i);
    }
    memset(objects[i], (int)(i % 255) + 1, cache->object_bytes);
}

static void give(struct slab_cache *cache, size_t i)
{
    for (size_t byte = 0; byte < cache->object_bytes; byte++) {
        cr_assert(objects[i][byte] == i % 255 + 1, "object %zu was written by another", i);
    }
    slab_free(cache, objects[i]);
    objects[i] = NULL;
}

ParameterizedTestParameters(slab, all_sizes)
{
    static uint32_t sizes[] = {1, 16, 24, 100, 512, 1000, 2000};
    return cr_make_param_array(uint32_t, sizes, ARRAY_LEN(sizes));
}

ParameterizedTest(const uint32_t *bytes, slab, all_sizes)
{
    struct slab_cache cache = cache_of(*bytes);
    uint64_t free_before;

    list_init(&cache.partial);
    machine_default(16 * MIB);
    machine_boot(3);
    free_before = frame_free_count();
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < OBJECTS; i++) {
            take(&cache, i);
        }
        EXPECT_EQ(cache.live, OBJECTS);
        for (size_t i = round; i < OBJECTS + round; i++) {
            give(&cache, i % OBJECTS);
        }
        EXPECT_EQ(cache.live, 0);
        EXPECT_EQ(frame_free_count(), free_before);
    }
}

Test(slab, random_order)
{
    static struct slab_cache cache = SLAB_CACHE_INIT(cache, "test", 72);
    uint64_t free_before;

    machine_default(16 * MIB);
    machine_boot(3);
    free_before = frame_free_count();
    srand(3);
    for (unsigned step = 0; step < 20000; step++) {
        size_t i = (size_t)rand() % OBJECTS;

        if (objects[i] == NULL) {
            take(&cache, i);
        } else {
            give(&cache, i);
        }
    }
    for (size_t i = 0; i < OBJECTS; i++) {
        if (objects[i] != NULL) {
            give(&cache, i);
        }
    }
    EXPECT_EQ(cache.live, 0);
    EXPECT_EQ(frame_free_count(), free_before);
    EXPECT_OK(frame_check());
}

Test(slab, no_memory_is_null_and_changes_nothing)
{
    static struct slab_cache cache = SLAB_CACHE_INIT(cache, "test", 2000);
    uint64_t free_before;

    machine_default(16 * MIB);
    machine_boot(3);
    free_before = frame_free_count();
    frame_fail_after(0);
    cr_assert(slab_alloc(&cache) == NULL);
    EXPECT_EQ(cache.live, 0);
    EXPECT_EQ(frame_free_count(), free_before);
    take(&cache, 0);
    give(&cache, 0);
    EXPECT_EQ(frame_free_count(), free_before);
}

Test(slab, an_object_of_another_cache_is_a_panic, .signal = SIGABRT)
{
    struct slab_cache one = cache_of(64);
    struct slab_cache other = cache_of(64);

    machine_default(16 * MIB);
    machine_boot(3);
    list_init(&one.partial);
    list_init(&other.partial);
    slab_free(&other, slab_alloc(&one));
}
