/* SPDX-License-Identifier: MIT */
/* What the memory calls share; private to user/posix. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#define MMAN_PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)

/* VM_PROT_* of PROT_*; writing implies reading. */
uint64_t mman_prot(int prot);

/* The pages of a range.  Nonzero: it is one, and may be empty. */
int mman_range_make(const void *address, size_t bytes, uint64_t *start, uint64_t *end);

/* For each page of a range that has none: gives it memory with `prot`; prot 0: leaves it.
 * Returns 0; -SYS_ENOMEM: some address is not held, or no memory; errors of vm_ranges.  Context:
 * the lock of the table is held. */
long mman_holes_fill_locked(uint64_t start, uint64_t end, uint64_t prot);
