/* SPDX-License-Identifier: MIT */
/*
 * Quiescence: when a detached table may be freed.  docs/coherence.md; in C mm/reclaim.c, and the
 * counters in arch/riscv64/trap_entry.S.
 *
 * There is one slot and two tables, one of which is linked in the slot.  Harts enter the kernel,
 * descend (load the slot, then touch the table found), detach and park, link, reap, and leave to
 * user mode or to wfi, as often and in any order.
 *
 * A hart's stores of its counter and of the slot, and its unlocks of the list, pass through a buffer
 * that drains at any moment, oldest first; a fence waits until it is empty.  A hart that takes a
 * lock again which it has let go of sees its own unlock in the buffer.  Everything else is
 * sequentially consistent.
 *
 * Every switch (#ifdef) takes out one step; run.py shows that pan then finds an error.
 */
#define HARTS 3
#define NONE 2 /* no table */

mtype = { LINKED, DETACHED, PARKED, WAITING, PAST, FREE };

byte slot;           /* table in the slot, or NONE                            */
mtype state[2];      /* of the tables; from PARKED on, the list it stands in  */
byte behind;         /* harts not seen even or changed since the snapshot     */
byte reclaim_lock;   /* 1 + hart that holds it                                */
bit node_lock;       /* lock of the node that holds the slot                  */
#ifdef REACH_FREE_WHILE_ASLEEP
bit asleep[HARTS];
#endif

/* Counters as others see them.  Of a counter two things matter: whether it is odd, and whether it
 * has changed since the snapshot, while the hart is behind. */
bit odd[HARTS];
bit changed[HARTS];

#define ANY_IN(list) (state[0] == list || state[1] == list)

#include "quiescence_buffers.pml"

/* ---- mm/reclaim.c ---- */

inline reclaim_park(h)
{
    acquire(h);
#ifdef PARK_INTO_WAITING
    state[t] = (ANY_IN(WAITING) -> WAITING : PARKED);
#else
#ifdef FREE_WITHOUT_QUIESCENCE
    state[t] = PAST;
#else
    state[t] = PARKED;
#endif
#endif
    store(h, UNLOCK)
}

inline move_list(from, to)
{
    d_step {
        if
        :: state[0] == from -> state[0] = to
        :: else -> skip
        fi;
        if
        :: state[1] == from -> state[1] = to
        :: else -> skip
        fi
    }
}

inline note_counter(i)
{
    d_step { changed[i] = 0; behind = behind | (1 << (i)) }
}

inline take_snapshot_locked(h)
{
    move_list(PARKED, WAITING);
#ifndef NO_SNAPSHOT_FENCE
    FENCE(h);
#endif
    note_counter(0);
    note_counter(1);
    note_counter(2)
}

#ifdef ANY_COUNTER_WILL_DO
#define HAS_PASSED(h, i) true
#else
#ifdef ODD_WILL_DO
#define HAS_PASSED(h, i) ((i) == (h) || odd[i] || changed[i])
#else
#define HAS_PASSED(h, i) ((i) == (h) || !odd[i] || changed[i])
#endif
#endif

inline look_at(h, i)
{
    d_step {
        if
        :: ((behind >> (i)) & 1) == 1 && HAS_PASSED(h, i) ->
            behind = behind & ~(1 << (i));
            changed[i] = 0
        :: else -> skip
        fi
    }
}

inline advance_locked(h)
{
    if
    :: !ANY_IN(WAITING) && ANY_IN(PARKED) -> take_snapshot_locked(h)
    :: else -> skip
    fi;
    if
    :: ANY_IN(WAITING) ->
        look_at(h, 0);
        look_at(h, 1);
        look_at(h, 2);
        if
        :: behind == 0 -> move_list(WAITING, PAST)
        :: else -> skip
        fi
    :: else -> skip
    fi
}

/* One table at most; the hart is in no descent. */
inline vm_space_reap(h)
{
    atomic { ANY_IN(PARKED) || ANY_IN(WAITING) || ANY_IN(PAST) }
    acquire(h);
    if
    :: !ANY_IN(PAST) -> advance_locked(h)
    :: else -> skip
    fi;
    atomic {
        if
        :: state[0] == PAST -> state[0] = FREE
        :: state[1] == PAST -> state[1] = FREE
        :: else -> skip
        fi;
#ifdef REACH_FREE_WHILE_ASLEEP
        assert(!(asleep[1] && asleep[2] && ANY_IN(FREE) && h == 0))
#endif
    }
    store(h, UNLOCK)
}

/* ---- what a hart does in the kernel ---- */

/* Takes the table out and parks it; what a node's lock guards is seen before the lock is free. */
inline detach(h)
{
    atomic { node_lock == 0 && slot != NONE -> node_lock = 1; t = slot }
#ifdef PARK_BEFORE_DETACH
    reclaim_park(h);
    store(h, SLOT_STORE + NONE);
#else
    atomic { store(h, SLOT_STORE + NONE); state[t] = DETACHED }
    reclaim_park(h);
#endif
    t = 0
}

inline link(h)
{
    atomic {
        node_lock == 0 && slot == NONE && ANY_IN(FREE) ->
            node_lock = 1;
            t = (state[0] == FREE -> 0 : 1);
            state[t] = LINKED
    }
    store(h, SLOT_STORE + t);
    t = 0
}

inline descend()
{
    load_slot(me);
    if
    :: t != NONE ->
        assert(state[t] != FREE); /* touches it */
        t = 0
    :: else -> t = 0
    fi
}

proctype hart(byte me)
{
    byte t;

end:
    do
    :: /* user mode, or about to sleep: the counter is even */
#ifdef REACH_FREE_WHILE_ASLEEP
        if
        :: skip
        :: asleep[me] = 1; asleep[me] = 0
        fi;
#endif
#ifndef NO_COUNT
        store(me, 1);
#endif
#ifndef NO_KERNEL_ENTRY_FENCE
        FENCE(me);
#endif
        do
        :: descend()
        :: detach(me)
        :: link(me)
        :: vm_space_reap(me)
        :: break
        od;
#ifdef EVEN_BEFORE_LAST_DESCENT
        store(me, 0);
        descend()
#else
#ifndef NO_COUNT
        store(me, 0)
#endif
#endif
    od
}

init
{
    atomic {
        slot = 0;
        state[0] = LINKED;
        state[1] = FREE;
        run hart(0);
        run hart(1);
        run hart(2);
        run buffers()
    }
}
