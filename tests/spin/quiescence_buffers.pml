/* SPDX-License-Identifier: MIT */
/*
 * The store buffers of quiescence.pml: three entries for each hart, which come out in the order in
 * which they went in.
 */
#define NOTHING 255
#define UNLOCK 8      /* of reclaim_lock                                           */
#define SLOT_STORE 16 /* plus the value; a plain 0 or 1 is a counter's last bit    */
byte first[HARTS] = NOTHING;
byte second[HARTS] = NOTHING;
byte third[HARTS] = NOTHING;

inline store(h, what)
{
    atomic {
        third[h] == NOTHING;
        if
        :: first[h] == NOTHING -> first[h] = what
        :: first[h] != NOTHING && second[h] == NOTHING -> second[h] = what
        :: else -> third[h] = what
        fi
    }
}

inline shift_from_second(h)
{
    second[h] = third[h];
    third[h] = NOTHING
}

inline drain(h)
{
    d_step {
        first[h] != NOTHING;
        if
        :: first[h] >= SLOT_STORE -> slot = first[h] - SLOT_STORE; node_lock = 0
        :: first[h] == UNLOCK -> reclaim_lock = 0
        :: else -> odd[h] = first[h]; changed[h] = ((behind >> (h)) & 1)
        fi;
        first[h] = second[h];
        shift_from_second(h)
    }
}

#define FENCE(h) (first[h] == NOTHING)

/* A lock that this hart has just let go of may be taken again while the unlock is in the buffer.  It
 * is the first or the second entry then, and so is a store of the slot: only a counter goes behind
 * both. */
inline acquire(h)
{
    if
    :: atomic { reclaim_lock == 0 -> reclaim_lock = h + 1 }
    :: atomic { reclaim_lock == h + 1 && first[h] == UNLOCK -> first[h] = second[h]; shift_from_second(h) }
    :: atomic { reclaim_lock == h + 1 && second[h] == UNLOCK -> shift_from_second(h) }
    fi
}

#define IS_SLOT_STORE(x) ((x) >= SLOT_STORE && (x) != NOTHING)

/* A load of the slot; the hart's own store is seen by itself at once.  (There is one at most: the
 * node's lock comes free with it.) */
inline load_slot(h)
{
    atomic {
        if
        :: IS_SLOT_STORE(first[h]) -> t = first[h] - SLOT_STORE
        :: IS_SLOT_STORE(second[h]) -> t = second[h] - SLOT_STORE
        :: else -> t = slot
        fi
    }
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
