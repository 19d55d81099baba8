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

byte epoch = 1;
byte tag_epoch[SPACES + 1]; /* epoch in the space's tag, asid_of[] the identifier      */
byte taken;                 /* identifiers of this epoch                               */
bit asid_lock;
byte announced[HARTS];      /* a space that satp will name                             */
byte runs[HARTS];           /* the space that satp names                               */
bit flush_due[HARTS];

/* Store buffers, of one entry each: what others do not see yet. */
byte announcing[HARTS];     /* an announcement                                         */
bit epoch_is_late;          /* the last step of `epoch`; only the owner of the lock
                               knows, and what others read is the one before           */
#define EPOCH_SEEN (epoch - epoch_is_late)

inline drain_announcement(h)
{
    atomic { announcing[h] != 0 -> announced[h] = announcing[h]; announcing[h] = 0 }
}

/* ---- mm/asid.c ---- */

inline take(a)
{
    taken = taken | (1 << (a))
}

#ifdef KEEP_ANY
#define OF_LAST_EPOCH(s) true
#else
#define OF_LAST_EPOCH(s) (tag_epoch[s] == epoch - 1)
#endif

/* The read is a step of its own; the tag changes only under the lock, which is held. */
inline keep(place)
{
    atomic { x = place }
    atomic {
        if
        :: x != 0 && OF_LAST_EPOCH(x) -> take(asid_of[x]); tag_epoch[x] = epoch
        :: else -> skip
        fi;
        x = 0
    }
}

inline start_over_locked()
{
    atomic { epoch++; epoch_is_late = 1 }
#ifndef NO_EPOCH_FENCE
    epoch_is_late == 0; /* the fence: the buffer is empty */
#endif
    taken = 0;
    i = 0;
    do
    :: i < HARTS ->
#ifdef RUNS_BEFORE_ANNOUNCED
        keep(runs[i]);
        keep(announced[i]);
#else
#ifndef NO_ANNOUNCEMENT_KEPT
        keep(announced[i]);
#endif
#ifndef NO_RUNNING_KEPT
        keep(runs[i]);
#endif
#endif
        atomic { flush_due[i] = 1; i++ }
    :: else -> break
    od;
    i = 0
}

/* One of the identifiers that nobody has in this epoch; the allocator's order is one of them. */
inline find_free_locked(a)
{
    if
    :: !HAS(taken, 1) -> a = 1
    :: !HAS(taken, 2) -> a = 2
#if NUMBERS > 2
    :: !HAS(taken, 3) -> a = 3
#endif
    fi
}

inline assign(s)
{
    atomic { !asid_lock -> asid_lock = 1 }
    if
    :: tag_epoch[s] != epoch ->
        if
        :: taken != ALL_ASIDS -> skip /* numbers are left */
        :: epoch <= EPOCHS -> start_over_locked()
        fi;
        atomic {
            find_free_locked(asid);
            take(asid);
            asid_of[s] = asid;
            tag_epoch[s] = epoch;
            asid = 0
        }
    :: else -> skip
    fi;
    /* The unlock is a release. */
    atomic { epoch_is_late == 0 -> asid_lock = 0 }
}

/* Two loads, the tag first. */
inline is_of_this_epoch(s)
{
    atomic { x = tag_epoch[s] }
    atomic { current = (x == EPOCH_SEEN); x = 0 }
}

inline asid_announce(h, s)
{
    do
    ::
        is_of_this_epoch(s);
        if
        :: !current -> assign(s)
        :: else -> skip
        fi;
#ifndef NO_ANNOUNCEMENT
        announcing[h] = s;
#ifndef NO_ANNOUNCE_FENCE
        announcing[h] == 0; /* the fence */
#endif
#endif
#ifdef NO_SECOND_LOOK
        break
#else
        is_of_this_epoch(s);
        if
        :: current -> break
        :: else -> atomic { announcing[h] == 0 -> announced[h] = 0 }
        fi
#endif
    od;
    current = 0
}

inline asid_settle(h, s)
{
#ifdef WITHDRAW_BEFORE_RUNS
    atomic { announcing[h] == 0 -> announced[h] = 0 }
    runs[h] = s
#else
    runs[h] = s;
    atomic { announcing[h] == 0 -> announced[h] = 0 }
#endif
}

inline asid_take_flush(h)
{
#ifdef NO_EPOCH_FLUSH
    x = 0
#else
    atomic { x = flush_due[h]; flush_due[h] = 0 }
#endif
}

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

/* The store buffers drain by themselves. */
proctype buffers()
{
end:
    do
    :: drain_announcement(0)
    :: drain_announcement(1)
    :: drain_announcement(2)
    :: atomic { epoch_is_late -> epoch_is_late = 0 }
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
