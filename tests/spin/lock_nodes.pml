/* SPDX-License-Identifier: MIT */
/*
 * What lock.pml rests on: a tree of nodes, and the lock protocol.  In C mm/pt_descend.c and
 * mm/pt_lock.c; names are the same where a step is the same.
 *
 *   level 2   root (node 0)            8 pages: a root of two entries, nodes of two entries
 *   level 1   nodes 1 and 2            each node may be linked anywhere at its level, be detached,
 *   level 0   nodes 3 and 4 (and 5)    and be used again once no descent can know it
 *                                      (quiescence.pml shows how that is known)
 */
#ifndef LEAVES
#define LEAVES 2
#endif
#define HARTS 3
#define NODES (3 + LEAVES)
#define PAGES 8

#define HAS(set, i) ((((set) >> (i)) & 1) != 0)
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

inline release(n)
{
    atomic { lock[n] = 0; held = held & ~(1 << (n)) }
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
        hold_end = 0;
        i_ = 0
    }
}

/* mm/pt_order.c: this hart holds nodes for pages up to hold_end, with another cursor. */
#ifdef NO_ORDER_CHECK
#define PT_ORDER_ALLOWS(lv, p) true
#else
#define PT_ORDER_ALLOWS(lv, p) (BASE(lv, p) >= hold_end)
#endif

/* ---- step 3 ---- */

/* Takes the lock of what the descent for page p has found.  A hart that holds nodes does not wait for
 * it where it was found: it looks again and again, and goes on when the lock is free or something
 * else stands at its place. */
inline lock_node(n, lv, p)
{
#ifdef WAIT_WHERE_FOUND
    acquire(n)
#else
    if
    :: held == 0 -> acquire(n)
    :: else ->
        if
        :: atomic { !lock[n] -> lock[n] = 1; held = held | (1 << (n)) }
        :: atomic { lock[n] && AT(lv, p) != n -> again = 1 }
        fi
    fi
#endif
}

/* Locks what the descent for page p has found.  again: it is not in place; refused: EDEADLK. */
inline pt_lock_found(n, lv, p)
{
    if
    :: !PT_ORDER_ALLOWS(lv, p) -> refused = 1
    :: else ->
#ifdef CHECK_BEFORE_LOCK
        again = !IN_PLACE(n, lv, p);
        acquire(n)
#else
        lock_node(n, lv, p);
        again = again || !IN_PLACE(n, lv, p)
#endif
    fi
}

/* ---- steps 1 and 2: the covering node of [lo, hi), not locked: at, lv ---- */

/* A fresh node for page p below `at`, which is locked. */
inline pt_node_create(p)
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

/* Puts an empty node below `at` where the descent found nothing. */
inline link_child(p)
{
#ifdef NO_CHECK_WHEN_LINKING
    acquire(at);
#else
    pt_lock_found(at, lv, p);
#endif
    if
    :: !again && !refused && BELOW(at, lv, p) == 0 ->
        assert(at == AT(lv, p)); /* changes an entry: only where the tree leads */
        pt_node_create(p)
    :: else -> skip
    fi;
    if
    :: HAS(held, at) -> release(at)
    :: else -> skip
    fi
}

#define STOPPED (failed || again || refused)

inline pt_descend(lo, hi, may_link)
{
    d_step { at = 0; lv = 2 }
    do
    :: STOPPED || lv == 0 || !FITS(lv, lo, hi) -> break
    :: else ->
        atomic { c = BELOW(at, lv, lo) }
        if
        :: atomic { c != 0 -> at = c; lv--; c = 0 }
        :: c == 0 && !(may_link) -> break
        :: c == 0 && (may_link) -> link_child(lo)
        fi
    od
}

/* ---- step 4 ---- */

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

