/* SPDX-License-Identifier: MIT */
/*
 * Tables that change hands between two spaces while other harts descend without locks: the record of
 * their place, the locks below them, the order of two trees, and the flush.  In C mm/pt_relink.c under
 * the locks of mm/pt_lock.c; docs/locking.md, "Tables that move".  Moves inside one space: lock.pml.
 *
 *   space 0   root 0    two entries     places 0 1 | 2 3     a place is what one leaf table translates
 *   space 1   root 1    two entries     places 4 5 | 6 7
 *   level 1   nodes 2 and 3, two entries; level 0: nodes 4 and 5, which stand for their pages
 *
 * Any hart may at any time remember which table of level 0 a place leads to (a walk), and use it
 * until it is told to forget.  While a cursor owns a place nobody may know another table for it, nor
 * know its table by another place: for then a page that the cursor removes could still be used.
 *
 * Hart n does operations out of the set RELINK_n, one after another in any order, and may stop after
 * each.  Every switch (#ifdef) takes out one step; run.py shows that pan then finds an error.
 */
#define HARTS 3
#define NODES 6
#define PLACES 8
#define ANY (RELINK_0 | RELINK_1 | RELINK_2)
#define MAY(op) HAS((me == 0 -> RELINK_0 : (me == 1 -> RELINK_1 : RELINK_2)), op)

#define BIT(n) ((n) == 0 -> 0 : 1 << (n)) /* of a node that is not a root, if there is one */
#define HAS(set, i) ((((set) >> (i)) & 1) != 0)
#define SPACE(p) ((p) >> 2)
#define BASE(lv, p) ((lv) == 2 -> 0 : ((lv) == 1 -> (p)&2 : (p)&3))
#define BELOW(n, lv, p) entry[(n)*2 + (((p) >> ((lv)-1)) & 1)] /* of node n, of level lv */

/* Where the tree leads, for those who look from outside, or hold it. */
#define AT_1(p) entry[(p) >> 1]
#define AT_0(p) (AT_1(p) == 0 -> 0 : BELOW(AT_1(p), 1, p))
#define AT(lv, p) ((lv) == 2 -> SPACE(p) : ((lv) == 1 -> AT_1(p) : AT_0(p)))

byte entry[4 * 2];     /* of nodes 0 to 3: a node, or 0               */
bit space[NODES];      /* recorded place: whose                       */
byte base[NODES];      /* recorded place: the first of it             */
bit stray[NODES];
bit lock[NODES];
byte known_by[NODES];  /* harts that may have met the detached node   */
bit owned[PLACES];     /* a cursor is open on it                      */
byte working;          /* harts inside an operation                   */
byte walked[HARTS];    /* a place that the hart has walked to         */
byte found[HARTS];     /* and the table that it found; 0: none        */
hidden byte i_;

#ifdef NO_SPACE_CHECK
#define IN_PLACE(n, lv, p) (!stray[n] && base[n] == BASE(lv, p))
#else
#define IN_PLACE(n, lv, p) (!stray[n] && space[n] == SPACE(p) && base[n] == BASE(lv, p))
#endif

inline acquire(n)
{
    atomic { !lock[n] -> lock[n] = 1; held = held | (1 << (n)) }
}

inline release(set)
{
    d_step {
        for (i_ : 0 .. NODES - 1) {
            if
            :: HAS(held & (set), i_) -> lock[i_] = 0
            :: else -> skip
            fi
        }
        held = held & ~(set);
        i_ = 0
    }
}

/* On every hart; word.pml shows how it reaches those that it must. */
inline flush(s)
{
    d_step {
        for (i_ : 0 .. HARTS - 1) {
            if
            :: SPACE(walked[i_]) == (s) -> found[i_] = 0; walked[i_] = 0
            :: else -> skip
            fi
        }
        i_ = 0
    }
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

/* ---- the descent to the node of level `want` for place p: at, lv; not locked ---- */

#define STOPPED (failed || again)

/* As in lock_nodes.pml: who holds nodes does not wait for another where it was found. */
inline lock_node(n, l, p)
{
#ifdef WAIT_WHERE_FOUND
    acquire(n)
#else
    if
    :: held == 0 -> acquire(n)
    :: else ->
        if
        :: atomic { !lock[n] -> lock[n] = 1; held = held | (1 << (n)) }
        :: atomic { lock[n] && AT(l, p) != n -> again = 1 }
        fi
    fi
#endif
}

inline pt_lock_found(n, l, p)
{
    lock_node(n, l, p);
    again = again || !IN_PLACE(n, l, p)
}

/* A fresh node for place p below `at`, which is locked. */
inline pt_node_create(p)
{
    if
    :: atomic { lv == 2 && stray[2] && known_by[2] == 0 && !lock[2] -> c = 2; stray[2] = 0 }
    :: atomic { lv == 2 && stray[3] && known_by[3] == 0 && !lock[3] -> c = 3; stray[3] = 0 }
    :: atomic { lv == 1 && stray[4] && known_by[4] == 0 && !lock[4] -> c = 4; stray[4] = 0 }
    :: atomic { lv == 1 && stray[5] && known_by[5] == 0 && !lock[5] -> c = 5; stray[5] = 0 }
    :: else -> failed = 1 /* no memory */
    fi;
    if
    :: failed -> skip
    :: else ->
        d_step {
            space[c] = SPACE(p);
            base[c] = BASE(lv - 1, p);
            if
            :: lv == 2 -> entry[c * 2] = 0; entry[c * 2 + 1] = 0
            :: else -> skip
            fi;
            BELOW(at, lv, p) = c;
            c = 0
        }
    fi
}

inline link_child(p)
{
#ifdef NO_CHECK_WHEN_LINKING
    acquire(at);
#else
    pt_lock_found(at, lv, p);
#endif
    if
    :: !again && BELOW(at, lv, p) == 0 ->
        assert(at == AT(lv, p)); /* changes an entry: only where the tree leads */
        pt_node_create(p)
    :: else -> skip
    fi;
    release(1 << at)
}

inline pt_descend(p, want, may_link)
{
    d_step { at = SPACE(p); lv = 2 }
    do
    :: STOPPED || lv == (want) -> break
    :: else ->
        atomic { c = BELOW(at, lv, p) }
        if
        :: atomic { c != 0 -> at = c; lv--; c = 0 }
        :: c == 0 && !(may_link) -> break
        :: c == 0 && (may_link) -> link_child(p)
        fi
    od
}

/* ---- what intersects below `at`: all of it for a whole half, else one place ---- */

inline lock_leaf(n, p)
{
    if
    :: BELOW(n, 1, p) != 0 -> acquire(BELOW(n, 1, p))
    :: else -> skip
    fi
}

inline lock_below(p, is_half)
{
    if
    :: lv == 2 && AT_1(p) != 0 ->
        acquire(AT_1(p));
        if
#ifndef BELOW_NOT_LOCKED
        :: is_half -> lock_leaf(AT_1(p), p); lock_leaf(AT_1(p), (p) + 1)
#else
        :: is_half -> skip
#endif
        :: !(is_half) -> lock_leaf(AT_1(p), p)
        fi
    :: lv == 1 -> lock_leaf(at, p)
    :: else -> skip
    fi
}

inline open(p, want, may_link)
{
    pt_descend(p, want, may_link);
    if
    :: STOPPED -> skip
    :: else ->
#ifdef CHECK_BEFORE_LOCK
        again = !IN_PLACE(at, lv, p);
        acquire(at);
#else
        pt_lock_found(at, lv, p);
#endif
        if
        :: STOPPED -> skip
        :: else -> lock_below(p, want == 2)
        fi
    fi
}

/* ---- operations ---- */

/* One place, to change it or only to look. */
inline op_page(p, may_link)
{
    open(p, 0, may_link);
    if
    :: STOPPED -> skip
    :: else ->
        own(p, (p) + 1);
        d_step {
            assert(at == AT(lv, p)); /* what it reads or changes is where the tree leads */
            c = AT_0(p);
            for (i_ : 0 .. HARTS - 1) {
                assert(found[i_] == 0 || (walked[i_] == (p)) == (found[i_] == c))
            }
            i_ = 0;
            c = 0
        }
        disown(p, (p) + 1)
    fi
}

/* A page of each, at once. */
inline op_pages(p, q)
{
    open(p, 0, true);
    if
    :: STOPPED -> skip
    :: else -> open(q, 0, false)
    fi;
    if
    :: STOPPED -> skip
    :: else ->
        own(p, (p) + 1);
        own(q, (q) + 1);
        assert(at == AT(lv, q));
        disown(p, (p) + 1);
        disown(q, (q) + 1)
    fi
}

/* The table of a place is detached. */
inline op_table(p)
{
    open(p, 1, true);
    if
    :: STOPPED -> skip
    :: else ->
        own(p, (p) + 1);
        c = AT_0(p);
        BELOW(at, 1, p) = 0;
        flush(SPACE(p));
        atomic {
            if
            :: c != 0 -> stray[c] = 1; known_by[c] = working
            :: else -> skip
            fi;
            c = 0
        }
        disown(p, (p) + 1)
    fi
}

/* Both ends of a move, of level `want`: a cursor on `s` that makes no tables, and one on `d`. */
inline open_both(s, d, want)
{
#ifdef ARGUMENT_ORDER
    if
    :: true ->
#else
    if
    :: (s) > (d) ->
        open(d, want, true);
        if
        :: STOPPED -> skip
        :: else -> open(s, want, false)
        fi
    :: (s) < (d) ->
#endif
        open(s, want, false);
        if
        :: STOPPED -> skip
        :: else -> open(d, want, true)
        fi
    fi
}

/* Closes the source, which pays the flush, then the target, which has the nodes of `kept` by now. */
inline close_both(s, d, pages, kept)
{
    c2 = kept;
#ifdef TARGET_FIRST
    disown(d, (d) + pages);
    release(c2);
#endif
#ifdef UNLOCK_BEFORE_FLUSH
    disown(s, (s) + pages);
    disown(d, (d) + pages);
    release(255);
#endif
#ifdef FLUSH_OF_TARGET
    flush(SPACE(d));
#else
#if !defined(NO_FLUSH) && !defined(FLUSH_BEFORE_UNLINK)
    flush(SPACE(s));
#endif
#endif
#if !defined(UNLOCK_BEFORE_FLUSH) && !defined(TARGET_FIRST)
    disown(s, (s) + pages);
    release(255 & ~c2);
    disown(d, (d) + pages);
#endif
#ifdef TARGET_FIRST
    disown(s, (s) + pages);
#endif
    release(255)
}

/* The table of place s becomes that of place d. */
inline op_move(s, d)
{
#ifdef LOOK_BEFORE_LOCK
    seen = AT_0(d);
#endif
    open_both(s, d, 1);
    if
    :: STOPPED -> skip
    :: else ->
        own(s, (s) + 1);
        own(d, (d) + 1);
#ifndef LOOK_BEFORE_LOCK
        seen = AT_0(d);
#endif
#ifdef FLUSH_BEFORE_UNLINK
        flush(SPACE(s));
#endif
        if
        :: seen == 0 && AT_0(s) != 0 ->
            c = AT_0(s);
            BELOW(AT_1(s), 1, s) = 0;
#ifndef PLACE_KEPT
            d_step { space[c] = SPACE(d); base[c] = BASE(0, d) }
#endif
            atomic {
                c2 = AT_0(d);
                assert(c2 == 0); /* nothing is lost in the target */
                BELOW(AT_1(d), 1, d) = c;
                c = 0
            }
        :: else -> skip
        fi;
        close_both(s, d, 1, BIT(AT_1(d)) | BIT(AT_0(d)))
    fi
}

/* The node of level 1 of [s, s + 2) becomes that of [d, d + 2), with what is below it. */
inline op_half(s, d)
{
    open_both(s, d, 2);
    own(s, (s) + 2);
    own(d, (d) + 2);
#ifdef FLUSH_BEFORE_UNLINK
    flush(SPACE(s));
#endif
    if
    :: AT_1(d) == 0 && AT_1(s) != 0 ->
        c = AT_1(s);
        AT_1(s) = 0;
        d_step { space[c] = SPACE(d); base[c] = BASE(1, d) }
#ifndef TOP_ONLY
        d_step {
            for (i_ : 0 .. 1) {
                if
                :: entry[c * 2 + i_] != 0 ->
                    space[entry[c * 2 + i_]] = SPACE(d);
                    base[entry[c * 2 + i_]] = BASE(0, (d) + i_)
                :: else -> skip
                fi
            }
            i_ = 0
        }
#endif
        atomic { AT_1(d) = c; c = 0 }
    :: else -> skip
    fi;
    close_both(s, d, 2,
               (1 << SPACE(d)) | BIT(AT_1(d)) | BIT(AT_0(d)) | BIT(AT_0((d) + 1)))
}

inline op_begin()
{
    working = working | (1 << me)
}

/* Lets go of all.  What this hart knew of detached nodes it has forgotten. */
inline op_end()
{
    release(255);
    d_step {
        working = working & ~(1 << me);
        for (i_ : 2 .. NODES - 1) {
            known_by[i_] = known_by[i_] & ~(1 << me)
        }
        i_ = 0;
        at = 0;
        lv = 0;
        c = 0;
        c2 = 0;
        seen = 0;
        again = 0;
        failed = 0
    }
}

/* The hardware of this hart may walk to a place. */
#define WALKS(p) (MAY(10) && AT_0(p) != 0 && found[me] != AT_0(p))

proctype hart(byte me)
{
    byte at, lv, c, c2, seen, held;
    bit again, failed;

    do
#if ANY & 1
    :: atomic { MAY(0) -> op_begin() } op_page(0, true); op_end()
#endif
#if ANY & 2
    :: atomic { MAY(1) -> op_begin() } op_page(4, true); op_end()
#endif
#if ANY & 4
    :: atomic { MAY(2) -> op_begin() } op_page(0, false); op_end()
#endif
#if ANY & 8
    :: atomic { MAY(3) -> op_begin() } op_page(4, false); op_end()
#endif
#if ANY & 16
    :: atomic { MAY(4) -> op_begin() } op_table(0); op_end()
#endif
#if ANY & 32
    :: atomic { MAY(5) -> op_begin() } op_table(4); op_end()
#endif
#if ANY & 64
    :: atomic { MAY(6) -> op_begin() } op_move(0, 4); op_end()
#endif
#if ANY & 128
    :: atomic { MAY(7) -> op_begin() } op_move(4, 0); op_end()
#endif
#if ANY & 256
    :: atomic { MAY(8) -> op_begin() } op_half(0, 4); op_end()
#endif
#if ANY & 512
    :: atomic { MAY(9) -> op_begin() } op_half(4, 0); op_end()
#endif
#if ANY & 1024
    :: atomic { WALKS(0) -> walked[me] = 0; found[me] = AT_0(0) }
    :: atomic { WALKS(4) -> walked[me] = 4; found[me] = AT_0(4) }
#endif
#if ANY & 2048
    :: atomic { MAY(11) -> op_begin() } op_pages(1, 4); op_end()
#endif
    :: break
    od
}

init
{
    d_step {
        /* One leaf at place 0, and the way to it; the rest is free. */
        entry[0] = 2;
        entry[4] = 4;
        space[1] = 1;
        stray[3] = 1;
        stray[5] = 1
    }
    atomic {
        run hart(0);
        run hart(1);
        run hart(2)
    }
}
