/* SPDX-License-Identifier: MIT */
/*
 * The flat reference: a space as a row of pages, each with what it holds; no tables, no locks.
 *
 * Only the pages of a small universe are ever mapped; they lie where the tree is interesting.  A
 * page of the reference changes while the operation that changes it has it locked.  What a page
 * held before, or is about to hold, while that operation has not returned, is remembered too: a
 * program may still, or already, use it.
 */
#pragma once

#include "lib/hart.h"
#include "mm/vm_cursor.h"
#include "mm/vm_fault.h"

#define REF_PAGES  24U
#define REF_SPACES 24U

struct ref_item {
    enum vm_item_kind kind;
    uint64_t pa;
    struct vm_prop prop;
    uint64_t stamp;  /* first word of the frame it leads to; 0: a device */
    bool is_written; /* a program has written through it: D must be set  */
};

struct ref_space {
    struct vm_space *space; /* NULL: this row is unused                    */
    unsigned refs;          /* references that the world holds             */
    unsigned number;        /* of the space, in order of creation          */
    struct ref_item items[REF_PAGES];
    uint32_t unsteady; /* pages, one bit each */
};

_Static_assert(REF_PAGES <= 32, "a set of pages is one word");

/* Forgets everything. */
void ref_reset(unsigned levels);

/* Row for a new space, with one reference; NULL: none left. */
struct ref_space *ref_space_add(struct vm_space *space);

/* A digest of what all spaces hold, or held when they ended. */
uint64_t ref_digest(void);

/* First address of a page; ascending. */
uint64_t ref_va(unsigned page);

/* The first page at or past va; REF_PAGES if there is none. */
unsigned ref_page_from(uint64_t va);

/* Present pages in [start, end), by kind. */
struct vm_removed ref_count(const struct ref_space *space, uint64_t start, uint64_t end);

/* First present page at or past va and below end; REF_PAGES if there is none. */
unsigned ref_present_from(const struct ref_space *space, uint64_t va, uint64_t end);

/* The hart is about to give the page that meaning; nothing is certain yet. */
void ref_announce(unsigned hart, struct ref_space *space, unsigned page, struct ref_item item);

/* The call that is about to be made may take what the pages of [start, end) grant away, at any
 * moment until it returns: ref_steady. */
void ref_unsteady(struct ref_space *space, uint64_t start, uint64_t end);
void ref_steady(struct ref_space *space, uint64_t start, uint64_t end);

/* It has. */
void ref_set(unsigned hart, struct ref_space *space, unsigned page, struct ref_item item);
void ref_clear(unsigned hart, struct ref_space *space, uint64_t start, uint64_t end);

/* A program has written to the frame at pa through the entry that is in memory. */
void ref_written(struct ref_space *space, unsigned page, uint64_t pa);

/* The hart's operation has returned: what it replaced is over. */
void ref_settle(unsigned hart);

/* True if the page grants the access now. */
bool ref_grants(const struct ref_space *space, unsigned page, enum vm_access access);

/* True if a program may be led to this byte's page: by what the page holds, or by what an operation
 * that has not returned replaces or brings. */
bool ref_may_lead(const struct ref_space *space, unsigned page, enum vm_access access, uint64_t pa);

/* Stamp of the frame that holds this byte, as far as a page, or one that was, leads to it. */
uint64_t ref_stamp_at(uint64_t pa);

/* Watches what the page grants from now on until the next call for this hart. */
void ref_watch(unsigned hart, const struct ref_space *space, unsigned page, enum vm_access access);

/* Since then the access was granted at some moment, was refused at some moment. */
bool ref_was_granted(unsigned hart);
bool ref_was_refused(unsigned hart);

/* Since then some entry for the page that grants the access could be used. */
bool ref_was_led(unsigned hart);

/* Since then the page held, at some moment, a frame with this stamp that grants the access; or it
 * may still or already be used. */
bool ref_was_stamped(unsigned hart, uint64_t stamp);
