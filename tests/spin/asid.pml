/* SPDX-License-Identifier: MIT */
/*
 * Address-space identifiers that run out: announce, epoch, keep, flush.  docs/coherence.md; in C
 * mm/asid.c and switch_tagged in mm/vm_space.c.
 *
 * An epoch may end whenever an identifier is asked for, and any free identifier is given, so the
 * counts of the real allocator do not matter.  The last space begins with an identifier of an
 * earlier epoch, which is space 1's by now.
 *
 * Two stores pass through a buffer that drains at any moment, at the latest at a fence: a hart's
 * announcement, and a new epoch.  The two full fences have something to do only because of that.
 * The rest is sequentially consistent.
 *
 * Every switch (#ifdef) takes out one step; run.py shows that pan then finds an error.
 * Configurations: SPACES, ROUNDS, DISPATCH, DISPATCHERS as in word.pml; EPOCHS, how many may begin;
 * SWITCHES of hart 0 and OTHERS of each other hart; NUMBERS, how many identifiers there are.
 */
#ifndef NUMBERS
#define NUMBERS SPACES
#endif
#define ASIDS (NUMBERS + 1) /* zero is the kernel root's */
#define ALL_ASIDS ((1 << ASIDS) - 2)

#include "tlb.pml"

#include "asid_epochs.pml"

/* ---- mm/vm_space.c ---- */

inline forget_stale(h, s)
{
#ifndef FLUSH_BEFORE_ANNOUNCE
    asid_take_flush(h);
#endif
    if
    :: atomic { x -> flush_all(h); x = 0; missed = 0 }
    :: atomic { !x && missed -> flush_asid(h, asid); missed = 0 }
    :: atomic { !x && !missed }
    fi
}

inline switch_tagged(h, s)
{
#ifdef FLUSH_BEFORE_ANNOUNCE
    forget_at_first(h);
#endif
#ifdef SETTLE_BEFORE_SATP
    if
    :: s == 0 -> asid_settle(h, 0)
    :: else -> skip
    fi;
#endif
    if
    :: s == 0 ->
        arch_space_activate(h, 0, 0)
    :: else ->
        asid_announce(h, s);
        space_word_join(h, s, missed);
        asid = asid_of[s];
        forget_stale(h, s);
#ifdef SETTLE_BEFORE_SATP
        asid_settle(h, s);
#endif
        arch_space_activate(h, s, asid)
    fi;
#ifndef SETTLE_BEFORE_SATP
    asid_settle(h, s);
#endif
    space_word_leave(h, old)
}

inline forget_at_first(h)
{
    asid_take_flush(h);
    if
    :: atomic { x -> flush_all(h); x = 0 }
    :: atomic { !x }
    fi
}

#define MAY_SWITCH (switches < (me == 0 -> SWITCHES : OTHERS))

inline vm_space_activate(s)
{
    atomic {
        satp_space[me] != s && MAY_SWITCH ->
            old = satp_space[me];
            user[me] = 0;
            switches++
    }
    switch_tagged(me, s);
    d_step { old = 0; asid = 0; missed = 0; user[me] = 1; check() }
}

proctype hart(byte me)
{
    byte old, asid, x, i, round, targets, switches;
    bit missed, current;

end:
    do
    :: vm_space_activate(0)
    :: vm_space_activate(1)
    :: vm_space_activate(2)
#if SPACES > 2
    :: vm_space_activate(3)
#endif
#if DISPATCH & 2
    :: change_entry_of(1)
#endif
#if DISPATCH & 4
    :: change_entry_of(2)
#endif
    od
}

inline begin_on(h, s)
{
    d_step { start_on(h, s, asid_of[s]); runs[h] = s }
}

init
{
    d_step {
        for (i_ : 1 .. SPACES) {
            start_space(i_, i_);
            tag_epoch[i_] = 1;
            take(i_)
        }
        i_ = 0;
        /* The last space has no identifier now; the one it had was given to space 1. */
        taken = taken & ~(1 << SPACES);
        tag_epoch[SPACES] = 0;
        asid_of[SPACES] = 1;
        flush_due[0] = 0
    }
    if
    :: begin_on(0, 0)
    :: begin_on(0, 1)
#if SPACES > 2
    :: begin_on(0, 2)
#endif
    fi;
    if
    :: begin_on(1, 0)
    :: begin_on(1, 1)
#if SPACES > 2
    :: begin_on(1, 2)
#endif
    fi;
    if /* harts 1 and 2 are alike: one order of the two is enough */
    :: satp_space[1] == 0 -> begin_on(2, 0)
    :: satp_space[1] <= 1 -> begin_on(2, 1)
#if SPACES > 2
    :: begin_on(2, 2)
#endif
    fi;
    atomic {
        run hart(0);
        run hart(1);
        run hart(2);
        run buffers()
    }
}
