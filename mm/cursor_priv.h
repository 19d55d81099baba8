/* SPDX-License-Identifier: MIT */
/* What the files of the cursor share. */
#pragma once

#include "arch/pte_mark.h"
#include "mm/vm_cursor.h"
#include "pt_walk.h"

/* [va, va + len) if it lies inside the cursor's range.  ERR_INVAL, ERR_RANGE. */
status_t cursor_part(const struct vm_cursor *cursor, uint64_t len_bytes, struct va_range *part);

/* The same for a cursor that is about to change what is there.  ERR_ACCES too: it may only look. */
status_t cursor_part_to_edit(const struct vm_cursor *cursor, uint64_t len_bytes,
                             struct va_range *part);

/* Checks what a mapping is to grant.  ERR_INVAL, ERR_NOTSUP; no effect. */
status_t cursor_check_ram(struct vm_prop prop);
status_t cursor_check_io(struct vm_prop prop);

/* The memory type as the encoding has it: I/O regions are device memory by their PMA, and say so
 * with Svpbmt only. */
enum vm_mem cursor_io_encoding(enum vm_mem mem);

/* The memory type of a leaf, in words. */
enum vm_mem cursor_leaf_mem(const struct pte_leaf *leaf);

/* What was taken out of one node of level 0. */
struct leaves {
    unsigned end; /* index past the last entry that was looked at; the first that was left alone */
    unsigned count;  /* pages, hidden ones too */
    unsigned io;     /* those of a region      */
    unsigned hidden; /* hidden ones among them */
    unsigned marks;  /* marks                  */
};

/* Takes out what is in a part of a node of level 0, `max` entries at most: those of pages are dying
 * until the flush. */
struct leaves cursor_remove_leaves(struct vm_cursor *cursor, struct pt_node *node,
                                   struct pt_span span, uint64_t max);

/* Takes out a leaf above level 0, or a hidden entry: it is dying until the flush.  Returns what its
 * pages are. */
struct vm_removed cursor_remove_large(struct vm_cursor *cursor, const struct pt_place *place);

/* Detaches the table that a place points to; the cursor has it and all below it locked.  Its charge
 * goes at once, the table and what it maps when the flush has been done. */
void cursor_detach(struct vm_cursor *cursor, const struct pt_place *place);

/* One mark in the place of a table that a place points to, if 512 marks fill it that it can be; the
 * cursor has the table locked.  True: it is.  Takes no memory: false too if the split stock, which
 * the next split of it may need, is not full. */
bool cursor_fold_marks(struct vm_cursor *cursor, const struct pt_place *place);

/* What the mark at the position says of the address there; what it borrows is the mark's. */
struct vm_mark cursor_mark_there(const struct vm_cursor *cursor);

/* What marking is made of, for who makes several changes at once.
 *
 * check:   what vm_cursor_mark refuses of a mark alone.  ERR_INVAL.
 * hold:    what the first page of the part is to say, the row of its object held until `drop`.
 *          ERR_RANGE, ERR_NOMEM: none is held.
 * put:     stores it in all entries that the part holds, which are absent; the part is not empty,
 *          its ends are boundaries of entries.  Counts them in the row that is held.
 * is_large: some mark of the part lies above level 0, so the split stock is to be full before. */
status_t cursor_check_mark(const struct vm_mark *mark, uint64_t len_bytes);
status_t cursor_hold_meaning(struct vm_cursor *cursor, struct va_range part,
                             const struct vm_mark *mark, struct pte_mark *meaning);
void cursor_put_meaning(struct vm_cursor *cursor, struct va_range part,
                        const struct pte_mark *meaning);
void cursor_drop_meaning(struct vm_cursor *cursor, const struct pte_mark *meaning);
bool cursor_mark_is_large(struct va_range part);

/* Gives all of the part these rights, as vm_cursor_protect; its ends are boundaries of entries, and
 * nothing is there that would stop that. */
void cursor_protect(struct vm_cursor *cursor, struct va_range part, enum vm_prot prot);

/* What a removal counts against what it may do: entries that it changes (a page of any size or a
 * mark 1, a whole table 1 and 1 for each page of a region in it), or all slots, absent ones too. */
enum removal_count {
    COUNT_ENTRIES,
    COUNT_SLOTS,
};

/* A removal: what is asked, and what came of it. */
struct removal {
    struct vm_cursor *cursor;
    struct va_range part; /* no entry reaches over its ends; cut where nothing more may be done */
    enum removal_count counted;
    uint64_t edits_left;
    struct vm_removed removed;
};

/* Takes out all that is in the part, whole tables where an entry lies inside.  The position stays.
 */
void cursor_remove(struct removal *job);

/* Entries of the pages are dying, which were hidden: they wait for the flush if one is owed, and
 * owe none. */
void cursor_owe_release(struct vm_cursor *cursor, struct va_range pages);

/* A flush is owed, and then what waits for it: entries of the pages are dying; the table is
 * detached, stray and unlocked. */
void cursor_owe_dying(struct vm_cursor *cursor, struct va_range pages);
void cursor_owe_table(struct vm_cursor *cursor, struct pt_node *detached);

/* vm_cursor_sync of both, with one flush. */
void cursor_sync_two(struct vm_cursor pair[2]);

/* What touching the page of a place has come to. */
enum touch {
    TOUCH_REFUSED,   /* nothing is there, or it forbids the access                           */
    TOUCH_WAS_THERE, /* the entry permits it, and did so before; A and D are set             */
    TOUCH_GREW,      /* the same entry permits more now: a hart may remember less            */
    TOUCH_MADE,      /* the page is there now, and harts remember nothing of what was before */
    TOUCH_NOMEM,     /* no frame, no table or no budget; no address means anything else      */
    TOUCH_WANTS,     /* a block is to be made first: cursor->making knows which              */
};

/* What for: an access of the program, whose rights decide; or for somebody who fills its memory,
 * whatever it permits. */
enum touch_for {
    TOUCH_TO_READ = VM_ACCESS_READ,
    TOUCH_TO_WRITE = VM_ACCESS_WRITE,
    TOUCH_TO_EXECUTE = VM_ACCESS_EXECUTE,
    TOUCH_TO_FILL,
};

/* Gives the page at the position what is needed.  The cursor may be of any mode: if it was opened
 * on that page alone, its covering node holds the mark that is to be pushed down, or the large page
 * that is to be split.  It owes no flush.  *entry says what the slot says of this page of 4 KiB
 * then, if the access is permitted. */
enum touch cursor_touch(struct vm_cursor *cursor, enum touch_for what, pte_t *entry);

/* The same for a page of a mark that permits it.  The place is the mark's, of any level. */
enum touch cursor_touch_mark(struct vm_cursor *cursor, struct pt_place *place, enum touch_for what,
                             pte_t *entry);

/* The same for a mark above level 0 that is to become a larger page: 2 MiB or 1 GiB around the
 * position.  place: the mark's, the page's when it is there.  ERR_AGAIN as TOUCH_WANTS; ERR_NOENT:
 * it is to be one of 4 KiB, or there is no block, no table or no budget for a larger one. */
status_t cursor_touch_block(struct vm_cursor *cursor, struct pt_place *place, enum touch_for what,
                            pte_t *entry);

/* A page of 4 KiB is to be of an object whose memory comes in blocks: its block is made in pieces,
 * if somebody makes them.  ERR_AGAIN as TOUCH_WANTS; ERR_RANGE, ERR_NOMEM. */
status_t cursor_make_slice(struct vm_cursor *cursor, struct mem_object *object, uint64_t number);

/* What touching is made of.  page_leaf: W only if it may be stored to at once.  put_page: the slot
 * is invalid, no hart remembers what it was; stores what the page is from now on, and returns it.
 */
pte_t cursor_page_leaf(const struct frame *frame, enum vm_prot prot, enum pte_sw sw);
pte_t cursor_put_page(struct vm_cursor *cursor, const struct pt_place *place, pte_t leaf);

/* What mapping small pages does with large ones.
 *   split_large    splits those that an end of `part` cuts; marks there need not be, they move into
 *                  tables from the pool.  ERR_NOMEM: nothing changed, the pool is empty
 *   replace_large  takes out what an entry above level 0 maps, all of which is to be replaced */
status_t cursor_split_large(struct vm_cursor *cursor, struct va_range part, struct pt_pool *pool);
void cursor_replace_large(struct vm_cursor *cursor, const struct pt_place *place);

/* What mapping leaves above level 0 is made of (vm_cursor_map_block.c).
 *   make_room_large  takes out what is in `part`; when it returns no hart can use it.  The tables
 *                    for leaves as large as fit, up to `largest`, are in the pool.  ERR_EXIST,
 *                    ERR_NOMEM: the pool is empty, nothing changed.
 *   room_at          the absent entry of `level` for va, with tables from the pool
 *   put_large        stores a leaf there, or where a mark was, counted but not charged */
status_t cursor_make_room_large(struct vm_cursor *cursor, struct va_range part, unsigned largest,
                                enum vm_map_mode mode, struct pt_pool *pool);
struct pt_place cursor_room_at(struct vm_cursor *cursor, vaddr_t va, unsigned level,
                               struct pt_pool *pool);
void cursor_put_large(struct vm_cursor *cursor, const struct pt_place *place, pte_t leaf);

/* What a touch says to who asked for it: OK, ERR_FAULT, ERR_NOMEM or ERR_AGAIN. */
status_t cursor_touch_status(enum touch touch);
