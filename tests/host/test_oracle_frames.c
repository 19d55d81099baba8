/* SPDX-License-Identifier: MIT */
/*
 * The oracle itself: frames that come free while somebody may reach them, and stores to slots that
 * come too early or mean nothing.
 */
#include "support_story.h"

#define WALK   "Virtual Address Translation Process"
#define FENCE  "Supervisor Memory-Management Fence Instruction"
#define FORMAT "Sv39: Page-Based 39-bit Virtual-Memory System"

#define RUN    "0 satp A 1; 1 satp A 1; "
#define MAPPED RUN "0 set A0 0 F:rw; "
#define SPLIT  RUN "0 set A1 1 M:rw; 0 parts S M:rw; 0 set A1 1 S; "

static const struct story stories[] = {
    /* Frames. */
    STORY("a frame that is mapped may not come free", WALK, ORACLE_RULE_FREE_FRAME,
          MAPPED "0 free F"),
    STORY("nor one that a hart may still use", WALK, ORACLE_RULE_FREE_FRAME,
          MAPPED "0 set A0 0 0; 0 fence; 0 free F"),
    STORY("one that no hart may use may", WALK, LEGAL,
          MAPPED "0 set A0 0 0; 0 fence; 0 rfence 2; 0 free F"),
    STORY("a fence of its page is enough", WALK, LEGAL,
          MAPPED "0 set A0 0 0; 0 fence page 0; 0 rfence 2 page 0 asid 1; 0 free F"),
    STORY("a hart that has left the space may keep its entry", WALK, LEGAL,
          MAPPED "1 satp K 0; 0 set A0 0 0; 0 fence; 0 free F"),
    STORY("nobody runs the space", WALK, LEGAL, MAPPED "0 satp K 0; 1 satp K 0; 0 free F"),
    STORY("two entries, one of them taken out", WALK, ORACLE_RULE_FREE_FRAME,
          MAPPED "0 set A0 7 F:r; 0 set A0 0 0; 0 fence; 0 rfence 2; 0 free F"),
    STORY("an entry in a table that was taken out and not fenced", WALK, ORACLE_RULE_FREE_FRAME,
          MAPPED "0 set A1 0 0; 0 fence; 0 free F"),
    STORY("a fence of the page leaves the way to it", WALK, ORACLE_RULE_FREE_FRAME,
          MAPPED "0 set A1 0 0; 0 fence; 0 rfence 2 page 0; 0 free F"),
    STORY("that table fenced", WALK, LEGAL, MAPPED "0 set A1 0 0; 0 fence; 0 rfence 2; 0 free F"),
    STORY("an entry in a table that has another place now", WALK, ORACLE_RULE_FREE_FRAME,
          MAPPED "0 set A1 0 0; 0 set B1 5 A0; 0 fence; 0 free F"),
    STORY("one that was taken out of it there", WALK, ORACLE_RULE_FREE_FRAME,
          MAPPED "0 set A1 0 0; 0 set B1 5 A0; 0 set A0 0 0; 0 fence; 0 free F"),
    STORY("its old place fenced before that", WALK, LEGAL,
          MAPPED "0 set A1 0 0; 0 set B1 5 A0; 0 fence; 0 rfence 2; 0 set A0 0 0; 0 free F"),
    STORY("and after it", WALK, LEGAL,
          MAPPED "0 set A1 0 0; 0 set B1 5 A0; 0 set A0 0 0; 0 fence; 0 rfence 2; 0 free F"),
    STORY("a block that is mapped", WALK, ORACLE_RULE_FREE_FRAME,
          "0 satp A 1; 0 set A1 1 M:rw; 0 free M"),
    STORY("a page inside a block that is mapped", WALK, ORACLE_RULE_FREE_FRAME,
          "0 satp A 1; 0 set A1 1 M:rw; 0 free N"),
    STORY("a page inside a block that may still be used", WALK, ORACLE_RULE_FREE_FRAME,
          "0 satp A 1; 0 set A1 1 M:rw; 0 set A1 1 0; 0 free N"),
    STORY("a block that is fenced by one of its pages", WALK, LEGAL,
          "0 satp A 1; 0 set A1 1 M:rw; 0 set A1 1 0; 0 fence page 0x2ab000; 0 free M"),
    STORY("kernel pages do not count: the direct map has them all", WALK, LEGAL,
          RUN "0 set A0 0 F:rwk; 0 free F"),
    STORY("a frame of another life is another frame", WALK, LEGAL,
          MAPPED "0 set A0 0 0; 0 fence; 0 rfence 2; 0 free F; 0 take F; 0 set A0 5 F:r; 0 audit"),
    STORY("an entry for its last life does not hold its next", WALK, LEGAL,
          MAPPED "1 satp K 0; 0 set A0 0 0; 0 fence; 0 free F; 0 take F; 0 free F"),
    STORY("a frame comes free twice", "mm", ORACLE_RULE_TOUCH_FREE, "0 free F; 0 free F"),

    /* Tables. */
    STORY("a linked table may not come free", WALK, ORACLE_RULE_FREE_TABLE, MAPPED "0 free A0"),
    STORY("nor the root that satp names", WALK, ORACLE_RULE_FREE_TABLE, RUN "0 free A"),
    STORY("nor one that was taken out and not fenced", WALK, ORACLE_RULE_FREE_TABLE,
          MAPPED "0 set A1 0 0; 0 free A0"),
    STORY("nor one that was fenced by address: walk caches have it", WALK, ORACLE_RULE_FREE_TABLE,
          MAPPED "0 set A1 0 0; 0 fence page 0; 0 rfence 2 page 0; 0 free A0"),
    STORY("nor one that another hart has not fenced", WALK, ORACLE_RULE_FREE_TABLE,
          MAPPED "0 set A1 0 0; 0 fence; 0 free A0"),
    STORY("nor one below it", WALK, ORACLE_RULE_FREE_TABLE,
          MAPPED "0 set A2 0 0; 0 fence; 0 free A0", .levels = 4),
    STORY("a table that was fenced on all harts may", WALK, LEGAL,
          MAPPED "0 set A1 0 0; 0 fence asid 1; 0 rfence 2 asid 1; 0 free A0"),
    STORY("a hart that has left may keep it", WALK, LEGAL,
          MAPPED "1 satp K 0; 0 set A1 0 0; 0 fence; 0 free A0"),
    STORY("a root that nobody runs may", WALK, LEGAL, MAPPED "0 satp K 0; 1 satp K 0; 0 free A"),
    STORY("a slot of a free table is stored to", WALK, ORACLE_RULE_TOUCH_FREE,
          "0 free S; 0 set S 0 0"),
    STORY("a slot of a free table is loaded", WALK, ORACLE_RULE_TOUCH_FREE, "0 free S; 0 get S 0"),
    STORY("a free frame is filled", WALK, ORACLE_RULE_TOUCH_FREE, "0 free S; 0 zero S"),
    STORY("a free frame is mapped", WALK, ORACLE_RULE_TOUCH_FREE, RUN "0 free F; 0 set A0 0 F:rw"),
    STORY("a free table is linked", WALK, ORACLE_RULE_TOUCH_FREE, RUN "0 free S; 0 set A1 5 S"),
    STORY("a table is filled with zeroes while it is walked", WALK, ORACLE_RULE_UNORDERED_TABLE,
          MAPPED "0 zero A0"),
    STORY("a table is linked before it is filled", WALK, ORACLE_RULE_UNORDERED_TABLE,
          RUN "0 take S; 0 set A1 5 S"),
    STORY("a table is filled, then linked", WALK, LEGAL, RUN "0 take S; 0 zero S; 0 set A1 5 S"),
    STORY("a table that another hart has filled, nobody knows when", WALK,
          ORACLE_RULE_UNORDERED_TABLE, RUN "1 take S; 1 zero S; 0 set A1 5 S"),
    STORY("a table that another hart has filled and told of", WALK, LEGAL,
          RUN "1 take S; 1 zero S; 1 put x 1 rel; 0 see x acq 1; 0 set A1 5 S"),

    /* Slots that get a new meaning. */
    STORY("a leaf may not change its address in place", FENCE, ORACLE_RULE_BREAK_BEFORE_MAKE,
          MAPPED "0 set A0 0 G:rw"),
    STORY("nor by an exchange", FENCE, ORACLE_RULE_BREAK_BEFORE_MAKE, MAPPED "0 swap A0 0 G:rw"),
    STORY("nor by a compare-exchange", FENCE, ORACLE_RULE_BREAK_BEFORE_MAKE,
          MAPPED "0 cas A0 0 G:rw"),
    STORY("a table may not become another in place", FENCE, ORACLE_RULE_BREAK_BEFORE_MAKE,
          RUN "0 set A1 0 S"),
    STORY("a table may not become a leaf in place", FENCE, ORACLE_RULE_BREAK_BEFORE_MAKE,
          RUN "0 set A1 0 M:rw"),
    STORY("a leaf may not become a table in place", FENCE, ORACLE_RULE_BREAK_BEFORE_MAKE,
          RUN "0 set A1 1 M:rw; 0 set A1 1 S"),
    STORY("but by one that maps the same", FENCE, LEGAL, SPLIT "0 may 0x205000 w N"),
    STORY("with rights of its own", FENCE, ORACLE_RULE_BREAK_BEFORE_MAKE,
          RUN "0 set A1 1 M:rw; 0 parts S M:r; 0 set A1 1 S"),
    STORY("and all that hardware has set", FENCE, ORACLE_RULE_BREAK_BEFORE_MAKE,
          RUN "0 set A1 1 M:rw; 0 parts S M:rw-; 0 set A1 1 S"),
    STORY("the leaf may be used until a fence of the space", WALK, ORACLE_RULE_FREE_FRAME,
          SPLIT "0 set S 5 0; 0 fence page 0x205000; 0 rfence 2 page 0x205000; 0 free N"),
    STORY("and not after that", WALK, LEGAL,
          SPLIT "0 fence; 0 rfence 2; 0 set S 5 0; 0 fence page 0x205000; 0 rfence 2 page 0x205000;"
                "0 free N"),
    STORY("break, fence, make", FENCE, LEGAL,
          MAPPED
          "0 begin 1; 0 set A0 0 0; 0 fence; 0 rfence 2; 0 set A0 0 G:rw; 0 end; 1 maynot 0 r F"),
    STORY("break and make without a fence", FENCE, ORACLE_RULE_STALE_AT_STORE,
          MAPPED "0 begin 1; 0 set A0 0 0; 0 set A0 0 G:rw"),
    STORY("with a fence on one hart only", FENCE, ORACLE_RULE_STALE_AT_STORE,
          MAPPED "0 begin 1; 0 set A0 0 0; 0 fence; 0 set A0 0 G:rw"),
    STORY("the same page again needs no fence between", FENCE, LEGAL,
          MAPPED "0 begin 1; 0 set A0 0 0; 0 set A0 0 F:rw; 0 end"),
    STORY("another operation finds the slot unfenced: unlocked too early", FENCE,
          ORACLE_RULE_STALE_AT_STORE, MAPPED "0 begin 1; 0 set A0 0 0; 1 begin 2; 1 set A0 0 G:rw"),
    STORY("even if it only clears it", FENCE, ORACLE_RULE_STALE_AT_STORE,
          MAPPED "0 begin 1; 0 set A0 0 =0x2; 1 begin 2; 1 set A0 0 0"),
    STORY("harts that have left do not count", FENCE, LEGAL,
          MAPPED
          "1 satp K 0; 0 begin 1; 0 set A0 0 0; 0 fence; 0 end; 0 begin 2; 0 set A0 0 G:rw; 0 end"),
    STORY("a new table where the old one is still in walk caches", FENCE,
          ORACLE_RULE_STALE_AT_STORE,
          MAPPED "0 begin 1; 0 set A1 0 0; 0 fence; 0 rfence 2 page 0; 0 set A1 0 S"),
    STORY("a new table after a fence", FENCE, LEGAL,
          MAPPED "0 begin 1; 0 set A1 0 0; 0 fence; 0 rfence 2; 0 set A1 0 S; 0 end"),
    STORY("what another operation loosened is no obstacle", FENCE, LEGAL,
          RUN "0 set A0 0 F:r; 0 begin 1; 0 set A0 0 F:rw; 0 end; 0 put x 1 rel; 1 see x acq 1; 1 "
              "begin 2; "
              "1 set A0 0 0; 1 fence; "
              "1 rfence 1; 1 end"),

    /* Entries that mean nothing. */
    STORY("W without R", FORMAT, ORACLE_RULE_BAD_ENTRY, RUN "0 set A0 0 F:w"),
    STORY("W and X without R", FORMAT, ORACLE_RULE_BAD_ENTRY, RUN "0 set A0 0 F:wx"),
    STORY("a reserved bit", FORMAT, ORACLE_RULE_BAD_ENTRY, RUN "0 set A0 0 =0x40000020180053"),
    STORY("a memory type without Svpbmt", "Svpbmt", ORACLE_RULE_BAD_ENTRY, RUN "0 set A0 0 F:rwn"),
    STORY("a memory type with Svpbmt", "Svpbmt", LEGAL, RUN "0 set A0 0 F:rwn", .has_svpbmt = true),
    STORY("the reserved memory type", "Svpbmt", ORACLE_RULE_BAD_ENTRY,
          RUN "0 set A0 0 =0x60000000201800d7", .has_svpbmt = true),
    STORY("N without Svnapot", "Svnapot", ORACLE_RULE_BAD_ENTRY,
          RUN "0 set A0 0 =0x80000000201800d7"),
    STORY("a pointer with U", FORMAT, ORACLE_RULE_BAD_ENTRY, RUN "0 set A1 5 =0x20102c11"),
    STORY("a pointer with A", FORMAT, ORACLE_RULE_BAD_ENTRY, RUN "0 set A1 5 =0x20102c41"),
    STORY("a pointer at level 0", FORMAT, ORACLE_RULE_BAD_ENTRY, RUN "0 set A0 5 S"),
    STORY("a pointer to where there is no RAM", FORMAT, ORACLE_RULE_BAD_ENTRY, RUN "0 set A1 5 D"),
    STORY("a misaligned superpage", FORMAT, ORACLE_RULE_BAD_ENTRY, RUN "0 set A1 5 G:rw"),
    STORY("a page of a device", FORMAT, LEGAL, RUN "0 set A0 5 D:rw; 0 may 0x5000 w D"),
    STORY("an invalid entry may have any other bits", FORMAT, LEGAL,
          RUN "0 set A0 5 =0xfffffffffffffffe"),
};

Test(oracle_frames, stories_end_as_the_specification_says)
{
    stories_expect(stories, ARRAY_LEN(stories));
}
