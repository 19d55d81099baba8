/* SPDX-License-Identifier: MIT */
/*
 * Tells who watches over memory that frames have come free or been taken.  The machine does not
 * watch; the host tests' version of this header tells the sanitizer and the model of the machine,
 * so that whoever touches a free frame, a hart's table walker included, is found at that step.
 */
#pragma once

#include "lib/types.h"

/* From now on nobody may touch or translate to [pa, pa + bytes). */
static inline void frame_watch_freed(paddr_t pa, uint64_t bytes)
{
    (void)pa;
    (void)bytes;
}

/* The allocator is about to hand [pa, pa + bytes) out. */
static inline void frame_watch_taken(paddr_t pa, uint64_t bytes)
{
    (void)pa;
    (void)bytes;
}
