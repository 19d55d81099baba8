/* SPDX-License-Identifier: MIT */
/*
 * Marks, and how they are pushed down while others descend, lock and detach.  In C mm/pt_descend.c,
 * mm/pt_walk.c and mm/vm_cursor_mark.c; names are those of lock_nodes.pml where a step is the same.
 *
 *   level 2   root (node 0)            4 pages: a root of one entry, nodes of two entries
 *   level 1   nodes 1 and 2            each node may be detached, and be used again once no descent
 *   level 0   nodes 3 and 4            can know it (quiescence.pml shows how that is known)
 *
 * An entry of any level is nothing, a mark of one of two kinds, a table, or (level 0) a page.  What
 * each page means is kept beside the tree: whoever owns a page finds it in the tree as it was left.
 *
 * Every switch (#ifdef) takes out one step; run.py shows that pan then finds an error.
 */
#define NODES 5
#define PAGES 4

#define ABSENT 0
#define MARK_1 1
#define MARK_2 2
#define PAGE 3
#define TABLE(n) (8 + (n))
#define IS_TABLE(entry) ((entry) >= 8)
#define IS_MARK(entry) ((entry) == MARK_1 || (entry) == MARK_2)
#define NODE(entry) ((entry)-8)

#define HAS(set, i) ((((set) >> (i)) & 1) != 0)
#define BASE(lv, p) ((lv) == 2 -> 0 : ((p) >> ((lv) + 1)) << ((lv) + 1))
#define SLOT(n, lv, p) slot[(n)*2 + ((lv) == 2 -> 0 : (((p) >> (lv)) & 1))]
#define IN_PLACE(n, lv, p) (!stray[n] && base[n] == BASE(lv, p))
#define IS_FREE(n) (stray[n] && known_by[n] == 0 && !lock[n])

byte slot[NODES * 2];
byte base[NODES];     /* recorded place: first page                */
bit stray[NODES];
bit lock[NODES];
byte known_by[NODES]; /* harts that may have met the detached node */
byte meaning[PAGES];
bit owned[PAGES];
byte working;         /* harts inside an operation                 */
hidden byte i_;

inline acquire(n)
{
    !lock[n] -> lock[n] = 1; held = held | (1 << (n))
}

/* A node below entry p of `at`, complete, in c.  No memory: failed. */
inline pt_node_create(p)
{
    d_step {
        c = (lv == 2 -> 1 : 3);
        if
        :: IS_FREE(c) -> skip
        :: else -> c++
        fi;
        if
        :: IS_FREE(c) ->
            stray[c] = 0;
            base[c] = BASE(lv - 1, p);
#ifdef LINK_BEFORE_COPY
            slot[c * 2] = ABSENT;
            slot[c * 2 + 1] = ABSENT
#else
            slot[c * 2] = entry;
            slot[c * 2 + 1] = entry
#endif
        :: else -> failed = 1; c = 0
        fi
    }
}

/* A descent that links has come to `entry`, which is no table. */
inline link_child(p)
{
    atomic {
        acquire(at);
#ifndef NO_CHECK_WHEN_LINKING
        again = !IN_PLACE(at, lv, p);
#endif
#ifndef COPY_BEFORE_LOCK
        entry = SLOT(at, lv, p);
#endif
        if
        :: again || IS_TABLE(entry) -> skip
        :: else ->
            pt_node_create(p);
            if
            :: failed -> skip
            :: else -> SLOT(at, lv, p) = TABLE(c)
            fi
        fi
    }
#ifdef LINK_BEFORE_COPY
    if
    :: c != 0 -> slot[c * 2] = entry; slot[c * 2 + 1] = entry
    :: else -> skip
    fi;
#endif
    d_step { lock[at] = 0; held = 0; c = 0; entry = 0 }
}

/* Down to the node whose entry of level `want` holds page p, or to what lies in the way. */
inline pt_descend(p, want, may_link)
{
    d_step { at = 0; lv = 2 }
    do
    :: again || failed || lv == want -> break
    :: else ->
        atomic { entry = SLOT(at, lv, p) }
        if
        :: d_step { IS_TABLE(entry) -> at = NODE(entry); lv--; entry = 0 }
        :: !IS_TABLE(entry) && (may_link) -> link_child(p)
        :: !IS_TABLE(entry) && !(may_link) -> break
        fi
    od
}

/* Locks what the range of one entry of level `want` has below `at`, parent before child. */
inline lock_below(p, want)
{
    do
    :: lv > want && IS_TABLE(SLOT(at, lv, p)) ->
        at = NODE(SLOT(at, lv, p));
        lv--;
        acquire(at)
    :: else -> break
    od;
    if
    :: lv == want && lv > 0 && IS_TABLE(SLOT(at, lv, p)) ->
        c = NODE(SLOT(at, lv, p));
        acquire(c);
        if
        :: lv == 2 && IS_TABLE(slot[c * 2]) -> acquire(NODE(slot[c * 2]))
        :: else -> skip
        fi;
        if
        :: lv == 2 && IS_TABLE(slot[c * 2 + 1]) -> acquire(NODE(slot[c * 2 + 1]))
        :: else -> skip
        fi;
        c = 0
    :: else -> skip
    fi
}

/* The way from `at` down to level `want`; a mark on it gives way to a node that is born locked. */
inline pt_walk_linking(p, want)
{
    do
    :: atomic { !failed && lv > want && IS_TABLE(SLOT(at, lv, p)) -> at = NODE(SLOT(at, lv, p)); lv-- }
    :: atomic { !failed && lv > want && IS_MARK(SLOT(at, lv, p)) ->
        entry = SLOT(at, lv, p);
        pt_node_create(p);
        if
        :: failed -> skip
        :: else ->
#ifndef NOT_BORN_LOCKED
            acquire(c);
#endif
            SLOT(at, lv, p) = TABLE(c)
        fi;
        c = 0;
        entry = 0
       }
    :: else -> break
    od
}

inline is_stray_now(n)
{
    assert(HAS(held, n));
    stray[n] = 1;
    known_by[n] = working
}

/* Stores `value` in the entry of `at` for page p; a table that was there is detached. */
inline replace(p, value)
{
    d_step {
        entry = SLOT(at, lv, p);
        SLOT(at, lv, p) = value;
        if
        :: IS_TABLE(entry) ->
            c = NODE(entry);
            is_stray_now(c);
            if
            :: lv == 2 && IS_TABLE(slot[c * 2]) -> is_stray_now(NODE(slot[c * 2]))
            :: else -> skip
            fi;
            if
            :: lv == 2 && IS_TABLE(slot[c * 2 + 1]) -> is_stray_now(NODE(slot[c * 2 + 1]))
            :: else -> skip
            fi;
            c = 0
        :: else -> skip
        fi;
        entry = 0
    }
}

/* Looks at all pages of the range, which this hart owns. */
inline compare(lo, hi)
{
    d_step {
        for (i_ : (lo) .. (hi)-1) {
            entry = slot[0];
            if
            :: IS_TABLE(entry) -> entry = SLOT(NODE(entry), 1, i_)
            :: else -> skip
            fi;
            if
            :: IS_TABLE(entry) -> entry = SLOT(NODE(entry), 0, i_)
            :: else -> skip
            fi;
            assert(entry == meaning[i_]) /* found as it was left */
        }
        entry = 0;
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

/* Stores `value` where it belongs; a page only in the place of a mark. */
inline change(lo, hi, want, value)
{
    if
    :: failed || lv != want || (value == PAGE && !IS_MARK(SLOT(at, lv, lo))) -> skip
    :: else ->
        replace(lo, value);
        d_step {
            for (i_ : (lo) .. (hi)-1) {
                meaning[i_] = value
            }
            i_ = 0
        }
    fi
}

/* A cursor on the extent of one entry of level `want`, which becomes `value`. */
inline operation(lo, hi, want, may_link, value)
{
    pt_descend(lo, want, may_link);
    if
    :: again || failed -> skip
    :: else ->
        atomic { acquire(at); again = !IN_PLACE(at, lv, lo); cover = at; cover_lv = lv }
        if
        :: again -> skip
        :: else ->
            atomic {
                lock_below(lo, want);
                own(lo, hi);
                compare(lo, hi);
                at = cover;
                lv = cover_lv
            }
            pt_walk_linking(lo, want);
            atomic {
                change(lo, hi, want, value);
                compare(lo, hi);
                d_step {
                    for (i_ : (lo) .. (hi)-1) {
                        owned[i_] = 0
                    }
                    i_ = 0
                }
            }
        fi
    fi;
    op_end()
}

inline op_begin()
{
    working = working | (1 << me)
}

/* Lets go of all.  What this hart knew of detached nodes it has forgotten. */
inline op_end()
{
    d_step {
        working = working & ~(1 << me);
        for (i_ : 0 .. NODES - 1) {
            known_by[i_] = known_by[i_] & ~(1 << me);
            if
            :: HAS(held, i_) -> lock[i_] = 0
            :: else -> skip
            fi
        }
        i_ = 0;
        held = 0;
        at = 0;
        lv = 0;
        cover = 0;
        cover_lv = 0;
        c = 0;
        entry = 0;
        again = 0;
        failed = 0
    }
}

#define MAY(op) HAS((me == 0 -> MARKS_0 : (me == 1 -> MARKS_1 : MARKS_2)), op)

proctype hart(byte me)
{
    byte at, lv, cover, cover_lv, c, entry, held;
    bit again, failed;

    do
    /* make a page: a changing cursor, which pushes down on its way */
    :: atomic { MAY(0) -> op_begin() } operation(0, 1, 0, true, PAGE)
    /* fault on a page, unmap one or a table: an edit, which pushes down under its locks */
    :: atomic { MAY(1) -> op_begin() } operation(0, 1, 0, false, PAGE)
    :: atomic { MAY(2) -> op_begin() } operation(1, 2, 0, false, ABSENT)
    :: atomic { MAY(3) -> op_begin() } operation(0, 2, 1, false, ABSENT)
    /* mark a table, mark all */
    :: atomic { MAY(4) -> op_begin() } operation(0, 2, 1, true, MARK_1)
    :: atomic { MAY(5) -> op_begin() } operation(0, 4, 2, true, MARK_2)
    :: break
    od
}

init
{
    d_step {
        slot[0] = MARK_1;
        for (i_ : 0 .. PAGES - 1) {
            meaning[i_] = MARK_1
        }
        for (i_ : 1 .. NODES - 1) {
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
