/* SPDX-License-Identifier: MIT */
/*
 * The ranges of RAM at boot: what may be mapped, what may be used, and a way to take from it before
 * the frame allocator exists.
 *
 * A cut in the middle makes two ranges of one; BOOT_RANGES_MAX has room for every cut that a
 * machine description can lead to.
 */
#include "boot_mem.h"

#include "lib/assert.h"

static void remove_at(struct boot_ranges *ranges, size_t i)
{
    ranges->count--;
    for (; i < ranges->count; i++) {
        ranges->at[i] = ranges->at[i + 1];
    }
}

static void insert_at(struct boot_ranges *ranges, size_t i, struct pa_range range)
{
    ASSERT(ranges->count < BOOT_RANGES_MAX);
    for (size_t j = ranges->count; j > i; j--) {
        ranges->at[j] = ranges->at[j - 1];
    }
    ranges->at[i] = range;
    ranges->count++;
}

void boot_ranges_cut(struct boot_ranges *ranges, struct pa_range hole)
{
    uint64_t end;

    hole.start.raw = align_down(hole.start.raw, PAGE_SIZE);
    if (checked_align_up(hole.end.raw, PAGE_SIZE, &end) != OK) {
        end = align_down(UINT64_MAX, PAGE_SIZE);
    }
    hole.end.raw = end;
    for (size_t i = 0; i < ranges->count; i++) {
        struct pa_range old = ranges->at[i];
        struct pa_range left = {old.start, hole.start};
        struct pa_range right = {hole.end, old.end};

        if (!pa_ranges_overlap(old, hole)) {
            continue;
        }
        remove_at(ranges, i);
        if (right.start.raw < right.end.raw) {
            insert_at(ranges, i, right);
        }
        if (left.start.raw < left.end.raw) {
            insert_at(ranges, i, left);
        } else if (right.start.raw >= right.end.raw) {
            i--; /* nothing left: the next one moved here */
        }
    }
}

static bool is_hole(enum machine_reserved_kind kind, enum boot_holes holes)
{
    return holes == BOOT_HOLES_ALL || kind == MACHINE_RESERVED_NO_MAP ||
           kind == MACHINE_RESERVED_FIRMWARE;
}

void boot_ranges_make(const struct machine *machine, struct pa_range window, enum boot_holes holes,
                      struct boot_ranges *ranges)
{
    ranges->count = 0;
    for (size_t i = 0; i < machine->bank_count; i++) {
        struct pa_range bank = machine->banks[i];

        if (!pa_ranges_overlap(bank, window)) {
            continue;
        }
        if (bank.end.raw > window.end.raw) {
            bank.end = window.end;
        }
        insert_at(ranges, ranges->count, bank);
    }
    for (size_t i = 0; i < machine->reserved_count; i++) {
        if (is_hole(machine->reserved[i].kind, holes)) {
            boot_ranges_cut(ranges, machine->reserved[i].range);
        }
    }
}

status_t boot_ranges_take(struct boot_ranges *ranges, uint64_t bytes, uint64_t align,
                          uint64_t offset, paddr_t *out)
{
    for (size_t i = 0; i < ranges->count; i++) {
        uint64_t start = align_down(ranges->at[i].start.raw, align) + offset;

        if (start < ranges->at[i].start.raw) {
            start += align;
        }
        if (start >= ranges->at[i].end.raw || ranges->at[i].end.raw - start < bytes) {
            continue;
        }
        boot_ranges_cut(ranges, (struct pa_range){{start}, {start + bytes}});
        *out = (paddr_t){start};
        return OK;
    }
    return ERR_NOMEM;
}
