/* SPDX-License-Identifier: MIT */
/*
 * malloc.  Small blocks come from the heap, which grows by sbrk and shrinks again when much of its
 * end is free.  Large ones are areas of their own and go back to the system at once; a head before
 * them, at the beginning of a page, tells their length.  Which of the two a block is, its address
 * says.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fork.h"
#include "pure/blocks.h"
#include "user/lock.h"
#include "user/space.h"
#include "user/vellum.h"

#define LARGE_BYTES (UINT64_C(256) << 10)
#define BYTES_MAX   (SIZE_MAX / 4)
#define GROW_BYTES  (UINT64_C(64) << 10)
#define KEEP_BYTES  (UINT64_C(128) << 10) /* free at the heap's end before it shrinks */

static struct {
    struct user_lock lock;
    struct blocks blocks; /* (l) */
} heap;

/* Before a large block: how many bytes were mapped, and where. */
struct large {
    uint64_t bytes;
    uint64_t start;
};
_Static_assert(sizeof(struct large) == BLOCKS_ALIGN);

void user_malloc_lock(void)
{
    user_lock_acquire(&heap.lock);
}

void user_malloc_unlock(void)
{
    user_lock_release(&heap.lock);
}

static int is_large(const void *memory)
{
    return (uintptr_t)memory < USER_HEAP_START || (uintptr_t)memory >= USER_HEAP_END;
}

static struct large *large_of(void *memory)
{
    return (struct large *)((uintptr_t)memory - sizeof(struct large));
}

static void *large_take(size_t bytes, size_t align)
{
    uint64_t start = 0;
    uint64_t front = align < BLOCKS_ALIGN ? BLOCKS_ALIGN : align;
    uint64_t mapped = (bytes + front + VM_PAGE_SIZE - 1) & ~(VM_PAGE_SIZE - 1);

    if (user_space_map_aligned(mapped, align < VM_PAGE_SIZE ? VM_PAGE_SIZE : align, &start) != 0) {
        return NULL;
    }
    void *memory = (void *)(uintptr_t)(start + front);
    *large_of(memory) = (struct large){.bytes = mapped, .start = start};
    return memory;
}

static size_t large_bytes(void *memory)
{
    const struct large *large = large_of(memory);

    return large->bytes - ((uintptr_t)memory - large->start);
}

/* Makes the heap longer, so that a block of that many bytes fits. */
static int heap_grow_locked(size_t bytes)
{
    size_t more = (bytes + GROW_BYTES - 1) & ~(GROW_BYTES - 1);
    void *start = sbrk((ptrdiff_t)more);

    if (start == (void *)-1) {
        return 0;
    }
    /* The program may have moved the break by any number of bytes. */
    size_t skip = -(uintptr_t)start % BLOCKS_ALIGN;
    blocks_extend(&heap.blocks, (char *)start + skip, (more - skip) & ~(size_t)(BLOCKS_ALIGN - 1));
    return 1;
}

static void *small_take(size_t bytes, size_t align)
{
    user_malloc_lock();
    void *memory = blocks_take_aligned(&heap.blocks, bytes, align);
    if (memory == NULL && heap_grow_locked(bytes + align + 6 * BLOCKS_ALIGN)) {
        memory = blocks_take_aligned(&heap.blocks, bytes, align);
    }
    user_malloc_unlock();
    return memory;
}

static void *take(size_t bytes, size_t align)
{
    void *memory = NULL;

    if (bytes <= BYTES_MAX && align <= BYTES_MAX) {
        memory = bytes + align < LARGE_BYTES ? small_take(bytes, align) : large_take(bytes, align);
    }
    if (memory == NULL) {
        errno = ENOMEM;
    }
    return memory;
}

/* Gives the free end of the heap back, if nobody else has moved the break. */
static void heap_shrink_locked(void)
{
    void *end = NULL;
    size_t less = blocks_trim(&heap.blocks, GROW_BYTES, KEEP_BYTES, &end);

    if (less == 0) {
        return;
    }
    if ((char *)sbrk(0) == (char *)end + less) {
        (void)sbrk(-(ptrdiff_t)less);
    } else {
        blocks_extend(&heap.blocks, end, less);
    }
}

void *malloc(size_t bytes)
{
    return take(bytes, BLOCKS_ALIGN);
}

void free(void *memory)
{
    int error = errno;

    if (memory == NULL) {
        return;
    }
    if (is_large(memory)) {
        (void)user_space_unmap(large_of(memory)->start, large_of(memory)->bytes);
    } else {
        user_malloc_lock();
        blocks_give(&heap.blocks, memory);
        heap_shrink_locked();
        user_malloc_unlock();
    }
    errno = error;
}

void *calloc(size_t count, size_t each)
{
    size_t bytes = 0;

    if (__builtin_mul_overflow(count, each, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    /* Not malloc: compilers make calloc of that and memset. */
    void *memory = take(bytes, BLOCKS_ALIGN);
    if (memory != NULL && !is_large(memory)) {
        memset(memory, 0, bytes);
    }
    return memory;
}

size_t malloc_usable_size(void *memory)
{
    if (memory == NULL) {
        return 0;
    }
    return is_large(memory) ? large_bytes(memory) : blocks_bytes(memory);
}

/* Nonzero: the block has that length where it is. */
static int resize(void *memory, size_t bytes)
{
    if (bytes > BYTES_MAX) {
        return 0;
    }
    if (is_large(memory)) {
        return bytes <= large_bytes(memory) && bytes >= large_bytes(memory) / 2;
    }
    user_malloc_lock();
    int done = blocks_resize(&heap.blocks, memory, bytes);
    user_malloc_unlock();
    return done;
}

void *realloc(void *memory, size_t bytes)
{
    if (memory == NULL) {
        return malloc(bytes);
    }
    if (resize(memory, bytes)) {
        return memory;
    }
    void *copy = malloc(bytes);
    if (copy != NULL) {
        size_t had = malloc_usable_size(memory);

        memcpy(copy, memory, had < bytes ? had : bytes);
        free(memory);
    }
    return copy;
}

static int is_power_of_two(size_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

void *memalign(size_t align, size_t bytes)
{
    if (!is_power_of_two(align)) {
        errno = EINVAL;
        return NULL;
    }
    return take(bytes, align);
}

void *aligned_alloc(size_t align, size_t bytes)
{
    return memalign(align, bytes);
}

int posix_memalign(void **memory, size_t align, size_t bytes)
{
    if (!is_power_of_two(align) || align % sizeof(void *) != 0) {
        return EINVAL;
    }
    void *taken = take(bytes, align);
    if (taken == NULL) {
        return ENOMEM;
    }
    *memory = taken;
    return 0;
}
