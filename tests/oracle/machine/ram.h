/* SPDX-License-Identifier: MIT */
/*
 * Frames of RAM: their lives, who wrote them last, and the memory itself as hardware reads it.
 */
#pragma once

#include <stdatomic.h>

#include "machine/state.h"

#define FRAME_NONE UINT32_MAX

/* A frame.  All zero: nobody has told of it, and it is in use. */
struct ram_frame {
    uint32_t life;     /* odd: free; it grows when the frame comes free and when it is taken */
    uint32_t table;    /* 1 + number of its table, 0: it is none           */
    uint32_t names;    /* 1 + number of the first slot whose leaf names it */
    uint32_t stale_in; /* stale entries that came from slots in it         */
    uint32_t stale_of; /* stale entries that name it                       */
    uint32_t written;  /* step of the last write of contents, 0: none known */
    uint32_t zeroed;   /* step at which it was filled with zeroes in this life */
    uint8_t writer, zeroer;
    uint32_t code, code_seen; /* of the slot that named it last (struct table) */
};

/* Forgets all lives; reads which RAM there is. */
void ram_reset(void);

/* (c) between resets. */
struct ram {
    uint64_t first; /* number of the first page of RAM            */
    uint64_t count; /* pages from there to the end of all banks   */
    bool has_holes; /* some of them are no RAM                    */
    struct ram_frame *frames;
    unsigned char *memory; /* where physical address 0 would be   */
};

extern struct ram ram;

/* True if the page is RAM, where banks leave holes. */
bool ram_has(uint64_t pa);

/* Number of the frame at pa; FRAME_NONE: there is no RAM. */
static inline uint32_t ram_index(uint64_t pa)
{
    uint64_t index = (pa >> TABLE_SHIFT) - ram.first;

    return index < ram.count && (!ram.has_holes || ram_has(pa)) ? (uint32_t)index : FRAME_NONE;
}

static inline struct ram_frame *ram_frame(uint32_t index)
{
    return &ram.frames[index];
}

static inline uint64_t ram_pa(uint32_t index)
{
    return (ram.first + index) << TABLE_SHIFT;
}

/* An aligned word of RAM, and what a walker reads there: relaxed, since a walker has no order of
 * its own; what it may see is judged elsewhere. */
static inline _Atomic(uint64_t) *ram_word(uint64_t pa)
{
    return (_Atomic(uint64_t) *)(void *)(ram.memory + pa);
}

static inline uint64_t ram_read(uint64_t pa)
{
    return atomic_load_explicit(ram_word(pa), memory_order_relaxed);
}

/* True if the frame has come free and not been taken. */
static inline bool ram_is_free(const struct ram_frame *frame)
{
    return (frame->life & 1U) != 0;
}

/* True if the frame still lives the life of that number. */
static inline bool ram_lives(uint32_t index, uint32_t life)
{
    return index == FRAME_NONE || (ram_frame(index)->life == life && (life & 1U) == 0);
}
