/* SPDX-License-Identifier: MIT */
/*
 * Frames that come free and are taken (arch/frame_watch.h): the oracle is told, and under the
 * address sanitizer a free frame is poisoned, so that whoever touches it is found at that
 * instruction.  Frames that were never taken since boot are not watched.
 */
#include <stdint.h>
#include <string.h>

#include "arch/arch.h"
#include "arch/oracle_effects.h"
#include "arch_host/arch_host.h"
#include "arch_host/phys_mem.h"
#include "machine/effects.h"

void host_frames_freed(uint64_t pa, uint64_t bytes)
{
    if (oracle_is_on) {
        oracle_frames_freed(pa, bytes);
    }
    phys_mem_close(pa, bytes);
}

void host_frames_taken(uint64_t pa, uint64_t bytes)
{
    phys_mem_open(pa, bytes);
    if (oracle_is_on) {
        oracle_frames_taken(pa, bytes);
    }
}

void arch_fill_frame(void *frame, uint64_t word, uint64_t step)
{
    uint64_t *words = frame;

    if (((uintptr_t)frame & PAGE_MASK) != 0) {
        host_fail("arch_fill_frame: %p is not a frame", frame);
    }
    if (oracle_is_on) {
        oracle_frame_zeroing(phys_mem_address(frame));
    }
    for (size_t i = 0; i < PAGE_SIZE / sizeof(word); i++) {
        words[i] = word + i * step;
    }
}

void arch_zero_frame(void *frame)
{
    arch_fill_frame(frame, 0, 0);
}
