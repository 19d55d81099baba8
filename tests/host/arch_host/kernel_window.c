/* SPDX-License-Identifier: MIT */
/*
 * The kernel window on the host: frame records, stacks and the like, which the machine reaches at
 * upper-half addresses that no host program can have.  Two reservations stand in for it: one for
 * the records, one for the top 4 GiB.  Only what mm/ said it mapped can be touched.
 */
#include <sys/mman.h>

#include "arch/arch.h"
#include "arch/layout.h"
#include "arch_host/arch_host.h"
#include "arch_host/phys_mem.h"

#define RECORDS_BYTES (PHYS_MEM_LIMIT / PAGE_SIZE * 16)
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

void *arch_kernel_window(vaddr_t va, uint64_t bytes)
{
    if (windows[0].reservation == NULL) {
        window_reserve(&windows[0], layout_records_base(arch_paging_levels()), RECORDS_BYTES);
        window_reserve(&windows[1], LAYOUT_STACKS, TOP_BYTES);
    }
    for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
        uint64_t offset = va.raw - windows[i].start;

        if (offset < windows[i].bytes && bytes <= windows[i].bytes - offset) {
            uint64_t start = align_down(offset, PAGE_SIZE);
            uint64_t end = align_up(offset + bytes, PAGE_SIZE);

            if (mprotect(windows[i].reservation + start, end - start, PROT_READ | PROT_WRITE)) {
                host_fail("kernel_window: cannot open %#lx", va.raw);
            }
            return windows[i].reservation + offset;
        }
    }
    host_fail("kernel_window: nothing of the kernel can lie at %#lx + %#lx", va.raw, bytes);
}
