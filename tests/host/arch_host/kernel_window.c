/* SPDX-License-Identifier: MIT */
/*
 * The kernel window on the host: frame records, stacks and the like, which the machine reaches at
 * upper-half addresses that no host program can have.  Two reservations stand in for it: one for
 * the records, one for the top 4 GiB.  What the table in force maps there, by the judgement of the
 * independent walker, is shown in them: the same bytes as at its physical address.  Everything else
 * stops the test at the instruction that touches it, as a kernel fault would.
 */
#include <sys/mman.h>

#include "arch/arch.h"
#include "arch/layout.h"
#include "arch_host/arch_host.h"
#include "arch_host/phys_mem.h"
#include "machine/walk.h"

#define RECORDS_BYTES (UINT64_C(64) << 30)
#define TOP_BYTES     (UINT64_C(4) << 30)

struct window {
    unsigned char *reservation;
    uint64_t start, bytes;
};

static struct window windows[2];

static void window_reserve(struct window *window, uint64_t start, uint64_t bytes)
{
    window->start = start;
    window->bytes = bytes;
    window->reservation =
        mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (window->reservation == MAP_FAILED) {
        host_fail("kernel_window: cannot reserve address space");
    }
}

/* Shows what is mapped in [from, end); devices stay closed, since they are no memory. */
static void window_show(const struct window *window, uint64_t from, uint64_t end)
{
    while (from < end) {
        struct walk walk = walk_from_root(arch_active_root().raw, from);
        uint64_t extent = entry_extent(walk.level);
        uint64_t next = align_down(from, extent) + extent;
        uint64_t bytes = (next < end ? next : end) - from;
        uint64_t pa = walk_pa(walk.entry, walk.level, from);

        if (walk.end == WALK_LEAF && phys_mem_has(pa, bytes) &&
            !phys_mem_alias(window->reservation + (from - window->start), pa, bytes)) {
            host_fail("kernel_window: cannot show %#lx", from);
        }
        from += bytes;
    }
}

void *arch_kernel_window(vaddr_t va, uint64_t bytes)
{
    if (windows[0].reservation == NULL) {
        window_reserve(&windows[0], layout_records_base(arch_paging_levels()), RECORDS_BYTES);
        window_reserve(&windows[1], LAYOUT_STACKS, TOP_BYTES);
    }
    for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
        uint64_t offset = va.raw - windows[i].start;

        if (offset < windows[i].bytes && bytes <= windows[i].bytes - offset) {
            window_show(&windows[i], align_down(va.raw, PAGE_SIZE),
                        align_up(va.raw + bytes, PAGE_SIZE));
            return windows[i].reservation + offset;
        }
    }
    host_fail("kernel_window: nothing of the kernel can lie at %#lx + %#lx", va.raw, bytes);
}
