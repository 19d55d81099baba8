/* SPDX-License-Identifier: MIT */
/*
 * Quiescence: when a detached table may be freed.  docs/coherence.md.
 *
 * There is one slot and two tables, one of which is linked in the slot.  Harts enter the kernel,
 * descend (load the slot, then touch the table found), detach, link, look after the detached table,
 * and leave to user mode or to wfi, as often and in any order.
 *
 * A hart's stores of its counter and of the slot pass through a buffer that drains at any moment,
 * oldest first, and a fence waits until it is empty; everything else is sequentially consistent.
 * So the two full fences have something to do here.
 *
 * Every switch (#ifdef) takes out one step; run.py shows that pan then finds an error.
 */
#define HARTS 3
#define NONE 2 /* no table */

mtype = { LINKED, DETACHED, FREE };

byte slot;           /* table in the slot, or NONE                         */
mtype state[2];      /* of the tables                                      */
byte waiting_for;    /* harts not yet seen even or changed                 */
bit busy;            /* lock of the list of detached tables; here one long */
bit node_lock;       /* lock of the node that holds the slot               */
#ifdef REACH_FREE_WHILE_ASLEEP
bit asleep[HARTS];
#endif

/* Counters as others see them.  Of a counter two things matter: whether it is odd, and whether it
 * has changed since the snapshot, while someone waits for it. */
bit odd[HARTS];
bit changed[HARTS];

/* The store buffers. */
#define NOTHING 255
#define SLOT_STORE 16 /* plus the value; a plain 0 or 1 is a counter's last bit */
byte first[HARTS] = NOTHING;
byte second[HARTS] = NOTHING;

inline store(h, what)
{
    atomic {
        second[h] == NOTHING;
        if
        :: first[h] == NOTHING -> first[h] = what
        :: else -> second[h] = what
        fi
    }
}

inline drain(h)
{
    d_step {
        first[h] != NOTHING;
        if
        :: first[h] >= SLOT_STORE -> slot = first[h] - SLOT_STORE
        :: else -> odd[h] = first[h]; changed[h] = ((waiting_for >> (h)) & 1)
        fi;
        first[h] = second[h];
        second[h] = NOTHING
    }
}

#define FENCE(h) (first[h] == NOTHING)

inline snapshot()
{
    waiting_for = waiting_for | 1;
    waiting_for = waiting_for | 2;
    waiting_for = waiting_for | 4
}

/* Takes the table out, and notes where every hart is. */
inline detach(h)
{
    atomic { node_lock == 0 && busy == 0 && slot != NONE && waiting_for == 0 -> node_lock = 1; busy = 1 }
    t = slot;
#ifdef SNAPSHOT_BEFORE_DETACH
    snapshot();
#endif
    store(h, SLOT_STORE + NONE);
    state[t] = DETACHED;
#ifndef NO_DETACH_FENCE
    FENCE(h);
#endif
#ifndef SNAPSHOT_BEFORE_DETACH
    snapshot();
#endif
#ifdef FREE_WITHOUT_QUIESCENCE
    atomic { state[t] = FREE; waiting_for = 0; changed[0] = 0; changed[1] = 0; changed[2] = 0 }
#endif
    (FENCE(h)); /* the unlock is a release */
    atomic { node_lock = 0; busy = 0; t = 0 }
}

inline link(h)
{
    atomic { node_lock == 0 && slot == NONE && (state[0] == FREE || state[1] == FREE) -> node_lock = 1 }
    atomic {
        t = (state[0] == FREE -> 0 : 1);
        state[t] = LINKED
    }
    store(h, SLOT_STORE + t);
    (FENCE(h));
    atomic { node_lock = 0; t = 0 }
}

#ifdef ANY_COUNTER_WILL_DO
#define HAS_PASSED(i) true
#else
#define HAS_PASSED(i) (!odd[i] || changed[i])
#endif

/* One look at one hart; the last one seen frees the table. */
inline look_after(i)
{
    atomic { busy == 0 && ((waiting_for >> (i)) & 1) == 1 && HAS_PASSED(i) -> busy = 1 }
    d_step { waiting_for = waiting_for & ~(1 << (i)); changed[i] = 0 }
    if
    :: waiting_for == 0 ->
        atomic {
            if
            :: state[0] == DETACHED -> state[0] = FREE
            :: else -> state[1] = FREE
            fi;
#ifdef REACH_FREE_WHILE_ASLEEP
            assert(!(asleep[1] && asleep[2]));
#endif
            busy = 0
        }
    :: else -> busy = 0
    fi
}

inline descend()
{
    t = slot;
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
        :: look_after(0)
        :: look_after(1)
        :: look_after(2)
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

/* The store buffers drain by themselves. */
proctype buffers()
{
end:
    do
    :: drain(0)
    :: drain(1)
    :: drain(2)
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
