/* SPDX-License-Identifier: MIT */
/*
 * Fake physical memory: one reservation of host address space in which physical address P lies at
 * reservation + P.  Only the machine's banks can be touched; everything else, and what no-map says,
 * stops the test at the instruction that touches it.
 */
#pragma once

#include "arch/machine.h"

/* Physical addresses that can have RAM.  The thread sanitizer leaves programs less address space.
 */
#ifdef __SANITIZE_THREAD__
#    define PHYS_MEM_LIMIT (UINT64_C(1) << 38)
#else
#    define PHYS_MEM_LIMIT (UINT64_C(1) << 41)
#endif

/* Backs the banks of `machine`, filled with a pattern if they are small, and takes away the no-map
 * ranges.  Once per process, or again for another machine with the same banks: what is in them
 * stays. */
void phys_mem_init(const struct machine *machine);

/* Pointer to a physical address below PHYS_MEM_LIMIT, and back. */
void *phys_mem_pointer(uint64_t pa);
uint64_t phys_mem_address(const void *pointer);

/* True if [pa, pa + bytes) lies in one bank. */
bool phys_mem_has(uint64_t pa, uint64_t bytes);

/* Reads an aligned word as hardware would.  False: there is no RAM. */
bool phys_mem_read64(uint64_t pa, uint64_t *value);

/* Shows [pa, pa + bytes) a second time, at the page-aligned host address `at`.  False: the host
 * refuses. */
bool phys_mem_alias(void *at, uint64_t pa, uint64_t bytes);

/* Under the address sanitizer: whoever touches [pa, pa + bytes) is found, until it is opened. */
void phys_mem_close(uint64_t pa, uint64_t bytes);
void phys_mem_open(uint64_t pa, uint64_t bytes);
