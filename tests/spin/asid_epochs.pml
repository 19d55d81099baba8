/* SPDX-License-Identifier: MIT */
/*
 * mm/asid.c, statement by statement: announce, settle, assign, start over.  asid.pml has the switch
 * that uses it.
 */
byte epoch = 1;
byte tag_epoch[SPACES + 1]; /* epoch in the space's tag, asid_of[] the identifier      */
byte taken;                 /* identifiers of this epoch                               */
bit asid_lock;
byte announced[HARTS];      /* a space that satp will name                             */
byte runs[HARTS];           /* the space that satp names                               */
bit flush_due[HARTS];

/* Store buffers, of one entry each: what others do not see yet. */
byte announcing[HARTS];     /* an announcement                                         */
bit epoch_is_late;          /* the last step of `epoch`; only the owner of the lock
                               knows, and what others read is the one before           */
#define EPOCH_SEEN (epoch - epoch_is_late)

inline drain_announcement(h)
{
    atomic { announcing[h] != 0 -> announced[h] = announcing[h]; announcing[h] = 0 }
}

/* ---- mm/asid.c ---- */

inline take(a)
{
    taken = taken | (1 << (a))
}

#ifdef KEEP_ANY
#define OF_LAST_EPOCH(s) true
#else
#define OF_LAST_EPOCH(s) (tag_epoch[s] == epoch - 1)
#endif

/* The read is a step of its own; the tag changes only under the lock, which is held. */
inline keep(place)
{
    atomic { x = place }
    atomic {
        if
        :: x != 0 && OF_LAST_EPOCH(x) -> take(asid_of[x]); tag_epoch[x] = epoch
        :: else -> skip
        fi;
        x = 0
    }
}

inline start_over_locked()
{
    atomic { epoch++; epoch_is_late = 1 }
#ifndef NO_EPOCH_FENCE
    epoch_is_late == 0; /* the fence: the buffer is empty */
#endif
    atomic { taken = 0; i = 0 }
    do
    :: i < HARTS ->
#ifdef RUNS_BEFORE_ANNOUNCED
        keep(runs[i]);
        keep(announced[i]);
#else
#ifndef NO_ANNOUNCEMENT_KEPT
        keep(announced[i]);
#endif
#ifndef NO_RUNNING_KEPT
        keep(runs[i]);
#endif
#endif
        atomic { flush_due[i] = 1; i++ }
    :: atomic { i == HARTS -> i = 0; break }
    od
}

/* One of the identifiers that nobody has in this epoch; the allocator's order is one of them. */
inline find_free_locked(a)
{
    if
    :: !HAS(taken, 1) -> a = 1
    :: !HAS(taken, 2) -> a = 2
#if NUMBERS > 2
    :: !HAS(taken, 3) -> a = 3
#endif
    fi
}

inline assign(s)
{
    atomic { !asid_lock -> asid_lock = 1 }
    if
    :: tag_epoch[s] != epoch ->
        if
        :: taken != ALL_ASIDS -> skip /* numbers are left */
        :: epoch <= EPOCHS -> start_over_locked()
        fi;
        atomic {
            find_free_locked(asid);
            take(asid);
            asid_of[s] = asid;
            tag_epoch[s] = epoch;
            asid = 0
        }
    :: else -> skip
    fi;
    /* The unlock is a release. */
    atomic { epoch_is_late == 0 -> asid_lock = 0 }
}

/* Two loads, the tag first. */
inline is_of_this_epoch(s)
{
    atomic { x = tag_epoch[s] }
    atomic { current = (x == EPOCH_SEEN); x = 0 }
}

inline asid_announce(h, s)
{
    do
    ::
        is_of_this_epoch(s);
        if
        :: !current -> assign(s)
        :: else -> skip
        fi;
#ifndef NO_ANNOUNCEMENT
        announcing[h] = s;
#ifndef NO_ANNOUNCE_FENCE
        announcing[h] == 0; /* the fence */
#endif
#endif
#ifdef NO_SECOND_LOOK
        break
#else
        is_of_this_epoch(s);
        if
        :: current -> break
        :: else -> atomic { announcing[h] == 0 -> announced[h] = 0 }
        fi
#endif
    od;
    current = 0
}

inline asid_settle(h, s)
{
#ifdef WITHDRAW_BEFORE_RUNS
    atomic { announcing[h] == 0 -> announced[h] = 0 }
    runs[h] = s
#else
    runs[h] = s;
    atomic { announcing[h] == 0 -> announced[h] = 0 }
#endif
}

inline asid_take_flush(h)
{
#ifdef NO_EPOCH_FLUSH
    x = 0
#else
    atomic { x = flush_due[h]; flush_due[h] = 0 }
#endif
}

/* The store buffers drain by themselves. */
proctype buffers()
{
end:
    do
    :: drain_announcement(0)
    :: drain_announcement(1)
    :: drain_announcement(2)
    :: atomic { epoch_is_late -> epoch_is_late = 0 }
    od
}
