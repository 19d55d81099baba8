/* SPDX-License-Identifier: MIT */
/*
 * The flat reference: a space as a row of pages, each with what it holds; no tables, no locks.
 *
 * Only the pages of a small universe are ever mapped; they lie where the tree is interesting.  A
 * page of the reference changes while the operation that changes it has it locked.  What a page
 * held before, or is about to hold, while that operation has not returned, is remembered too: a
 * program may still, or already, use it.  Between the pages there is nothing, or marks, or the rest
 * of what larger pages map (ref_mark.c).
 */
#pragma once

#include "lib/hart.h"
#include "mm/vm_cursor.h"
#include "mm/vm_fault.h"

#define REF_PAGES  24U
#define REF_SPACES 24U
#define REF_RUNS   256U /* of marks, in one space */

struct ref_item {
    enum vm_item_kind kind;
    uint64_t pa;
    struct vm_prop prop;
    uint64_t stamp;      /* first word of the frame it leads to; 0: a device */
    bool is_written;     /* a program has written through it: D must be set  */
    bool is_shared;      /* others named the frame when it was mapped: clones share it, too */
    bool is_private;     /* RAM that is not shared on purpose: a write may give it another frame */
    bool is_backed;      /* its frame was a memory object's when it was mapped */
    enum vm_share share; /* paged; of others only whether it is a view */
    const struct mem_object *object; /* paged; borrowed                            */
    uint64_t object_page;            /* paged                                      */
    uint64_t cookie;                 /* swapped                                    */
    unsigned page_level;             /* reserved                                   */
    bool may_lack_a;                 /* A was taken from it, and no program has used it since */
};

/* The addresses of [start, end) that are no pages of the universe hold this, a mark, or pages of
 * RAM side by side; `item` is what the first of them holds. */
struct ref_run {
    uint64_t start, end;
    struct ref_item item;
};

struct ref_space {
    struct vm_space *space; /* NULL: this row is unused                    */
    unsigned refs;          /* references that the world holds             */
    unsigned number;        /* of the space, in order of creation          */
    struct ref_item items[REF_PAGES];
    uint32_t unsteady;           /* pages, one bit each */
    uint8_t clearing[REF_PAGES]; /* calls under way that take A from the page */
    unsigned run_count;
    struct ref_run runs[REF_RUNS]; /* ascending */
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

/* Present and hidden pages in [start, end), by kind. */
struct vm_removed ref_count(const struct ref_space *space, uint64_t start, uint64_t end);

/* First present address at or past va and below end; end if there is none. */
uint64_t ref_present_from(const struct ref_space *space, uint64_t va, uint64_t end);

/* The hart is about to give the page that meaning; nothing is certain yet. */
void ref_announce(unsigned hart, struct ref_space *space, unsigned page, struct ref_item item);

/* The call that is about to be made may take what the pages of [start, end) grant away, at any
 * moment until it returns: ref_steady. */
void ref_unsteady(struct ref_space *space, uint64_t start, uint64_t end);
void ref_steady(struct ref_space *space, uint64_t start, uint64_t end);

/* It has. */
void ref_set(unsigned hart, struct ref_space *space, unsigned page, struct ref_item item);
void ref_clear(unsigned hart, struct ref_space *space, uint64_t start, uint64_t end);

/* A is being taken from what is present in [start, end), until the call for it has returned. */
void ref_clearing_begin(struct ref_space *space, uint64_t start, uint64_t end);
void ref_clearing_end(struct ref_space *space, uint64_t start, uint64_t end);

/* A program has used the frame at pa through the page. */
void ref_used(struct ref_space *space, unsigned page, uint64_t pa);

/* A program has written to the frame at pa through the entry that is in memory. */
void ref_written(struct ref_space *space, unsigned page, uint64_t pa);

/* True if a page leads to the frame at pa, or did, that is its space's alone or a memory object's.
 */
bool ref_takes_stamps(uint64_t pa);

/* The first word of the frame at pa is another from now on. */
void ref_stamp_set(uint64_t pa, uint64_t stamp);

/* Row of a space, in use or not; below REF_SPACES. */
const struct ref_space *ref_space_row(unsigned row);

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

/* ---- marks (ref_mark.c) ---- */

/* What a mark is as an item, so many bytes from its first address. */
struct ref_item ref_item_of_mark(struct vm_mark mark, uint64_t bytes);

/* What lies so many bytes past an item of the same run. */
struct ref_item ref_item_at(const struct ref_item *item, uint64_t bytes);

/* All of [start, end) holds what begins with this item: pages of the universe are told the stamps
 * of their frames. */
void ref_put(unsigned hart, struct ref_space *space, uint64_t start, uint64_t end,
             struct ref_item item);

/* All of [start, end) is marked; or the reserved and paged addresses in it have other rights. */
void ref_mark(unsigned hart, struct ref_space *space, uint64_t start, uint64_t end,
              struct vm_mark mark);
void ref_mark_protect(unsigned hart, struct ref_space *space, uint64_t start, uint64_t end,
                      enum vm_prot prot);

/* All pages that are there in [start, end), hidden ones too, have these rights. */
void ref_rights_set(unsigned hart, struct ref_space *space, uint64_t start, uint64_t end,
                    enum vm_prot prot);

/* First address past va, end at most, at which something else may begin. */
uint64_t ref_next_edge(const struct ref_space *space, uint64_t va, uint64_t end);

/* True if pages of RAM lie between those of the universe in [start, end). */
bool ref_has_large(const struct ref_space *space, uint64_t start, uint64_t end);

/* Takes what addresses that are no pages hold out of [start, end). */
void ref_runs_clear(struct ref_space *space, uint64_t start, uint64_t end);

/* What the address holds, a page of the universe or not. */
struct ref_item ref_at(const struct ref_space *space, uint64_t va);

/* The part of a run that lies in [start, end); empty: end <= start. */
struct ref_run ref_run_part(struct ref_run run, uint64_t start, uint64_t end);

/* True if every address of [start, end) holds what the first one is to hold: a mark of that kind
 * and those rights, or nothing. */
bool ref_is_uniform(const struct ref_space *space, uint64_t start, uint64_t end,
                    const struct ref_item *item);

/* True if some address of [start, end) is marked; if something is there at all. */
bool ref_has_marks(const struct ref_space *space, uint64_t start, uint64_t end);
bool ref_is_taken(const struct ref_space *space, uint64_t start, uint64_t end);

/* First address of [start, end) that is a view, page or mark; end: none. */
uint64_t ref_first_view(const struct ref_space *space, uint64_t start, uint64_t end);

/* ---- frames that mm chooses (ref_touch.c) ---- */

enum ref_touch_kind {
    REF_TOUCH_ACCESS, /* a page gets what an access needs   */
    REF_TOUCH_FILL,   /* empty pages get frames of their own */
};

struct ref_touch {
    enum ref_touch_kind kind;
    struct ref_space *space;
    uint64_t start, end;
    enum vm_access access; /* ACCESS */
    enum vm_prot prot;     /* FILL   */
    uint64_t begun;        /* set by ref_touch_begin: ref_object_now() */
};

/* Entries of these pages that the hart stores from now on tell the reference which frame they have
 * got; each must be one that may be there. */
void ref_touch_begin(unsigned hart, struct ref_touch touch);
void ref_touch_end(unsigned hart);
bool ref_touch_has(const struct ref_space *space, unsigned page);

/* The page's entry above level 0 is a leaf now: what it may be goes by all that it maps. */
void ref_touch_got_block(unsigned hart, const struct ref_touch *touch, unsigned page,
                         unsigned level, pte_t entry);

/* False if the frame is the first of a block that several name. */
bool ref_block_is_alone(const struct frame *frame);

/* Looks at every entry that is stored, from now on.  The frame of zeroes must stay what it is. */
void ref_touch_reset(void);

/* Fails the history unless the frame of zeroes is full of zeroes and nobody's but the kernel's. */
void ref_touch_check(unsigned hart);

/* ---- memory objects (ref_object.c) ---- */

#define REF_OBJECTS 16U

struct ref_object {
    struct mem_object *object; /* NULL: this row is unused                          */
    unsigned refs;             /* that the world holds                              */
    uint64_t pages;            /* its size                                          */
    unsigned level;            /* its memory comes in blocks of it                  */
    uint64_t marked_end;       /* no mark that was made since nobody named it reaches further */
    unsigned is_changing;      /* calls under way that change its size              */
    unsigned changes;          /* those begun, and those ended                      */
};

/* A page of an object that is known to have a frame. */
struct ref_object_page {
    struct ref_object *object; /* NULL: it is gone           */
    uint64_t page, pa, stamp;
    uint64_t made, changed; /* on the clock of ref_object_now */
    bool is_uncertain;      /* it was to be cut off, and may be gone */
};

void ref_object_reset(void);

/* Row for a new object with one reference; NULL: none left. */
struct ref_object *ref_object_add(struct mem_object *object, uint64_t pages, unsigned level);

/* True if its size has changed since `changes` was read, or may be changing. */
bool ref_object_may_differ(const struct ref_object *object, unsigned changes);

/* The row of an object that somebody refers to. */
struct ref_object *ref_object_of(const struct mem_object *object);

/* What is known of a page; NULL: nothing. */
struct ref_object_page *ref_object_page(const struct mem_object *object, uint64_t page);

/* True if pages from `page` on are known to have frames that others name too. */
bool ref_object_is_borrowed(const struct ref_object *object, uint64_t page);

/* The same of pages that may be gone, too. */
bool ref_object_may_be_borrowed(const struct ref_object *object, uint64_t page);

/* True if so many pages from `page` on may lie side by side from pa on. */
bool ref_object_may_lie(const struct mem_object *object, uint64_t page, uint64_t pages,
                        uint64_t pa);

/* The page has the frame at pa, which has just been seen. */
void ref_object_page_seen(const struct mem_object *object, uint64_t page, uint64_t pa);

/* Pages from `page` on are about to go; they are gone. */
void ref_object_cut_begin(struct ref_object *object, uint64_t page);
void ref_object_cut(struct ref_object *object, uint64_t page);

/* A clock that goes on with each frame that is seen first, and each that is written to. */
uint64_t ref_object_now(void);

/* The first word of the frame at pa is another. */
void ref_object_stamp_set(uint64_t pa, uint64_t stamp);

/* True if an object that the world holds has the frame at pa. */
bool ref_object_has_frame(uint64_t pa);

/* True if a page of the universe names pages of the object from `page` on; pages that are being
 * changed are not looked at. */
bool ref_object_is_named(const struct ref_object *object, uint64_t page);

/* True if a page or mark of some space names the object at all. */
bool ref_object_is_used(const struct ref_object *object);

/* ---- clones and moves (ref_clone.c) ---- */

enum ref_clone_kind {
    REF_CLONE, /* both have it */
    REF_MOVE,  /* it leaves    */
};

/* [start, end) of one space becomes what lies at `target` of the other, or of the same. */
struct ref_clone {
    enum ref_clone_kind kind;
    struct ref_space *from, *to;
    uint64_t start, end, target;
    struct ref_item before[REF_PAGES]; /* what `from` held when it began */
};

/* Neither is under way. */
void ref_clone_reset(void);

/* The hart has both sides open: until ref_clone_end pages of the source may still be stored to at
 * once.  *clone stays the caller's until then. */
void ref_clone_begin(unsigned hart, const struct ref_clone *clone);
void ref_clone_end(unsigned hart);

/* All this is about to be cloned or moved by one call; nothing is certain yet. */
void ref_clone_announce(unsigned hart, struct ref_clone *clone);

/* True if all that lies below `end` finds room. */
bool ref_clone_fits(const struct ref_clone *clone, uint64_t end);

/* All below `end` has been cloned or moved. */
void ref_clone_done(unsigned hart, const struct ref_clone *clone, uint64_t end);

/* First page of the source that holds a device for which there is no page of the universe in the
 * target, or one before first_io_page; REF_PAGES: none. */
unsigned ref_clone_misfit(const struct ref_clone *clone, unsigned first_io_page);

/* True if the hart is moving a private page with that frame and W. */
bool ref_is_moving(unsigned hart, uint64_t pa);

/* True if a store of a program through this page, to its frame at pa, shows in another page that is
 * private. */
bool ref_store_shows(const struct ref_space *space, unsigned page, uint64_t pa);
