/* SPDX-License-Identifier: MIT */
/* Larger pages in tests. */
#include "large.h"

#define RANGES 8U

long large_map(uint64_t address, uint64_t bytes, uint64_t prot, uint64_t flags)
{
    return sys_vm_map(user_self(), address, bytes, prot, flags, NULL);
}

long large_reserve(uint64_t address, uint64_t bytes, uint64_t prot)
{
    return sys_vm_mark(user_self(), address, bytes, VM_KIND_RESERVED, prot, VM_FLAG_2M, NULL);
}

static void tally_add(struct large_tally *tally, const struct vm_range_info *range)
{
    tally->shared += range->shared;
    if (range->kind == VM_KIND_RAM && range->level < 3) {
        tally->ram[range->level] += range->bytes;
    } else if (range->kind == VM_KIND_HIDDEN && range->level < 3) {
        tally->hidden[range->level] += range->bytes;
    } else {
        tally->marked += range->bytes;
    }
}

struct large_tally large_tally(handle_t process, uint64_t address, uint64_t bytes)
{
    struct large_tally tally = {.marked = 0};
    struct vm_range_info ranges[RANGES];
    uint64_t end = address + bytes;
    long status = 0;

    while (status == 0 && address < end) {
        uint64_t count = 0;

        status = sys_vm_ranges(process, address, end - address, (uintptr_t)ranges, RANGES, &count,
                               &address);
        for (uint64_t i = 0; i < count; i++) {
            tally_add(&tally, &ranges[i]);
        }
    }
    if (status != 0) {
        tap_status(status, 0, "the ranges are told");
    }
    return tally;
}

void large_is(uint64_t address, uint64_t bytes, uint64_t large, uint64_t absent, const char *what)
{
    struct large_tally tally = large_tally(user_self(), address, bytes);

    tap_is(tally.ram[1], large, "%s: bytes in pages of 2 MiB", what);
    tap_is(tally.ram[0], bytes - large - absent, "%s: bytes in pages of 4 KiB", what);
}

static uint64_t word_of(uint64_t address, uint64_t seed)
{
    return address ^ seed << 48;
}

void large_write(uint64_t address, uint64_t bytes, uint64_t seed)
{
    for (uint64_t at = address; at < address + bytes; at += PAGE) {
        *word_at(at + 16) = word_of(at, seed);
    }
}

uint64_t large_wrong_at(uint64_t address, uint64_t bytes, uint64_t seed, uint64_t from)
{
    uint64_t wrong = 0;

    for (uint64_t at = 0; at < bytes; at += PAGE) {
        wrong += *word_at(address + at + 16) != word_of(from + at, seed) ? 1 : 0;
    }
    return wrong;
}

uint64_t large_wrong(uint64_t address, uint64_t bytes, uint64_t seed)
{
    return large_wrong_at(address, bytes, seed, address);
}

uint64_t frames_total(void)
{
    struct machine_info machine = {.total_frames = 0};

    (void)sys_machine_info(user_machine(), (uintptr_t)&machine);
    return machine.total_frames;
}
