/* SPDX-License-Identifier: MIT */
/* What a hart has recorded: read once, looked at often. */
#include "events.h"

#include "support.h"

#define BATCH      32U
#define EVENTS_MAX 8192U /* more than a ring holds */

static struct trace_event events[EVENTS_MAX];
static uint64_t count;
static uint64_t lost;

long trace_control(uint64_t mode)
{
    return sys_trace_control(user_machine(), mode);
}

long events_read(uint64_t hart)
{
    uint64_t next = 0;
    uint64_t got = BATCH;
    uint64_t missed = 0;
    long status = 0;

    count = 0;
    lost = 0;
    while (status == 0 && got > 0 && count + BATCH <= EVENTS_MAX) {
        status = sys_trace_read(user_machine(), hart, next, (uintptr_t)&events[count], BATCH, &got,
                                &next, &missed);
        count += got;
        lost += missed;
    }
    return status;
}

uint64_t events_count(void)
{
    return count;
}

uint64_t events_lost(void)
{
    return lost;
}

const struct trace_event *event_at(uint64_t place)
{
    return &events[place];
}

uint64_t events_find(uint64_t from, enum kind kind, uint64_t a)
{
    while (from < count && (events[from].kind != kind || events[from].a != a)) {
        from++;
    }
    return from;
}

uint64_t events_with(enum kind kind, uint64_t a)
{
    uint64_t found = 0;

    for (uint64_t i = 0; i < count; i++) {
        found += events[i].kind == kind && events[i].a == a;
    }
    return found;
}

uint64_t events_of(enum kind kind)
{
    uint64_t found = 0;

    for (uint64_t i = 0; i < count; i++) {
        found += events[i].kind == kind;
    }
    return found;
}
