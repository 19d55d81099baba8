/* SPDX-License-Identifier: MIT */
/*
 * The oracle itself: memory order.  What a load may see, and whether a fence on one hart covers a
 * store of another.
 */
#include "support_story.h"

#define FENCE "Supervisor Memory-Management Fence Instruction"
#define RVWMO "RVWMO Memory Consistency Model"
#define GONE  ORACLE_RULE_STALE_AFTER_RETURN

/* Hart 0 takes page 0 away and fences itself; hart 1 is to fence itself when it is told. */
#define REMOVE                                                                                     \
    "0 satp A 1; 1 satp A 1; 0 set A0 0 F:rw; 0 order sc; 1 order sc; "                            \
    "0 begin 1; 0 set A0 0 0; 0 fence; "

static const struct story stories[] = {
    /* Loads. */
    STORY("a load may be early", RVWMO, LEGAL, "0 put x 1 rlx; 1 see x rlx 0 old"),
    STORY("an acquire load too: it holds back what follows", RVWMO, LEGAL,
          "0 put x 1 rel; 1 see x acq 0 old"),
    STORY("a hart sees its own stores", RVWMO, LEGAL, "0 put x 1 rlx; 0 unseen x rlx 0"),
    STORY("a place does not go back", RVWMO, LEGAL,
          "0 put x 1 rlx; 1 see x rlx 1; 1 unseen x rlx 0"),
    STORY("an earlier one of two stores may be seen", RVWMO, LEGAL,
          "0 put x 1 rlx; 0 put x 2 rlx; 1 see x rlx 0 old; 1 see x rlx 2; 1 unseen x rlx 1"),
    STORY("two loads early at two places", RVWMO, LEGAL,
          "0 put x 1 rlx; 0 put y 1 rlx; 1 see y rlx 1; 1 see x rlx 0 old"),
    STORY("message passing, release and acquire", RVWMO, LEGAL,
          "0 put x 1 rlx; 0 put y 1 rel; 1 see y acq 1; 1 unseen x rlx 0"),
    STORY("without release", RVWMO, LEGAL,
          "0 put x 1 rlx; 0 put y 1 rlx; 1 see y acq 1; 1 see x rlx 0 old"),
    STORY("without acquire", RVWMO, LEGAL,
          "0 put x 1 rlx; 0 put y 1 rel; 1 see y rlx 1; 1 see x rlx 0 old"),
    STORY(
        "by fences", RVWMO, LEGAL,
        "0 put x 1 rlx; 0 order rel; 0 put y 1 rlx; 1 see y rlx 1; 1 order acq; 1 unseen x rlx 0"),
    STORY(
        "with the acquire fence before the load", RVWMO, LEGAL,
        "0 put x 1 rlx; 0 order rel; 0 put y 1 rlx; 1 order acq; 1 see y rlx 1; 1 see x rlx 0 old"),
    STORY("with the release fence after the store", RVWMO, LEGAL,
          "0 put x 1 rlx; 0 put y 1 rlx; 0 order rel; 1 see y acq 1; 1 see x rlx 0 old"),
    STORY("through a third hart", RVWMO, LEGAL,
          "0 put x 1 rlx; 0 put y 1 rel; 2 see y acq 1; 2 put z 1 rel; 1 see z acq 1; 1 unseen x "
          "rlx 0"),
    STORY("a read-modify-write passes on what it reads", RVWMO, LEGAL,
          "0 put x 1 rlx; 0 put y 1 rel; 2 add y 1 rlx; 1 see y acq 2; 1 unseen x rlx 0"),
    STORY("a plain store does not", RVWMO, LEGAL,
          "0 put x 1 rlx; 0 put y 1 rel; 2 put y 2 rlx; 1 see y acq 2; 1 see x rlx 0 old"),
    STORY("a read-modify-write reads the newest", RVWMO, LEGAL,
          "0 put x 5 rlx; 1 add x 1 rlx; 1 see x rlx 6"),
    STORY("and acquires by it", RVWMO, LEGAL,
          "0 put x 1 rlx; 0 add y 1 rel; 1 add y 1 acq; 1 unseen x rlx 0"),
    STORY("Dekker without fences: both may see nothing", RVWMO, LEGAL,
          "0 put x 1 rlx; 1 put y 1 rlx; 0 see y rlx 0 old; 1 see x rlx 0 old"),
    STORY("Dekker with releases and acquires: still both", RVWMO, LEGAL,
          "0 put x 1 rel; 1 put y 1 rel; 0 see y acq 0 old; 1 see x acq 0 old"),
    STORY("Dekker with acquire-release fences: still both", RVWMO, LEGAL,
          "0 put x 1 rlx; 1 put y 1 rlx; 0 order ar; 1 order ar; 0 see y rlx 0 old; 1 see x rlx 0 "
          "old"),
    STORY("Dekker with one full fence: still both", RVWMO, LEGAL,
          "0 put x 1 rlx; 1 put y 1 rlx; 0 order sc; 0 see y rlx 0 old; 1 see x rlx 0 old"),
    STORY("Dekker with two full fences: the later sees the other", RVWMO, LEGAL,
          "0 put x 1 rlx; 1 put y 1 rlx; 0 order sc; 1 order sc; 0 see y rlx 0 old; 1 unseen x rlx "
          "0"),
    STORY("a slot is loaded early", RVWMO, LEGAL,
          "0 set A0 0 F:rw; 1 get A0 0 old; 1 is A0 0 F:rw"),

    /* Fences of translations cover what their hart has seen. */
    STORY("told by release and acquire", FENCE, LEGAL,
          REMOVE "0 put x 1 rel; 1 see x acq 1; 1 fence; 0 end"),
    STORY("told by a relaxed store", FENCE, GONE,
          REMOVE "0 put x 1 rlx; 1 see x acq 1; 1 fence; 0 end"),
    STORY("told to a relaxed load", FENCE, GONE,
          REMOVE "0 put x 1 rel; 1 see x rlx 1; 1 fence; 0 end"),
    STORY("told by fences", FENCE, LEGAL,
          REMOVE "0 order rel; 0 put x 1 rlx; 1 see x rlx 1; 1 order acq; 1 fence; 0 end"),
    STORY("fenced before it was told", FENCE, GONE,
          REMOVE "0 put x 1 rel; 1 fence; 1 see x acq 1; 0 end"),
    STORY("not told at all", FENCE, GONE, REMOVE "1 fence; 0 end"),
    STORY(
        "told before the store", FENCE, GONE,
        "0 satp A 1; 1 satp A 1; 0 set A0 0 F:rw; 0 begin 1; 0 put x 1 rel; 0 set A0 0 0; 0 fence; "
        "1 see x acq 1; 1 fence; 0 end"),
    STORY("told through a third hart", FENCE, LEGAL,
          REMOVE "0 put x 1 rel; 2 see x acq 1; 2 put y 1 rel; 1 see y acq 1; 1 fence; 0 end"),
    STORY("full fences on both sides order them", FENCE, LEGAL,
          REMOVE "0 order sc; 1 order sc; 1 fence; 0 end"),
    STORY("a full fence on one side does not", FENCE, GONE, REMOVE "0 order sc; 1 fence; 0 end"),
    STORY("firmware carries what its caller has stored", "RFENCE Extension", LEGAL,
          REMOVE "0 rfence 2; 0 end"),
    STORY("and what its caller has seen", "RFENCE Extension", LEGAL,
          REMOVE "0 put x 1 rel; 2 see x acq 1; 2 rfence 2; 0 end"),
    STORY("but not what its caller has not", "RFENCE Extension", GONE, REMOVE "2 rfence 2; 0 end"),
    STORY("a hart's own store needs no telling", FENCE, LEGAL,
          "0 satp A 1; 0 set A0 0 F:rw; 0 begin 1; 0 set A0 0 0; 0 fence page 0; 0 end"),
    STORY("a fence that has seen the store keeps it seen", FENCE, LEGAL,
          REMOVE
          "0 put x 1 rel; 1 see x acq 1; 1 fence; 0 end; 1 satp K 0; 1 satp A 1; 1 maynot 0 w F"),
    STORY("satp orders nothing: a new hart may walk to what was removed", FENCE,
          ORACLE_RULE_STALE_AT_SATP,
          "0 satp A 1; 1 satp K 0; 0 set A0 0 F:rw; 0 begin 1; 0 set A0 0 0; 0 fence; 0 end; "
          "1 satp A 1"),
    STORY("told and fenced, it may not", FENCE, LEGAL,
          "0 satp A 1; 1 satp K 0; 0 set A0 0 F:rw; 0 begin 1; 0 set A0 0 0; 0 fence; 0 end; "
          "0 put x 1 rel; 1 see x acq 1; 1 fence asid 1; 1 satp A 1"),
    STORY("fenced and not told, it may", FENCE, ORACLE_RULE_STALE_AT_SATP,
          "0 satp A 1; 1 satp K 0; 0 set A0 0 F:rw; 0 begin 1; 0 set A0 0 0; 0 fence; 0 end; "
          "1 fence asid 1; 1 satp A 1"),
};

Test(oracle_order, stories_end_as_the_specification_says)
{
    stories_expect(stories, ARRAY_LEN(stories));
}
