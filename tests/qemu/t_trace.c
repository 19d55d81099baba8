/* SPDX-License-Identifier: MIT */
/*
 * The trace: the events of this program's own calls, faults, cursors and fences come out in order
 * and number, with the harts that were fenced; a ring that is full counts what it lost; arguments
 * that make no sense are refused.
 */
#include "uapi/trace.h"

#include <inttypes.h>

#include "support.h"
#include "team.h"

#define NULL_CALL             UINT64_C(0)
#define UNMAP_CALL            UINT64_C(17)
#define MARK                  UINT64_C(0x5eed0000)
#define MANY                  3000U /* calls, two events each: more than a ring holds */
#define BATCH                 32U
#define EVENTS_MAX            8192U

#define EVENT(id, name, a, b) TRACE_##id,
enum kind {
#include "vellum/trace.def"
    KIND_COUNT
};
#undef EVENT

/* The events of one hart since the trace was last begun. */
static struct trace_event events[EVENTS_MAX];
static uint64_t event_count;
static uint64_t events_lost;

static long trace_control(uint64_t mode)
{
    return sys_trace_control(user_machine(), mode);
}

/* Reads all that hart recorded into `events`. */
static long ring_read(uint64_t hart)
{
    uint64_t next = 0;
    uint64_t count = BATCH;
    uint64_t lost = 0;
    long status = 0;

    event_count = 0;
    events_lost = 0;
    while (status == 0 && count > 0 && event_count + BATCH <= EVENTS_MAX) {
        status = sys_trace_read(user_machine(), hart, next, (uintptr_t)&events[event_count], BATCH,
                                &count, &next, &lost);
        event_count += count;
        events_lost += lost;
    }
    return status;
}

/* Place of the first event from `from` on of that kind and that a; event_count: there is none. */
static uint64_t find(uint64_t from, enum kind kind, uint64_t a)
{
    while (from < event_count && (events[from].kind != kind || events[from].a != a)) {
        from++;
    }
    return from;
}

static uint64_t count_of(enum kind kind, uint64_t a)
{
    uint64_t count = 0;

    for (uint64_t at = find(0, kind, a); at < event_count; at = find(at + 1, kind, a)) {
        count++;
    }
    return count;
}

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
    tap_status(ring_read(here), 0, "its hart's events are read");
    for (uint64_t i = 0; i < 3; i++) {
        at = find(at, TRACE_CALL, NULL_CALL);
        tap_ok(at < event_count && events[at].b == MARK + i, "call %" PRIu64 " begins", i);
        at = find(at, TRACE_CALL_END, NULL_CALL);
        tap_ok(at < event_count && events[at].b == 0, "and ends");
    }
    at = find(at, TRACE_CALL_END, 9999);
    tap_ok(at < event_count && (long)events[at].b == -SYS_ENOSYS, "an unknown one is refused");
    tap_is(count_of(TRACE_CALL, NULL_CALL), 3, "and none came before or after");
    tap_is(events_lost, 0, "nothing was lost");
    uint64_t good = 0;
    for (uint64_t i = 0; i < event_count; i++) {
        good += events[i].hart == here && events[i].kind < KIND_COUNT &&
                (i == 0 || events[i].ticks >= events[i - 1].ticks);
    }
    tap_is(good, event_count, "time never goes back, and the hart is right");
}

static void fault_check(void)
{
    uint64_t faults = 0;
    uint64_t ends = 0;

    tap_status(trace_control(TRACE_ON), 0, "trace on");
    check_touch(ACCESS_WRITE, PLACE, "a child faults");
    tap_status(trace_control(TRACE_OFF), 0, "trace off");
    for (unsigned i = 0; i < harts_count(); i++) {
        (void)ring_read(hart_nth(i));
        uint64_t at = find(0, TRACE_FAULT, PLACE);

        faults += count_of(TRACE_FAULT, PLACE);
        if (at < event_count && events[at].b == ACCESS_WRITE) {
            at = find(at, TRACE_FAULT_END, PLACE);
            ends += at < event_count && events[at].b == 1;
        }
    }
    tap_is(faults, 1, "its fault is there once");
    tap_is(ends, 1, "as a write that ended it");
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
    tap_status(ring_read(here), 0, "its hart's events are read");

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
        at = find(at, wanted[i].kind, wanted[i].a);
        if (at < event_count) {
            tap_is(events[at].b, wanted[i].b, "%s", wanted[i].what);
        } else {
            tap_ok(0, "%s", wanted[i].what);
        }
    }
    uint64_t recorded = 0;
    for (uint64_t i = 0; i < event_count; i++) {
        recorded += events[i].kind == TRACE_FENCE_REMOTE;
    }
    tap_is(recorded, remote_calls, "there are as many remote fences as were counted");
}

/* ---- a full ring ---- */

static void flood_work(unsigned member)
{
    (void)member;
    here = hart_here();
    (void)trace_control(TRACE_ON);
    null_calls(MANY);
    (void)trace_control(TRACE_OFF);
}

static void flood_check(void)
{
    tap_status(team_run(1, flood_work), 0, "a thread makes more calls than fit");
    tap_status(ring_read(here), 0, "its hart's events are read");
    tap_ok(events_lost > 0, "some were lost");
    tap_ok(event_count + events_lost >= 2 * (uint64_t)MANY, "none is neither there nor lost");

    uint64_t at = find(0, TRACE_CALL, NULL_CALL);
    uint64_t first = at < event_count ? events[at].b : 0;
    uint64_t in_row = 0;
    for (; at < event_count; at = find(at + 1, TRACE_CALL, NULL_CALL)) {
        in_row += events[at].b == first + in_row;
    }
    tap_is(first + in_row, MARK + MANY, "the rest are the last ones, in order");
    tap_ok(in_row > 0 && in_row < MANY, "the first ones are gone");
    tap_status(trace_control(TRACE_ON), 0, "trace on");
    tap_status(trace_control(TRACE_OFF), 0, "trace off");
    (void)ring_read(here);
    tap_is(count_of(TRACE_CALL, NULL_CALL), 0, "a new trace forgets the old");
    tap_is(events_lost, 0, "and counts nothing of it as lost");
}

/* ---- arguments ---- */

/* There are events to read by now: the ones that a trace_control leaves. */
static void arguments_check(void)
{
    uint64_t machine = user_machine();
    uint64_t limit = user_limit();
    uint64_t buffer = (uintptr_t)events;
    const struct {
        uint64_t args[7];
        long want;
        const char *what;
    } rows[] = {
        {{machine, 16, 0, buffer, 1}, -SYS_ENOENT, "hart 16"},
        {{machine, 1ULL << 32, 0, buffer, 1}, -SYS_ENOENT, "hart 2^32"},
        {{machine, UINT64_MAX, 0, buffer, 1}, -SYS_ENOENT, "the last hart"},
        {{machine, here, 0, limit, 1}, -SYS_ERANGE, "a buffer past the range"},
        {{machine, here, 0, limit - 32, 2}, -SYS_ERANGE, "a buffer that leaves it"},
        {{machine, here, 0, buffer, UINT64_MAX}, -SYS_ERANGE, "endless room"},
        {{machine, here, 0, buffer, 1ULL << 59}, -SYS_ERANGE, "room that wraps to none"},
        {{machine, here, 0, PLACE, 1}, -SYS_EFAULT, "no memory there"},
        {{machine, here, 0, 0, 1}, -SYS_EFAULT, "null"},
        {{machine, here, 0, buffer, 0}, 0, "no room"},
        {{machine, here, UINT64_MAX, buffer, 1}, 0, "the last event of all"},
    };

    tap_status(trace_control(2), -SYS_EINVAL, "trace_control, mode 2");
    tap_status(trace_control(UINT64_MAX), -SYS_EINVAL, "trace_control, all bits");
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct raw_call call = {.number = 43};

        for (unsigned arg = 0; arg < 7; arg++) {
            call.args[arg] = rows[i].args[arg];
        }
        raw_call(&call);
        tap_status((long)call.out[0], rows[i].want, "trace_read, %s", rows[i].what);
        tap_is(call.out[1], 0, "and copies nothing");
        tap_ok(rows[i].want == 0 || call.out[2] == rows[i].args[2], "and stays where it was");
    }
}

int main(void)
{
    unsigned harts = harts_count() < TEAM_MAX ? harts_count() : TEAM_MAX;

    calls_check();
    fault_check();
    fence_check(harts);
    flood_check();
    (void)team_run(1, calls_work);
    arguments_check();
    return tap_done();
}
