/* SPDX-License-Identifier: MIT */
/*
 * Frames of RAM.  Their records are one flat array over the span of all banks, which costs nothing
 * where nobody looks.
 */
#include "machine/ram.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/machine.h"
#include "arch_host/arch_host.h"
#include "arch_host/phys_mem.h"
#include "machine/effects.h"
#include "machine/judge.h"
#include "machine/table.h"

#define CLEAR_BYTES_MAX (UINT64_C(1) << 20)

struct ram ram;
static size_t mapped_bytes; /* of the records */
static const struct machine *machine;

static void frames_map(uint64_t count)
{
    size_t bytes = count * sizeof(struct ram_frame);

    if (ram.frames != NULL && bytes == mapped_bytes && bytes <= CLEAR_BYTES_MAX) {
        memset(ram.frames, 0, bytes);
        return;
    }
    if (ram.frames != NULL) {
        (void)munmap(ram.frames, mapped_bytes);
    }
    ram.frames = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (ram.frames == MAP_FAILED) {
        host_fail("oracle: no room for the records of %lu frames", (unsigned long)count);
    }
    mapped_bytes = bytes;
}

void ram_reset(void)
{
    uint64_t start = UINT64_MAX;
    uint64_t end = 0;

    machine = machine_get();
    for (size_t i = 0; i < machine->bank_count; i++) {
        struct pa_range bank = machine->banks[i];
        uint64_t bank_end = bank.end.raw < PHYS_MEM_LIMIT ? bank.end.raw : PHYS_MEM_LIMIT;

        start = bank.start.raw < start ? bank.start.raw : start;
        end = bank_end > end ? bank_end : end;
    }
    ram.first = start >> TABLE_SHIFT;
    ram.count = start < end ? ((end + TABLE_BYTES - 1) >> TABLE_SHIFT) - ram.first : 0;
    ram.has_holes = machine->bank_count > 1;
    ram.memory = phys_mem_pointer(0);
    frames_map(ram.count + 1);
}

bool ram_has(uint64_t pa)
{
    return phys_mem_has(pa & ~(TABLE_BYTES - 1), 1);
}

/* ---- lives ---- */

void oracle_frames_freed(uint64_t pa, uint64_t bytes)
{
    (void)state_step(ORACLE_FRAME, pa, true, 0);
    for (uint64_t at = pa; at < pa + bytes; at += TABLE_BYTES) {
        uint32_t index = ram_index(at);

        if (index == FRAME_NONE) {
            verdict_give(ORACLE_RULE_TOUCH_FREE, state_hart(), NULL,
                         "hart %u frees %#lx, where there is no RAM", state_hart(),
                         (unsigned long)at);
        }
        if (ram_is_free(ram_frame(index))) {
            verdict_give(ORACLE_RULE_TOUCH_FREE, state_hart(), NULL,
                         "hart %u frees the frame %#lx, which is free", state_hart(),
                         (unsigned long)at);
        }
        judge_freed(index);
        table_forget(index);
        ram_frame(index)->life++;
        ram_frame(index)->written = 0;
        ram_frame(index)->zeroed = 0;
    }
}

void oracle_frames_taken(uint64_t pa, uint64_t bytes)
{
    (void)state_step(ORACLE_FRAME, pa, true, 0);
    for (uint64_t at = pa; at < pa + bytes; at += TABLE_BYTES) {
        uint32_t index = ram_index(at);

        if (index != FRAME_NONE) {
            ram_frame(index)->life += ram_is_free(ram_frame(index)) ? 1 : 2;
            ram_frame(index)->written = 0;
            ram_frame(index)->zeroed = 0;
        }
    }
}

/* ---- contents ---- */

void oracle_frame_written(unsigned hart, uint64_t pa)
{
    uint32_t index = ram_index(pa);

    if (index == FRAME_NONE) {
        return;
    }
    /* A number of its own, so that clocks can tell whether this write is seen. */
    oracle.step++;
    ram_frame(index)->written = oracle.step;
    ram_frame(index)->writer = (uint8_t)hart;
    oracle.harts[hart].seen.at[hart] = oracle.step;
}

void oracle_frame_zeroing(uint64_t pa)
{
    uint32_t index = ram_index(pa);

    if (index == FRAME_NONE) {
        return;
    }
    if (ram_is_free(ram_frame(index))) {
        verdict_give(ORACLE_RULE_TOUCH_FREE, state_hart(), NULL,
                     "hart %u writes to the free frame %#lx", state_hart(), (unsigned long)pa);
    }
    judge_zeroed(index);
    table_forget(index);
    oracle_frame_written(state_hart(), pa);
    ram_frame(index)->zeroed = ram_frame(index)->written;
    ram_frame(index)->zeroer = ram_frame(index)->writer;
}
