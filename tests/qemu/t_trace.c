/* SPDX-License-Identifier: MIT */
/*
 * The trace: the events of this program's own calls, faults, cursors and fences come out in order
 * and number, with the harts that were fenced; a process that is made is named, made ready, run,
 * and seen to end.
 */
#include <inttypes.h>

#include "events.h"
#include "support.h"
#include "team.h"

#define NULL_CALL  UINT64_C(0)
#define EXIT_CALL  UINT64_C(8)
#define UNMAP_CALL UINT64_C(17)
#define MARK       UINT64_C(0x5eed0000)

static void null_calls(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t args[7] = {MARK + i};

        (void)raw_status(NULL_CALL, args);
    }
}

/* ---- calls, faults ---- */

static unsigned here; /* hart of member 0; written before the team ends */

static void calls_work(unsigned member)
{
    (void)member;
    here = hart_here();
    (void)team_is((uint64_t)trace_control(TRACE_ON), 0, "trace on");
    null_calls(3);
    (void)raw_status(9999, (uint64_t[7]){MARK});
    (void)team_is((uint64_t)trace_control(TRACE_OFF), 0, "trace off");
    null_calls(1);
}

static void calls_check(void)
{
    uint64_t at = 0;

    tap_status(team_run(1, calls_work), 0, "a thread makes calls");
    team_report("the trace goes on and off");
    tap_status(events_read(here), 0, "its hart's events are read");
    for (uint64_t i = 0; i < 3; i++) {
        at = events_find(at, TRACE_CALL, NULL_CALL);
        tap_ok(at < events_count() && event_at(at)->b == MARK + i, "call %" PRIu64 " begins", i);
        at = events_find(at, TRACE_CALL_END, NULL_CALL);
        tap_ok(at < events_count() && event_at(at)->b == 0, "and ends");
    }
    at = events_find(at, TRACE_CALL_END, 9999);
    tap_ok(at < events_count() && (long)event_at(at)->b == -SYS_ENOSYS,
           "an unknown one is refused");
    tap_is(events_with(TRACE_CALL, NULL_CALL), 3, "and none came before or after");
    tap_is(events_lost(), 0, "nothing was lost");
    uint64_t good = 0;
    for (uint64_t i = 0; i < events_count(); i++) {
        const struct trace_event *event = event_at(i);

        good += event->hart == here && event->kind < KIND_COUNT &&
                (i == 0 || event->ticks >= event_at(i - 1)->ticks);
    }
    tap_is(good, events_count(), "time never goes back, and the hart is right");
}

static void fault_check(void)
{
    uint64_t faults = 0;
    uint64_t ends = 0;

    tap_status(trace_control(TRACE_ON), 0, "trace on");
    check_touch(ACCESS_WRITE, PLACE, "a child faults");
    tap_status(trace_control(TRACE_OFF), 0, "trace off");
    for (unsigned i = 0; i < harts_count(); i++) {
        (void)events_read(hart_nth(i));
        uint64_t at = events_find(0, TRACE_FAULT, PLACE);

        faults += events_with(TRACE_FAULT, PLACE);
        if (at < events_count() && event_at(at)->b == ACCESS_WRITE) {
            at = events_find(at, TRACE_FAULT_END, PLACE);
            ends += at < events_count() && event_at(at)->b == 1;
        }
    }
    tap_is(faults, 1, "its fault is there once");
    tap_is(ends, 1, "as a write that ended it");
}

/* ---- processes ---- */

static int child_run(void *argument)
{
    (void)argument;
    return 0;
}

/* The number of the one process that was made, 0: none or several. */
static uint64_t process_made(void)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < harts_count(); i++) {
        (void)events_read(hart_nth(i));
        for (uint64_t at = 0; at < events_count(); at++) {
            const struct trace_event *event = event_at(at);

            if (event->kind == TRACE_PROCESS && number != 0 && event->a != number) {
                return 0;
            }
            number = event->kind == TRACE_PROCESS && event->b != 0 ? event->a : number;
        }
    }
    return number;
}

/* The thread of that process that a hart whose events were read has run first; 0: none. */
static uint64_t thread_run(uint64_t process)
{
    for (uint64_t at = 0; at < events_count(); at++) {
        if (event_at(at)->kind == TRACE_SWITCH && event_at(at)->b == process) {
            return event_at(at)->a;
        }
    }
    return 0;
}

static void process_check(void)
{
    uint64_t thread = 0;
    uint64_t ready = 0;
    uint64_t exits = 0;

    tap_status(trace_control(TRACE_ON), 0, "trace on");
    check_child(child_run, NULL, 0, "a child runs");
    tap_status(trace_control(TRACE_OFF), 0, "trace off");
    uint64_t process = process_made();
    tap_ok(process != 0, "its making and its name are there");
    for (unsigned i = 0; i < harts_count(); i++) {
        (void)events_read(hart_nth(i));
        thread = thread_run(process) != 0 ? thread_run(process) : thread;
    }
    tap_ok(thread != 0, "a hart changes over to its thread");
    for (unsigned i = 0; i < harts_count(); i++) {
        (void)events_read(hart_nth(i));
        /* Its end need not be there: this thread may have ended the trace before. */
        uint64_t at = events_find(0, TRACE_CALL, EXIT_CALL);

        ready += events_with(TRACE_READY, thread);
        exits += at < events_count() && event_at(at)->thread == thread;
    }
    tap_ok(ready > 0, "which was made ready");
    tap_is(exits, 1, "and exits");
}

/* ---- fences ---- */

static _Atomic(uint64_t) fenced; /* released by member 0, acquired by the others */
static uint64_t remote_calls;

static void fence_work(unsigned member)
{
    if (member != 0) {
        team_spin(&fenced, 1);
        return;
    }
    here = hart_here();
    (void)page_map(PLACE, PAGE, RW);
    *word_at(PLACE) = 1;
    remote_calls = counter_value("tlb_flush_remote");
    (void)trace_control(TRACE_ON);
    (void)page_unmap(PLACE, PAGE);
    (void)trace_control(TRACE_OFF);
    remote_calls = counter_value("tlb_flush_remote") - remote_calls;
    atomic_store_explicit(&fenced, 1, memory_order_release);
}

static void fence_check(unsigned harts)
{
    uint64_t others = 0;
    uint64_t at = 0;

    tap_status(team_run(harts, fence_work), 0, "one of %u unmaps what all may use", harts);
    for (unsigned i = 0; i < harts; i++) {
        others |= UINT64_C(1) << hart_nth(i);
    }
    others &= ~(UINT64_C(1) << here);
    tap_status(events_read(here), 0, "its hart's events are read");

    const struct {
        enum kind kind;
        uint64_t a, b;
        const char *what;
    } wanted[] = {
        {TRACE_CALL, UNMAP_CALL, user_self(), "vm_unmap begins"},
        {TRACE_CURSOR_OPEN, PLACE, PAGE, "a cursor is asked for"},
        {TRACE_CURSOR_OPENED, PLACE, PAGE, "it is open"},
        {TRACE_FENCE_LOCAL, PLACE, PAGE, "this hart is fenced"},
        {TRACE_FENCE_REMOTE, others, PAGE, "the others are fenced"},
        {TRACE_FENCE_REMOTE_END, others, 0, "all of them"},
        {TRACE_CURSOR_CLOSE, PLACE, PAGE, "the cursor closes"},
        {TRACE_CALL_END, UNMAP_CALL, 0, "vm_unmap ends"},
    };

    for (unsigned i = 0; i < COUNT_OF(wanted); i++) {
        if (others == 0 && wanted[i].a == others) {
            continue;
        }
        at = events_find(at, wanted[i].kind, wanted[i].a);
        if (at < events_count()) {
            tap_is(event_at(at)->b, wanted[i].b, "%s", wanted[i].what);
        } else {
            tap_ok(0, "%s", wanted[i].what);
        }
    }
    tap_is(events_of(TRACE_FENCE_REMOTE), remote_calls,
           "there are as many remote fences as were counted");
}

int main(void)
{
    unsigned harts = harts_count() < TEAM_MAX ? harts_count() : TEAM_MAX;

    calls_check();
    fault_check();
    process_check();
    fence_check(harts);
    return tap_done();
}
