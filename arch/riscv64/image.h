/* SPDX-License-Identifier: MIT */
/*
 * The running image: where link.ld put its parts, and where in physical memory it was loaded.
 * Everything of it is mapped from LAYOUT_KERNEL on, in one piece.
 */
#pragma once

#include "arch/layout.h"
#include "lib/types.h"

extern char image_start[], image_text_end[], image_rodata_end[], image_bss_start[], image_end[];

/* First byte of the loaded image; set once by boot_main. */
paddr_t image_pa(void);
void image_set_pa(paddr_t start);

/* Physical address of a byte of the image (code, data, bss).  Not for stacks or the direct map. */
static inline paddr_t image_to_phys(const void *in_image)
{
    return paddr_add(image_pa(), (uint64_t)(uintptr_t)in_image - LAYOUT_KERNEL);
}

/* All of the image, bss included, as physical memory. */
struct pa_range image_range(void);
