/* SPDX-License-Identifier: MIT */
/*
 * A hart that helps another with a check of the self-test.  In C
 * arch/riscv64/selftest/selftest_help.c.
 *
 * The tester asks one hart, by a word and a software interrupt, and gives up if it does not come in
 * time; the hart takes the request by a compare and exchange, does one deed for each order, and
 * goes back to its own table.  Testers take turns (kernel/selftest.c), each with a table of its own
 * that is gone when its turn is over.  Interrupts come late: a hart may look at the word at any
 * time afterwards.
 *
 * Every switch (#ifdef) takes out one step; run.py shows that pan then finds an error.
 */
#define HARTS 3
#define TURNS 3 /* of testers, all together */
#define DEEDS 2 /* in each turn             */
#define NOBODY 0
#define TAKEN 99

byte asked = NOBODY;   /* 1 + the hart that is asked, TAKEN, or NOBODY    */
byte satp;             /* of who is asked: the turn, 1, 2, ...            */
byte orders, done;     /* how many                                        */
bool leaves;           /* the deed: the last one                          */
byte answer;
byte busy;             /* a tester has its turn                           */
byte turn;             /* whose tables are there; older ones are gone     */
byte in_table[HARTS];  /* the turn whose table a hart uses, 0: its own    */
bool interrupted[HARTS];

/* What a hart does with a table that is gone would be anybody's memory. */
#define TABLES_THERE (in_table[me] == 0 || (busy && in_table[me] == turn))

inline do_deed()
{
    assert(TABLES_THERE);
    answer = in_table[me]
}

/* selftest_help_if_asked, where a software interrupt has come. */
inline help()
{
    byte last;

    if
    :: asked == me + 1 ->
#ifdef TAKE_WITHOUT_EXCHANGE
        asked = TAKEN;
        taken = true;
#else
        atomic {
            taken = asked == me + 1;
            if
            :: taken -> asked = TAKEN
            :: else
            fi
        }
#endif
    :: else -> taken = false
    fi;
    if
    :: taken ->
#ifdef COUNT_ORDERS
        last = orders;
#else
        last = done;
#endif
        in_table[me] = satp;
        do
        :: orders != last ->
            if
            :: leaves -> break
            :: else -> do_deed(); last++; done = last
            fi
        od;
#ifdef TELL_BEFORE_LEAVING
        asked = NOBODY;
        done = last + 1;
        assert(TABLES_THERE);
        in_table[me] = 0
#else
        assert(TABLES_THERE);
        in_table[me] = 0;
        asked = NOBODY;
        done = last + 1
#endif
    :: else
    fi
}

inline order(last_one)
{
    leaves = last_one;
    orders++;
    done == orders
}

inline ask(hart)
{
    satp = turn;
    asked = hart + 1;
    interrupted[hart] = true;
    if
    :: asked == TAKEN; came = true
    :: true -> /* the patience is at an end */
#ifdef GIVE_UP_UNSEEN
        asked = NOBODY;
        came = false
#else
        atomic {
            came = asked != hart + 1;
            if
            :: !came -> asked = NOBODY
            :: else
            fi
        }
#endif
    fi
}

/* One turn of a tester. */
inline test()
{
    byte deed = 0;
    bool came;

    turn++;
    in_table[me] = turn;
    ask((me + 1) % HARTS);
    if
    :: came ->
        do
        :: deed < DEEDS -> order(false); assert(answer == turn); deed++
        :: else -> break
        od;
        order(true)
    :: else
    fi;
    in_table[me] = 0;
    busy = 0
}

proctype hart(byte me)
{
    bool taken;

end:
    do
    :: atomic { busy == 0 && turn < TURNS -> busy = 1 }; test()
    :: interrupted[me] -> interrupted[me] = false; help()
    od
}

init
{
    atomic { run hart(0); run hart(1); run hart(2) }
}
