/* SPDX-License-Identifier: MIT */
/*
 * What a page fault means, by the page table alone.
 *
 * A fault that the table explains is settled here: a reserved page gets its frame, a pending write
 * its own copy.  Any other is the program's.
 */
#pragma once

#include "arch/pte.h"
#include "arch/vm_types.h"
#include "mm/frame.h"
#include "mm/vm_space.h"

enum vm_fault_result {
    VM_FAULT_RETRY, /* the entry permits the access now: flushed, try again      */
    VM_FAULT_BAD,   /* nothing is there, it forbids the access, or fences do not help */
    VM_FAULT_NOMEM, /* the page may be accessed, but there is no memory or no budget for it */
    VM_FAULT_AGAIN, /* a piece of what the page needs is done: the same access again, and again */
};

/* Decides a fault of user mode, or of a user copy, at va.  Addresses outside the user range are
 * VM_FAULT_BAD.  A retry has flushed the page here; the same fault right after it, the whole space.
 * The same a third time is VM_FAULT_BAD, with a line on the log: fences do not reach this hart.
 * VM_FAULT_NOMEM: every address means what it did, though tables may have been made; the reaper has
 * nothing more to give back now.  The same access may succeed later.
 * Context: no cursor open; the space is active here. */
enum vm_fault_result vm_space_fault(struct vm_space *space, vaddr_t va, enum vm_access access);

struct frame_making;

/* The same for who may take larger pages: what is being made of one is kept in `making` from one
 * VM_FAULT_AGAIN to the next, and is given up with every other result.  Two who make a block for
 * the same page both do the work; who comes second gives his back. */
enum vm_fault_result vm_space_fault_making(struct vm_space *space, vaddr_t va,
                                           enum vm_access access, struct frame_making *making);

/* A page that somebody reads from. */
struct vm_page {
    struct frame *frame; /* with a reference */
    enum pte_sw sw;      /* whose it is; of a private one, another frame may take its place */
};

/* The page at va, after it was given what a read needs: so a reserved page has a frame then.  The
 * caller gives the reference back.
 * Errors: ERR_FAULT nothing is there, it is no RAM, or may not be read; ERR_NOMEM as
 * VM_FAULT_NOMEM; ERR_RANGE va is outside the user range.  *page untouched.
 * Context: no cursor open. */
status_t vm_space_page_get(struct vm_space *space, vaddr_t va, struct vm_page *page);
