/* SPDX-License-Identifier: MIT */
/* Checks of the arguments that the virtual-memory calls have in common.  Pure. */
#pragma once

#include "arch/vm_types.h"
#include "lib/types.h"

/* A range a program named, and how much of it earlier pieces of the call have done. */
struct vm_args {
    struct va_range range;   /* the whole range, page aligned */
    uint64_t bytes;          /* its length                    */
    uint64_t progress_bytes; /* page multiple, <= bytes       */
};

/* Checks address, length and progress of a call on pages.
 * limit:  first address past the user range.
 * Errors: ERR_INVAL something is no page multiple, bytes 0, progress > bytes
 *         ERR_RANGE the range overflows or ends past limit.    *out is written on OK only. */
status_t vm_args_make(uint64_t address, uint64_t bytes, uint64_t progress, vaddr_t limit,
                      struct vm_args *out);

/* Checks that [address, address + bytes) lies below limit.  ERR_RANGE if not. */
status_t vm_args_check_bytes(uint64_t address, uint64_t bytes, vaddr_t limit);

/* Permissions as a program gave them.  ERR_INVAL: unknown bits, none at all, or W without R. */
status_t vm_args_prot(uint64_t prot, enum vm_prot *out);

/* The same, but none at all is VM_PROT_NONE. */
status_t vm_args_prot_or_none(uint64_t prot, enum vm_prot *out);

/* Level of the pages that VM_FLAG_2M or VM_FLAG_1G ask for; 0: neither is there.  ERR_INVAL: both,
 * or flags that are neither of the two nor in `others`. */
status_t vm_args_page_level(uint64_t flags, uint64_t others, unsigned *level);
