/* SPDX-License-Identifier: MIT */
/*
 * What word.pml and asid.pml share: spaces, their words, TLBs, and what takes a mapping away.
 *
 * Each space has one entry.  An entry is mapped at most ROUNDS times; each time it names a frame of
 * its own, so bit (space, round) stands for a translation and for the frame behind it.
 *
 * tlb[hart, ASID] is all that the hart could have cached since the last fence: fills happen at once
 * and always.  What a TLB holds steers nobody, and a smaller set breaks no rule that the larger one
 * keeps, so this is every possible filling at once.
 */
#define HARTS 3
#define ALL_HARTS 7

#define HAS(set, i) ((((set) >> (i)) & 1) != 0)
#define TLB(h, a) tlb[(h)*ASIDS + (a)]
#define ENTRY(s, r) (1 << (((s)-1) * ROUNDS + (r)-1))
#define OF_SPACE(s) (((1 << ROUNDS) - 1) << (((s)-1) * ROUNDS))

/* The word of a space (mm/space_word.c): both halves change in one atomic step.  Of the generation
 * only one thing matters, whether it is still the one a hart has seen; so it is kept as the set of
 * harts for which it is.  Raising it empties the set, and it never comes back to an old value. */
byte running[SPACES + 1]; /* harts that run it                                   */
byte seen[SPACES + 1];    /* harts whose last seen generation is the present one */

byte asid_of[SPACES + 1]; /* the identifier in the space's tag                   */

byte pte[SPACES + 1];     /* round that is mapped; 0: invalid                    */
byte rounds[SPACES + 1];
bit node_lock[SPACES + 1];

byte satp_space[HARTS];   /* satp: root; 0: the kernel's own                     */
byte satp_asid[HARTS];
bit user[HARTS];          /* not switching: its program may run                  */
byte tlb[HARTS * ASIDS];

byte forbidden;           /* translations that nobody may use any more           */
hidden byte i_;

/* The safety properties: no current translation is forbidden (its unmap has returned, so its frame
 * may be anybody's); a program meets only translations of its own space. */
inline check()
{
    for (i_ : 0 .. HARTS - 1) {
        assert((TLB(i_, satp_asid[i_]) & forbidden) == 0);
        if
        :: user[i_] && satp_space[i_] == 0 -> skip
        :: user[i_] && satp_space[i_] != 0 ->
            assert((TLB(i_, satp_asid[i_]) & ~OF_SPACE(satp_space[i_])) == 0)
        :: else -> skip
        fi
    }
    i_ = 0
}

inline fill(h)
{
    if
    :: satp_space[h] != 0 && pte[satp_space[h]] != 0 ->
        TLB(h, satp_asid[h]) = TLB(h, satp_asid[h]) | ENTRY(satp_space[h], pte[satp_space[h]])
    :: else -> skip
    fi
}

inline flush_asid(h, a)
{
    d_step { TLB(h, a) = 0; fill(h); check() }
}

inline flush_all(h)
{
    d_step {
        for (i_ : 0 .. ASIDS - 1) {
            TLB(h, i_) = 0
        }
        fill(h);
        check()
    }
}

inline arch_space_activate(h, s, a)
{
    d_step { user[h] = 0; satp_space[h] = s; satp_asid[h] = a; fill(h); check() }
}

/* ---- mm/space_word.c: join and leave ---- */

inline space_word_join(h, s, missed)
{
    d_step {
#ifndef NO_ASIDS
        missed = !HAS(seen[s], h);
#endif
        running[s] = running[s] | (1 << h)
    }
}

inline space_word_leave(h, s)
{
    if
    :: s != 0 ->
#ifdef NO_LEAVE
        skip
#else
#ifdef SPLIT_LEAVE
        running[s] = running[s] & ~(1 << h);
        seen[s] = seen[s] | (1 << h)
#else
        d_step {
            running[s] = running[s] & ~(1 << h);
#ifndef NO_ASIDS
            seen[s] = seen[s] | (1 << h)
#endif
        }
#endif
#endif
    :: else -> skip
    fi
}

/* ---- mm/tlb.c: tlb_pay, after the entry was stored ---- */

/* Harts that have left every space and do not switch: nothing may interrupt them. */
#define IDLE(h) (user[h] && satp_space[h] == 0)

inline space_word_dispatch(s)
{
#ifdef SPLIT_DISPATCH
    seen[s] = 0;
    targets = running[s]
#else
    d_step {
#ifndef NO_GENERATION
        seen[s] = 0;
#endif
        targets = running[s];
        for (i_ : 0 .. HARTS - 1) {
            assert(!(HAS(targets, i_) && IDLE(i_)))
        }
        i_ = 0
    }
#endif
}

/* The fences reach the harts in any order that the calls allow: the local one first, the rest one
 * after another. */
inline arch_tlb_flush(a)
{
#ifdef NO_LOCAL_FENCE
    targets = targets & ~(1 << me);
#endif
#ifdef NO_REMOTE_FENCE
    targets = targets & (1 << me);
#endif
    do
    :: HAS(targets, 0) -> atomic { flush_asid(0, a); targets = targets & ~1 }
    :: !HAS(targets, 0) && HAS(targets, 1) -> atomic { flush_asid(1, a); targets = targets & ~2 }
    :: !HAS(targets, 0) && !HAS(targets, 1) && HAS(targets, 2) ->
        atomic { flush_asid(2, a); targets = targets & ~4 }
    :: targets == 0 -> break
    od;
    targets = 0
}

/* Takes the mapped entry of s away, flushes, gives the frame back. */
inline unmap(s)
{
#ifdef ASID_BEFORE_WORD
    asid = asid_of[s];
#endif
#ifndef WORD_BEFORE_ENTRY
    pte[s] = 0;
#endif
    space_word_dispatch(s);
#ifdef WORD_BEFORE_ENTRY
    pte[s] = 0;
#endif
#ifdef UNLOCK_BEFORE_FLUSH
    node_lock[s] = 0;
#endif
#ifdef FREE_BEFORE_FLUSH
    d_step { forbidden = forbidden | ENTRY(s, round); check() }
#endif
#ifndef ASID_BEFORE_WORD
    asid = asid_of[s];
#endif
    arch_tlb_flush(asid);
    /* It returns: the frame is free. */
    d_step { forbidden = forbidden | ENTRY(s, round); check(); asid = 0; round = 0 }
#ifdef REACH_STALE_HART
    /* Some hart that was not interrupted still holds the entry, under an ASID it does not run. */
    if
    :: asid_of[s] != 0 && ((TLB(0, asid_of[s]) & forbidden) != 0) -> assert(false)
    :: else -> skip
    fi
#endif
}

/* Maps another frame: from invalid to valid, no flush.  When it returns nobody may see an earlier
 * one. */
inline map(s)
{
    d_step {
        rounds[s]++;
        pte[s] = rounds[s];
        forbidden = forbidden | (OF_SPACE(s) & (ENTRY(s, rounds[s]) - 1));
        for (i_ : 0 .. HARTS - 1) {
            fill(i_)
        }
        check()
    }
}

/* A cursor of this hart on the entry of s: opens, changes it, closes. */
inline change_entry_of(s)
{
    /* (The last condition only spares states: there is nothing to do.) */
    atomic {
        HAS(DISPATCHERS, me) && node_lock[s] == 0 && (pte[s] != 0 || rounds[s] < ROUNDS) ->
            node_lock[s] = 1
    }
    if
    :: pte[s] != 0 ->
        round = pte[s];
        unmap(s)
    :: pte[s] == 0 && rounds[s] < ROUNDS -> map(s)
    :: else -> skip
    fi;
#ifdef UNLOCK_BEFORE_FLUSH
    round = 0
#else
    node_lock[s] = 0
#endif
}

/* Hart h runs space s when the story begins. */
inline start_on(h, s, a)
{
    d_step {
        satp_space[h] = s;
        satp_asid[h] = a;
        user[h] = 1;
        if
        :: s != 0 -> running[s] = running[s] | (1 << h)
        :: else -> skip
        fi;
        fill(h)
    }
}

inline start_space(s, a)
{
    pte[s] = 1;
    rounds[s] = 1;
    asid_of[s] = a;
    seen[s] = ALL_HARTS
}
