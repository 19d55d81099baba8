/* SPDX-License-Identifier: MIT */
/*
 * Making blocks in pieces: 64 frames a step, charged from the first on, and given up at any step
 * with nothing lost, in a time that does not depend on how much was done.
 */
#include <string.h>

#include "lib/counter.h"
#include "mm/vm_budget.h"
#include "support_block.h"

#define STEP 64U

static uint64_t free_at_boot, free_before;
static struct vm_budget *budget;

static void boot(uint64_t limit)
{
    machine_boot_large();
    free_at_boot = frame_free_count();
    EXPECT_OK(vm_budget_create(NULL, limit, &budget));
    free_before = frame_free_count();
}

static void expect_nothing_wanted(const struct frame_making *making)
{
    EXPECT_EQ(making->wanted, 0);
    cr_assert(making->payer == NULL && making->block == NULL && making->done == 0);
    EXPECT_EQ(vm_budget_state(budget).used, 0);
}

static void end(void)
{
    expect_all_back(free_before);
    EXPECT_EQ(vm_budget_state(budget).used, 0);
    vm_budget_put(budget);
    expect_all_back(free_at_boot);
}

static unsigned steps_to_the_end(struct frame_making *making)
{
    unsigned steps = 1;
    status_t status;

    while ((status = frame_making_step(making)) == ERR_AGAIN) {
        steps++;
    }
    EXPECT_OK(status);
    return steps;
}

Test(frame_making, makes_2_mib_of_zeroes_in_eight_steps)
{
    struct frame_making making = {0};
    uint64_t made;
    struct frame *block;

    boot(512);
    made = counter_read(COUNTER_blocks_made);
    block = block_new(1); /* what is taken next is not zero */
    memset(frame_bytes(block), 0xa5, 512 * PAGE_SIZE);
    frame_block_put(block, 1);
    reap_all();
    frame_making_want(&making, 1, budget);
    EXPECT_EQ(vm_budget_state(budget).used, 0);
    EXPECT_EQ(frame_free_count(), free_before);
    cr_assert(!frame_making_is_ready(&making, 1, budget));
    EXPECT_STATUS(frame_making_step(&making), ERR_AGAIN);
    EXPECT_EQ(vm_budget_state(budget).used, 512);
    EXPECT_EQ(frame_free_count(), free_before - 512);
    cr_assert(!frame_making_is_ready(&making, 1, budget));
    EXPECT_EQ(steps_to_the_end(&making), 512 / STEP - 1);
    EXPECT_OK(frame_making_step(&making)); /* one too many does nothing */
    cr_assert(frame_making_is_ready(&making, 1, budget));
    cr_assert(!frame_making_is_ready(&making, 2, budget));
    cr_assert(!frame_making_is_ready(&making, 1, NULL));
    EXPECT_EQ(counter_read(COUNTER_blocks_made), made + 1);
    block = frame_making_take(&making);
    expect_nothing_wanted(&making);
    cr_assert(frame_block_has_one_ref(block, 1));
    for (unsigned i = 0; i < 512; i++) {
        EXPECT_EQ(block[i].type, FRAME_USER);
        for (unsigned byte = 0; byte < PAGE_SIZE; byte += sizeof(uint64_t)) {
            EXPECT_EQ(*(uint64_t *)((char *)frame_bytes(block + i) + byte), 0);
        }
    }
    frame_block_put(block, 1);
    end();
}

Test(frame_making, the_last_step_makes_the_1_gib_block)
{
    struct frame_making making = {0};
    struct frame *block;

    boot(1 << 18);
    frame_making_want(&making, 2, budget);
    for (unsigned i = 0; i < 2 * 512 / STEP; i++) {
        EXPECT_STATUS(frame_making_step(&making), ERR_AGAIN);
    }
    EXPECT_EQ(making.done, 1024);
    /* As if all steps but those of the last 2 MiB were done; they would touch 1 GiB. */
    frame_begin_block(making.block + 1024, FRAME_USER, (1 << 18) - 1024 - 512);
    for (making.done = 1024; making.done < (1 << 18) - 512; making.done += 512) {
        frame_block_join(making.block + making.done, 1);
    }
    EXPECT_EQ(steps_to_the_end(&making), 512 / STEP);
    cr_assert(frame_making_is_ready(&making, 2, budget));
    block = frame_making_take(&making);
    EXPECT_EQ(refs_of(block, 2), 1);
    expect_parts(block, 2, 1);
    for (unsigned i = 0; i < 512; i++) {
        expect_parts(block + 512 * i, 1, 1);
    }
    frame_block_put(block, 2);
    end();
}

Test(frame_making, is_given_up_after_any_step)
{
    boot(1 << 18);
    for (unsigned level = 1; level <= 2; level++) {
        for (unsigned steps = 0; steps <= 2 * 512 / STEP + 1; steps++) {
            struct frame_making making = {0};
            unsigned pieces = 0;

            frame_making_want(&making, level, budget);
            for (unsigned i = 0; i < steps && i < level * 512 / STEP + 1; i++) {
                status_t status = frame_making_step(&making);

                cr_assert(status == (level == 1 && i >= 7 ? OK : ERR_AGAIN));
            }
            frame_making_drop(&making);
            expect_nothing_wanted(&making);
            while (frame_block_reap()) {
                pieces++;
            }
            cr_assert(pieces <= level);
            expect_all_back(free_before);
        }
    }
    end();
}

Test(frame_making, what_was_begun_for_another_level_or_payer_goes)
{
    struct frame_making making = {0};

    boot(1 << 18);
    frame_making_want(&making, 1, budget);
    EXPECT_STATUS(frame_making_step(&making), ERR_AGAIN);
    frame_making_want(&making, 1, budget);
    EXPECT_EQ(making.done, STEP); /* the same: it goes on */
    frame_making_want(&making, 2, budget);
    EXPECT_EQ(vm_budget_state(budget).used, 0);
    expect_all_back(free_before);
    EXPECT_STATUS(frame_making_step(&making), ERR_AGAIN);
    frame_making_want(&making, 2, NULL);
    EXPECT_EQ(vm_budget_state(budget).used, 0);
    expect_all_back(free_before);
    EXPECT_STATUS(frame_making_step(&making), ERR_AGAIN);
    EXPECT_EQ(vm_budget_state(budget).used, 0);
    frame_making_drop(&making);
    frame_making_drop(&making);
    end();
}

Test(frame_making, a_budget_that_is_spent_refuses_before_memory_is_taken)
{
    struct frame_making making = {0};

    boot(511);
    frame_making_want(&making, 1, budget);
    EXPECT_STATUS(frame_making_step(&making), ERR_NOMEM);
    expect_nothing_wanted(&making);
    end();
}

Test(frame_making, without_a_block_nothing_is_charged)
{
    struct frame_making making = {0};

    boot(1 << 18);
    frame_making_want(&making, 2, budget);
    frame_fail_after(0);
    EXPECT_STATUS(frame_making_step(&making), ERR_NOMEM);
    expect_nothing_wanted(&making);
    end();
}

Test(frame_making, keeps_the_payer_while_something_is_wanted)
{
    struct frame_making making = {0};

    boot(1 << 18);
    frame_making_want(&making, 1, budget);
    vm_budget_put(budget); /* nobody else has it */
    EXPECT_EQ(steps_to_the_end(&making), 512 / STEP);
    EXPECT_EQ(vm_budget_state(making.payer).used, 512);
    frame_making_drop(&making);
    cr_assert(making.payer == NULL);
    expect_all_back(free_at_boot);
}
