/* SPDX-License-Identifier: MIT */
/*
 * The upper half of every address space: constants that assembly, the boot code and mm/ share.
 *
 * The top 128 GiB look the same in Sv39, Sv48 and Sv57, so that one image, linked once, runs in all
 * three, and a switch of the mode does not move the code that does it:
 *
 *   upper_base                 direct map of RAM: the lower half of the upper half.  Sv39: 128 GiB
 *                              from 0xffffffc000000000, Sv48: 64 TiB from 0xffff800000000000,
 *                              Sv57: 32 PiB from 0xff00000000000000
 *   upper_base + window        frame records, 16 bytes for each frame of the window
 *   LAYOUT_STACKS              kernel stacks, each with a guard page below it
 *   LAYOUT_MMIO                devices the kernel itself drives
 *   LAYOUT_KERNEL              the kernel image: text RX, rodata R, data RW
 *   LAYOUT_FIXMAP              the device tree, while the early tables are in force
 *
 * docs/memory-map.md draws it.
 */
#pragma once

#define LAYOUT_STACKS       0xffffffff00000000
#define LAYOUT_MMIO         0xffffffff40000000
#define LAYOUT_KERNEL       0xffffffff80000000
#define LAYOUT_FIXMAP       0xffffffffc0000000

#define LAYOUT_MMIO_BYTES   0x40000000 /* 1 GiB                                     */
#define LAYOUT_KERNEL_BYTES 0x10000000 /* room for the image: 256 MiB               */
#define LAYOUT_FIXMAP_BYTES 0x00400000 /* two 2 MiB pages: a tree of 2 MiB anywhere */

#define LAYOUT_STACK_BYTES  0x4000 /* one kernel stack: 16 KiB                  */
#define LAYOUT_STACK_STRIDE 0x8000 /* distance of stacks: what is left is guard */

/* Until mm/ has built the final tables, RAM is reached through 1 GiB pages here, in any mode. */
#define LAYOUT_EARLY_DIRECT       0xffffffc000000000
#define LAYOUT_EARLY_DIRECT_BYTES 0x2000000000

#ifndef __ASSEMBLER__
#    include "arch/pte.h"

_Static_assert(LAYOUT_STACK_STRIDE >= LAYOUT_STACK_BYTES + PAGE_SIZE, "no room for a guard page");
_Static_assert(LAYOUT_KERNEL % (UINT64_C(2) << 20) == 0, "the image is mapped with 2 MiB pages");

/* First address of the upper half with that many levels. */
static inline uint64_t layout_upper_base(unsigned levels)
{
    return -pte_user_limit(levels);
}

/* Bytes of physical address space the direct map can show. */
static inline uint64_t layout_direct_bytes(unsigned levels)
{
    return pte_user_limit(levels) / 2;
}

/* Where the record of the first frame of the direct map lies. */
static inline uint64_t layout_records_base(unsigned levels)
{
    return layout_upper_base(levels) + layout_direct_bytes(levels);
}
#endif
