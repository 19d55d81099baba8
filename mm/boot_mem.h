/* SPDX-License-Identifier: MIT */
/* Memory before there is a frame allocator. */
#pragma once

#include "arch/machine.h"

/* Every bank, and one more for each cut that can split one: the reserved ranges, the records of
 * each bank (which may start at a large page's boundary), text and rodata. */
#define BOOT_RANGES_MAX (2U * MACHINE_BANKS_MAX + MACHINE_RESERVED_MAX + 1U)

/* Parts of RAM, ascending and disjoint. */
struct boot_ranges {
    struct pa_range at[BOOT_RANGES_MAX];
    size_t count;
};

/* Which reserved ranges to leave out. */
enum boot_holes {
    BOOT_HOLES_ALL,     /* every one: what is left may be used            */
    BOOT_HOLES_UNMAPPED /* no-map and firmware: what is left may be mapped */
};

/* Splits off: *ranges loses [hole), rounded outwards to pages. */
void boot_ranges_cut(struct boot_ranges *ranges, struct pa_range hole);

/* RAM of the machine inside `window`, without the holes. */
void boot_ranges_make(const struct machine *machine, struct pa_range window, enum boot_holes holes,
                      struct boot_ranges *ranges);

/* Takes `bytes` (page multiple) from the ranges, at an address that is `offset` past a multiple of
 * `align` (a power of two, page multiple).  ERR_NOMEM: no range has room; nothing changed. */
status_t boot_ranges_take(struct boot_ranges *ranges, uint64_t bytes, uint64_t align,
                          uint64_t offset, paddr_t *out);
