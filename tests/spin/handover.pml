/* SPDX-License-Identifier: MIT */
/*
 * A thread goes from one hart to another while its registers are still being saved.  In C and
 * assembly kernel/run_queue*.c, kernel/reaper.c and the exit in arch/riscv64/trap_entry.S.
 *
 * A handler puts its thread into a queue, or blocks or ends it, and only afterwards does the trap
 * exit save the registers that C has kept.  The frame's owner says whose exit may still touch it:
 * others pass the thread over, and the reaper leaves it alone, until the exit has stored 0.
 *
 * A thread's registers are one number, which grows while it runs; its frame holds the number that
 * was saved, or TORN from the entry into the kernel on.  What queue a thread is in does not matter
 * here: any hart may take any thread that is ready, under a lock.
 *
 * Every switch (#ifdef) takes out one step; run.py shows that pan then finds an error.
 */
#define HARTS 3
#define THREADS 2
#define NONE 9
#define TORN 255
#define LAST 2 /* a thread's registers grow so far */

mtype = { READY, RUNNING, BLOCKED, ENDED, FREE };

mtype state[THREADS];
byte owner[THREADS];     /* 1 + hart whose trap exit may touch the frame, or 0 */
byte registers[THREADS]; /* what they ought to be                              */
byte frame[THREADS];     /* what is saved                                      */
byte runners[THREADS];   /* harts on which it is in user mode                  */

#ifdef NO_OWNER_CHECK
#define MAY_TAKE(t) true
#else
#define MAY_TAKE(t) (owner[t] == 0 || owner[t] == me + 1)
#endif

/* adopt_locked: under the lock of a queue. */
inline pick_thread(t)
{
    atomic { state[t] == READY && MAY_TAKE(t) -> state[t] = RUNNING; owner[t] = me + 1; next = t }
}

inline pick()
{
    if
    :: pick_thread(0)
    :: pick_thread(1)
    :: next = NONE /* nothing, or nothing yet */
    fi
}

/* A handler of the thread that came in. */
inline handle()
{
    if
    :: next = current
    :: state[current] = READY; pick()
    :: state[current] = BLOCKED; pick()
    :: state[current] = ENDED; pick()
    fi
}

/* trap_entry.S: saves what C has kept, then lets go. */
inline save_and_let_go()
{
#ifdef LET_GO_BEFORE_SAVE
    owner[current] = 0;
#endif
    assert(state[current] != FREE);
    frame[current] = registers[current];
#ifndef LET_GO_BEFORE_SAVE
    owner[current] = 0
#endif
}

inline resume()
{
    assert(next == current || frame[next] == registers[next]); /* the frame is whole */
    d_step { current = next; next = NONE; runners[current]++; assert(runners[current] == 1) }
}

inline run_user()
{
    if
    :: registers[current] < LAST -> registers[current]++
    :: skip
    fi;
    d_step { runners[current]--; frame[current] = TORN }
}

inline wake(t)
{
    atomic { state[t] == BLOCKED -> state[t] = READY }
}

/* kernel/reaper.c: the end of a thread, and a new one in its place. */
inline reap(t)
{
#ifdef REAP_OWNED
    atomic { state[t] == ENDED -> state[t] = FREE }
#else
    atomic { state[t] == ENDED && owner[t] == 0 -> state[t] = FREE }
#endif
}

inline create(t)
{
    atomic { state[t] == FREE -> registers[t] = 0; frame[t] = 0; state[t] = READY }
}

proctype hart(byte me)
{
    byte current = NONE;
    byte next = NONE;

end:
    do
    :: current != NONE ->
        run_user();
        handle();
        if
        :: next == current -> resume()
        :: next != current ->
            save_and_let_go();
            current = NONE;
            if
            :: next != NONE -> resume()
            :: else -> skip
            fi
        fi
    :: current == NONE -> /* idle: looks again when something is ready */
        if
        :: pick_thread(0); resume()
        :: pick_thread(1); resume()
        :: wake(0)
        :: wake(1)
        :: reap(0)
        :: reap(1)
        :: create(0)
        :: create(1)
        fi
    od
}

init
{
    atomic {
        state[0] = READY;
        state[1] = READY;
        run hart(0);
        run hart(1);
        run hart(2)
    }
}
