/* SPDX-License-Identifier: MIT */
/*
 * The oracle itself: what fences remove, on whom, and what must be gone when an operation returns.
 */
#include "support_story.h"

#define FENCE  "Supervisor Memory-Management Fence Instruction"
#define RFENCE "RFENCE Extension"
#define GONE   ORACLE_RULE_STALE_AFTER_RETURN

/* Harts 0 and 1 run A; page 0 leads to F; hart 0 is about to take it away. */
#define RUN    "0 satp A 1; 1 satp A 1; "
#define MAPPED RUN "0 set A0 0 F:rw; "
#define REMOVE MAPPED "0 begin 1; 0 set A0 0 0; "
#define DETACH MAPPED "0 begin 1; 0 set A1 0 0; "

static const struct story stories[] = {
    STORY("an old entry may be used until the fence is complete", FENCE, LEGAL,
          REMOVE "1 use 0 w F; 0 fence; 1 may 0 w F; 0 rfence 2; 1 maynot 0 w F; 0 end"),
    STORY("a local fence does not help another hart", FENCE, GONE, REMOVE "0 fence; 0 end"),
    STORY("a remote fence does not help the caller", FENCE, GONE, REMOVE "0 rfence 2; 0 end"),
    STORY("a hart may name itself in a remote fence", RFENCE, LEGAL, REMOVE "0 rfence 3; 0 end"),
    STORY("no fence at all", FENCE, GONE, REMOVE "0 end"),
    STORY("an audit asks the same", FENCE, GONE, MAPPED "0 set A0 0 0; 0 fence; 0 audit"),
    STORY("a fence before the store removes nothing", FENCE, GONE,
          MAPPED "0 begin 1; 0 fence; 0 rfence 2; 0 set A0 0 0; 0 end"),
    STORY("a fence of an address covers its leaf", FENCE, LEGAL,
          REMOVE "0 fence page 0 asid 1; 0 rfence 2 page 0 asid 1; 0 end"),
    STORY("a fence of an address and no identifier covers all identifiers", FENCE, LEGAL,
          REMOVE "0 fence page 0; 0 rfence 2 page 0; 0 end"),
    STORY("a fence of another address covers nothing here", FENCE, GONE,
          REMOVE "0 fence; 0 rfence 2 page 0x1000; 0 end"),
    STORY("a fence of an address that is not canonical does nothing", FENCE, GONE,
          REMOVE "0 fence; 0 rfence 2 page 0x100000000000000; 0 end"),
    STORY("a fence of another identifier covers nothing here", FENCE, GONE,
          REMOVE "0 fence; 0 rfence 2 asid 2; 0 end"),
    STORY("an address under another identifier neither", FENCE, GONE,
          REMOVE "0 fence; 0 rfence 2 page 0 asid 2; 0 end"),
    STORY("each hart may have its own identifier for a root", FENCE, GONE,
          "0 satp A 1; 1 satp A 2; 0 set A0 0 F:rw; 0 begin 1; 0 set A0 0 0; 0 fence asid 1; "
          "0 rfence 2 asid 1; 0 end"),
    STORY("and must be fenced under it", FENCE, LEGAL,
          "0 satp A 1; 1 satp A 2; 0 set A0 0 F:rw; 0 begin 1; 0 set A0 0 0; 0 fence asid 1; "
          "0 rfence 2 asid 2; 0 end"),
    STORY("a table taken out stays in walk caches after a fence of an address", FENCE, GONE,
          DETACH "0 fence page 0; 0 rfence 2 page 0; 0 end"),
    STORY("its leaves can be read again there", FENCE, LEGAL,
          DETACH "0 rfence 2 page 0; 1 may 0 w F; 0 fence; 0 rfence 2; 1 maynot 0 w F; 0 end"),
    STORY("a fence of the identifier removes it", FENCE, LEGAL,
          DETACH "0 fence asid 1; 0 rfence 2 asid 1; 0 end"),
    STORY("a fence of everything removes it", FENCE, LEGAL, DETACH "0 fence; 0 rfence 2; 0 end"),
    STORY("a table taken out higher up takes all below with it", FENCE, GONE,
          MAPPED "0 begin 1; 0 set A2 0 0; 0 fence page 0; 0 rfence 2 page 0; 0 end", .levels = 4),
    STORY("and goes with a fence of the identifier", FENCE, LEGAL,
          MAPPED "0 begin 1; 0 set A3 0 0; 0 fence asid 1; 0 rfence 2 asid 1; 0 end", .levels = 5),
    STORY("a leaf taken out of a detached table is still stale", FENCE, GONE,
          DETACH "0 fence; 0 set A0 0 0; 0 end"),
    STORY("a table that is put back where it was is not stale", FENCE, LEGAL,
          DETACH "0 set A1 0 A0; 0 end"),
    STORY("an empty detached table translates nothing", FENCE, LEGAL,
          RUN "0 begin 1; 0 set A1 0 0; 0 end"),
    STORY("global leaves survive a fence of the identifier", FENCE, GONE,
          RUN "0 set A0 0 F:rwg; 0 begin 1; 0 set A0 0 0; 0 fence; 0 rfence 2 asid 1; 0 end"),
    STORY("and a fence of their address with an identifier", FENCE, GONE,
          RUN
          "0 set A0 0 F:rwg; 0 begin 1; 0 set A0 0 0; 0 fence; 0 rfence 2 page 0 asid 1; 0 end"),
    STORY("global leaves go with rs2 = x0", FENCE, LEGAL,
          RUN
          "0 set A0 0 F:rwg; 0 begin 1; 0 set A0 0 0; 0 fence page 0; 0 rfence 2 page 0; 0 end"),
    STORY("global leaves are used under any identifier", FENCE, GONE,
          RUN "0 set A0 0 F:rwg; 0 begin 1; 0 set A0 0 0; 1 satp B 2; 1 may 0 w F; 0 fence; 0 end"),
    STORY(
        "a pointer with G makes what is below it global", FENCE, GONE,
        "0 set A1 3 =0x2; 0 set A1 3 0; " /* an invalid entry, whatever its bits: nothing happens */
        "0 set S 0 F:rw; 0 set A1 3 =0x20102c21; 0 satp A 1; 0 begin 1; 0 set S 0 0; "
        "0 fence asid 1; 0 end"),
    STORY("identifiers are cut to the bits there are", FENCE, LEGAL,
          "0 satp A 3; 0 set A0 0 F:rw; 0 begin 1; 0 set A0 0 0; 0 fence asid 5; 0 end",
          .asid_bits = 1),
    STORY("an identifier that is cut to 0 is one, not all", FENCE, GONE,
          "0 satp A 3; 0 set A0 0 F:rw; 0 begin 1; 0 set A0 0 0; 0 fence asid 2; 0 end",
          .asid_bits = 1),
    STORY("without bits every identifier is 0", FENCE, LEGAL,
          "0 satp A 7; 0 set A0 0 F:rw; 0 begin 1; 0 set A0 0 0; 0 fence asid 9; 0 end",
          .asid_bits = NO_ASIDS),
    STORY("without bits global leaves are still spared", FENCE, GONE,
          "0 satp A 7; 0 set A0 0 F:rwg; 0 begin 1; 0 set A0 0 0; 0 fence asid 9; 0 end",
          .asid_bits = NO_ASIDS),
    STORY("any address of a superpage fences it", FENCE, LEGAL,
          "0 satp A 1; 0 set A1 1 M:rw; 0 begin 1; 0 set A1 1 0; 0 fence page 0x3ff000 asid 1; 0 "
          "end"),
    STORY("an address past it does not", FENCE, GONE,
          "0 satp A 1; 0 set A1 1 M:rw; 0 begin 1; 0 set A1 1 0; 0 fence page 0x400000 asid 1; 0 "
          "end"),
    STORY("a superpage is harmless where small pages grant the same", FENCE, GONE,
          "0 satp A 1; 0 set A1 1 M:rw; 0 begin 1; 0 set A1 1 0; 0 fence page 0x1000; 0 end"),
    STORY("a remote range covers its pages and no more", RFENCE, GONE,
          RUN "0 set A0 0 F:rw; 0 set A0 1 G:rw; 0 begin 1; 0 set A0 0 0; 0 set A0 1 0; 0 fence; "
              "0 rfence 2 page 0; 0 end"),
    STORY("a remote range of two pages covers both", RFENCE, LEGAL,
          RUN "0 set A0 0 F:rw; 0 set A0 1 G:rw; 0 begin 1; 0 set A0 0 0; 0 set A0 1 0; 0 fence; "
              "0 rfence 2 0 0x2000 asid 1; 0 end"),
    STORY("taking W away must be fenced", FENCE, GONE,
          MAPPED "0 begin 1; 0 set A0 0 F:r; 0 fence; 0 end"),
    STORY("taking X away must be fenced", FENCE, GONE,
          RUN "0 set A0 0 F:rx; 0 begin 1; 0 set A0 0 F:r; 0 fence; 0 end"),
    STORY("taking U away must be fenced", FENCE, GONE,
          MAPPED "0 begin 1; 0 cas A0 0 F:rwk; 0 fence; 0 end"),
    STORY("granting more needs no fence", FENCE, LEGAL,
          RUN "0 set A0 0 F:r; 0 begin 1; 0 swap A0 0 F:rw; 0 end; 1 mayfault 0 w; 1 may 0 w F"),
    STORY("another memory type must be fenced", "Svpbmt", GONE,
          MAPPED "0 begin 1; 0 set A0 0 F:rwn; 0 fence; 0 end", .has_svpbmt = true),
    STORY("clearing D must be fenced: a store would go unmarked", FENCE, GONE,
          MAPPED "0 begin 1; 0 set A0 0 F:rw-; 0 fence; 0 end"),
    STORY("clearing A need not be", FENCE, LEGAL,
          RUN "0 set A0 0 F:r; 0 begin 1; 0 set A0 0 F:r!; 0 end"),
    STORY("what was loosened is answered for by whoever removes it later", FENCE, GONE,
          RUN
          "0 set A0 0 F:r; 0 begin 1; 0 set A0 0 F:rw; 0 end; 0 begin 2; 0 set A0 0 0; 0 fence; "
          "0 rfence 2 page 0x1000; 0 end"),
    STORY("firmware does not know harts that were never started", RFENCE, ORACLE_RULE_FIRMWARE,
          REMOVE "0 rfence 0x12"),
    STORY("a range is whole pages", RFENCE, ORACLE_RULE_FIRMWARE, REMOVE "0 rfence 2 0x100 0x1000"),
    STORY("a range does not go round the end of addresses", RFENCE, ORACLE_RULE_FIRMWARE,
          REMOVE "0 rfence 2 0xfffffffffffff000 0x2000"),
    STORY("a call that firmware refuses may have done nothing", RFENCE, GONE,
          REMOVE "0 fence; 0 refused 2; 0 end"),
    STORY("and is heard when it is made again", RFENCE, LEGAL,
          REMOVE "0 fence; 0 refused 2; 0 rfence 2; 0 end"),
};

Test(oracle_fence, stories_end_as_the_specification_says)
{
    stories_expect(stories, ARRAY_LEN(stories));
}
