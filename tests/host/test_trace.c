/* SPDX-License-Identifier: MIT */
/*
 * The rings of the trace: events come out as they went in, with numbers that go on; a full ring
 * loses its oldest events and counts them; an event without its end is not read.
 */
#include "lib/trace.h"

#include <criterion/criterion.h>

#include "arch/arch.h"
#include "support.h"

#define N TRACE_RING_EVENTS

static struct trace_record records[2 * N];

static void write_many(uint64_t count, uint64_t from)
{
    for (uint64_t i = 0; i < count; i++) {
        trace_note(TRACE_CALL, from + i, ~(from + i));
    }
}

Test(trace, off_records_nothing)
{
    write_many(3, 0);
    EXPECT_EQ(trace_count(0), 0);
    trace_start();
    trace_stop();
    write_many(3, 0);
    EXPECT_EQ(trace_count(0), 0);
}

Test(trace, events_come_out_whole)
{
    uint64_t before = arch_time_now();

    trace_start();
    trace_note(TRACE_FENCE_REMOTE, 0xe, 0x1000);
    (void)arch_time_now();
    trace_note(TRACE_SWITCH, 7, 3);
    host_hart_set(2);
    trace_note(TRACE_FAULT, UINT64_MAX, 1);

    struct trace_part part = trace_copy(0, 0, records, 8);

    EXPECT_EQ(part.events, 2);
    EXPECT_EQ(part.next, 2);
    EXPECT_EQ(part.lost, 0);
    EXPECT_EQ(records[0].kind, TRACE_FENCE_REMOTE);
    EXPECT_EQ(records[0].thread, 1);
    EXPECT_EQ(records[0].ticks, before);
    EXPECT_EQ(records[0].a, 0xe);
    EXPECT_EQ(records[0].b, 0x1000);
    EXPECT_EQ(records[1].ticks, before + 1);
    EXPECT_EQ(records[1].kind, TRACE_SWITCH);
    EXPECT_EQ(trace_copy(2, 0, records, 8).events, 1);
    EXPECT_EQ(records[0].a, UINT64_MAX);
    EXPECT_EQ(records[0].thread, 3);
    EXPECT_EQ(trace_copy(1, 0, records, 8).events, 0);
    EXPECT_EQ(trace_copy(HART_MAX - 1, 0, records, 8).events, 0);
}

Test(trace, reading_in_pieces)
{
    trace_start();
    write_many(5, 100);
    for (uint64_t from = 0; from < 5; from++) {
        struct trace_part part = trace_copy(0, from, records, 1);

        EXPECT_EQ(part.events, 1);
        EXPECT_EQ(part.next, from + 1);
        EXPECT_EQ(records[0].a, 100 + from);
    }
    EXPECT_EQ(trace_copy(0, 5, records, 1).events, 0);
    EXPECT_EQ(trace_copy(0, 5, records, 1).next, 5);
    EXPECT_EQ(trace_copy(0, 0, records, 0).events, 0);
    EXPECT_EQ(trace_copy(0, UINT64_MAX, records, 8).events, 0);
    EXPECT_EQ(trace_copy(0, UINT64_MAX, records, 8).next, UINT64_MAX);
}

Test(trace, a_full_ring_loses_the_oldest)
{
    struct trace_part part;

    trace_start();
    write_many(N, 0);
    part = trace_copy(0, 0, records, 2 * N);
    EXPECT_EQ(part.events, N);
    EXPECT_EQ(part.lost, 0);
    write_many(10, N);
    part = trace_copy(0, 0, records, 2 * N);
    EXPECT_EQ(part.events, N);
    EXPECT_EQ(part.lost, 10);
    EXPECT_EQ(part.next, N + 10);
    for (uint64_t i = 0; i < N; i++) {
        EXPECT_EQ(records[i].a, 10 + i);
        EXPECT_EQ(records[i].b, ~(10 + i));
    }
    part = trace_copy(0, 4, records, 1);
    EXPECT_EQ(part.lost, 6);
    EXPECT_EQ(part.next, 11);
    part = trace_copy(0, 10, records, 1);
    EXPECT_EQ(part.lost, 0);
}

Test(trace, starting_forgets_but_numbers_go_on)
{
    struct trace_part part;

    trace_start();
    write_many(3, 0);
    trace_start();
    part = trace_copy(0, 0, records, 8);
    EXPECT_EQ(part.events, 0);
    EXPECT_EQ(part.next, 3);
    EXPECT_EQ(part.lost, 0);
    write_many(N + 2, 50);
    part = trace_copy(0, 0, records, 1);
    EXPECT_EQ(part.events, 1);
    EXPECT_EQ(part.lost, 2);
    EXPECT_EQ(records[0].a, 52);
}

Test(trace, kinds_have_names)
{
    cr_assert_str_eq(trace_kind_name(TRACE_CALL), "CALL");
    cr_assert_str_eq(trace_kind_name(TRACE_CODE_REMOTE_END), "CODE_REMOTE_END");
}
