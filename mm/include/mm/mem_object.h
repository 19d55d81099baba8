/* SPDX-License-Identifier: MIT */
/*
 * Memory objects: frames by page number, which several address spaces may map and whoever has a
 * handle may read and write.
 *
 * An object has a size; a page of it has a frame from the first time that somebody asks for it, and
 * reads as zeroes before.  Its frames, the tables that find them and its record are charged to the
 * budget it was made with, whoever asks.  A space that maps a page is charged for the entry, like
 * for any entry that holds a frame, so that a frame outlives its object no further than somebody
 * has paid for it.
 */
#pragma once

#include "lib/types.h"
#include "mm/frame.h"

struct frame_making;
struct mem_object;
struct vm_budget;

#define MEM_OBJECT_PAGES_MAX (UINT64_C(1) << 36) /* 256 TiB */

#define MEM_OBJECT_LEVEL_MAX 1U /* its memory comes in 2 MiB at most */

/* A new object of so many pages of 4 KiB, none of which has a frame, with one reference; charged to
 * `budget`, of which it takes a reference; NULL: no limit.  level: memory comes in blocks of that
 * level, which spaces may map whole or in parts.
 * Errors: ERR_RANGE more than MEM_OBJECT_PAGES_MAX; ERR_INVAL level > MEM_OBJECT_LEVEL_MAX, or
 * pages is no multiple of the block's; ERR_NOMEM, nothing leaked. Context: any below LOCK_PT_NODE.
 */
status_t mem_object_create(struct vm_budget *budget, uint64_t pages, unsigned level,
                           struct mem_object **out);

/* The level it was made with. */
unsigned mem_object_level(const struct mem_object *object);

/* References.  The last put gives the object to the reaper (vm_space_reap), whatever its size: it
 * may be called under the locks of nodes.  NULL: nothing happens. */
void mem_object_get(struct mem_object *object);
void mem_object_put(struct mem_object *object);

struct mem_object_state {
    uint64_t pages;  /* its size              */
    uint64_t frames; /* pages that have one   */
};
struct mem_object_state mem_object_state(struct mem_object *object);

enum mem_object_get {
    MEM_OBJECT_LOOK, /* ERR_NOENT if the page has no frame      */
    MEM_OBJECT_MAKE, /* gives it one, zeroed, if it has none    */
};

/* The frame of a page, with a reference that the caller gives back.
 * Errors: ERR_RANGE  past the size
 *         ERR_NOENT  (look) it has none
 *         ERR_NOMEM  (make) no frame, no table, or the budget is spent
 *         *frame untouched, and the object as it was.
 * Context: any below LOCK_MEM_OBJECT; the locks of nodes may be held. */
status_t mem_object_page_get(struct mem_object *object, uint64_t page, enum mem_object_get how,
                             struct frame **frame);

/* The block of the object's level that a page lies in, with a reference of that level.
 * making: a block that is ready for the object's budget is taken if the object has none there.
 * Errors: ERR_RANGE, ERR_NOENT as above; ERR_NOMEM no table, or the budget is spent
 *         ERR_AGAIN  (make) there must be a block: it is asked for (frame_making_want); come again
 *                    when it is ready.  The object as it was.
 * mem_object_page_get makes a block on the spot where it must: it zeroes 2 MiB.
 * Context: as mem_object_page_get. */
status_t mem_object_block_get(struct mem_object *object, uint64_t page, enum mem_object_get how,
                              struct frame_making *making, struct frame **block);

/* One bounded piece of changing the size to `pages`; OK when it has that size, ERR_AGAIN: call it
 * again.  What is cut off is gone, and reads as zeroes if the object grows again.
 * Errors: ERR_RANGE, ERR_INVAL  as create
 *         ERR_BUSY   a page past the new end is mapped somewhere, or may be, by a mark made since
 *                    no space had any of this object's; what was cut off before stays cut off
 * Context: no lock held, no cursor open. */
status_t mem_object_resize(struct mem_object *object, uint64_t pages);

/* For spaces that name pages of the object by marks (vm_backing.c).  marked: pages before `end` may
 * be named from now on; ERR_RANGE: past the size, and nothing is noted.  unmarked: the space names
 * none any more.  Each `marked` with is_first != 0 is paired with one `unmarked`. */
status_t mem_object_marked(struct mem_object *object, uint64_t end, unsigned is_first);
void mem_object_unmarked(struct mem_object *object);
