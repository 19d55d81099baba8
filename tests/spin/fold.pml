/* SPDX-License-Identifier: MIT */
/*
 * A table that is replaced by one leaf, and a leaf that is replaced by a table, while other harts
 * descend, change pages, walk and store.  In C mm/vm_cursor_fold.c and mm/pt_split.c under the locks
 * of mm/pt_lock.c.
 *
 *   parent (node 2)   one entry: nothing, one leaf for both pages, or a table
 *   nodes 0 and 1     two entries, one a page; each may be detached, and be used again when no
 *                     descent can know it (quiescence.pml shows how that is known)
 *
 * Each hart may at any time remember a pointer to a table, and a translation, small or large, with W
 * and D as they are then.  A store sets D first, in the entry that the translation is from, if that
 * still permits it.  Rights of each page, and whether it was written, are kept beside the tree:
 * whoever owns a page finds them there.
 *
 * Hart n does operations out of the set FOLD_n.  Every switch (#ifdef) takes out one step; run.py
 * shows that pan then finds an error.
 */
#define HARTS 2
#define PARENT 2
#define ANY (FOLD_0 | FOLD_1)
#define MAY(op) HAS((me == 0 -> FOLD_0 : FOLD_1), op)

#define HAS(set, i) ((((set) >> (i)) & 1) != 0)

/* The parent's entry. */
#define NOTHING 0
#define LEAF 1
#define TABLE(n) (2 + (n))
#define IS_TABLE(e) ((e) >= 2)
#define NODE(e) ((e)-2)

/* What a hart remembers of a page or of both. */
#define NONE 0
#define LARGE 1
#define SMALL(n, p) (2 + (n)*2 + (p))
#define COVERS(t, p) ((t) == LARGE || ((t) >= 2 && ((t) & 1) == (p)))
#define IS_FREE(n) (stray[n] && known_by[n] == 0)

byte entry = LEAF;
bit leaf_w = 1;        /* of the leaf                                   */
bit leaf_d;
bit w[4];              /* of entry p of node n: [n * 2 + p]             */
bit d[4];
bit stray[2];
bit lock[3];
byte known_by[2];      /* harts that may have met the detached node     */
byte working;          /* harts inside an operation                     */
bit owned[2];          /* a cursor is open on the page                  */
bit rights[2];         /* W, as it was granted last                     */
bit readonly[2];       /* the call that took W has returned             */
bit written[2];
byte walk[HARTS];      /* 1 + a table that the hart remembers; 0: none  */
byte tlb[HARTS];
bit tlb_w[HARTS];
bit tlb_d[HARTS];
hidden byte i_;

#define W_OF(p) (IS_TABLE(entry) -> w[NODE(entry) * 2 + (p)] : leaf_w)
#define D_OF(p) (IS_TABLE(entry) -> d[NODE(entry) * 2 + (p)] : leaf_d)

inline acquire(n)
{
    atomic {
        !lock[n] ->
        assert(n == PARENT || !IS_FREE(n)); /* nobody touches what is free: known_by */
        lock[n] = 1;
        held = held | (1 << (n))
    }
}

inline release(n)
{
    atomic { lock[n] = 0; held = held & ~(1 << (n)) }
}

inline flush()
{
    d_step {
        for (i_ : 0 .. HARTS - 1) {
            walk[i_] = 0;
            tlb[i_] = NONE;
            tlb_w[i_] = 0;
            tlb_d[i_] = 0
        }
        i_ = 0
    }
}

/* By the page's address: what a large entry told may stay. */
inline flush_page(p)
{
    d_step {
        for (i_ : 0 .. HARTS - 1) {
            if
            :: tlb[i_] >= 2 && COVERS(tlb[i_], p) ->
                tlb[i_] = NONE;
                tlb_w[i_] = 0;
                tlb_d[i_] = 0
            :: else -> skip
            fi
        }
        i_ = 0
    }
}

/* What a cursor finds where it owns a page. */
inline look(p)
{
    assert(entry != NOTHING);
    assert(rights[p] == W_OF(p));
    assert(!written[p] || D_OF(p))
}

inline own(p)
{
    d_step {
        assert(!owned[p]); /* overlapping cursors exclude each other */
        owned[p] = 1;
        look(p)
    }
}

inline disown(p)
{
    d_step { look(p); owned[p] = 0 }
}

/* ---- a cursor on one page ---- */

/* Locks the covering node, and the table below it if there is one by then.  stopped: again. */
inline open_page(p)
{
    c = entry;
    at = (IS_TABLE(c) -> NODE(c) : PARENT);
    acquire(at);
    if
#ifndef NO_STRAY_CHECK
    :: at != PARENT && stray[at] -> stopped = 1; release(at)
#endif
    :: at == PARENT && IS_TABLE(entry) -> acquire(NODE(entry)); at = NODE(entry)
    :: else -> skip
    fi;
    if
    :: !stopped ->
        assert(at == PARENT || entry == TABLE(at)); /* what it changes is where the tree leads */
        own(p)
    :: else -> skip
    fi
}

inline close_page(p)
{
    disown(p);
    if
    :: HAS(held, 0) -> release(0)
    :: else -> skip
    fi;
    if
    :: HAS(held, 1) -> release(1)
    :: else -> skip
    fi;
    if
    :: HAS(held, PARENT) -> release(PARENT)
    :: else -> skip
    fi
}

/* A table, born locked, takes the leaf's place. */
inline split()
{
    atomic {
        if
        :: IS_FREE(0) && !lock[0] -> at = 0
        :: else -> at = 1
        fi;
        if
        :: IS_FREE(at) && !lock[at] -> stray[at] = 0; lock[at] = 1; held = held | (1 << at)
        :: else -> stopped = 1; at = PARENT /* no memory */
        fi
    }
    if
    :: stopped -> skip
    :: else ->
#ifdef LINK_BEFORE_FILL
        entry = TABLE(at);
#endif
        do
        :: true ->
            d_step {
                seen = leaf_d;
                w[at * 2] = leaf_w;
                w[at * 2 + 1] = leaf_w;
                d[at * 2] = seen;
                d[at * 2 + 1] = seen
            }
            if
#ifdef PLAIN_STORE
            :: true -> entry = TABLE(at); break
#else
            :: atomic { leaf_d == seen -> entry = TABLE(at) } break
            :: leaf_d != seen -> skip
#endif
            fi
        od;
        seen = 0;
        has_split = 1
    fi
}

/* The cursor owes a flush of the page, or of all. */
inline pay(p, tightened)
{
    if
#ifndef SPLIT_WITHOUT_FLUSH
    :: has_split -> flush()
    :: !has_split && (tightened) -> flush_page(p)
#else
    :: tightened -> flush_page(p)
#endif
    :: else -> skip
    fi
}

/* Takes W from the page, or gives it, or only splits what it is part of. */
inline op_page(p, takes, gives)
{
    open_page(p);
    if
    :: !stopped && at == PARENT -> split()
    :: else -> skip
    fi;
    if
    :: stopped -> skip
    :: (takes) && !stopped ->
        d_step { w[at * 2 + p] = 0; rights[p] = 0 }
        pay(p, true);
        readonly[p] = 1
    :: (gives) && !stopped ->
        d_step { readonly[p] = 0; w[at * 2 + p] = 1; rights[p] = 1 }
        pay(p, false)
    :: !(takes) && !(gives) && !stopped -> pay(p, false)
    fi;
    if
    :: held != 0 -> close_page(p)
    :: else -> skip
    fi
}

/* ---- a cursor on both ---- */

#define CAN_FOLD (IS_TABLE(entry) && w[NODE(entry) * 2] == w[NODE(entry) * 2 + 1])

inline gather(n)
{
    d_step {
        leaf_w = w[(n)*2];
        leaf_d = d[(n)*2] || d[(n)*2 + 1]
    }
}

inline op_fold()
{
#ifdef LOOK_BEFORE_LOCK
    can = CAN_FOLD;
#endif
    acquire(PARENT);
    at = PARENT;
#ifndef TABLE_NOT_LOCKED
    if
    :: IS_TABLE(entry) -> acquire(NODE(entry))
    :: else -> skip
    fi;
#endif
    own(0);
    own(1);
#ifdef LOOK_BEFORE_LOCK
    if
    :: can && IS_TABLE(entry) -> at = NODE(entry)
    :: else -> skip
    fi;
    can = 0;
#else
    if
    :: CAN_FOLD -> at = NODE(entry)
    :: else -> skip
    fi;
#endif
    if
    :: at == PARENT -> skip
    :: else ->
#ifdef MAKE_BEFORE_BREAK
        gather(at);
        entry = LEAF;
#else
        entry = NOTHING;
#endif
        d_step {
            stray[at] = 1;
#ifndef FREE_AT_ONCE
            known_by[at] = working;
#endif
            lock[at] = 0;
            held = held & ~(1 << at)
        }
#ifdef GATHER_BEFORE_FLUSH
        gather(at);
#endif
#ifdef UNLOCK_BEFORE_LEAF
        release(PARENT);
#endif
#ifndef NO_FLUSH
        flush();
#endif
#if !defined(GATHER_BEFORE_FLUSH) && !defined(MAKE_BEFORE_BREAK)
        gather(at);
#endif
        atomic {
            for (i_ : 0 .. HARTS - 1) {
                assert(walk[i_] != 1 + at && tlb[i_] < 2) /* nobody remembers what it replaces */
            }
            i_ = 0;
            entry = LEAF
        }
    fi;
    disown(0);
    disown(1);
    if
    :: HAS(held, 0) -> release(0)
    :: else -> skip
    fi;
    if
    :: HAS(held, 1) -> release(1)
    :: else -> skip
    fi;
    if
    :: HAS(held, PARENT) -> release(PARENT)
    :: else -> skip
    fi
}

inline op_begin()
{
    working = working | (1 << me)
}

inline op_end()
{
    d_step {
        working = working & ~(1 << me);
        known_by[0] = known_by[0] & ~(1 << me);
        known_by[1] = known_by[1] & ~(1 << me);
        at = 0;
        c = 0;
        stopped = 0;
        has_split = 0
    }
}

/* ---- what harts do by themselves ---- */

/* The small translation of page p, from the table that is remembered. */
inline fill(p)
{
    d_step {
        walk[me] != 0 ->
        assert(!IS_FREE(walk[me] - 1)); /* a walk through what is free: known_by */
        tlb[me] = SMALL(walk[me] - 1, p);
        tlb_w[me] = w[(walk[me] - 1) * 2 + p];
        tlb_d[me] = d[(walk[me] - 1) * 2 + p]
    }
}

/* The entry that the translation is from still permits a store. */
#define PERMITS (tlb[me] == LARGE -> entry == LEAF && leaf_w : w[tlb[me] - 2])

inline store(p)
{
    d_step {
        COVERS(tlb[me], p) && tlb_w[me] ->
        if
        :: !tlb_d[me] && PERMITS ->
            tlb_d[me] = 1;
            if
            :: tlb[me] == LARGE -> leaf_d = 1
            :: else -> d[tlb[me] - 2] = 1
            fi
        :: else -> skip
        fi;
        if
        :: tlb_d[me] -> assert(!readonly[p]); written[p] = 1
        :: else -> tlb[me] = NONE; tlb_w[me] = 0 /* it walks again */
        fi
    }
}

inline hardware()
{
    if
    :: d_step { IS_TABLE(entry) -> walk[me] = 1 + NODE(entry) }
    :: d_step { entry == LEAF -> tlb[me] = LARGE; tlb_w[me] = leaf_w; tlb_d[me] = leaf_d }
    :: fill(0)
    :: fill(1)
    :: store(0)
    :: store(1)
    fi
}

proctype hart(byte me)
{
    byte at, c, held;
    bit stopped, has_split, seen, can;

    do
    :: hardware()
#if ANY & 1
    :: atomic { MAY(0) -> op_begin() } op_fold(); op_end()
#endif
#if ANY & 2
    :: atomic { MAY(1) -> op_begin() } op_page(0, false, false); op_end()
#endif
#if ANY & 4
    :: atomic { MAY(2) -> op_begin() } op_page(0, true, false); op_end()
#endif
#if ANY & 8
    :: atomic { MAY(3) -> op_begin() } op_page(0, false, true); op_end()
#endif
#if ANY & 16
    :: atomic { MAY(4) -> op_begin() } op_page(1, true, false); op_end()
#endif
    :: break
    od
}

init
{
    d_step {
        stray[0] = 1;
        stray[1] = 1;
        rights[0] = 1;
        rights[1] = 1
    }
    atomic {
        run hart(0);
        run hart(1)
    }
}
