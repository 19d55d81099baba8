/* SPDX-License-Identifier: MIT */
/*
 * The record of what the kernel did to the machine, in order, for tests about order.  Off until a
 * test starts it; a full record ends the process, so that a test never judges half of a history.
 */
#include "arch_host/arch_host.h"
#include "machine/effects.h"

#define EVENTS_MAX 16384U

static struct host_event events[EVENTS_MAX];
static size_t event_count;
static bool is_recording;

static void note_slot(uint64_t pa, uint64_t before, uint64_t after)
{
    host_event_add(
        (struct host_event){.kind = HOST_EVENT_SLOT, .pa = pa, .before = before, .after = after});
}

void host_events_start(void)
{
    event_count = 0;
    is_recording = true;
    oracle_watch_slots(note_slot);
}

size_t host_event_count(void)
{
    return event_count;
}

const struct host_event *host_event_at(size_t i)
{
    return i < event_count ? &events[i] : NULL;
}

size_t host_event_count_of(enum host_event_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < event_count; i++) {
        count += events[i].kind == kind;
    }
    return count;
}

void host_event_add(struct host_event event)
{
    if (!is_recording) {
        return;
    }
    if (event_count == EVENTS_MAX) {
        host_fail("more than %u events in one record", EVENTS_MAX);
    }
    event.hart = hart_index();
    events[event_count++] = event;
}
