/* SPDX-License-Identifier: MIT */
/*
 * Walking the page tables of a process node by node, as records: one for every node, one for every
 * run of leaf entries alike.  The entries come from a function given, so that the host can test it.
 *
 * What is read may be anything, and may change while it is read: a node that is gone is passed
 * over, and no more than five levels of 512 entries are followed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PT_LEVELS_MAX    5U
#define PT_ENTRIES       512U
#define PT_RAM_LEVEL_MAX 2U /* of an entry that maps or hides RAM, or says what is to come */

/* Bits of an entry (privileged spec, "Sv39 page table entry", "Svpbmt"). */
#define PT_V          UINT64_C(0x1)
#define PT_R          UINT64_C(0x2)
#define PT_W          UINT64_C(0x4)
#define PT_X          UINT64_C(0x8)
#define PT_U          UINT64_C(0x10)
#define PT_G          UINT64_C(0x20)
#define PT_A          UINT64_C(0x40)
#define PT_D          UINT64_C(0x80)
#define PT_PPN        UINT64_C(0x003ffffffffffc00)
#define PT_PPN_SHIFT  10
#define PT_PAGE_SHIFT 12

/* With V clear, the kernel's: a tag in bits 3:1, then what goes with it (docs/pte-contract.md). */
#define PT_TAG           UINT64_C(0xf) /* V too */
#define PT_TAG_RESERVED  UINT64_C(0x4)
#define PT_TAG_GUARD     UINT64_C(0x6)
#define PT_TAG_HIDDEN    UINT64_C(0x8)
#define PT_TAG_PAGED     UINT64_C(0xa)
#define PT_TAG_SWAPPED   UINT64_C(0xc)
#define PT_MARK_SHIFT    4 /* X W R of a mark                    */
#define PT_MARK_PRIVATE  UINT64_C(0x80)
#define PT_MARK_VIEW     UINT64_C(0x100)
#define PT_RESERVED_BITS UINT64_C(0xffffffffff0000f0)
#define PT_SLOT_SHIFT    10 /* slot of a paged mark: 14 bits      */
#define PT_SLOT_MASK     UINT64_C(0x3fff)
#define PT_PLACE_SHIFT   24 /* place of a paged or swapped mark; of a reserved one a level */
#define PT_PAGED_BITS    (~UINT64_C(0x20f))
#define PT_SWAPPED_BITS  UINT64_C(0xffffffffff0000f0)
#define PT_HIDDEN_BITS   UINT64_C(0xfffffffffff003c0)
#define PT_HIDDEN_SHIFT  20 /* frame number of a hidden page     */

enum pt_kind {
    PT_NODE, /* entry: what points to the node; of the root, which nothing points to, its address
                alone in the place of a frame number */
    PT_LEAF, /* entry: the first of the run; the others differ from it by their frames, which
                follow one another */
    PT_RESERVED, /* entries alike: memory that the first access makes, in pages of some level */
    PT_GUARD,    /* entries alike */
    PT_HIDDEN,   /* like PT_LEAF: pages that nobody may access now */
    PT_PAGED,    /* entries alike, whose places follow one another: pages of an object */
    PT_SWAPPED,  /* one entry: a page that somebody keeps under a name, in level 0 */
    PT_OTHER,    /* none of these: entries alike that hardware does not use, or must not see */
};

struct pt_record {
    uint64_t address; /* first that it decides about    */
    uint64_t entry;
    uint32_t count; /* entries; PT_NODE: 1            */
    uint16_t level; /* PT_NODE: of the node; else of the node that holds the entries */
    uint16_t kind;
};

struct pt_walk {
    /* Copies entries of the node of a level that decides about an address; 0, or an error of
     * uapi/error.h negated. */
    long (*read)(void *context, uint64_t address, unsigned level, uint64_t *entries,
                 uint64_t *physical);
    /* Takes a record; anything but 0 ends the walk with this status. */
    long (*take)(void *context, const struct pt_record *record);
    void *read_context;
    void *take_context;
    unsigned levels;                 /* of the tree, 3 to 5                                */
    unsigned last_level;             /* nodes below this level are named but not read      */
    uint64_t from;                   /* nothing below this address is told                 */
    uint64_t limit;                  /* first address past the user range                  */
    uint64_t missed;                 /* nodes that went while they were read; 0 at first   */
    uint64_t (*entries)[PT_ENTRIES]; /* room for PT_LEVELS_MAX nodes           */
};

/* Bytes that one entry of a level decides about. */
uint64_t pt_walk_bytes(unsigned level);

/* Walks the tree by rising addresses, a node before what it holds.  Errors: those of take, and of
 * read but ENOENT, which only means that a node has gone. */
long pt_walk_run(struct pt_walk *walk);
