/* SPDX-License-Identifier: MIT */
/*
 * Cursors: what pagers do with pages of others: see which are used, keep some elsewhere, and bring
 * them back.
 */
#pragma once

#include "mm/vm_cursor.h"

/* Takes the accessed bit from the present pages of RAM in [va, va + len), max_pages of them at most
 * (>= 1, pages of regions count too and stay what they are; a large one counts as one); *accessed
 * says how many had it, in pages of 4 KiB.  The position is past the last page that was looked at,
 * or va + len.  A page that is used after the cursor is closed has the bit again: the flush is
 * owed, for a hart that remembers the translation would not set it.  A large one that an end lies
 * in is split there.
 * ERR_INVAL, ERR_RANGE, ERR_ACCES, ERR_NOMEM as unmap; ERR_INVAL max_pages 0; nothing changed, no
 * move. */
status_t vm_cursor_clear_accessed(struct vm_cursor *cursor, uint64_t len_bytes, uint64_t max_pages,
                                  uint64_t *accessed);

/* Takes the private pages in [from->va, from->va + len) out, mapped or hidden, and leaves
 * VM_ITEM_SWAPPED there, with cookies from this one upwards and the pages' rights: all accesses
 * fault until they are supplied.  Their frames become private pages in [to->va, ...) that can be
 * read; the charge goes along.  Large pages are split.  max_edits pages at most (>= 1); both
 * positions say how far it came. The flush for `from` is done when it is closed, so close it before
 * `to`.
 *
 * Errors:  ERR_INVAL  both are of one space; a cookie >= 2^40; max_edits 0
 *          ERR_INVAL, ERR_RANGE of the length, for both, as find_next
 *          ERR_ACCES  `from` is a query, or `to` not VM_CURSOR_CHANGE
 *          ERR_NOENT  no private page is at the position of `from`
 *          ERR_EXIST  something is at the position of `to`, if only a mark
 *          ERR_NOMEM  no table, or the budget of `to` is spent
 *          What was taken out before stays so; the positions say how far it came. */
status_t vm_cursor_evict(struct vm_cursor *from, struct vm_cursor *to, uint64_t len_bytes,
                         unsigned max_edits, uint64_t cookie);

/* The way back: the frames of the private pages in [from->va, from->va + len), where nothing is
 * then, become the pages in [to->va, ...), which were swapped under cookies from this one upwards,
 * with the rights that are noted there.  Errors as vm_cursor_evict, but instead of ERR_EXIST,
 * ERR_AGAIN: the page at the position of `to` is not swapped under its cookie. */
status_t vm_cursor_supply(struct vm_cursor *from, struct vm_cursor *to, uint64_t len_bytes,
                          unsigned max_edits, uint64_t cookie);
