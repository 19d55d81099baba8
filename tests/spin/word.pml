/* SPDX-License-Identifier: MIT */
/*
 * The word of an address space: dispatch, leave, join; ASIDs and their rollover.  docs/coherence.md.
 *
 * Each space has one entry.  A hart in the kernel may switch to any space or to the kernel root
 * (space 0), and may unmap or map the entry of any space.  An entry is mapped at most ROUNDS times;
 * each time it names a frame of its own, so bit (space, round) stands for a translation and for the
 * frame behind it.
 *
 * tlb[hart, ASID] is all that the hart could have cached since the last fence: fills happen at once
 * and always.  What a TLB holds steers nobody, and a smaller set breaks no rule that the larger one
 * keeps, so this is every possible filling at once.
 *
 * Every switch (#ifdef) takes out one step; run.py shows that pan then finds an error.
 * Configurations: NO_ASIDS; SPACES, ROUNDS, DISPATCH (set of spaces whose entry changes), ROLLOVERS.
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
#ifndef ROLLOVERS
#define ROLLOVERS 0
#endif
#ifdef SWITCHES /* of hart 0, and OTHERS of each other hart, instead of any number */
#define MAY_SWITCH (switches < (me == 0 -> SWITCHES : OTHERS))
#define COUNT_SWITCH switches++
#else
#define MAY_SWITCH true
#define COUNT_SWITCH skip
#endif
#define HARTS 3
#define ALL_HARTS 7
#ifdef NO_ASIDS
#define ASIDS 1 /* zero for all */
#else
#define ASIDS (SPACES + 1) /* zero is the kernel root's */
#endif

#define HAS(set, i) ((((set) >> (i)) & 1) != 0)
#define TLB(h, a) tlb[(h)*ASIDS + (a)]
#define ENTRY(s, r) (1 << (((s)-1) * ROUNDS + (r)-1))
#define OF_SPACE(s) (((1 << ROUNDS) - 1) << (((s)-1) * ROUNDS))

/* The word of a space: both halves change in one atomic step.  Of the generation only one thing
 * matters, whether it is still the one a hart has seen; so it is kept as the set of harts for which
 * it is.  Raising it empties the set, and it never comes back to an old value. */
byte bits[SPACES + 1]; /* harts that run it                                     */
byte seen[SPACES + 1]; /* harts whose last seen generation is the present one   */

#ifdef NO_ASIDS
#define MY_ASID(s) 0
#define LATER(s) skip
#define SEEN(h, s) skip
#define OUTDATED(h, s) 0
#else
#define MY_ASID(s) (s)
#define LATER(s) seen[s] = 0
#define SEEN(h, s) seen[s] = seen[s] | (1 << (h))
#define OUTDATED(h, s) (!HAS(seen[s], h))
#endif

byte asid[SPACES + 1];
byte stamp[SPACES + 1]; /* rollover that `asid` was given or carried over in     */
byte rollover = 1;     /* number of the present rollover                        */
byte complete = 1;     /* last rollover whose survivors are all known           */
bit asid_lock;

byte pte[SPACES + 1];  /* round that is mapped; 0: invalid                      */
byte rounds[SPACES + 1];
bit node_lock[SPACES + 1];

byte space_of[HARTS];  /* satp: root                                            */
byte asid_of[HARTS];   /* satp: ASID                                            */
#ifdef FENCE_PER_ASID
byte seen_stamp[HARTS * (SPACES + 1)];
#endif
byte flushed[HARTS];   /* rollover after which the hart flushed all             */
bit user[HARTS];       /* not switching: its program may run                    */
byte tlb[HARTS * ASIDS];

byte forbidden;        /* translations that nobody may use any more             */
hidden byte i_;

/* No current translation is forbidden; a program meets only those of its own space. */
inline check()
{
    for (i_ : 0 .. HARTS - 1) {
        assert((TLB(i_, asid_of[i_]) & forbidden) == 0);
        if
        :: user[i_] && space_of[i_] == 0 -> skip
        :: user[i_] && space_of[i_] != 0 ->
            assert((TLB(i_, asid_of[i_]) & ~OF_SPACE(space_of[i_])) == 0)
        :: else -> skip
        fi
    }
    i_ = 0
}

inline fill(h)
{
    if
    :: space_of[h] != 0 && pte[space_of[h]] != 0 ->
        TLB(h, asid_of[h]) = TLB(h, asid_of[h]) | ENTRY(space_of[h], pte[space_of[h]])
    :: else -> skip
    fi
}

inline fence_asid(h, a)
{
    d_step { TLB(h, a) = 0; fill(h); check() }
}

inline fence_all(h)
{
    d_step {
        for (i_ : 0 .. ASIDS - 1) {
            TLB(h, i_) = 0
        }
        fill(h);
        check()
    }
}

inline write_satp(h, s, a)
{
    d_step { user[h] = 0; space_of[h] = s; asid_of[h] = a; fill(h); check() }
}

/* ---- join ---- */

inline word_join(h, s, due)
{
    d_step { due = OUTDATED(h, s); bits[s] = bits[s] | (1 << h); user[h] = 0 }
}

#ifdef CARRY_ANY
#define CARRIED(s, before) (bits[s] != 0)
#else
#define CARRIED(s, before) (bits[s] != 0 && stamp[s] == before)
#endif

inline carry_over(before)
{
    x = 1;
    do
    :: x <= SPACES ->
#ifndef ASID_CHANGED_WHILE_RUNNING
        atomic {
            if
            :: CARRIED(x, before) -> stamp[x] = before + 1
            :: else -> skip
            fi;
            x++
        }
#else
        x++
#endif
    :: else -> break
    od;
    x = 0
}

inline roll_over()
{
#ifdef SCAN_BEFORE_BUMP
    carry_over(rollover);
    atomic { rollover++; complete = rollover }
#else
#ifdef ONE_ROLLOVER_COUNTER
    atomic { rollover++; complete = rollover }
    carry_over(rollover - 1);
#else
    rollover++; /* from here on a hart that joins waits for the lock, or is seen by the scan */
    carry_over(rollover - 1);
    complete = rollover;
#endif
#endif
}

#define TAKEN_BY(s, a) (asid[s] == (a) && stamp[s] == rollover)
#if SPACES == 1
#define TAKEN(a) TAKEN_BY(1, a)
#elif SPACES == 2
#define TAKEN(a) (TAKEN_BY(1, a) || TAKEN_BY(2, a))
#else
#define TAKEN(a) (TAKEN_BY(1, a) || TAKEN_BY(2, a) || TAKEN_BY(3, a))
#endif

/* A new ASID for a space whose own is of an earlier rollover.  Under the lock. */
inline asid_give(s)
{
    atomic { asid_lock == 0 -> asid_lock = 1 }
    if
    :: stamp[s] == rollover -> skip /* another hart was here first, or it was carried over */
    :: stamp[s] != rollover ->
        if
        :: skip /* numbers are left */
        :: rollover <= ROLLOVERS -> roll_over()
        fi;
        atomic {
            if
            :: stamp[s] == rollover -> skip /* never, if only what is valid is carried over */
            :: stamp[s] != rollover && !TAKEN(1) -> asid[s] = 1
            :: stamp[s] != rollover && !TAKEN(2) -> asid[s] = 2
            :: stamp[s] != rollover && SPACES > 2 && !TAKEN(3) -> asid[s] = 3
            fi;
            stamp[s] = rollover
        }
    fi;
    asid_lock = 0
}

/* The ASID of a space this hart has joined, and the fences it owes before it may use it. */
inline asid_use(h, s, due, a)
{
#if ROLLOVERS == 0
    a = s;
    fence_if_due(h, due, a)
#else
#ifdef FLUSH_CHECK_BEFORE_ASID
    flush_if_rolled_over(h);
#endif
    atomic { x = stamp[s] }
    if
    :: atomic { x == rollover -> x = 0; a = asid[s] }
    :: atomic { x != rollover -> x = 0 } asid_give(s); a = asid[s]
    fi;
#ifdef FENCE_PER_ASID
    atomic {
        due = due || stamp[s] != seen_stamp[h * (SPACES + 1) + s];
        seen_stamp[h * (SPACES + 1) + s] = stamp[s]
    }
#else
#ifndef FLUSH_CHECK_BEFORE_ASID
    flush_if_rolled_over(h);
#endif
#endif
    fence_if_due(h, due, a)
#endif
}

inline flush_if_rolled_over(h)
{
#ifndef NO_ROLLOVER_FLUSH
    atomic { x = complete }
    if
    :: atomic { flushed[h] != x -> fence_all(h); flushed[h] = x; x = 0 }
    :: atomic { flushed[h] == x -> x = 0 }
    fi
#else
    skip
#endif
}

inline fence_if_due(h, due, a)
{
#if !defined(NO_JOIN_FENCE) && !defined(FENCE_AFTER_SATP)
    fence_late(h, due, a)
#else
    skip
#endif
}

inline fence_late(h, due, a)
{
    if
    :: atomic { due -> fence_asid(h, a); due = 0 }
    :: atomic { !due }
    fi
}

/* ---- leave ---- */

inline word_leave(h, s)
{
#ifdef NO_LEAVE
    skip
#else
#ifdef SPLIT_LEAVE
    bits[s] = bits[s] & ~(1 << h);
    SEEN(h, s)
#else
    d_step { bits[s] = bits[s] & ~(1 << h); SEEN(h, s) }
#endif
#endif
}

inline leave_unless_kernel(h, s)
{
    if
    :: s != 0 -> word_leave(h, s)
    :: else -> skip
    fi
}

/* ---- a switch of this hart to space s ---- */

inline space_activate(h, s)
{
#ifdef LEAVE_BEFORE_SATP
    leave_unless_kernel(h, old);
#endif
#ifdef NO_ASIDS
#ifndef JOIN_AFTER_SATP
    if
    :: s != 0 -> word_join(h, s, due)
    :: else -> skip
    fi;
#endif
#ifdef FENCE_BEFORE_SATP
    fence_all(h);
#endif
    write_satp(h, s, 0);
#ifdef LEAVE_BEFORE_FENCE
    leave_unless_kernel(h, old);
#endif
#ifndef FENCE_BEFORE_SATP
#ifndef NO_SWITCH_FENCE
    fence_all(h);
#endif
#endif
#ifdef JOIN_AFTER_SATP
    if
    :: s != 0 -> word_join(h, s, due)
    :: else -> skip
    fi;
#endif
#else
    if
    :: s != 0 ->
#ifdef JOIN_AFTER_SATP
        due = OUTDATED(h, s);
        asid_use(h, s, due, a);
        write_satp(h, s, a);
        word_join(h, s, due)
#else
        word_join(h, s, due);
        asid_use(h, s, due, a);
        write_satp(h, s, a)
#endif
#ifdef FENCE_AFTER_SATP
        ;
        fence_late(h, due, a)
#endif
    :: else -> write_satp(h, 0, 0)
    fi;
#endif
#ifndef LEAVE_BEFORE_SATP
#ifndef LEAVE_BEFORE_FENCE
    leave_unless_kernel(h, old);
#endif
#endif
    d_step { old = 0; due = 0; a = 0; user[h] = 1; check() }
}

/* ---- unmap and map of a space's entry ---- */

/* Harts that have left every space and do not switch: nothing may interrupt them. */
#define IDLE(h) (user[h] && space_of[h] == 0)

inline dispatch(s)
{
#ifdef ASID_BEFORE_WORD
    a = asid[s];
#endif
#ifndef WORD_BEFORE_ENTRY
    pte[s] = 0;
#endif
#ifdef SPLIT_DISPATCH
    LATER(s);
    targets = bits[s];
#else
    d_step {
#ifndef NO_GENERATION
        LATER(s);
#endif
        targets = bits[s];
        for (i_ : 0 .. HARTS - 1) {
            assert(!(HAS(targets, i_) && IDLE(i_)))
        }
        i_ = 0
    }
#endif
#ifdef WORD_BEFORE_ENTRY
    pte[s] = 0;
#endif
#ifdef FLUSH_AFTER_UNLOCK
    node_lock[s] = 0;
#endif
#ifdef FREE_BEFORE_FLUSH
    d_step { forbidden = forbidden | ENTRY(s, round); check() }
#endif
#ifndef ASID_BEFORE_WORD
#ifndef NO_ASIDS
    a = asid[s];
#endif
#endif
#ifdef NO_LOCAL_FENCE
    targets = targets & ~(1 << me);
#endif
#ifdef NO_REMOTE_FENCE
    targets = targets & (1 << me);
#endif
    do
    :: HAS(targets, 0) -> atomic { fence_asid(0, a); targets = targets & ~1 }
    :: !HAS(targets, 0) && HAS(targets, 1) -> atomic { fence_asid(1, a); targets = targets & ~2 }
    :: !HAS(targets, 0) && !HAS(targets, 1) && HAS(targets, 2) ->
        atomic { fence_asid(2, a); targets = targets & ~4 }
    :: targets == 0 -> break
    od;
    targets = 0;
    /* It returns: the frame is free. */
    d_step { forbidden = forbidden | ENTRY(s, round); check(); a = 0; round = 0 }
#ifdef REACH_STALE_HART
    /* Some hart that was not interrupted still holds the entry, under an ASID it does not run. */
    if
    :: asid[s] != 0 && ((TLB(0, asid[s]) & forbidden) != 0) -> assert(false)
    :: else -> skip
    fi
#endif
}

inline entry_change(s)
{
    if
    :: pte[s] != 0 ->
        round = pte[s];
        dispatch(s)
    :: pte[s] == 0 && rounds[s] < ROUNDS ->
        /* Maps another frame.  When this returns nobody may see an earlier one. */
        d_step {
            rounds[s]++;
            pte[s] = rounds[s];
            forbidden = forbidden | (OF_SPACE(s) & (ENTRY(s, rounds[s]) - 1));
            for (x : 0 .. HARTS - 1) {
                fill(x)
            }
            x = 0;
            check()
        }
    :: else -> skip
    fi;
#ifdef FLUSH_AFTER_UNLOCK
    round = 0
#else
    node_lock[s] = 0
#endif
}

inline switch_to(s)
{
    atomic { space_of[me] != s && MAY_SWITCH -> old = space_of[me]; user[me] = 0; COUNT_SWITCH }
    space_activate(me, s)
}

inline change_entry_of(s)
{
    /* (The last condition only spares states: there is nothing to do.) */
    atomic { HAS(DISPATCHERS, me) && node_lock[s] == 0 && (pte[s] != 0 || rounds[s] < ROUNDS) -> node_lock[s] = 1 }
    entry_change(s)
}

proctype hart(byte me)
{
    byte old, a, x, round, targets;
    bit due;
#ifdef SWITCHES
    byte switches;
#endif

end:
    do
    :: switch_to(0)
    :: switch_to(1)
#if SPACES > 1
    :: switch_to(2)
#endif
#if SPACES > 2
    :: switch_to(3)
#endif
#if DISPATCH & 2
    :: change_entry_of(1)
#endif
#if DISPATCH & 4
    :: change_entry_of(2)
#endif
    od
}

/* Hart h runs space s when the story begins. */
inline start_on(h, s)
{
    d_step {
        space_of[h] = s;
        asid_of[h] = MY_ASID(s);
        if
        :: s != 0 -> bits[s] = bits[s] | (1 << h)
        :: else -> skip
        fi;
        fill(h)
    }
}

init
{
    d_step {
        for (i_ : 1 .. SPACES) {
            pte[i_] = 1;
            rounds[i_] = 1;
            asid[i_] = MY_ASID(i_);
            seen[i_] = ALL_HARTS;
            stamp[i_] = 1
        }
        for (i_ : 0 .. HARTS - 1) {
            flushed[i_] = 1;
            user[i_] = 1
        }
        /* The last space has no ASID now; the one it had before was given to space 1. */
#if ROLLOVERS > 0
        stamp[SPACES] = 0;
        asid[SPACES] = 1;
#endif
        i_ = 0
    }
#if ROLLOVERS > 0
    if
    :: start_on(0, 0)
    :: start_on(0, 1)
#if SPACES > 2
    :: start_on(0, 2)
#endif
    fi;
    if
    :: start_on(1, 0)
    :: start_on(1, 1)
#if SPACES > 2
    :: start_on(1, 2)
#endif
    fi;
    if /* harts 1 and 2 are alike: one order of the two is enough */
    :: space_of[1] == 0 -> start_on(2, 0)
    :: space_of[1] <= 1 -> start_on(2, 1)
#if SPACES > 2
    :: start_on(2, 2)
#endif
    fi;
#endif
    atomic {
        run hart(0);
        run hart(1);
        run hart(2)
    }
}
