/* SPDX-License-Identifier: MIT */
/*
 * Locks of page-table nodes: descent, covering node, stray and place check, detach, move, and the
 * open of two ranges at once.  docs/coherence.md; the protocol in C is mm/pt_lock.c.
 *
 *   level 2   root (node 0)            8 pages: a root of two entries, nodes of two entries
 *   level 1   nodes 1 and 2            each node may be linked anywhere at its level, be detached,
 *   level 0   nodes 3 and 4 (and 5)    and be used again once no descent can know it
 *
 * Hart n does operations out of the set OPS_n, one after another in any order, and may stop after
 * each.  (So a circle of two that wait for each other is an invalid end state, whatever the third
 * does.)  An operation that must start again ends, and may be chosen anew.
 *
 * Every switch (#ifdef) takes out one step; run.py shows that pan then finds an error.
 */
#define ANY (OPS_0 | OPS_1 | OPS_2)
#define MAY(op) HAS((me == 0 -> OPS_0 : (me == 1 -> OPS_1 : OPS_2)), op)
#ifndef LEAVES
#define LEAVES 2
#endif
#define HARTS 3
#define NODES (3 + LEAVES)
#define PAGES 8

#define HAS(set, i) ((((set) >> (i)) & 1) != 0)
#define FIRST_OF(lv) ((lv) == 1 -> 1 : 3)
#define LAST_OF(lv) ((lv) == 1 -> 2 : NODES - 1)
#define BASE(lv, p) ((lv) == 2 -> 0 : ((p) >> ((lv) + 1)) << ((lv) + 1))
#define INDEX(lv, p) (((p) >> (lv)) & 1)
#define BELOW(n, lv, p) below[(n)*2 + INDEX(lv, p)] /* the entry of node n, of level lv, for page p */

/* One entry of `lv` holds the range and more. */
#define FITS(lv, lo, hi) ((lo) >> (lv) == ((hi)-1) >> (lv) && (hi) - (lo) < (1 << (lv)))

/* Where the tree leads, for those who look from outside. */
#define AT_1(p) below[(p) >> 2]
#define AT_0(p) (AT_1(p) == 0 -> 0 : BELOW(AT_1(p), 1, p))
#define AT(lv, p) ((lv) == 2 -> 0 : ((lv) == 1 -> AT_1(p) : AT_0(p)))

byte below[3 * 2];     /* entries of nodes 0 to 2: a node, or 0          */
byte base[NODES];      /* recorded place: first page                     */
bit stray[NODES];
bit lock[NODES];
byte known_by[NODES];  /* harts that may have met the detached node      */
bit owned[PAGES];      /* a cursor is open on the page                   */
byte working;          /* harts inside an operation                      */
hidden byte i_;

#ifdef NO_STRAY_CHECK
#define NOT_STRAY(n) true
#else
#define NOT_STRAY(n) (!stray[n])
#endif
#ifdef NO_PLACE_CHECK
#define IN_PLACE(n, lv, p) NOT_STRAY(n)
#else
#define IN_PLACE(n, lv, p) (NOT_STRAY(n) && base[n] == BASE(lv, p))
#endif

inline acquire(n)
{
    atomic { !lock[n] -> lock[n] = 1; held = held | (1 << (n)) }
}

inline release_all()
{
    d_step {
        for (i_ : 0 .. NODES - 1) {
            if
            :: HAS(held, i_) -> lock[i_] = 0
            :: else -> skip
            fi
        }
        held = 0;
        i_ = 0
    }
}

/* ---- steps 1 and 2: the covering node of [lo, hi), not locked: at, lv ---- */

/* A fresh node for page p below `at`, which is locked. */
inline node_link(p)
{
    if
    :: atomic { lv == 2 && stray[1] && known_by[1] == 0 && !lock[1] -> c = 1; stray[1] = 0 }
    :: atomic { lv == 2 && stray[2] && known_by[2] == 0 && !lock[2] -> c = 2; stray[2] = 0 }
    :: atomic { lv == 1 && stray[3] && known_by[3] == 0 && !lock[3] -> c = 3; stray[3] = 0 }
    :: atomic { lv == 1 && stray[4] && known_by[4] == 0 && !lock[4] -> c = 4; stray[4] = 0 }
#if LEAVES > 2
    :: atomic { lv == 1 && stray[5] && known_by[5] == 0 && !lock[5] -> c = 5; stray[5] = 0 }
#endif
    :: else -> failed = 1 /* no memory */
    fi;
    if
    :: failed -> skip
    :: else ->
        d_step {
            base[c] = BASE(lv - 1, p);
            if
            :: lv == 2 -> below[c * 2] = 0; below[c * 2 + 1] = 0
            :: else -> skip
            fi;
            BELOW(at, lv, p) = c;
            c = 0
        }
    fi
}

inline descend(lo, hi, may_link)
{
    d_step { at = 0; lv = 2 }
    do
    :: failed || again || lv == 0 || !FITS(lv, lo, hi) -> break
    :: else ->
        atomic { c = BELOW(at, lv, lo) }
        if
        :: atomic { c != 0 -> at = c; lv--; c = 0 }
        :: c == 0 && !(may_link) -> break
        :: c == 0 && (may_link) ->
            acquire(at);
            if
#ifndef NO_CHECK_WHEN_LINKING
            :: !IN_PLACE(at, lv, lo) -> again = 1
#endif
            :: else ->
                if
                :: BELOW(at, lv, lo) == 0 ->
                    assert(at == AT(lv, lo)); /* changes an entry: only where the tree leads */
                    node_link(lo)
                :: else -> skip
                fi
            fi;
            release_all()
        fi
    od
}

/* ---- steps 3 and 4 ---- */

inline lock_cover(n, lv, p)
{
#ifdef CHECK_BEFORE_LOCK
    again = !IN_PLACE(n, lv, p);
    acquire(n)
#else
    acquire(n);
    again = !IN_PLACE(n, lv, p)
#endif
}

/* The child of a locked node of level 1 that holds page p, if there is one. */
inline lock_leaf(n, p)
{
#ifndef CHILDREN_NOT_LOCKED
    if
    :: BELOW(n, 1, p) != 0 -> acquire(BELOW(n, 1, p))
    :: else -> skip
    fi
#else
    skip
#endif
}

/* The child of the locked root that holds page p, and its children. */
inline lock_half(p)
{
    if
    :: below[(p) >> 2] != 0 ->
#ifdef CHILD_BEFORE_PARENT
        lock_leaf(below[(p) >> 2], p);
        lock_leaf(below[(p) >> 2], p + 2);
        acquire(below[(p) >> 2])
#else
        acquire(below[(p) >> 2]);
        lock_leaf(below[(p) >> 2], p);
        lock_leaf(below[(p) >> 2], p + 2)
#endif
    :: else -> skip
    fi
}

inline own(lo, hi)
{
    d_step {
        for (i_ : (lo) .. (hi)-1) {
            assert(!owned[i_]); /* overlapping cursors exclude each other */
            owned[i_] = 1
        }
        i_ = 0
    }
}

inline disown(lo, hi)
{
    d_step {
        for (i_ : (lo) .. (hi)-1) {
            owned[i_] = 0
        }
        i_ = 0
    }
}

/* ---- changes, under the locks ---- */

inline detach_leaf(n, p)
{
    if
    :: BELOW(n, 1, p) != 0 ->
        atomic { c = BELOW(n, 1, p); assert(HAS(held, n) && HAS(held, c) && n == AT_1(p)) }
        BELOW(n, 1, p) = 0;
        atomic { stray[c] = 1; known_by[c] = working; c = 0 }
    :: else -> skip
    fi
}

inline detach_half(p)
{
    if
    :: AT_1(p) != 0 ->
        atomic { at = AT_1(p); assert(HAS(held, 0) && HAS(held, at)); c = AT_0(p); c2 = AT_0(p + 2) }
        below[(p) >> 2] = 0;
        d_step {
            stray[at] = 1;
            known_by[at] = working;
            if
            :: c != 0 -> assert(HAS(held, c)); stray[c] = 1; known_by[c] = working
            :: else -> skip
            fi;
            if
            :: c2 != 0 -> assert(HAS(held, c2)); stray[c2] = 1; known_by[c2] = working
            :: else -> skip
            fi;
            c = 0;
            c2 = 0
        }
    :: else -> skip
    fi
}

/* The table of page s under node n goes to page d under node n2. */
inline move_leaf(n, s, n2, d)
{
    detach_leaf(n2, d);
    if
    :: BELOW(n, 1, s) != 0 ->
        atomic {
            c = BELOW(n, 1, s);
            assert(HAS(held, n) && HAS(held, n2) && HAS(held, c));
            assert(n == AT_1(s) && n2 == AT_1(d));
            BELOW(n, 1, s) = 0
        }
        base[c] = d;
        atomic { BELOW(n2, 1, d) = c; c = 0 }
    :: else -> skip
    fi
}

inline move_half(s, d)
{
    detach_half(d);
    if
    :: AT_1(s) != 0 ->
        atomic { at = AT_1(s); c = AT_0(s); c2 = AT_0(s + 2); below[(s) >> 2] = 0 }
        base[at] = d;
#ifndef MOVE_TOP_ONLY
        d_step {
            if
            :: c != 0 -> base[c] = d
            :: else -> skip
            fi;
            if
            :: c2 != 0 -> base[c2] = d + 2
            :: else -> skip
            fi
        }
#endif
        atomic { below[(d) >> 2] = at; at = 0; c = 0; c2 = 0 }
    :: else -> skip
    fi
}

/* ---- operations ---- */

/* One page, to change it or only to look. */
inline op_page(p, may_link)
{
    descend(p, p + 1, may_link);
    if
    :: failed || again -> skip
    :: else ->
        lock_cover(at, lv, p);
        if
        :: again -> skip
        :: else ->
            if
            :: lv == 2 -> lock_half_of_page(p)
            :: lv == 1 -> lock_leaf(at, p)
            :: else -> skip
            fi;
            own(p, p + 1);
            assert(at == AT(lv, p)); /* what it reads or changes is where the tree leads */
#ifdef REACH_SIDE_BY_SIDE
            assert(!(owned[0] && owned[2] && owned[4]));
#endif
            disown(p, p + 1)
        fi
    fi
}

/* Below the root only what intersects one page. */
inline lock_half_of_page(p)
{
    if
    :: below[(p) >> 2] != 0 ->
        acquire(below[(p) >> 2]);
        lock_leaf(below[(p) >> 2], p)
    :: else -> skip
    fi
}

/* [p, p + 2), a whole table: its node is detached. */
inline op_table(p)
{
    descend(p, p + 2, true);
    if
    :: failed || again -> skip
    :: else ->
        lock_cover(at, 1, p);
        if
        :: again -> skip
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
    descend(1, 3, true);
    if
    :: failed || again -> skip
    :: else ->
        lock_cover(at, 1, 1);
        if
        :: again -> skip
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
    lock_cover(0, 2, 0);
    lock_half(0);
    own(0, 4);
    detach_half(0);
    disown(0, 4)
}

/* Two ranges of a table each, at s and d: tables linked for both first, nothing held across. */
inline op_move(s, d)
{
    descend(s, s + 2, true);
    at2 = at;
    if
    :: !failed && !again -> descend(d, d + 2, true)
    :: else -> skip
    fi;
    if
    :: failed || again -> skip
    :: else ->
        if
        :: at == at2 ->
            lock_cover(at, 1, s);
            if
            :: again -> skip
            :: else ->
                lock_leaf(at, (s < d -> s : d));
                lock_leaf(at, (s < d -> d : s))
            fi
#ifdef ARGUMENT_ORDER
        :: at != at2 ->
#else
        :: at != at2 && s > d ->
            lock_cover(at, 1, d);
            if
            :: again -> skip
            :: else -> lock_leaf(at, d); lock_cover(at2, 1, s)
            fi;
            if
            :: again -> skip
            :: else -> lock_leaf(at2, s)
            fi
        :: at != at2 && s < d ->
#endif
            lock_cover(at2, 1, s);
            if
            :: again -> skip
            :: else -> lock_leaf(at2, s); lock_cover(at, 1, d)
            fi;
            if
            :: again -> skip
            :: else -> lock_leaf(at, d)
            fi
        fi;
        if
        :: again -> skip
        :: else ->
            own(s, s + 2);
            own(d, d + 2);
            move_leaf(at2, s, at, d);
            disown(s, s + 2);
            disown(d, d + 2)
        fi
    fi
}

/* Two ranges one of whose covering nodes lies below the other: [0, 1) and [2, 4). */
inline op_nested()
{
    descend(0, 1, true);
    at2 = at;
    if
    :: !failed && !again -> descend(2, 4, true)
    :: else -> skip
    fi;
    if
    :: failed || again -> skip
    :: else ->
#ifdef RANGE_BY_RANGE
        lock_cover(at2, 0, 0);
        if
        :: again -> skip
        :: else -> lock_cover(at, 1, 2)
        fi;
#else
        lock_cover(at, 1, 2);
        if
        :: again -> skip
        :: BELOW(at, 1, 0) != at2 && !again -> again = 1 /* absent, or another by now */
        :: else -> acquire(at2)
        fi;
#endif
        if
        :: again -> skip
        :: else ->
            lock_leaf(at, 2);
            own(0, 1);
            own(2, 4);
            assert(at == AT_1(0) && at2 == AT_0(0));
            disown(0, 1);
            disown(2, 4)
        fi
    fi
}

/* [s, s + 4) to [d, d + 4): the root covers both, a node moves with those below it. */
inline op_move_half(s, d)
{
    lock_cover(0, 2, 0);
    lock_half(0);
    lock_half(4);
    own(0, 8);
    move_half(s, d);
    disown(0, 8)
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
        failed = 0
    }
}

proctype hart(byte me)
{
    byte at, at2, lv, c, c2, held;
    bit again, failed;

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
