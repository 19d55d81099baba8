/* SPDX-License-Identifier: MIT */
/*
 * Address-space identifiers and the word of a space: harts that leave a space keep what they
 * remember of it, are not interrupted, and must not use it again once it is stale.
 */
#include <string.h>

#include "lib/counter.h"
#include "machine/oracle.h"
#include "mm/asid.h"
#include "mm/space_word.h"
#include "mm/vm_fault.h"
#include "mm/vm_space_priv.h"
#include "support.h"

#define BASE        (4 * GIB)
#define WIDE        16U /* bits */
#define NARROW      4U  /* bits: 15 identifiers */
#define SPACES      40U
#define RANDOM_RUNS 20000U

static struct world tagged_world(unsigned levels, unsigned bits)
{
    host_asid_bits_set(bits);

    struct world world = world_begin(levels);

    EXPECT_EQ(asid_is_used(), bits != 0);
    return world;
}

static void run_on(hart_idx_t hart, struct vm_space *space)
{
    host_hart_set(hart);
    vm_space_activate(space);
    host_hart_set(0);
}

/* User mode of the hart reads there: the frame it reaches, 0 if it faults. */
static uint64_t read_on(hart_idx_t hart, uint64_t at)
{
    uint64_t to;

    return hart_may(hart, at, ORACLE_READ, &to) ? to : 0;
}

static void end_spaces(struct vm_space **spaces, unsigned count)
{
    run_on(0, NULL);
    run_on(1, NULL);
    for (unsigned i = 0; i < count; i++) {
        vm_space_put(spaces[i]);
    }
}

MODE_TEST(asid, a_hart_that_comes_back_forgets_what_changed_while_it_was_away)
{
    struct world world = tagged_world(*levels, WIDE);

    map_at(&world, BASE, frame_new(), VM_RW);
    run_on(1, world.space);
    cr_assert(read_on(1, BASE) != 0);
    run_on(1, NULL);
    unmap_at(&world, BASE, PAGE_SIZE);
    run_on(1, world.space);
    EXPECT_EQ(read_on(1, BASE), 0);
    run_on(1, NULL);
    world_end(&world);
}

MODE_TEST(asid, a_hart_that_has_left_is_not_interrupted)
{
    struct world world = tagged_world(*levels, WIDE);

    map_at(&world, BASE, frame_new(), VM_RW);
    run_on(1, world.space);
    (void)read_on(1, BASE);
    run_on(1, NULL);
    host_events_start();
    unmap_at(&world, BASE, PAGE_SIZE);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 0);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 1);
    world_end(&world);
}

MODE_TEST(asid, a_hart_that_missed_nothing_comes_back_without_a_fence)
{
    struct world world = tagged_world(*levels, WIDE);

    map_at(&world, BASE, frame_new(), VM_RW);
    vm_space_activate(NULL);
    host_events_start();
    vm_space_activate(world.space);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 0);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_ACTIVATE), 1);
    world_end(&world);
}

MODE_TEST(asid, without_identifiers_every_switch_flushes_after_satp)
{
    struct world world = tagged_world(*levels, 0);

    vm_space_activate(NULL);
    host_events_start();
    vm_space_activate(world.space);
    EXPECT_EQ(host_event_count(), 2);
    cr_assert(host_event_at(0)->kind == HOST_EVENT_ACTIVATE);
    EXPECT_EQ(host_event_at(0)->op.asid, 0);
    cr_assert(host_event_at(1)->kind == HOST_EVENT_FLUSH_LOCAL);
    EXPECT_EQ(host_event_at(1)->op.asid, 0);
    EXPECT_EQ(host_event_at(1)->op.bytes, 0);
    world_end(&world);
}

MODE_TEST(asid, a_stale_space_is_fenced_while_another_identifier_is_current)
{
    struct world world = tagged_world(*levels, WIDE);

    map_at(&world, BASE, frame_new(), VM_RW);
    run_on(1, world.space);
    run_on(1, NULL);
    unmap_at(&world, BASE, PAGE_SIZE);
    host_events_start();
    run_on(1, world.space);
    EXPECT_EQ(host_event_count(), 2);
    cr_assert(host_event_at(0)->kind == HOST_EVENT_FLUSH_LOCAL);
    EXPECT_EQ(host_event_at(0)->op.asid, asid_of(world.space));
    cr_assert(host_event_at(1)->kind == HOST_EVENT_ACTIVATE);
    EXPECT_EQ(host_event_at(1)->op.asid, asid_of(world.space));
    run_on(1, NULL);
    world_end(&world);
}

MODE_TEST(asid, a_width_that_is_too_small_for_the_harts_is_not_used)
{
    host_asid_bits_set(3); /* seven identifiers are not more than twice the four harts */

    struct world world = world_begin(*levels);

    cr_assert(!asid_is_used());
    EXPECT_EQ(asid_of(world.space), 0);
    world_end(&world);
}

MODE_TEST(asid, two_spaces_never_share_an_identifier_in_one_epoch)
{
    struct world world = tagged_world(*levels, NARROW);
    struct vm_space *spaces[14];

    for (unsigned i = 0; i < 14; i++) {
        EXPECT_OK(vm_space_create(NULL, &spaces[i]));
        vm_space_activate(spaces[i]);
        cr_assert(asid_of(spaces[i]) != 0 && asid_of(spaces[i]) != asid_of(world.space));
        for (unsigned j = 0; j < i; j++) {
            cr_assert(asid_of(spaces[j]) != asid_of(spaces[i]));
        }
    }
    EXPECT_EQ(counter_read(COUNTER_asid_epochs), 0);
    vm_space_activate(world.space);
    end_spaces(spaces, 14);
    world_end(&world);
}

MODE_TEST(asid, a_space_that_runs_keeps_its_identifier_when_they_start_over)
{
    struct world world = tagged_world(*levels, NARROW);
    struct vm_space *spaces[SPACES];
    asid_t kept;

    run_on(1, world.space);
    kept = asid_of(world.space);
    for (unsigned i = 0; i < SPACES; i++) {
        EXPECT_OK(vm_space_create(NULL, &spaces[i]));
        vm_space_activate(spaces[i]);
        cr_assert(asid_of(spaces[i]) != kept);
    }
    cr_assert(counter_read(COUNTER_asid_epochs) >= 2);
    EXPECT_EQ(asid_of(world.space), kept);
    run_on(1, NULL);
    end_spaces(spaces, SPACES);
    vm_space_activate(world.space);
    world_end(&world);
}

/* More spaces than identifiers, all with a page of their own at one address: nobody ever reads
 * another's, on either hart. */
MODE_TEST(asid, an_identifier_that_is_used_again_brings_nothing_back)
{
    struct world world = tagged_world(*levels, NARROW);
    struct vm_space *spaces[SPACES];
    uint64_t frames[SPACES];

    for (unsigned i = 0; i < SPACES; i++) {
        struct world one = {.space = NULL};
        struct frame *frame = frame_new();

        EXPECT_OK(vm_space_create(NULL, &spaces[i]));
        one.space = spaces[i];
        frames[i] = frame_pa(frame).raw;
        map_at(&one, BASE, frame, VM_RW);
    }
    for (unsigned i = 0; i < 6 * SPACES; i++) {
        unsigned a = i % SPACES;
        unsigned b = i * 7 % SPACES;

        run_on(0, spaces[a]);
        run_on(1, spaces[b]);
        EXPECT_EQ(read_on(0, BASE), frames[a]);
        EXPECT_EQ(read_on(1, BASE), frames[b]);
        oracle_audit();
    }
    cr_assert(counter_read(COUNTER_asid_epochs) >= 4);
    end_spaces(spaces, SPACES);
    vm_space_activate(world.space);
    world_end(&world);
}

MODE_TEST(asid, a_spurious_fault_forgets_the_page_of_this_space_only)
{
    struct world world = tagged_world(*levels, WIDE);

    map_at(&world, BASE, frame_new(), VM_RW);
    host_events_start();
    cr_assert(vm_space_fault(world.space, va(BASE), VM_ACCESS_WRITE) == VM_FAULT_RETRY);
    cr_assert(vm_space_fault(world.space, va(BASE), VM_ACCESS_WRITE) == VM_FAULT_RETRY);
    EXPECT_EQ(host_event_count(), 2);
    EXPECT_EQ(host_event_at(0)->op.asid, asid_of(world.space));
    EXPECT_EQ(host_event_at(0)->op.bytes, PAGE_SIZE);
    EXPECT_EQ(host_event_at(1)->op.asid, asid_of(world.space));
    EXPECT_EQ(host_event_at(1)->op.bytes, 0);
    world_end(&world);
}

/* ---- random runs ---- */

#define RANDOM_SPACES 20U

struct random_run {
    uint64_t state;
    struct world worlds[RANDOM_SPACES];
    uint64_t frames[RANDOM_SPACES]; /* mapped at BASE; 0: none */
    unsigned runs[2];               /* which space a hart runs */
};

static uint64_t draw(struct random_run *run)
{
    run->state ^= run->state << 13;
    run->state ^= run->state >> 7;
    run->state ^= run->state << 17;
    return run->state;
}

static void random_step(struct random_run *run)
{
    hart_idx_t hart = (hart_idx_t)(draw(run) % 2);
    unsigned which = (unsigned)(draw(run) % RANDOM_SPACES);

    switch (draw(run) % 4) {
    case 0:
    case 1:
        run_on(hart, run->worlds[which].space);
        run->runs[hart] = which;
        break;
    case 2:
        host_hart_set(hart);
        if (run->frames[which] == 0) {
            struct frame *frame = frame_new();

            run->frames[which] = frame_pa(frame).raw;
            map_at(&run->worlds[which], BASE, frame, VM_RW);
        } else {
            unmap_at(&run->worlds[which], BASE, PAGE_SIZE);
            run->frames[which] = 0;
        }
        host_hart_set(0);
        break;
    default:
        EXPECT_EQ(read_on(hart, BASE), run->frames[run->runs[hart]]);
        break;
    }
    oracle_audit();
}

static void random_run(unsigned levels, unsigned bits, uint64_t seed)
{
    struct world world = tagged_world(levels, bits);
    struct random_run run = {.state = seed};
    struct vm_space *spaces[RANDOM_SPACES];

    for (unsigned i = 0; i < RANDOM_SPACES; i++) {
        EXPECT_OK(vm_space_create(NULL, &spaces[i]));
        run.worlds[i].space = spaces[i];
    }
    run_on(0, spaces[0]);
    run_on(1, spaces[0]);
    for (unsigned i = 0; i < RANDOM_RUNS; i++) {
        random_step(&run);
    }
    end_spaces(spaces, RANDOM_SPACES);
    vm_space_activate(world.space);
    world_end(&world);
}

MODE_TEST(asid, random_histories_with_few_identifiers_show_no_stale_page)
{
    random_run(*levels, NARROW, 0x1234567);
}

MODE_TEST(asid, random_histories_with_many_identifiers_show_no_stale_page)
{
    random_run(*levels, WIDE, 0x2345678);
}

MODE_TEST(asid, random_histories_without_identifiers_show_no_stale_page)
{
    random_run(*levels, 0, 0x3456789);
}
