/* SPDX-License-Identifier: MIT */
/* What the arguments of mmap and its kin say; private to user/posix. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include "uapi/vm.h"

#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)

/* VM_PROT_* of PROT_*; writing implies reading. */
static inline uint64_t vm_prot(int prot)
{
    uint64_t result = 0;

    result |= (prot & (PROT_READ | PROT_WRITE)) != 0 ? VM_PROT_R : 0;
    result |= (prot & PROT_WRITE) != 0 ? VM_PROT_W : 0;
    result |= (prot & PROT_EXEC) != 0 ? VM_PROT_X : 0;
    return result;
}

/* The pages, of page_bytes each, of a range.  Nonzero: it is one, and may be empty. */
static inline int range_make_of(const void *address, size_t bytes, uint64_t page_bytes,
                                uint64_t *start, uint64_t *end)
{
    *start = (uintptr_t)address;
    if (*start % page_bytes != 0 || __builtin_add_overflow(*start, bytes, end) ||
        __builtin_add_overflow(*end, page_bytes - 1, end)) {
        return 0;
    }
    *end &= ~(page_bytes - 1);
    return 1;
}

static inline int range_make(const void *address, size_t bytes, uint64_t *start, uint64_t *end)
{
    return range_make_of(address, bytes, VM_PAGE_SIZE, start, end);
}
