/* SPDX-License-Identifier: MIT */
/*
 * Readers and writers: the only way the kernel touches the memory of the program that runs.
 *
 * A user_span is a stretch of user addresses that lies inside the user limit; whether it is mapped
 * is found out while copying.  A copy is either done or cut short by a fault, and says how far it
 * came.  A fault that the page table does not explain is not one: the access is tried again.
 * Aligned words are moved whole if both sides agree modulo 8: a program that copies a word while
 * another thread changes it has the old one or the new one.  No lock may be held, no cursor open.
 */
#pragma once

#include "arch/vm_types.h"
#include "mm/vm_space.h"

struct user_span {
    vaddr_t va;
    uint64_t remain_bytes;
};

/* A span of `len_bytes` at va in `space`.
 * Errors: ERR_ACCES the space is not the active one here
 *         ERR_RANGE va + len overflows or is past the user limit */
status_t user_span_make(struct vm_space *space, vaddr_t va, uint64_t len_bytes,
                        struct user_span *span);

/* Makes the span shorter, never longer. */
void user_span_limit(struct user_span *span, uint64_t max_bytes);

/* Steps over the first bytes.  ERR_RANGE: fewer remain; no change. */
status_t user_span_skip(struct user_span *span, uint64_t bytes);

/* Copies min(len, remain) bytes and steps past what was copied; *done says how many.
 * ERR_FAULT: a page could not be accessed; ERR_NOMEM: a reserved one could have been, but there is
 * no frame or no budget for it.  *done bytes were copied. */
status_t user_read(struct user_span *from, void *to, uint64_t len_bytes, uint64_t *done_bytes);
status_t user_write(struct user_span *to, const void *from, uint64_t len_bytes,
                    uint64_t *done_bytes);
status_t user_fill_zeros(struct user_span *to, uint64_t len_bytes, uint64_t *done_bytes);

/* Copies from the span to the page at va of `space`, up to the page's end, whatever the page
 * permits but VM_PROT_NONE, and steps past what was copied.  A reserved page gets a frame, one that
 * shares its frame is given its own.  The page is locked while bytes move, so that nobody gives it
 * another frame meanwhile and what was copied is lost.  *prot: what it grants. ERR_FAULT: the span
 * or the page could not be accessed; ERR_NOMEM: no memory or budget for one of them; ERR_RANGE: va
 * is outside the user range.  *done bytes were copied. */
status_t user_read_to_page(struct user_span *from, struct vm_space *space, vaddr_t va,
                           enum vm_prot *prot, uint64_t *done_bytes);

/* All of it, for structs.  ERR_ACCES, ERR_RANGE as user_span_make, before anything is copied;
 * ERR_FAULT, ERR_NOMEM as user_read: the bytes before the first that cannot be accessed are copied.
 */
status_t user_read_object(struct vm_space *space, vaddr_t from, void *to, uint64_t len_bytes);
status_t user_write_object(struct vm_space *space, vaddr_t to, const void *from,
                           uint64_t len_bytes);

/* One aligned 32-bit word.  ERR_INVAL misaligned, ERR_ACCES/ERR_RANGE as user_span_make, ERR_FAULT
 * and ERR_NOMEM as user_read.
 * A value that was read cannot be confused with a fault. */
status_t user_load_u32(struct vm_space *space, vaddr_t from, uint32_t *value);

/* *seen in: expected, out: found.  OK whether or not it was stored: compare *seen. */
status_t user_compare_exchange_u32(struct vm_space *space, vaddr_t at, uint32_t *seen,
                                   uint32_t value);
