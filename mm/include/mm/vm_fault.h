/* SPDX-License-Identifier: MIT */
/*
 * What a page fault means, by the page table alone.
 *
 * A fault that the table explains is settled here: a reserved page gets its frame, a pending write
 * its own copy.  Any other is the program's.
 */
#pragma once

#include "arch/vm_types.h"
#include "mm/frame.h"
#include "mm/vm_space.h"

enum vm_fault_result {
    VM_FAULT_RETRY, /* the entry permits the access now: flushed, try again      */
    VM_FAULT_BAD,   /* nothing is there, it forbids the access, or fences do not help */
    VM_FAULT_NOMEM, /* the page may be accessed, but there is no memory or no budget for it */
};

/* Decides a fault of user mode, or of a user copy, at va.  Addresses outside the user range are
 * VM_FAULT_BAD.  A retry has flushed the page here; the same fault right after it, the whole space.
 * The same a third time is VM_FAULT_BAD, with a line on the log: fences do not reach this hart.
 * VM_FAULT_NOMEM: every address means what it did, though tables may have been made; the reaper has
 * nothing more to give back now.  The same access may succeed later.
 * Context: no cursor open; the space is active here. */
enum vm_fault_result vm_space_fault(struct vm_space *space, vaddr_t va, enum vm_access access);

/* What somebody else than the program does with a page of it. */
enum vm_page_use {
    VM_PAGE_READ, /* reads, which the page permits                                          */
    VM_PAGE_FILL, /* stores, whatever it permits, but VM_PROT_NONE; the frame is its own then */
};

/* The frame of the page at va, with a reference that the caller gives back, after the page was
 * given what such an access needs: so a reserved page gets a frame, and one that shares its frame
 * is given another before it is filled.  *prot: what the entry grants. Errors: ERR_FAULT nothing is
 * there, it is no RAM, or may not be used so; ERR_NOMEM as VM_FAULT_NOMEM; ERR_RANGE va is outside
 * the user range.  *frame untouched. Context: no cursor open. */
status_t vm_space_page_get(struct vm_space *space, vaddr_t va, enum vm_page_use use,
                           enum vm_prot *prot, struct frame **frame);
