/* SPDX-License-Identifier: MIT */
/*
 * Operations of lock.pml on two ranges at once: pt_lock_two in mm/pt_lock.c, and what a move of tables
 * does under it.
 */
/* Two ranges of a table each, at s and d: tables linked for both first, nothing held across. */
inline op_move(s, d)
{
    pt_descend(s, s + 2, true);
    at2 = at;
    if
    :: !STOPPED -> pt_descend(d, d + 2, true)
    :: else -> skip
    fi;
    if
    :: STOPPED -> skip
    :: else ->
        if
        :: at == at2 ->
            pt_lock_found(at, 1, s);
            if
            :: STOPPED -> skip
            :: else ->
                lock_leaf(at, (s < d -> s : d));
                lock_leaf(at, (s < d -> d : s))
            fi
#ifdef ARGUMENT_ORDER
        :: at != at2 ->
#else
        :: at != at2 && s > d ->
            pt_lock_found(at, 1, d);
            if
            :: STOPPED -> skip
            :: else -> lock_leaf(at, d); pt_lock_found(at2, 1, s)
            fi;
            if
            :: STOPPED -> skip
            :: else -> lock_leaf(at2, s)
            fi
        :: at != at2 && s < d ->
#endif
            pt_lock_found(at2, 1, s);
            if
            :: STOPPED -> skip
            :: else -> lock_leaf(at2, s); pt_lock_found(at, 1, d)
            fi;
            if
            :: STOPPED -> skip
            :: else -> lock_leaf(at, d)
            fi
        fi;
        if
        :: STOPPED -> skip
        :: else ->
            own(s, s + 2);
            own(d, d + 2);
            move_leaf(at2, s, at, d);
            disown(s, s + 2);
            disown(d, d + 2)
        fi
    fi
}

/* Two ranges one of whose covering nodes contains the other: [0, 1) and [2, 4).  It covers both. */
inline op_nested()
{
    pt_descend(0, 1, true);
    at2 = at;
    if
    :: !STOPPED -> pt_descend(2, 4, true)
    :: else -> skip
    fi;
    if
    :: STOPPED -> skip
    :: else ->
#ifdef RANGE_BY_RANGE
        pt_lock_found(at2, 0, 0);
        if
        :: STOPPED -> skip
        :: else -> pt_lock_found(at, 1, 2)
        fi;
#else
        pt_lock_found(at, 1, 2);
        if
        :: STOPPED -> skip
        :: else -> lock_leaf(at, 0)
        fi;
#endif
        if
        :: STOPPED -> skip
        :: else ->
            lock_leaf(at, 2);
            own(0, 1);
            own(2, 4);
            assert(at == AT_1(0));
            disown(0, 1);
            disown(2, 4)
        fi
    fi
}

/* [s, s + 4) to [d, d + 4): the root covers both, a node moves with those below it. */
inline op_move_half(s, d)
{
    pt_lock_found(0, 2, 0);
    lock_half(0);
    lock_half(4);
    own(0, 8);
    move_half(s, d);
    disown(0, 8)
}
