/* SPDX-License-Identifier: MIT */
/*
 * Cursors: pages above level 0, 2 MiB and 1 GiB, which one entry maps.
 *
 * Whatever concerns a part of such a page splits it first: a table of 512 entries takes the entry's
 * place, which mean together what it meant.  Unmapping, marking, protecting, moving and cloning do
 * so by themselves, with tables that the space has put by (vm_space_split_stock) where memory is
 * out.  A split owes a flush of the space, so that no hart uses the large translation when the
 * cursor is closed.  Folding is the way back.
 */
#pragma once

#include "mm/frame_block.h"
#include "mm/vm_cursor.h"

/* Maps a block at the position and moves past it: vm_cursor_map for blocks.  The split stock is
 * filled first.
 *
 * block: FRAME_USER; one reference of its level is taken over on OK, none otherwise.  If nobody has
 * another, of it or of a part, the page is private to the space; else it is shared on purpose, and
 * so is one of level 2 (frame_block_has_one_ref).
 * Errors: as vm_cursor_map; ERR_INVAL too: level > FRAME_LEVEL_MAX, or the position is not aligned
 * to the block's size; ERR_RANGE: it does not fit in E - va, or in an entry of the covering node.
 */
status_t vm_cursor_map_block(struct vm_cursor *cursor, struct frame *block, unsigned level,
                             struct vm_prop prop, enum vm_map_mode mode);

/* The same for a block that nobody else can have a reference of, or of a part: fresh from
 * frame_making_take.  The page is private, at level 2 as well, where nobody can look. */
status_t vm_cursor_map_made(struct vm_cursor *cursor, struct frame *block, unsigned level,
                            struct vm_prop prop, enum vm_map_mode mode);

/* Makes larger entries of what can be one in [va, va + len): 512 leaves, or 512 hidden pages, which
 * fill a table with the frames of one aligned block, each of which has no owner but this space,
 * private, with equal rights; and 512 equal marks.  Pages of a region too, if their addresses go on
 * alike.  Then the same one level higher, up to 1 GiB for pages.  The table's entry in its parent,
 * too, must lie in the cursor's range.
 *
 * Entry to invalid, flush, then A and D are gathered, then the large one is stored: a fault in
 * between waits for the cursor.  The split stock is full before anything is folded.
 *
 * Looks at the entries of max_tables tables at most (>= 1), and of those above them; the position
 * says how far it came, and *folded how many tables went, on ERR_NOMEM too.
 *
 * Errors: ERR_INVAL, ERR_RANGE, ERR_ACCES as unmap; ERR_INVAL max_tables 0; nothing changed.
 *         ERR_NOMEM the split stock cannot be filled; what was folded before stays so. */
status_t vm_cursor_fold(struct vm_cursor *cursor, uint64_t len_bytes, unsigned max_tables,
                        unsigned *folded);
