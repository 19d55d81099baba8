/* SPDX-License-Identifier: MIT */
/*
 * Locks of page-table nodes: descent, covering node, stray and place check, detach, move, the open
 * of two ranges at once, and a second cursor on one hart.  docs/locking.md.
 *
 * Hart n does operations out of the set OPS_n, one after another in any order, and may stop after
 * each.  (So a circle of two that wait for each other is an invalid end state, whatever the third
 * does.)  An operation that must start again ends, and may be chosen anew.
 *
 * Moves of tables inside one space are here; between two spaces: relink.pml.
 *
 * Every switch (#ifdef) takes out one step; run.py shows that pan then finds an error.
 */
#define ANY (OPS_0 | OPS_1 | OPS_2)
#define MAY(op) HAS((me == 0 -> OPS_0 : (me == 1 -> OPS_1 : OPS_2)), op)

#include "lock_nodes.pml"
#include "lock_two.pml"

/* ---- operations ---- */

/* Step 4 for one page, below the covering node. */
inline lock_below(p)
{
    if
    :: lv == 2 && below[(p) >> 2] != 0 ->
        acquire(below[(p) >> 2]);
        lock_leaf(below[(p) >> 2], p)
    :: lv == 1 -> lock_leaf(at, p)
    :: else -> skip
    fi
}

/* One page, to change it or only to look. */
inline op_page(p, may_link)
{
    pt_descend(p, p + 1, may_link);
    if
    :: STOPPED -> skip
    :: else ->
        pt_lock_found(at, lv, p);
        if
        :: STOPPED -> skip
        :: else ->
            lock_below(p);
            own(p, p + 1);
            assert(at == AT(lv, p)); /* what it reads or changes is where the tree leads */
#ifdef REACH_SIDE_BY_SIDE
            assert(!(owned[0] && owned[2] && owned[4]));
#endif
            disown(p, p + 1)
        fi
    fi
}

/* [p, p + 2), a whole table: its node is detached. */
inline op_table(p)
{
    pt_descend(p, p + 2, true);
    if
    :: STOPPED -> skip
    :: else ->
        pt_lock_found(at, 1, p);
        if
        :: STOPPED -> skip
        :: else ->
            lock_leaf(at, p);
            own(p, p + 2);
            detach_leaf(at, p);
            disown(p, p + 2)
        fi
    fi
}

/* [1, 3): two tables under one covering node; nothing is changed but pages. */
inline op_span()
{
    pt_descend(1, 3, true);
    if
    :: STOPPED -> skip
    :: else ->
        pt_lock_found(at, 1, 1);
        if
        :: STOPPED -> skip
        :: else ->
            lock_leaf(at, 1);
            lock_leaf(at, 2);
            own(1, 3);
            assert(at == AT_1(1));
            disown(1, 3)
        fi
    fi
}

/* [0, 4): the root covers it; a node of level 1 is detached with all below. */
inline op_half()
{
    pt_lock_found(0, 2, 0);
    lock_half(0);
    own(0, 4);
    detach_half(0);
    disown(0, 4)
}

/* A cursor on page p, and while it is open a second one on page q.  Both only look. */
inline op_second(p, q)
{
    pt_descend(p, p + 1, false);
    pt_lock_found(at, lv, p);
    if
    :: STOPPED -> skip
    :: else ->
        lock_below(p);
        own(p, p + 1);
        hold_end = p + 1;
        pt_descend(q, q + 1, false);
        pt_lock_found(at, lv, q);
        if
        :: STOPPED -> skip
        :: else ->
            lock_below(q);
            own(q, q + 1);
            assert(at == AT(lv, q));
#ifdef REACH_SECOND
            assert(false);
#endif
            disown(q, q + 1)
        fi;
        disown(p, p + 1)
    fi
}

inline op_begin()
{
    working = working | (1 << me)
}

/* Lets go of all.  What this hart knew of detached nodes it has forgotten. */
inline op_end()
{
    release_all();
    d_step {
        working = working & ~(1 << me);
        for (i_ : 1 .. NODES - 1) {
            known_by[i_] = known_by[i_] & ~(1 << me)
        }
        i_ = 0;
        at = 0;
        at2 = 0;
        lv = 0;
        c = 0;
        c2 = 0;
        again = 0;
        failed = 0;
        refused = 0
    }
}

proctype hart(byte me)
{
    byte at, at2, lv, c, c2, held, hold_end;
    bit again, failed, refused;

    do
#if ANY & 1
    :: atomic { MAY(0) -> op_begin() } op_page(0, true); op_end()
#endif
#if ANY & 2
    :: atomic { MAY(1) -> op_begin() } op_page(0, false); op_end()
#endif
#if ANY & 4
    :: atomic { MAY(2) -> op_begin() } op_table(0); op_end()
#endif
#if ANY & 8
    :: atomic { MAY(3) -> op_begin() } op_span(); op_end()
#endif
#if ANY & 16
    :: atomic { MAY(4) -> op_begin() } op_half(); op_end()
#endif
#if ANY & 32
    :: atomic { MAY(5) -> op_begin() } op_move(0, 4); op_end()
#endif
#if ANY & 64
    :: atomic { MAY(6) -> op_begin() } op_move(4, 0); op_end()
#endif
#if ANY & 128
    :: atomic { MAY(7) -> op_begin() } op_move(2, 0); op_end()
#endif
#if ANY & 256
    :: atomic { MAY(8) -> op_begin() } op_nested(); op_end()
#endif
#if ANY & 512
    :: atomic { MAY(9) -> op_begin() } op_move_half(0, 4); op_end()
#endif
#if ANY & 1024
    :: atomic { MAY(10) -> op_begin() } op_move_half(4, 0); op_end()
#endif
#if ANY & 2048
    :: atomic { MAY(11) -> op_begin() } op_page(4, true); op_end()
#endif
#if ANY & 4096
    :: atomic { MAY(12) -> op_begin() } op_page(2, true); op_end()
#endif
#if ANY & 8192
    :: atomic { MAY(13) -> op_begin() } op_second(0, 2); op_end()
#endif
#if ANY & 16384
    :: atomic { MAY(14) -> op_begin() } op_second(2, 0); op_end()
#endif
#if ANY & 32768
    :: atomic { MAY(15) -> op_begin() } op_second(2, 4); op_end()
#endif
    :: break
    od
}

init
{
    d_step {
        /* One leaf at page 0, and the way to it; the rest is free. */
        below[0] = 1;
        below[2] = 3;
        stray[2] = 1;
        for (i_ : 4 .. NODES - 1) {
            stray[i_] = 1
        }
        i_ = 0
    }
    atomic {
        run hart(0);
        run hart(1);
        run hart(2)
    }
}
