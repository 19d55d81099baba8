/* SPDX-License-Identifier: MIT */
/*
 * Blocks of memory: the part of malloc that knows nothing of the system.  Memory is given to it in
 * stretches; blocks are cut from them, and joined again with free neighbours when they are given
 * back.  Taking and giving are a bounded number of steps: free blocks are in lists by size, and a
 * bitmap says which lists have some.  Pure; the caller keeps threads apart.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BLOCKS_ALIGN 16U

/* Lists for sizes in steps of 16 up to BLOCKS_EXACT, then four for each power of two. */
#define BLOCKS_EXACT UINT64_C(1024)
#define BLOCKS_LISTS 192U

struct block;

/* Zeroed: no memory.  The fields are blocks.c's. */
struct blocks {
    struct block *lists[BLOCKS_LISTS];
    uint64_t has_some[BLOCKS_LISTS / 64];
    struct block *end; /* the last stretch's last block, which stands for its end */
};

/* Adds memory: start and bytes are multiples of BLOCKS_ALIGN, bytes at least 64.  If it begins
 * where the memory added last ends, the two are one stretch. */
void blocks_extend(struct blocks *blocks, void *start, size_t bytes);

/* At least so many bytes at a multiple of BLOCKS_ALIGN.  NULL: there is no such block.  bytes: at
 * most SIZE_MAX / 4. */
void *blocks_take(struct blocks *blocks, size_t bytes);

/* The same at a multiple of `align`, a power of two of at most SIZE_MAX / 4. */
void *blocks_take_aligned(struct blocks *blocks, size_t bytes, size_t align);

void blocks_give(struct blocks *blocks, void *memory);

/* How many bytes there are in a block that was taken; at least those asked for. */
size_t blocks_bytes(const void *memory);

/* Makes a block larger or smaller where it is.  Nonzero: done; else it is as it was. */
int blocks_resize(struct blocks *blocks, void *memory, size_t bytes);

/* Takes a multiple of `unit` bytes away from the end of the stretch added last, as many as are free
 * but `keep`.  Returns how many; *end is where the stretch then ends. */
size_t blocks_trim(struct blocks *blocks, size_t unit, size_t keep, void **end);
