/* SPDX-License-Identifier: MIT */
/*
 * Stories: small histories of the oracle's machine, written as text, without mm/.
 *
 * A story is a row of a table: its name, the section of the specification it rests on, the verdict
 * that the section gives, and lines.  A line is a hart and what it does; several stand in one
 * string, with semicolons between.
 *
 * What there is before the first line: roots A and B of two spaces and K of none; below each of A
 * and B one table of every level, A1, A0, B1, B0 (and A2, A3 with more levels), linked, for the
 * addresses from 0 on; spare tables S and T, full of zeroes; pages F, G, H; a block M of 2 MiB, a
 * page N inside it; a device D.  A slot is a table and a number, "A0 3".  A value is "0", a pointer
 * "S", a number
 * "=0x1f", or a leaf: place and flags, "F:rw"; flags r w x, g global, k not for users, n memory
 * type NC, ! A and D clear, - D clear.
 *
 *   0 satp A 1           root and identifier
 *   0 set A0 0 F:rw      a release store; swap, cas: exchange, compare-exchange from what is there
 *   0 get A0 0           an acquire load; "get A0 0 old": sees what was there before, if it may
 *   0 fence              sfence.vma x0, x0;  also: fence page 0x1000, fence asid 1, fence page
 * 0x1000 asid 1 0 rfence 6 asid 1    by firmware, on the harts of a mask 0 refused 6          the
 * same, but firmware refuses at the first hart 0 begin 7, 0 end     an operation 0 free F, 0 take
 * F, 0 zero S, 0 write F 0 order sc           a fence between stores and loads: acq, rel, ar, sc 0
 * put x 1 rel        words x y z; orders rlx acq rel ar sc 0 add x 1 ar 0 see x acq 1        a load
 * that gives 1; "see x acq 0 old": may see what was there before 0 unseen x acq 0     a load cannot
 * give 0, however early it is 0 fence.i, 0 rfence.i 6 0 may 0x1000 w F     user mode may reach F;
 * "maynot 0x1000 w F", "mayfault 0x1000 w", "nofault 0x1000 w" likewise;  "use 0x1000 w F": does so
 *   0 parts S M:rw       the table S maps what that leaf maps, part by part
 *   0 is A0 0 F:rw       the slot holds that
 *   0 audit              nothing is under way
 */
#pragma once

#include "machine/oracle.h"
#include "support.h"

#define LEGAL (-1)

struct story {
    const char *name;
    const char *section;
    int verdict; /* LEGAL, or an enum oracle_rule */
    const char *text;
    unsigned asid_bits; /* 0 means 9; NO_ASIDS: none */
    unsigned levels;    /* 0 means 3 */
    enum oracle_ad ad;
    bool has_svpbmt;
};

#define NO_ASIDS 99U

/* A row: name, section, verdict, text, and what differs from the usual machine. */
#define STORY(story_name, story_section, story_verdict, ...)                                       \
    {                                                                                              \
        .name = (story_name), .section = (story_section), .verdict = (int)(story_verdict),         \
        .text = __VA_ARGS__                                                                        \
    }

/* Tells the stories of a table, and fails the test with all that did not end as they should. */
void stories_expect(const struct story *stories, size_t count);
