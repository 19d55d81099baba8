/* SPDX-License-Identifier: MIT */
/*
 * The rings of the trace: a full one keeps the last events and counts what it lost, a new trace
 * forgets the old, and arguments that make no sense are refused.
 */
#include <inttypes.h>

#include "events.h"
#include "support.h"
#include "team.h"

#define NULL_CALL UINT64_C(0)
#define READ_CALL UINT64_C(43)
#define MARK      UINT64_C(0x5eed0000)
#define MANY      3000U /* calls, two events each: more than a ring holds */

static unsigned here; /* hart of the flood; written before its team ends */

static void flood_work(unsigned member)
{
    (void)member;
    here = hart_here();
    (void)trace_control(TRACE_ON);
    for (uint64_t i = 0; i < MANY; i++) {
        (void)raw_status(NULL_CALL, (uint64_t[7]){MARK + i});
    }
    (void)trace_control(TRACE_OFF);
}

static void flood_check(void)
{
    tap_status(team_run(1, flood_work), 0, "a thread makes more calls than fit");
    tap_status(events_read(here), 0, "its hart's events are read");
    tap_ok(events_lost() > 0, "some were lost");
    tap_ok(events_count() + events_lost() >= 2 * (uint64_t)MANY, "each is there, or lost");

    uint64_t at = events_find(0, TRACE_CALL, NULL_CALL);
    uint64_t first = at < events_count() ? event_at(at)->b : 0;
    uint64_t in_row = 0;
    for (; at < events_count(); at = events_find(at + 1, TRACE_CALL, NULL_CALL)) {
        in_row += event_at(at)->b == first + in_row;
    }
    tap_is(first + in_row, MARK + MANY, "the rest are the last ones, in order");
    tap_ok(in_row > 0 && in_row < MANY, "the first ones are gone");
}

static void forget_check(void)
{
    tap_status(trace_control(TRACE_ON), 0, "trace on");
    tap_status(trace_control(TRACE_OFF), 0, "trace off");
    (void)events_read(here);
    tap_is(events_with(TRACE_CALL, NULL_CALL), 0, "a new trace forgets the old");
    tap_is(events_lost(), 0, "and counts nothing of it as lost");
}

/* There are events to read by now: those of the flood. */
static void arguments_check(void)
{
    uint64_t machine = user_machine();
    uint64_t limit = user_limit();
    static struct trace_event events[1];
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
        struct raw_call call = {.number = READ_CALL};

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
    flood_check();
    forget_check();
    (void)team_run(1, flood_work);
    arguments_check();
    return tap_done();
}
