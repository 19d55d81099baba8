/* SPDX-License-Identifier: MIT */
/*
 * Control and status registers of supervisor mode: names, bits, and the only instructions that
 * touch them.  Privileged spec, "Supervisor-Level ISA".  Shared with assembly.
 */
#pragma once

#define SSTATUS_SIE          0x2
#define SSTATUS_SPIE         0x20
#define SSTATUS_SPP          0x100
#define SSTATUS_SUM          0x40000
#define SSTATUS_FS           0x6000 /* floating point: Off, Initial, Clean, Dirty */
#define SSTATUS_FS_CLEAN     0x4000
#define SSTATUS_FS_DIRTY     0x6000
#define SSTATUS_UXL_64       0x200000000

#define SIE_SOFT             0x2
#define SIE_TIMER            0x20
#define SIE_EXTERNAL         0x200

#define SCAUSE_INTERRUPT     0x8000000000000000
#define SCAUSE_USER_ECALL    8

#define CAUSE_FETCH_MISALIGN 0
#define CAUSE_FETCH_ACCESS   1
#define CAUSE_ILLEGAL        2
#define CAUSE_BREAKPOINT     3
#define CAUSE_LOAD_MISALIGN  4
#define CAUSE_LOAD_ACCESS    5
#define CAUSE_STORE_MISALIGN 6
#define CAUSE_STORE_ACCESS   7
#define CAUSE_FETCH_PAGE     12
#define CAUSE_LOAD_PAGE      13
#define CAUSE_STORE_PAGE     15

#define INTERRUPT_SOFT       1
#define INTERRUPT_TIMER      5
#define INTERRUPT_EXTERNAL   9

#define SATP_MODE_SHIFT      60
#define SATP_MODE_SV39       8
#define SATP_ASID_SHIFT      44
#define SATP_ASID_MASK       0x0ffff00000000000
#define SATP_PPN_MASK        0x00000fffffffffff

/* What user mode may read: the time; cycles, time and instructions. */
#define SCOUNTEREN_TIME 0x2
#define SCOUNTEREN_ALL  0x7

/* stimecmp of Sstc, by number: assemblers of Debian 12 do not know the name. */
#define CSR_STIMECMP 0x14d

#ifndef __ASSEMBLER__
#    include <stdint.h>

#    define csr_read(name)                                                                         \
        __extension__({                                                                            \
            uint64_t csr_value_;                                                                   \
            __asm__ volatile("csrr %0, " #name : "=r"(csr_value_)::"memory");                      \
            csr_value_;                                                                            \
        })

#    define csr_write(name, value)                                                                 \
        __asm__ volatile("csrw " #name ", %0" ::"r"((uint64_t)(value)) : "memory")

#    define csr_set(name, bits)                                                                    \
        __asm__ volatile("csrs " #name ", %0" ::"r"((uint64_t)(bits)) : "memory")

#    define csr_clear(name, bits)                                                                  \
        __asm__ volatile("csrc " #name ", %0" ::"r"((uint64_t)(bits)) : "memory")

/* Levels of a satp value's mode: Sv39 (8) has 3, and so on.  The mode is not Bare. */
static inline unsigned satp_levels(uint64_t satp)
{
    return (unsigned)(satp >> SATP_MODE_SHIFT) - SATP_MODE_SV39 + 3U;
}

/* The satp value for a root with that many levels under an ASID. */
static inline uint64_t satp_make(unsigned levels, uint64_t root_pa, uint64_t asid)
{
    return (uint64_t)(levels - 3U + SATP_MODE_SV39) << SATP_MODE_SHIFT | asid << SATP_ASID_SHIFT |
           root_pa >> 12;
}
#endif
