/* SPDX-License-Identifier: MIT */
/*
 * Instructions: when a hart may still execute code that is no longer there.  docs/coherence.md; in C
 * space_word_dispatch_code, space_word_join and vm_space_icache_sync.
 *
 * There is one space.  Harts switch to it and away.  Two of them write code, each a line of its own,
 * and make it known: store, dispatch, fence.i here and there.  What an instruction cache could hold
 * is kept as the set of lines whose old contents it may have; it may fill at any moment, whatever the
 * hart runs, so the set is all lines that were written since the last fence.i.  No lock is held.
 *
 * The rise of the instructions' generation passes through a store buffer that drains at any moment,
 * at the latest with the hart's next read-modify-write; the rest is sequentially consistent.
 *
 * Every switch (#ifdef) takes out one step; run.py shows that pan then finds an error.
 */
#define HARTS 3
#define LINES 2 /* harts 0 and 1 write one each */
#define WRITES(h) ((h) == 0 -> 2 : 1) /* of its line */

#define HAS(set, i) ((((set) >> (i)) & 1) != 0)

byte running;          /* harts in the space's word                              */
byte code;             /* generation of the instructions                         */
byte rising;           /* 1 + hart in whose store buffer its last rise is        */
byte code_seen[HARTS]; /* by the hart: the generation at its last fence.i        */

bit user[HARTS];       /* the hart runs the space's program                      */
byte old[HARTS];       /* lines whose earlier contents the cache may hold        */
byte done;             /* lines whose last write has been made known: dispatched,
                          and the call has returned                              */

inline check()
{
    d_step {
        assert(!user[0] || (old[0] & done) == 0);
        assert(!user[1] || (old[1] & done) == 0);
        assert(!user[2] || (old[2] & done) == 0)
    }
}

inline fence_i(h)
{
    old[h] = 0
}

/* What hart h reads. */
#define CODE(h) ((rising == 0 || rising == (h) + 1) -> code : code - 1)

/* A later read-modify-write of this hart is a release. */
#define DRAIN(h) rising = (rising == (h) + 1 -> 0 : rising)

/* ---- mm/space_word.c ---- */

inline space_word_dispatch_code(h)
{
#ifdef WORD_BEFORE_CODE
    targets = running;
    atomic { code++; generation = code }
#else
#ifndef NO_CODE_GENERATION
    /* A read-modify-write reads the newest value, so whatever rose before is seen by now. */
    atomic { code++; rising = h + 1; generation = code }
#endif
#ifdef PLAIN_LOAD_OF_WORD
    targets = running
#else
    atomic { DRAIN(h); targets = running }
#endif
#endif
}

inline space_word_join(h)
{
#ifdef CODE_BEFORE_WORD
    generation = CODE(h);
    running = running | (1 << h);
#else
    atomic { DRAIN(h); running = running | (1 << h) }
    generation = CODE(h);
#endif
    atomic {
#ifdef NOTE_AT_LEAVE
        missed = (code_seen[h] != generation)
#else
        missed = (code_seen[h] != generation);
        code_seen[h] = generation;
#endif
        generation = 0
    }
}

inline space_word_leave(h)
{
#ifdef NOTE_AT_LEAVE
    atomic { running = running & ~(1 << h); code_seen[h] = CODE(h) }
#else
    running = running & ~(1 << h)
#endif
}

/* ---- mm/tlb.c, mm/vm_space.c ---- */

inline fence_hart(i)
{
    atomic { HAS(targets, i) -> fence_i(i); targets = targets & ~(1 << (i)) }
}

/* The hart itself first, then the others one after another. */
inline arch_icache_sync(h)
{
#ifdef NO_REMOTE_FENCE_I
    targets = 0;
#endif
#ifndef NO_LOCAL_FENCE_I
    atomic { fence_i(h); targets = targets & ~(1 << h) }
#endif
    do
    :: fence_hart(0)
    :: !HAS(targets, 0) && HAS(targets, 1) -> fence_hart(1)
    :: !HAS(targets, 0) && !HAS(targets, 1) && HAS(targets, 2) -> fence_hart(2)
    :: targets == 0 -> break
    od;
    targets = 0
}

/* The hart has a cursor, or has been asked by its program; it has just stored code. */
inline vm_space_icache_sync(h)
{
    space_word_dispatch_code(h);
#ifdef NO_LOCAL_FENCE_I
    targets = targets & ~(1 << h);
#endif
    if
    :: targets == 0 -> skip /* whoever joins will notice */
    :: else ->
        arch_icache_sync(h);
        code_seen[h] = generation
    fi;
    generation = 0
}

inline write_code(h)
{
    atomic {
        h < LINES && writes < WRITES(h) ->
            writes++;
            done = done & ~(1 << h);
            old[0] = old[0] | (1 << h);
            old[1] = old[1] | (1 << h);
            old[2] = old[2] | (1 << h);
            was_user = user[h];
            user[h] = 0 /* in the kernel */
    }
    vm_space_icache_sync(h);
    /* It returns. */
    atomic { done = done | (1 << h); user[h] = was_user; was_user = 0 }
    check()
}

inline activate(h)
{
    atomic { !user[h] && !HAS(running, h) }
    space_word_join(h);
#ifndef NO_JOIN_FENCE_I
    if
    :: atomic { missed -> fence_i(h); missed = 0 }
    :: atomic { !missed }
    fi;
#else
    missed = 0;
#endif
    user[h] = 1;
    check()
}

inline leave(h)
{
    atomic { user[h] -> user[h] = 0 }
    space_word_leave(h)
}

proctype hart(byte me)
{
    byte generation, targets, writes;
    bit missed, was_user;

end:
    do
    :: activate(me)
    :: leave(me)
    :: write_code(me)
    od
}

proctype buffers()
{
end:
    do
    :: atomic { rising != 0 -> rising = 0 }
    od
}

init
{
    d_step {
        /* Nobody has run the space: the first to do so fences, whatever it has seen. */
        code = 1
    }
    atomic {
        run hart(0);
        run hart(1);
        run hart(2);
        run buffers()
    }
}
