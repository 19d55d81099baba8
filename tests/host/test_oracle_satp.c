/* SPDX-License-Identifier: MIT */
/*
 * The oracle itself: what a hart holds of spaces it does not run, and what comes into force when it
 * writes satp.
 */
#include "support_story.h"

#define SATP  "Supervisor Address Translation and Protection (satp) Register"
#define FENCE "Supervisor Memory-Management Fence Instruction"

/* Page 0 of A leads to F; hart 1 ran A and left it. */
#define LEFT "0 satp A 1; 1 satp A 1; 0 set A0 0 F:rw; 1 satp K 0; "

#define TOLD "0 put x 1 rel; 1 see x acq 1; "

/* Hart 0 takes the page away and fences itself; hart 1 is away, and told of it later. */
#define MISSED LEFT "0 begin 1; 0 set A0 0 0; 0 fence; 0 end; " TOLD

static const struct story stories[] = {
    STORY("a hart that does not run the space may keep old entries", FENCE, LEGAL, MISSED),
    STORY("it cannot use them under another identifier", SATP, LEGAL, MISSED "1 maynot 0 w F"),
    STORY("it may not come back with them", SATP, ORACLE_RULE_STALE_AT_SATP, MISSED "1 satp A 1"),
    STORY("a fence of the identifier before satp makes it clean", SATP, LEGAL,
          MISSED "1 fence asid 1; 1 satp A 1; 1 maynot 0 w F"),
    STORY("so does a fence of the page", SATP, LEGAL, MISSED "1 fence page 0 asid 1; 1 satp A 1"),
    STORY("so does a fence by firmware while it is away", SATP, LEGAL,
          LEFT "0 begin 1; 0 set A0 0 0; 0 fence; 0 rfence 2 asid 1; 0 end; 1 satp A 1"),
    STORY("a fence after satp is too late: it may speculate in between", SATP,
          ORACLE_RULE_STALE_AT_SATP, MISSED "1 satp A 1; 1 fence asid 1"),
    STORY("a fence of another identifier does not do", SATP, ORACLE_RULE_STALE_AT_SATP,
          MISSED "1 fence asid 2; 1 satp A 1"),
    STORY("a fence before the store does not do", SATP, ORACLE_RULE_STALE_AT_SATP,
          LEFT "1 satp A 1; 1 satp K 0; 0 begin 1; 0 set A0 0 0; 0 fence; 0 end; 1 satp A 1"),
    STORY("coming back to what has not changed needs no fence", SATP, LEGAL,
          LEFT "1 satp A 1; 1 may 0 w F"),
    STORY("coming back to what was loosened needs none", SATP, LEGAL,
          "0 satp A 1; 1 satp A 1; 0 set A0 0 F:r; 1 satp K 0; 0 begin 1; 0 set A0 0 F:rw; 0 end; "
          "1 satp A 1; 1 mayfault 0 w"),
    STORY("coming back while the operation is under way is legal", SATP, LEGAL,
          LEFT "0 begin 1; 0 set A0 0 0; 1 satp A 1; 1 use 0 w F; 0 fence; 0 rfence 2; 0 end"),
    STORY("but then it must be fenced", FENCE, ORACLE_RULE_STALE_AFTER_RETURN,
          LEFT "0 begin 1; 0 set A0 0 0; 1 satp A 1; 0 fence; 0 end"),
    STORY("who removes what another loosened answers for older entries too", SATP, LEGAL,
          "0 satp A 1; 1 satp A 1; 0 set A0 0 F:r; 1 satp K 0; 0 begin 1; 0 set A0 0 F:rw; 0 end; "
          "0 begin 2; 0 set A0 0 0; " TOLD "1 satp A 1; 0 fence; 0 rfence 2; 0 end"),
    STORY("what came and went while it was away it never held", SATP, LEGAL,
          LEFT "0 set A0 1 G:rw; 0 begin 1; 0 set A0 1 0; 0 fence; 0 end; " TOLD "1 satp A 1; "
               "1 maynot 0x1000 r G"),
    STORY("coming back to what a detached table held, though it is empty now", SATP,
          ORACLE_RULE_STALE_AT_SATP,
          LEFT "0 begin 1; 0 set A1 0 0; 0 set A0 0 0; 0 fence; 0 end; " TOLD "1 satp A 1"),
    STORY("coming back to a table that was taken out", SATP, ORACLE_RULE_STALE_AT_SATP,
          LEFT "0 begin 1; 0 set A1 0 0; 0 fence; 0 end; 1 satp A 1"),
    STORY("a fence of a page leaves that table in the walk cache", SATP, ORACLE_RULE_STALE_AT_SATP,
          LEFT "0 begin 1; 0 set A1 0 0; 0 fence; 0 end; 1 fence page 0; 1 satp A 1"),
    STORY("an entry that was freed meanwhile", SATP, ORACLE_RULE_FREE_FRAME,
          MISSED "0 free F; 1 satp A 1"),
    STORY("an entry whose frame lives another life", SATP, ORACLE_RULE_FREE_FRAME,
          MISSED "0 free F; 0 take F; 1 satp A 1"),
    STORY("the same frame again, at the same place", SATP, ORACLE_RULE_FREE_FRAME,
          MISSED "0 free F; 0 take F; 0 set A0 0 F:rw; 1 satp A 1"),
    STORY("a table that was freed meanwhile", SATP, ORACLE_RULE_FREE_TABLE,
          LEFT "0 begin 1; 0 set A1 0 0; 0 fence; 0 end; 0 free A0; 1 satp A 1"),
    STORY("none of that matters after a fence", SATP, LEGAL,
          LEFT "0 begin 1; 0 set A1 0 0; 0 fence; 0 end; 0 free A0; 0 free F; " TOLD
               "1 fence asid 1; "
               "1 satp A 1"),
    STORY("an identifier may not serve another root unfenced", SATP, ORACLE_RULE_STALE_AT_SATP,
          LEFT "1 satp B 1"),
    STORY("it may after a fence of it", SATP, LEGAL,
          LEFT "1 fence asid 1; 1 satp B 1; 1 maynot 0 w F"),
    STORY("it may after a fence of everything", SATP, LEGAL, LEFT "1 fence; 1 satp B 1"),
    STORY("a fence of a page is not enough for that", SATP, ORACLE_RULE_STALE_AT_SATP,
          LEFT "1 fence page 0; 1 satp B 1"),
    STORY("nor is a fence on another hart", SATP, ORACLE_RULE_STALE_AT_SATP,
          LEFT "0 fence; 1 satp B 1"),
    STORY("identifiers that are cut to the same are the same", SATP, ORACLE_RULE_STALE_AT_SATP,
          LEFT "1 satp B 3", .asid_bits = 1),
    STORY("other identifiers share nothing", SATP, LEGAL, LEFT "1 satp B 2; 1 maynot 0 w F"),
    STORY("a root that never held anything left nothing", SATP, LEGAL,
          "1 satp K 5; 1 satp A 6; 1 satp B 5"),
    STORY("a root that was freed and lives again is another root", SATP, ORACLE_RULE_STALE_AT_SATP,
          "0 take S; 0 zero S; 0 set S 0 A1; 0 satp K 0; 0 fence asid 5; 0 satp S 5; 0 satp K 0; "
          "0 free S; 0 take S; 0 zero S; 0 satp S 5"),
    STORY("without identifiers satp comes first and the fence after it", SATP, LEGAL,
          "0 satp A 0; 0 set A0 0 F:rw; 0 begin 1; 0 satp B 0; 0 fence; 0 end; 0 maynot 0 w F",
          .asid_bits = NO_ASIDS),
    STORY("before that fence the old space may still be used", SATP, ORACLE_RULE_STALE_AT_SATP,
          "0 satp A 0; 0 set A0 0 F:rw; 0 begin 1; 0 satp B 0; 0 end", .asid_bits = NO_ASIDS),
    STORY("a program may not run before it", SATP, ORACLE_RULE_STALE_AT_SATP,
          "0 satp A 0; 0 set A0 0 F:rw; 0 satp B 0; 0 may 0 r F", .asid_bits = NO_ASIDS),
    STORY("a fence before satp does not count", SATP, ORACLE_RULE_STALE_AT_SATP,
          "0 satp A 0; 0 set A0 0 F:rw; 0 begin 1; 0 fence; 0 satp B 0; 0 end",
          .asid_bits = NO_ASIDS),
    STORY("who still holds the old space is asked for by its operations", FENCE,
          ORACLE_RULE_STALE_AFTER_RETURN,
          "0 satp A 0; 1 satp A 0; 0 set A0 0 F:rw; 1 satp B 0; 0 begin 1; 0 set A0 0 0; 0 fence; "
          "0 end",
          .asid_bits = NO_ASIDS),
    STORY("what came after satp can be read through its walk cache", FENCE,
          ORACLE_RULE_STALE_AFTER_RETURN,
          "0 satp A 0; 1 satp A 0; 0 set A0 1 G:rw; 1 satp B 0; 0 set A0 0 F:rw; 0 begin 1; "
          "0 set A0 0 0; 0 fence; 0 end",
          .asid_bits = NO_ASIDS),
    STORY("and by frees", FENCE, ORACLE_RULE_FREE_FRAME,
          "0 satp A 0; 1 satp A 0; 0 set A0 0 F:rw; 1 satp B 0; 0 begin 1; 0 set A0 0 0; 0 fence; "
          "0 free F",
          .asid_bits = NO_ASIDS),
    STORY("a fence ends that", FENCE, LEGAL,
          "0 satp A 0; 1 satp A 0; 0 set A0 0 F:rw; 1 satp B 0; 1 fence; 0 begin 1; 0 set A0 0 0; "
          "0 fence; 0 free F; 0 end",
          .asid_bits = NO_ASIDS),
    STORY("a free frame is no root", SATP, ORACLE_RULE_FREE_TABLE, "0 free S; 0 satp S 1"),
    STORY("a new root is seen after a fence", SATP, LEGAL,
          "0 satp K 0; 0 take S; 0 zero S; 0 fence asid 3; 0 satp S 3"),
    STORY("and not surely before", SATP, ORACLE_RULE_STALE_AT_SATP,
          "0 satp K 0; 0 take S; 0 zero S; 0 satp S 3"),
    STORY("a fence before it was made does not count", SATP, ORACLE_RULE_STALE_AT_SATP,
          "0 satp K 0; 0 take S; 0 fence; 0 zero S; 0 satp S 3"),
    STORY("nor one of a hart that has not seen it made", SATP, ORACLE_RULE_STALE_AT_SATP,
          "1 satp K 0; 0 take S; 0 zero S; 1 fence; 1 satp S 3"),
    STORY("writing the same satp changes nothing", SATP, LEGAL, "0 satp A 1; 0 satp A 1; 0 audit"),
};

Test(oracle_satp, stories_end_as_the_specification_says)
{
    stories_expect(stories, ARRAY_LEN(stories));
}
