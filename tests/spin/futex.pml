/* SPDX-License-Identifier: MIT */
/*
 * A futex: two threads wait on one word, one of them with a deadline, while one hart changes the
 * word and wakes all, another wakes one for nothing, a third expires the deadline, and a fourth ends
 * the process.  In C kernel/futex.c, kernel/sys_futex.c, kernel/wait.c, kernel/timeouts.c.
 *
 * What takes a thread out of the queue does so under the bucket's lock, and looks there whether it
 * is in; a blocked call is made again from its beginning.  At the end nobody waits, and as many
 * wake-ups were counted as calls returned 0, or ended with the process.
 *
 * Every switch (#ifdef) takes out one step; run.py shows that pan then finds an error.
 */
#define WAITERS 2
#define OLD 0
#define NEW 1

byte word = OLD;
bit lock;
bool queued[WAITERS];
bool ready[WAITERS]; /* a blocked call may be made again */
bool woken[WAITERS]; /* by a wake-up                     */
bool past[WAITERS];  /* its deadline has come            */
bool dead;           /* the process has ended            */
byte told;           /* wake-ups that were counted       */
byte felt;           /* calls that returned 0            */
byte lost;           /* those that ended first           */

inline acquire() { atomic { lock == 0 -> lock = 1 } }
inline release() { lock = 0 }

inline take_out(t)
{
    assert(queued[t]);
    queued[t] = false
}

/* The call begins, also when it is made again. */
inline begin()
{
    if
    :: dead -> atomic { lost = lost + (woken[me] -> 1 : 0); goto gone }
    :: else -> skip
    fi;
#ifndef WORD_BEFORE_RESULT
    if
    :: woken[me] -> atomic { woken[me] = false; felt++; goto returned }
    :: else -> skip
    fi
#endif
}

proctype waiter(byte me)
{
    byte seen;

again:
    begin();
#ifdef READ_BEFORE_LOCK
    seen = word;
    acquire();
#else
    acquire();
    seen = word;
#endif
    if
    :: seen != OLD || past[me] -> release(); goto returned
    :: else -> ready[me] = false; queued[me] = true; release()
    fi;
    ready[me];
    goto again;
returned:
    if
    :: word == OLD && !past[me] && !dead -> goto again /* as any program waits */
    :: else -> skip
    fi;
gone:
    skip
}

/* Wakes the first one; is_done: there was none. */
inline wake_one()
{
    acquire();
    if
    :: queued[0] -> t = 0
    :: !queued[0] && queued[1] -> t = 1
    :: else -> t = WAITERS
    fi;
    if
    :: t < WAITERS ->
        take_out(t);
#ifndef WAKE_SAYS_NOTHING
        woken[t] = true;
#endif
        told++;
        release();
        ready[t] = true
    :: else -> release()
    fi
}

proctype changer()
{
    byte t = 0;

    word = NEW;
    do
    :: t < WAITERS -> wake_one()
    :: t == WAITERS -> break
    od
}

proctype waker()
{
    byte t = 0;

    wake_one()
}

/* The deadline of waiter 1. */
proctype timer()
{
    past[1] = true;
#ifdef LOOK_BEFORE_LOCK
    if
    :: queued[1] -> acquire(); take_out(1); release(); ready[1] = true
    :: else -> skip
    fi
#else
    acquire();
    if
    :: queued[1] -> take_out(1); release(); ready[1] = true
    :: else -> release()
    fi
#endif
}

/* The reaper, for the threads that wait. */
proctype killer()
{
    byte t = 0;

    dead = true;
    do
    :: t < WAITERS ->
        acquire();
        if
        :: queued[t] -> take_out(t); release(); ready[t] = true
        :: else -> release()
        fi;
        t++
    :: t == WAITERS -> break
    od
}

init
{
    atomic {
        run waiter(0);
        run waiter(1);
        run changer();
        run waker();
        run timer();
#ifdef KILL
        run killer();
#endif
    }
    _nr_pr == 1;
    assert(told == felt + lost);
    assert(!queued[0] && !queued[1])
}
