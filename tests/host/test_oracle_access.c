/* SPDX-License-Identifier: MIT */
/*
 * The oracle itself: what a program's access may come to, the A and D bits, spurious faults, and
 * instruction caches.
 */
#include "support_story.h"

#define WALK  "Virtual Address Translation Process"
#define FENCE "Supervisor Memory-Management Fence Instruction"
#define AD    "Svade, Svadu"
#define CODE  "Zifencei"

#define RUN   "0 satp A 1; 1 satp A 1; "

static const struct story stories[] = {
    /* Permissions and extents. */
    STORY("nothing is there", WALK, LEGAL, RUN "0 mayfault 0 r; 0 maynot 0 r F"),
    STORY("a leaf grants what it says", WALK, LEGAL,
          RUN "0 set A0 0 F:r; 0 may 0 r F; 0 maynot 0 w F; 0 maynot 0 x F"),
    STORY("reading an execute-only page", WALK, LEGAL,
          RUN "0 set A0 0 F:x; 0 maynot 0 r F; 0 may 0 x F"),
    STORY("pages of the kernel are not for programs", WALK, LEGAL,
          RUN "0 set A0 0 F:rwxk; 0 maynot 0 r F; 0 maynot 0 w F; 0 maynot 0 x F"),
    STORY("a superpage of 2 MiB", WALK, LEGAL,
          RUN "0 set A1 1 M:rw; 0 may 0x200000 w M; 0 maynot 0x201000 w M; 0 maynot 0x400000 w M"),
    STORY("Sv48 has one table more", WALK, LEGAL,
          RUN "0 set A0 3 F:rw; 0 may 0x3000 w F; 0 maynot 0x8000003000 w F", .levels = 4),
    STORY("Sv57 has two", WALK, LEGAL,
          RUN "0 set A0 3 F:rw; 0 may 0x3000 w F; 0 maynot 0x1000000003000 w F", .levels = 5),
    STORY("an address beyond 39 bits is not cut", WALK, LEGAL,
          RUN "0 set A0 0 F:rw; 0 maynot 0x8000000000 r F; 0 mayfault 0x8000000000 r"),
    STORY("nor one beyond 48", WALK, LEGAL, RUN "0 set A0 0 F:rw; 0 maynot 0x1000000000000 r F",
          .levels = 4),
    STORY("a hart without satp translates nothing", WALK, LEGAL, "0 set A0 0 F:rw; 0 mayfault 0 r"),

    /* What may be cached: absences and fewer rights. */
    STORY("absent to present: a spurious fault, until a fence", FENCE, LEGAL,
          RUN "0 set A0 0 F:rw; 0 mayfault 0 w; 0 may 0 w F; 0 fence page 0; 0 nofault 0 w"),
    STORY("the fence of another page does not help", FENCE, LEGAL,
          RUN "0 set A0 0 F:rw; 0 fence page 0x1000; 0 mayfault 0 w"),
    STORY("nor that of another identifier", FENCE, LEGAL,
          RUN
          "0 set A0 0 F:rw; 0 fence page 0 asid 2; 0 mayfault 0 w; 0 fence asid 2; 0 mayfault 0 w"),
    STORY("nor that of another hart", FENCE, LEGAL,
          RUN "0 set A0 0 F:rw; 0 fence; 1 mayfault 0 w; 0 rfence 2 page 0; 1 nofault 0 w"),
    STORY("nor one that has not seen the store", FENCE, LEGAL,
          RUN "0 set A0 0 F:rw; 1 fence page 0; 1 mayfault 0 w; 0 put x 1 rel; 1 see x acq 1; "
              "1 fence page 0; 1 nofault 0 w"),
    STORY("the absence of a table survives a fence of an address", FENCE, LEGAL,
          RUN "0 set S 0 F:rw; 0 set A1 5 S; 0 fence page 0xa00000; 0 mayfault 0xa00000 w; "
              "0 fence asid 1; 0 nofault 0xa00000 w"),
    STORY("fewer rights may be remembered", FENCE, LEGAL,
          RUN
          "0 set A0 0 F:r; 0 fence; 0 nofault 0 r; 0 set A0 0 F:rw; 0 mayfault 0 w; 0 nofault 0 r; "
          "0 fence page 0 asid 1; 0 nofault 0 w"),
    STORY("old and new may both be used until the fence", FENCE, LEGAL,
          RUN "0 begin 1; 0 set A0 0 F:rw; 0 set A0 0 F:r; 0 may 0 w F; 0 mayfault 0 w; 0 fence; "
              "0 rfence 2; 0 maynot 0 w F; 0 end"),
    STORY("through a table that was taken out", FENCE, LEGAL,
          RUN "0 set A0 4 G:r; 0 begin 1; 0 set A1 0 0; 1 may 0x4000 r G; 1 mayfault 0x4000 r; "
              "0 set A0 5 H:r; 1 may 0x5000 r H; 0 fence; 0 rfence 2; 1 maynot 0x4000 r G; 0 end"),

    /* A and D. */
    STORY("hardware sets A on a read", AD, LEGAL,
          RUN "0 set A0 0 F:rw!; 0 fence; 0 nofault 0 r; 0 use 0 r F; 0 is A0 0 F:rw-"),
    STORY("hardware sets A and D on a write", AD, LEGAL,
          RUN "0 set A0 0 F:rw!; 0 use 0 w F; 0 is A0 0 F:rw"),
    STORY("hardware sets D later", AD, LEGAL, RUN "0 set A0 0 F:rw-; 0 use 0 w F; 0 is A0 0 F:rw"),
    STORY("an access that is not permitted sets nothing", AD, LEGAL,
          RUN "0 set A0 0 F:r!; 0 maynot 0 w F; 0 is A0 0 F:r!"),
    STORY("without hardware a clear A faults", AD, LEGAL,
          RUN "0 set A0 0 F:rw!; 0 maynot 0 r F; 0 mayfault 0 r; 0 is A0 0 F:rw!",
          .ad = ORACLE_AD_FAULT),
    STORY("without hardware a clear D faults on a write alone", AD, LEGAL,
          RUN "0 set A0 0 F:rw-; 0 fence; 0 nofault 0 r; 0 maynot 0 w F; 0 mayfault 0 w",
          .ad = ORACLE_AD_FAULT),
    STORY("presets satisfy both", AD, LEGAL,
          RUN "0 set A0 0 F:rw; 0 fence; 0 nofault 0 r; 0 nofault 0 w", .ad = ORACLE_AD_FAULT),
    STORY("an unmarked leaf that is gone is not written through", AD, LEGAL,
          RUN "0 set A0 0 F:rw-; 0 begin 1; 0 set A0 0 0; 0 may 0 r F; 0 maynot 0 w F; 0 fence; "
              "0 rfence 2; 0 end"),
    STORY("a compare-exchange sees what hardware set", AD, LEGAL,
          RUN "0 set A0 0 F:rw-; 1 use 0 w F; 0 cas A0 0 F:r; 0 fence; 0 rfence 2"),
    STORY("a program writes to a page that was freed", WALK, ORACLE_RULE_FREE_FRAME,
          RUN "0 set A0 0 F:rw; 1 satp K 0; 0 set A0 0 0; 0 free F"),

    /* Instruction caches. */
    STORY("code is there after fence.i", CODE, LEGAL,
          RUN "0 write F; 0 fence.i; 0 begin 1; 0 set A0 0 F:rx; 0 end; 0 use 0 x F"),
    STORY("fence.i may come after the entry, before the return", CODE, LEGAL,
          RUN "0 write F; 0 begin 1; 0 set A0 0 F:rx; 0 fence.i; 0 end; 0 use 0 x F"),
    STORY("while the operation is under way old code is legal", CODE, LEGAL,
          RUN "0 write F; 0 begin 1; 0 set A0 0 F:rx; 0 use 0 x F; 0 fence.i; 0 end"),
    STORY("without fence.i it may be old", CODE, ORACLE_RULE_OLD_CODE,
          RUN "0 write F; 0 begin 1; 0 set A0 0 F:rx; 0 end; 0 use 0 x F"),
    STORY("fence.i before the stores does not help", CODE, ORACLE_RULE_OLD_CODE,
          RUN "0 fence.i; 0 write F; 0 begin 1; 0 set A0 0 F:rx; 0 end; 0 use 0 x F"),
    STORY("fence.i on one hart does not help another", CODE, ORACLE_RULE_OLD_CODE,
          RUN "0 write F; 0 begin 1; 0 set A0 0 F:rx; 0 fence.i; 0 end; 1 use 0 x F"),
    STORY("a remote fence.i does", "RFENCE Extension", LEGAL,
          RUN "0 write F; 0 begin 1; 0 set A0 0 F:rx; 0 fence.i; 0 rfence.i 2; 0 end; 1 use 0 x F"),
    STORY("sfence.vma is no fence.i", CODE, ORACLE_RULE_OLD_CODE,
          RUN "0 write F; 0 begin 1; 0 set A0 0 F:rx; 0 fence; 0 rfence 2; 0 end; 1 use 0 x F"),
    STORY("a page that becomes executable later", CODE, ORACLE_RULE_OLD_CODE,
          RUN "0 set A0 0 F:rw; 0 write F; 0 begin 1; 0 set A0 0 F:rx; 0 fence; 0 rfence 2; 0 end; "
              "0 use 0 x F"),
    STORY("zeroes are code too", CODE, ORACLE_RULE_OLD_CODE,
          RUN "0 take F; 0 zero F; 0 begin 1; 0 set A0 0 F:rx; 0 end; 0 use 0 x F"),
    STORY("what a program stores later is its own affair", CODE, LEGAL,
          RUN "0 begin 1; 0 set A0 0 F:rwx; 0 end; 0 write F; 0 use 0 x F"),
    STORY("what another hart stored, unknown to the mapper, too", CODE, LEGAL,
          RUN "1 write F; 0 begin 1; 0 set A0 0 F:rx; 0 end; 0 use 0 x F"),
    STORY(
        "what another hart stored and told of is not", CODE, ORACLE_RULE_OLD_CODE,
        RUN
        "1 write F; 1 put x 1 rel; 0 see x acq 1; 0 begin 1; 0 set A0 0 F:rx; 0 end; 0 use 0 x F"),
    STORY("reading is not executing", CODE, LEGAL,
          RUN "0 write F; 0 begin 1; 0 set A0 0 F:rx; 0 end; 0 use 0 r F"),
};

Test(oracle_access, stories_end_as_the_specification_says)
{
    stories_expect(stories, ARRAY_LEN(stories));
}
