/* SPDX-License-Identifier: MIT */
/*
 * Frames of RAM: their lives, who wrote them last, and the memory itself as hardware reads it.
 */
#pragma once

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
    uint32_t code;     /* `written`, if whoever made it executable since has seen that */
    uint32_t zeroed;   /* step at which it was filled with zeroes in this life */
    uint8_t writer, zeroer;
};

/* Forgets all lives; reads which RAM there is. */
void ram_reset(void);

/* Number of the frame at pa; FRAME_NONE: there is no RAM. */
uint32_t ram_index(uint64_t pa);
struct ram_frame *ram_frame(uint32_t index);
uint64_t ram_pa(uint32_t index);

/* An aligned word of RAM as a walker reads it. */
uint64_t ram_read(uint64_t pa);
_Atomic(uint64_t) *ram_word(uint64_t pa);

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
