/* SPDX-License-Identifier: MIT */
/*
 * Blocks lie one behind the other; each begins with a head that tells its length and that of the
 * block before it, so that both neighbours are found.  A stretch ends with a head alone that counts
 * as used.  The invariant: no two neighbours are both free.
 */
#include "blocks.h"

#define USED        1U
#define HEAD_BYTES  sizeof(struct head)
#define BYTES_LEAST sizeof(struct block)
#define LISTS_EXACT (BLOCKS_EXACT / BLOCKS_ALIGN)
#define EXACT_SHIFT 10U /* of BLOCKS_EXACT */

struct head {
    size_t before; /* length of the block before; 0: this is the first */
    size_t length; /* with the head, a multiple of 16; and USED        */
};
_Static_assert(sizeof(struct head) == BLOCKS_ALIGN, "what follows a head is aligned");

/* A free one. */
struct block {
    struct head head;
    struct block *next;
    struct block **link; /* what points here */
};

static size_t length_of(const struct block *block)
{
    return block->head.length & ~(size_t)USED;
}

static int is_used(const struct block *block)
{
    return (block->head.length & USED) != 0;
}

static struct block *block_at(void *start, size_t offset)
{
    return (struct block *)(void *)((char *)start + offset);
}

static struct block *block_of(const void *memory)
{
    return (struct block *)((uintptr_t)memory - HEAD_BYTES);
}

static void *memory_of(struct block *block)
{
    return (char *)block + HEAD_BYTES;
}

static struct block *after(struct block *block)
{
    return block_at(block, length_of(block));
}

/* The list that a free block of this length is in. */
static unsigned list_of(size_t length)
{
    if (length < BLOCKS_EXACT) {
        return (unsigned)(length / BLOCKS_ALIGN);
    }
    unsigned shift = 63U - (unsigned)__builtin_clzl(length);
    unsigned quarter = (unsigned)(length >> (shift - 2)) & 3U;

    return (unsigned)LISTS_EXACT + (shift - EXACT_SHIFT) * 4 + quarter;
}

static void list_insert(struct blocks *blocks, struct block *block)
{
    unsigned list = list_of(length_of(block));

    block->next = blocks->lists[list];
    block->link = &blocks->lists[list];
    if (block->next != NULL) {
        block->next->link = &block->next;
    }
    blocks->lists[list] = block;
    blocks->has_some[list / 64] |= UINT64_C(1) << list % 64;
}

static void list_remove(struct blocks *blocks, struct block *block)
{
    unsigned list = list_of(length_of(block));

    *block->link = block->next;
    if (block->next != NULL) {
        block->next->link = block->link;
    }
    if (blocks->lists[list] == NULL) {
        blocks->has_some[list / 64] &= ~(UINT64_C(1) << list % 64);
    }
}

/* The first list from that one on that has some; BLOCKS_LISTS: none. */
static unsigned list_next(const struct blocks *blocks, unsigned list)
{
    uint64_t mask = ~UINT64_C(0) << list % 64;

    for (unsigned word = list / 64; word < BLOCKS_LISTS / 64; word++) {
        uint64_t some = blocks->has_some[word] & mask;

        if (some != 0) {
            return word * 64 + (unsigned)__builtin_ctzl(some);
        }
        mask = ~UINT64_C(0);
    }
    return BLOCKS_LISTS;
}

static void length_set(struct block *block, size_t length, size_t used)
{
    block->head.length = length | used;
    after(block)->head.before = length;
}

/* Makes a block free that is in no list, with its free neighbours. */
static void join(struct blocks *blocks, struct block *block)
{
    size_t length = length_of(block);
    struct block *next = after(block);

    if (!is_used(next)) {
        list_remove(blocks, next);
        length += length_of(next);
    }
    if (block->head.before != 0) {
        struct block *previous = block_at(block, -block->head.before);

        if (!is_used(previous)) {
            list_remove(blocks, previous);
            length += length_of(previous);
            block = previous;
        }
    }
    length_set(block, length, 0);
    list_insert(blocks, block);
}

/* Shortens a used block to `length`; what is left becomes free, unless it is too little. */
static void cut(struct blocks *blocks, struct block *block, size_t length)
{
    size_t rest = length_of(block) - length;

    if (rest >= BYTES_LEAST) {
        struct block *behind = block_at(block, length);

        length_set(block, length, USED);
        behind->head.before = length;
        length_set(behind, rest, USED);
        join(blocks, behind);
    }
}

static size_t length_for(size_t bytes)
{
    size_t length = (bytes + HEAD_BYTES + BLOCKS_ALIGN - 1) & ~(size_t)(BLOCKS_ALIGN - 1);

    return length < BYTES_LEAST ? BYTES_LEAST : length;
}

void blocks_extend(struct blocks *blocks, void *start, size_t bytes)
{
    struct block *block = start;

    if (blocks->end != NULL && (char *)blocks->end + HEAD_BYTES == (char *)start) {
        block = blocks->end;
        bytes += HEAD_BYTES;
    } else {
        block->head.before = 0;
    }
    length_set(block, bytes - HEAD_BYTES, USED);
    blocks->end = after(block);
    blocks->end->head.length = USED;
    join(blocks, block);
}

/* A free block of at least that length, taken from its list.  All in a list from `next` on are long
 * enough; of those in the list of the length itself only the first is looked at. */
static struct block *block_take(struct blocks *blocks, size_t length)
{
    unsigned own = list_of(length);
    struct block *block = blocks->lists[own];

    if (block == NULL || length_of(block) < length) {
        unsigned list = list_next(blocks, own + 1);

        if (list == BLOCKS_LISTS) {
            return NULL;
        }
        block = blocks->lists[list];
    }
    list_remove(blocks, block);
    length_set(block, length_of(block), USED);
    return block;
}

void *blocks_take(struct blocks *blocks, size_t bytes)
{
    size_t length = length_for(bytes);
    struct block *block = block_take(blocks, length);

    if (block == NULL) {
        return NULL;
    }
    cut(blocks, block, length);
    return memory_of(block);
}

void *blocks_take_aligned(struct blocks *blocks, size_t bytes, size_t align)
{
    if (align <= BLOCKS_ALIGN) {
        return blocks_take(blocks, bytes);
    }
    size_t length = length_for(bytes);
    struct block *block = block_take(blocks, length + align + BYTES_LEAST);

    if (block == NULL) {
        return NULL;
    }
    uintptr_t memory = (uintptr_t)memory_of(block);
    uintptr_t wanted = (memory + align - 1) & ~(uintptr_t)(align - 1);
    if (wanted != memory && wanted - memory < BYTES_LEAST) {
        wanted += align;
    }
    size_t front = wanted - memory;
    if (front != 0) {
        struct block *behind = block_at(block, front);

        behind->head.before = front;
        length_set(behind, length_of(block) - front, USED);
        length_set(block, front, USED);
        join(blocks, block);
        block = behind;
    }
    cut(blocks, block, length);
    return memory_of(block);
}

void blocks_give(struct blocks *blocks, void *memory)
{
    join(blocks, block_of(memory));
}

size_t blocks_bytes(const void *memory)
{
    return length_of(block_of(memory)) - HEAD_BYTES;
}

int blocks_resize(struct blocks *blocks, void *memory, size_t bytes)
{
    struct block *block = block_of(memory);
    struct block *next = after(block);
    size_t length = length_for(bytes);
    size_t room = length_of(block) + (is_used(next) ? 0 : length_of(next));

    if (length > room) {
        return 0;
    }
    if (length > length_of(block)) {
        list_remove(blocks, next);
        length_set(block, room, USED);
    }
    cut(blocks, block, length);
    return 1;
}

size_t blocks_trim(struct blocks *blocks, size_t unit, size_t keep, void **end)
{
    struct block *last =
        blocks->end == NULL ? NULL : block_at(blocks->end, -blocks->end->head.before);

    if (last == NULL || is_used(last) || length_of(last) <= keep + unit) {
        return 0;
    }
    size_t less = (length_of(last) - keep) / unit * unit;
    list_remove(blocks, last);
    length_set(last, length_of(last) - less, USED);
    blocks->end = after(last);
    blocks->end->head.length = USED;
    join(blocks, last);
    *end = (char *)blocks->end + HEAD_BYTES;
    return less;
}
