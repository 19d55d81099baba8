/* SPDX-License-Identifier: MIT */
/*
 * Tells the host's machine that frames have come free or been taken, so that whoever touches a free
 * frame, a hart's table walker included, is found at that step.
 */
#pragma once

#include "arch/oracle_effects.h"
#include "lib/types.h"

/* From now on nobody may touch or translate to [pa, pa + bytes). */
static inline void frame_watch_freed(paddr_t pa, uint64_t bytes)
{
    host_frames_freed(pa.raw, bytes);
}

/* The allocator is about to hand [pa, pa + bytes) out. */
static inline void frame_watch_taken(paddr_t pa, uint64_t bytes)
{
    host_frames_taken(pa.raw, bytes);
}
