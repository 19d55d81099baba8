/* SPDX-License-Identifier: MIT */
/*
 * Cursors: how an address space is read and changed.
 *
 * A cursor has a locked range [B, E), a position `va` in [B, E], and a covering node: the lowest
 * page-table node that contains the whole range.  While it is open nobody else sees or changes the
 * entries of its range; cursors on disjoint ranges run side by side, down to the node.  Whatever is
 * removed or tightened is flushed from every TLB before the cursor unlocks.
 *
 * Pages that are mapped or protected as executable are so in fact when the cursor is closed: no
 * hart that runs the space, or runs it later, fetches what was in their frames before.
 *
 * All lengths and offsets are bytes.  A cursor lives on the stack, is closed once, by the hart that
 * opened it, and nothing sleeps, copies from user memory or prints while it is open.
 */
#pragma once

#include "arch/pte.h"
#include "arch/vm_types.h"
#include "lib/types.h"
#include "mm/frame.h"
#include "mm/io_mem.h"
#include "mm/mem_object.h"
#include "mm/vm_space.h"

struct frame_making;
struct pt_node;

/* What a mapping grants. */
struct vm_prop {
    enum vm_prot prot;
    enum vm_mem mem;
};

enum vm_item_kind {
    VM_ITEM_ABSENT,   /* nothing                                                              */
    VM_ITEM_RAM,      /* `frame` and properties                                               */
    VM_ITEM_IO,       /* `pa` and properties                                                  */
    VM_ITEM_RESERVED, /* demand-zero RAM: the first access that prot permits makes a page     */
    VM_ITEM_GUARD,    /* every access is a fault, for good                                    */
    VM_ITEM_HIDDEN,   /* a page of RAM, `frame`, whose rights are VM_PROT_NONE: nobody may
                         access it until rights are given back; it counts like a mapping      */
    VM_ITEM_PAGED,    /* pages of a memory object: the first access that prot permits maps one */
    VM_ITEM_SWAPPED,  /* a page that a pager keeps under `cookie`: every access faults        */
};

/* Whose the contents of a page of RAM are, present or to come. */
enum vm_share {
    VM_SHARE_ALL,  /* all who map the frame: stores are seen by the others                 */
    VM_SHARE_VIEW, /* theirs who may write: here it is never written to, whatever is asked */
    VM_SHARE_NONE, /* this space's alone: who writes first, gets a frame of its own        */
};

/* What a slot holds. */
struct vm_item {
    enum vm_item_kind kind;
    enum vm_share share;       /* RAM, hidden, reserved, paged */
    struct vm_prop prop;       /* W of a private page whose write is pending counts as granted */
    struct frame *frame;       /* RAM, hidden: the first of the block that the slot maps */
    unsigned level;            /* of the entry, as the spec counts: 0 is 4 KiB           */
    unsigned page_level;       /* reserved: of the pages to come, where they fit         */
    struct mem_object *object; /* paged: borrowed like the frame               */
    union {
        paddr_t pa;           /* RAM, hidden and I/O: where the slot's first byte lies */
        uint64_t object_page; /* paged: its page that the slot's first byte is of      */
        uint64_t cookie;      /* swapped                                               */
    };
    bool accessed, dirty;
};

/* A slot: its extent and what it holds. */
struct vm_slot {
    struct va_range range;
    struct vm_item item;
};

/* Totals of an unmap, in pages of 4 KiB, counted alike on every path; marks are none. */
struct vm_removed {
    uint64_t ram_pages; /* hidden ones too */
    uint64_t io_pages;
};

/* Permissions and memory type as protect_next's op sees and sets them. */
struct vm_rights {
    struct vm_prop prop;
    bool accessed, dirty; /* as hardware left them; not changed by the op */
};

enum vm_cursor_mode {
    VM_CURSOR_QUERY,  /* looks                                                             */
    VM_CURSOR_EDIT,   /* unmaps and protects what is there; to open it never allocates      */
    VM_CURSOR_CHANGE, /* maps and marks too: makes the tables down to the covering node     */
};

/* What translations a flush must reach. */
enum vm_flush {
    VM_FLUSH_NONE,
    VM_FLUSH_PAGES, /* those by leaf entries, in a range                   */
    VM_FLUSH_SPACE, /* all of the space, and pointers to its tables as well */
};

#define VM_CURSOR_KEPT 4U /* frames that wait for one flush */

/* Fields are private to mm/, but for `range`, which may be read while it is open; the position is
 * vm_cursor_va. */
struct vm_cursor {
    struct vm_space *space;
    struct va_range range;
    vaddr_t va;
    enum vm_cursor_mode mode;
    struct pt_node *cover; /* covering node; NULL: not open     */
    struct pt_node *near;  /* where the last walk ended         */
    struct {
        struct va_range removed; /* entries there are dying; empty: none          */
        struct pt_node *tables;  /* detached nodes that wait for the flush        */
        struct va_range flush;   /* hull of the leaves whose translation must go  */
        enum vm_flush flush_kind;
        bool code; /* pages were made executable: a fence.i is due         */
        unsigned kept_count;
        struct frame *kept[VM_CURSOR_KEPT]; /* frames that wait for the flush     */
    } owed;
    struct frame_making *making; /* where touching finds blocks; NULL: nowhere */
    uint32_t stores;             /* entries stored, not yet counted            */
    bool is_pair;                /* one of two opened by vm_cursor_open_two */
};

/* Opens a cursor on [start, end) and locks it.
 *
 * Errors:  ERR_INVAL   start >= end, or one is not page aligned
 *          ERR_RANGE   end is past the user limit
 *          ERR_DEADLK  this hart has a cursor open that this one conflicts with, or must not wait
 *                      behind; or it has four open.  A second cursor may only go forwards: to a
 *                      space with a higher root address (vm_space_root), or in the same space to
 *                      nodes (the covering one, and those that lack a table) which begin at or
 *                      after the end of the first one's range.  Refused before anything is waited
 *                      for.
 *          ERR_NOMEM   (change) no table for the way to the covering node
 *          After any error the cursor is not open and the meaning of the space is as before; tables
 *          made on the way stay, empty, for the next comer.
 * Exact fit: a range equal to one entry's extent is covered by the node that holds that entry.
 * Context:   no spinlock held except those of other cursors. */
status_t vm_cursor_open(struct vm_cursor *cursor, struct vm_space *space, struct va_range range,
                        enum vm_cursor_mode mode);

/* Opens at most so much of [start, end) that no more than max_nodes tables are locked; the range
 * opened is [start, end'), end' = cursor->range.end, at least one page.  max_nodes >= 1.  Errors as
 * above; and where this hart has another cursor open, ERR_BUSY: other harts had a table that is
 * wanted whenever it was tried.  Close all and come again later. */
status_t vm_cursor_open_bounded(struct vm_cursor *cursor, struct vm_space *space,
                                struct va_range range, enum vm_cursor_mode mode,
                                unsigned max_nodes);

/* Opens cursors on two ranges of one space at once, pair[0] on ranges[0] and pair[1] on ranges[1],
 * in any order: for what moves or copies between them.  Missing tables are linked for both first;
 * then the nodes of both are locked in one order, a node that both need once.  If one's covering
 * node contains the other's range, it covers both.
 *
 * Errors:  as vm_cursor_open; ERR_INVAL too if the ranges overlap.  After any neither is open. */
status_t vm_cursor_open_two(struct vm_cursor pair[2], struct vm_space *space,
                            const struct va_range ranges[2], enum vm_cursor_mode mode);

/* Opens so much of both, from their starts on, that no more than max_nodes tables are locked: less
 * than all is the same length of both, at least a page.  max_nodes >= 2 * PTE_LEVELS_MAX.  Errors
 * as above; ERR_BUSY as vm_cursor_open_bounded, though it be the only one. */
status_t vm_cursor_open_two_bounded(struct vm_cursor pair[2], struct vm_space *space,
                                    const struct va_range ranges[2], enum vm_cursor_mode mode,
                                    unsigned max_nodes);

/* Completes what is owed (flush, fence.i, release of frames and tables) and unlocks.  Closing a
 * cursor that is not open does nothing. */
void vm_cursor_close(struct vm_cursor *cursor);

/* The same for two that were opened together; one flush pays for both. */
void vm_cursor_close_two(struct vm_cursor pair[2]);

/* The position; may be E. */
vaddr_t vm_cursor_va(const struct vm_cursor *cursor);

/* The slot that contains the position: its whole extent and item.  Peek: the frame is borrowed and
 * valid while the cursor is open.  Position unchanged.  ERR_RANGE at E. */
status_t vm_cursor_query(const struct vm_cursor *cursor, struct vm_slot *slot);

/* The same, with a reference of the frame, or of the block that the slot maps, which the caller
 * gives back by frame_block_put(item.frame, item.level). */
status_t vm_cursor_query_get(const struct vm_cursor *cursor, struct vm_slot *slot);

/* The slot at the position, clipped to what of the locked range lies from the position on, absent
 * ones too; the position moves to its end.  ERR_NOENT once at E. */
status_t vm_cursor_next(struct vm_cursor *cursor, struct vm_slot *slot);

/* First present leaf that intersects [va, va + len_bytes): the position stops there (at the leaf's
 * start, or where it was if inside the leaf), and *found tells it.  None: ERR_NOENT and the
 * position is exactly va + len.  len 0: ERR_NOENT, no move.
 * ERR_INVAL len not a page multiple; ERR_RANGE len > E - va; no move. */
status_t vm_cursor_find_next(struct vm_cursor *cursor, uint64_t len_bytes, vaddr_t *found);

/* Moves the position anywhere in [B, E), backwards too.  ERR_INVAL not page aligned, ERR_RANGE
 * outside; no move. */
status_t vm_cursor_jump(struct vm_cursor *cursor, vaddr_t va);

enum vm_map_mode {
    VM_MAP_REPLACE,   /* what is there leaves: break before make */
    VM_MAP_EXCLUSIVE, /* ERR_EXIST if something is there         */
};

/* Maps the frame at the position and moves past it.
 *
 * frame:   FRAME_USER; one reference is taken over on OK, none otherwise.  If it is the frame's
 * only one, the page is private to the space (vm_cursor_clone); else it is shared on purpose. prop:
 * checked before any change. Errors:  ERR_INVAL  W without R, or no permission ERR_NOTSUP a memory
 * type RAM cannot have ERR_RANGE  at E ERR_EXIST  (exclusive) occupied, if only by a mark ERR_NOMEM
 * no table, or the space's budget is spent ERR_ACCES  not VM_CURSOR_CHANGE.      Tree, position,
 * reference unchanged in each case.
 */
status_t vm_cursor_map(struct vm_cursor *cursor, struct frame *frame, struct vm_prop prop,
                       enum vm_map_mode mode);

/* The same for `count` frames on consecutive pages, all or none; one flush for all that is
 * replaced.  ERR_INVAL too if count is 0; ERR_RANGE: they do not fit in E - va. */
status_t vm_cursor_map_frames(struct vm_cursor *cursor, struct frame *const *frames, size_t count,
                              struct vm_prop prop, enum vm_map_mode mode);

/* Maps fresh zeroed frames from the position on, and moves past them: len_bytes of them, or as far
 * as nothing is there and there is memory.  What is mapped stays mapped on an error too.
 *
 * Errors:  ERR_EXIST  the position is at an occupied page; marks occupy theirs
 *          ERR_NOMEM  no frame or no table
 *          ERR_INVAL, ERR_NOTSUP, ERR_ACCES of the property, as map: nothing is mapped, no move
 *          ERR_INVAL, ERR_RANGE of the length, as find_next: nothing is mapped, no move
 */
status_t vm_cursor_fill(struct vm_cursor *cursor, uint64_t len_bytes, struct vm_prop prop);

/* Maps [offset, offset + len) of a region at the position, clipped to the region's end, and moves
 * past it; *mapped_bytes says how much.  Pages are as large as fit, up to 1 GiB; each 4 KiB of them
 * hold one reference of the region.
 *
 * Errors:  ERR_INVAL  len or offset not page multiples, len 0, properties as for map, X
 *          ERR_RANGE  offset >= size, or what is to be mapped does not fit in E - va
 *          ERR_NOTSUP VM_MEM_NC without Svpbmt
 *          ERR_ACCES  not VM_CURSOR_CHANGE
 *          ERR_EXIST  (exclusive) a page is occupied
 *          ERR_NOMEM  no table.    All checked before the first page: nothing changed. */
status_t vm_cursor_map_iomem(struct vm_cursor *cursor, struct io_mem *io, struct vm_prop prop,
                             uint64_t len_bytes, uint64_t offset_bytes, enum vm_map_mode mode,
                             uint64_t *mapped_bytes);

/* Removes all that is in [va, va + len), marks as well, whole tables where an entry lies inside;
 * the position is then exactly va + len.  Frames go when the flush is done, at the latest on close;
 * those of large tables when the reaper has taken the table apart (vm_space_reap).
 * ERR_INVAL, ERR_RANGE as find_next; ERR_ACCES a query.
 * ERR_NOMEM: an end of the range lies inside a larger mark or page, and there is no table to split
 * it, not even among those the space has put by (vm_space_split_stock); nothing changed, no move.
 */
status_t vm_cursor_unmap(struct vm_cursor *cursor, uint64_t len_bytes, struct vm_removed *removed);

/* The same, but stops before it would edit more than max_edits entries, max_edits >= 1: a page of
 * any size or a mark counts 1, a whole table 1 and 1 for each page of a region in it, of any size.
 * The position says how far it came: va + len if all is removed. */
status_t vm_cursor_unmap_bounded(struct vm_cursor *cursor, uint64_t len_bytes, unsigned max_edits,
                                 struct vm_removed *removed);

/* Gives the pages of RAM in [va, va + len) these rights, max_pages of them at most (>= 1), and
 * leaves everything else as protect_next would; *pages says how many there were, in pages of 4 KiB.
 * Of max_pages an entry counts 1, and 64 if it is large and W depends on who else has its frames.
 * Stops before a page of a region, too, whose rights have rules of their own.  The position is
 * where it stopped, or va + len.
 *
 * VM_PROT_NONE hides pages (VM_ITEM_HIDDEN), which owes a flush like every tightening; any other
 * rights bring hidden ones back, which owes none.  Reserved addresses get the rights as well, for
 * the page that will be there; each mark counts as one of max_pages and is not in *pages.  Guards
 * stay what they are.  W on a private page whose frame others name too is pending: it comes true by
 * the first write (vm_space_fault).  A view is never given W: ERR_ACCES with the position at the
 * first view that was met; what lies before it is changed, and *pages says how much.
 *
 * ERR_INVAL, ERR_RANGE, ERR_ACCES as unmap; ERR_INVAL rights that map refuses but VM_PROT_NONE, or
 * max_pages 0; ERR_NOMEM as unmap: no entry changed and the position has not moved. */
status_t vm_cursor_protect(struct vm_cursor *cursor, uint64_t len_bytes, enum vm_prot prot,
                           uint64_t max_pages, uint64_t *pages);

/* What vm_cursor_mark writes. */
struct vm_mark {
    enum vm_item_kind kind; /* VM_ITEM_RESERVED, VM_ITEM_GUARD, VM_ITEM_PAGED, VM_ITEM_SWAPPED  */
    enum vm_prot prot;      /* of the pages to come; VM_PROT_NONE: rights come later            */
    struct mem_object *object; /* paged: the space takes a reference of its own                 */
    uint64_t object_page;      /* paged: the page that is at the position                       */
    enum vm_share share;       /* paged                                                         */
    uint64_t cookie;           /* swapped                                                       */
    unsigned page_level;       /* reserved: of the pages to come, 0 to PTE_LEVEL_RAM_MAX: the first
                                  access makes a page as large where the mark is as large; where it
                                  is not, or no such block is free, one of 4 KiB                */
};

/* Makes every address of [va, va + len) reserved, private to this space, or a guard, or pages of a
 * memory object, or one page swapped; what is there leaves, as by vm_cursor_unmap.  Written at the
 * highest level that fits: an aligned 1 GiB is one store.  Stops before it would edit more than
 * max_edits entries, max_edits >= 1, counted as in vm_cursor_unmap_bounded, and 1 for an absent one
 * that becomes a mark; the position says how far it came. *removed says what left.  The flush for
 * what left is done when the cursor is closed; the mark itself owes none.
 *
 * Errors:  ERR_INVAL  another kind; rights that map refuses but VM_PROT_NONE; max_edits 0; paged,
 *                     and no object, or a view with W; swapped, and len is not one page, or
 *                     cookie >= 2^40; reserved, and page_level > PTE_LEVEL_RAM_MAX
 *          ERR_RANGE  paged, and the object ends before the part
 *          ERR_INVAL, ERR_RANGE of the length, as find_next; ERR_ACCES not VM_CURSOR_CHANGE
 *          ERR_EXIST  (exclusive) something is at the position: nothing changed, no move.  Later
 *                     in the range: it stops there, OK, and the next call says ERR_EXIST
 *          ERR_NOMEM  no table, for an end of the range or for the split stock, or no room in the
 *                     space's table of objects: what addresses mean has not changed, no move */
status_t vm_cursor_mark(struct vm_cursor *cursor, uint64_t len_bytes, struct vm_mark mark,
                        enum vm_map_mode mode, unsigned max_edits, struct vm_removed *removed);

/* Gives the page at the position what the access needs, if what is there says that it may have it,
 * and stays there: a zeroed frame on a reserved page (the shared frame of zeroes for a read), the
 * object's frame on a paged one, which the object makes if it has none (but a private page is given
 * the shared frame of zeroes for a read, and a frame of its own for a write), a frame of its own
 * for a write that is pending, A and D where hardware leaves them to the kernel. The cursor covers
 * that page at least.
 *
 * Errors:  ERR_FAULT  nothing is there, or it forbids the access
 *          ERR_NOMEM  no frame, no table, or the space's budget is spent: every address means what
 *                     it did; tables made on the way stay
 *          ERR_RANGE  at E; ERR_ACCES not VM_CURSOR_CHANGE */
status_t vm_cursor_touch(struct vm_cursor *cursor, enum vm_access access);

/* The same, and larger pages too, where the mark asks for them: their blocks come from `making`.
 * ERR_AGAIN: a block is wanted; close the cursor, let frame_making_step go on, and come again when
 * it says OK.  With vm_cursor_touch such a page is one of 4 KiB, but for pages of an object that
 * has none. */
status_t vm_cursor_touch_making(struct vm_cursor *cursor, enum vm_access access,
                                struct frame_making *making);

/* Makes [to->va, to->va + len) mean what [from->va, from->va + len) means, and [from->va, ...)
 * nothing: entries change their place, and no page is copied.  Whole tables change hands where both
 * sides are aligned alike.  The charge moves along.  What is private stays so: its frame has as
 * many owners as before.  Stops before it would change more than max_edits entries, max_edits >= 1:
 * an entry that is moved counts 1, a whole table 1 and 1 for each table below it; both positions
 * say how far it came.  The flush for `from` is done when it is closed or synced; until then
 * nothing but moving on is done with either, so close it before `to`, or both by
 * vm_cursor_close_two.
 *
 * from, to: of two spaces, or a pair that vm_cursor_open_two opened.
 * Errors:  ERR_INVAL  one space, and they are no such pair; max_edits 0
 *          ERR_INVAL, ERR_RANGE of the length, for both, as find_next
 *          ERR_ACCES  `from` is a query, or `to` not VM_CURSOR_CHANGE
 *          ERR_EXIST  something is in `to`, if only a mark, where it is to hold something
 *          ERR_NOMEM  no table, the budget of `to` is spent, or no room in its table of objects
 *          What was moved before stays so; the positions say how far it came. */
status_t vm_cursor_move(struct vm_cursor *from, struct vm_cursor *to, uint64_t len_bytes,
                        unsigned max_edits);

/* Makes [to->va, to->va + len) mean what [from->va, from->va + len) means, copy on write: private
 * pages are named by both, and whoever writes first gets a frame of its own (vm_space_fault); other
 * RAM is shared, a view stays one; hidden pages and marks are what they are, those of a memory
 * object under a slot of the other space's own; pages of a region stay out.  Stops before it would
 * change more than max_edits entries, max_edits >= 1; both positions say how far it came. The clone
 * is charged for all it holds.  What `from` loses, the permission to store at once, is flushed when
 * it is closed, so close it before the clone is used.
 *
 * Errors:  ERR_INVAL  both are of one space; max_edits 0
 *          ERR_INVAL, ERR_RANGE of the length, for both, as find_next
 *          ERR_ACCES  `from` is a query, or `to` not VM_CURSOR_CHANGE
 *          ERR_EXIST  something is in `to`, if only a mark, where it is to hold something
 *          ERR_NOMEM  no table, or the budget of `to` is spent
 *          What was cloned before stays; the positions say how far it came. */
status_t vm_cursor_clone(struct vm_cursor *from, struct vm_cursor *to, uint64_t len_bytes,
                         unsigned max_edits);

/* Changes the rights of the next present leaf in [va, va + len) by op(rights, context) and moves to
 * its end; *changed is its range.  What op sets is checked like map's.
 * ERR_NOENT none: the position is va + len; ERR_ACCES too: W for a view.  Others as unmap and map;
 * on these no entry changed and the position has not moved. */
status_t vm_cursor_protect_next(struct vm_cursor *cursor, uint64_t len_bytes,
                                void (*op)(struct vm_rights *rights, void *context), void *context,
                                struct va_range *changed);

/* The cursor's batch of flushes.  Whatever removes or tightens adds to it, close pays it: one flush
 * for all harts that run the space, of the pages' hull, or of the whole space past a threshold.
 * Callers that know of more use these:
 *   issue       adds a range of leaves, or the space (`pages` is ignored then)
 *   issue_with  the same, and takes over a reference of a frame that is given back after the flush
 *   dispatch    has every hart that runs the space flush what was issued, and do the fence.i that
 *               is due; when it returns no hart can use what was owed
 *   sync        dispatch, then frames and tables that waited go */
void vm_cursor_issue(struct vm_cursor *cursor, enum vm_flush kind, struct va_range pages);
void vm_cursor_issue_with(struct vm_cursor *cursor, enum vm_flush kind, struct va_range pages,
                          struct frame *keep);
void vm_cursor_dispatch(struct vm_cursor *cursor);
void vm_cursor_sync(struct vm_cursor *cursor);

/* The region mapped in this space that contains pa, and the offset of pa in it.  ERR_NOENT if no
 * mapping of it is left here. */
status_t vm_space_find_iomem(struct vm_space *space, paddr_t pa, struct io_mem **io,
                             uint64_t *offset_bytes);
