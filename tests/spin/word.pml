/* SPDX-License-Identifier: MIT */
/*
 * The word of an address space: dispatch, leave, join, and the order of steps at a switch.
 * docs/coherence.md; in C mm/space_word.c, mm/tlb.c and the switches in mm/vm_space.c.
 *
 * A hart in the kernel may switch to any space or to the kernel root (space 0), and may unmap or
 * map the entry of a space.  Without ASIDs (NO_ASIDS) all spaces have identifier 0; with them each
 * has its own for good.  How identifiers are given and taken is asid.pml.
 *
 * Every switch (#ifdef) takes out one step; run.py shows that pan then finds an error.
 * Configurations: NO_ASIDS; SPACES, ROUNDS, DISPATCH (set of spaces whose entry changes),
 * DISPATCHERS (set of harts that change entries).
 */
#ifndef SPACES
#define SPACES 2
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef DISPATCH
#define DISPATCH 2 /* space 1 */
#endif
#ifndef DISPATCHERS
#define DISPATCHERS 3 /* harts 0 and 1 */
#endif
#ifdef NO_ASIDS
#define ASIDS 1 /* zero for all */
#define FIXED_ASID(s) 0
#else
#define ASIDS (SPACES + 1) /* zero is the kernel root's */
#define FIXED_ASID(s) (s)
#endif

#include "tlb.pml"

/* mm/vm_space.c: without identifiers everything goes, after satp. */
inline switch_flushing(h, s)
{
#ifdef LEAVE_BEFORE_SATP
    space_word_leave(h, old);
#endif
#ifndef JOIN_AFTER_SATP
    if
    :: s != 0 -> space_word_join(h, s, missed)
    :: else -> skip
    fi;
#endif
#ifdef FENCE_BEFORE_SATP
    flush_all(h);
#endif
    arch_space_activate(h, s, 0);
#ifdef LEAVE_BEFORE_FENCE
    space_word_leave(h, old);
#endif
#ifndef FENCE_BEFORE_SATP
#ifndef NO_SWITCH_FENCE
    flush_all(h);
#endif
#endif
#ifdef JOIN_AFTER_SATP
    if
    :: s != 0 -> space_word_join(h, s, missed)
    :: else -> skip
    fi;
#endif
#if !defined(LEAVE_BEFORE_SATP) && !defined(LEAVE_BEFORE_FENCE)
    space_word_leave(h, old);
#endif
}

inline flush_if_missed(h, s)
{
    if
    :: atomic { missed -> flush_asid(h, FIXED_ASID(s)); missed = 0 }
    :: atomic { !missed }
    fi
}

/* mm/vm_space.c: with identifiers the new one's stale entries go, before satp. */
inline switch_tagged(h, s)
{
#ifdef LEAVE_BEFORE_SATP
    space_word_leave(h, old);
#endif
    if
    :: s != 0 ->
#ifdef JOIN_AFTER_SATP
        missed = !HAS(seen[s], h);
        flush_if_missed(h, s);
        arch_space_activate(h, s, FIXED_ASID(s));
        space_word_join(h, s, missed)
#else
        space_word_join(h, s, missed);
#if !defined(NO_JOIN_FENCE) && !defined(FENCE_AFTER_SATP)
        flush_if_missed(h, s);
#endif
        arch_space_activate(h, s, FIXED_ASID(s))
#endif
#ifdef FENCE_AFTER_SATP
        ;
        flush_if_missed(h, s)
#endif
    :: else -> arch_space_activate(h, 0, 0)
    fi;
#ifndef LEAVE_BEFORE_SATP
    space_word_leave(h, old);
#endif
}

inline vm_space_activate(s)
{
    atomic { satp_space[me] != s -> old = satp_space[me]; user[me] = 0 }
#ifdef NO_ASIDS
    switch_flushing(me, s)
#else
    switch_tagged(me, s)
#endif
    d_step { old = 0; missed = 0; user[me] = 1; check() }
}

proctype hart(byte me)
{
    byte old, asid, round, targets;
    bit missed;

end:
    do
    :: vm_space_activate(0)
    :: vm_space_activate(1)
#if SPACES > 1
    :: vm_space_activate(2)
#endif
#if DISPATCH & 2
    :: change_entry_of(1)
#endif
    od
}

init
{
    d_step {
        start_space(1, FIXED_ASID(1));
#if SPACES > 1
        start_space(2, FIXED_ASID(2));
#endif
        start_on(0, 0, 0);
        start_on(1, 0, 0);
        start_on(2, 0, 0)
    }
    atomic {
        run hart(0);
        run hart(1);
        run hart(2)
    }
}
