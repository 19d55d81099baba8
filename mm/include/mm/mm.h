/* SPDX-License-Identifier: MIT */
/*
 * mm/ as a whole: the order in which memory management comes up, and its self-checks.
 *
 *   arch reads the tree, chooses the paging mode  ->  mm_init()  ->  kernel objects
 */
#pragma once

#include "arch/machine.h"
#include "lib/status.h"
#include "lib/types.h"

/* Where the parts of the running image lie.  All page aligned; text_pa is where LAYOUT_KERNEL is.
 */
struct mm_image {
    paddr_t start;         /* first byte of the image, mapped at LAYOUT_KERNEL */
    uint64_t text_bytes;   /* read and execute                                  */
    uint64_t rodata_bytes; /* read; follows text                                */
    uint64_t data_bytes;   /* read and write; follows rodata; bss included      */
};

/* Builds the final upper half (direct map, frame records, image by section, boot hart's stack),
 * activates it through `activate`, and gives all unreserved RAM to the frame allocator.
 *
 * machine:  complete, with every reserved range; stays valid for ever.
 * activate: makes a root the active table and moves the direct map of arch_phys_to_virt to `base`,
 *           which shows physical address `base_pa`; implemented by arch.  Until then
 *           arch_phys_to_virt works through the early map.
 * Errors:   ERR_NOMEM  RAM cannot hold the tables and records; nothing is active
 *           ERR_RANGE  no RAM, or the image is longer than LAYOUT_KERNEL_BYTES or lies outside of
 *                      the window of this mode; nothing is active
 * Context:  boot hart alone, once. */
status_t mm_init(const struct machine *machine, const struct mm_image *image,
                 void (*activate)(paddr_t root, uint64_t base, paddr_t base_pa));

/* Bytes of RAM that the direct map of this mode cannot show and that are therefore not used. */
uint64_t mm_left_out_bytes(void);

/* Maps device registers for the kernel itself, RW, global, at a fresh address in LAYOUT_MMIO, and
 * returns a pointer to `range.start`.  Mappings are never removed.
 * Errors: ERR_NOMEM no table or no address space; nothing mapped.  Boot hart, before user programs.
 */
status_t mm_map_device(struct pa_range range, volatile void **registers);

/* Root of the kernel's own table: the upper half and an empty user half. */
paddr_t mm_kernel_root(void);
