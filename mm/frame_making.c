/* SPDX-License-Identifier: MIT */
/*
 * Blocks full of zeroes, made in pieces.
 *
 *   block  | part | part | part | frames ready |    taken, but not begun    |
 *            blocks of level 1, one reference    ^ done
 *
 * What is not begun has no references, and records that read as inside of a free block; it is given
 * back to the buddies as it is.  So to give up takes a bounded time, however much has been done.
 */
#include "arch/arch.h"
#include "frame_records.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "mm/frame_block.h"
#include "mm/vm_budget.h"

#define STEP   64U
#define LEVEL1 512U /* frames of a block of level 1; a multiple of STEP */

static void uncharge(const struct frame_making *making)
{
    if (making->block != NULL) {
        vm_budget_release(making->payer, frame_block_frames(making->wanted));
    }
}

static void forget(struct frame_making *making)
{
    vm_budget_put(making->payer);
    *making = (struct frame_making){0};
}

static bool is_ready(const struct frame_making *making)
{
    return making->block != NULL && making->done == frame_block_frames(making->wanted);
}

/* Gives the frames back; some are begun, and some not. */
static void give_back(struct frame *block, uint64_t done, uint64_t frames)
{
    uint64_t whole = align_down(done, LEVEL1);
    struct frame_run run = FRAME_RUN_NONE;

    for (uint64_t i = 0; i < whole; i += LEVEL1) {
        frame_block_put(block + i, 1);
    }
    for (uint64_t i = whole; i < done; i++) {
        frame_run_put(&run, frame_pa(block + i));
    }
    frame_run_end(&run);
    frame_return_rest(block + done, frames - done);
}

void frame_making_drop(struct frame_making *making)
{
    if (is_ready(making)) {
        frame_block_put(making->block, making->wanted);
    } else if (making->block != NULL) {
        give_back(making->block, making->done, frame_block_frames(making->wanted));
    }
    uncharge(making);
    forget(making);
}

void frame_making_want(struct frame_making *making, unsigned level, struct vm_budget *payer)
{
    ASSERT(level > 0 && level <= FRAME_LEVEL_MAX);
    if (making->wanted == level && making->payer == payer) {
        return;
    }
    frame_making_drop(making);
    vm_budget_get(payer);
    making->wanted = level;
    making->payer = payer;
}

/* Takes the memory, charged. */
static status_t take_memory(struct frame_making *making)
{
    uint64_t frames = frame_block_frames(making->wanted);
    status_t status = vm_budget_charge(making->payer, frames);

    if (status == OK) {
        making->block = frame_take_block(FRAME_USER, 9 * making->wanted);
        if (making->block == NULL) {
            vm_budget_release(making->payer, frames);
            status = ERR_NOMEM;
        }
    }
    if (status != OK) {
        forget(making);
    }
    return status;
}

/* Zeroes STEP frames. */
static void make_piece(struct frame_making *making)
{
    struct frame *first = making->block + making->done;

    frame_begin_block(first, FRAME_USER, STEP);
    for (unsigned i = 0; i < STEP; i++) {
        arch_zero_frame(frame_bytes(first + i));
    }
    counter_add(COUNTER_frames_zeroed, STEP);
    making->done += STEP;
    if (is_aligned(making->done, LEVEL1)) {
        frame_block_join(making->block + (making->done - LEVEL1), 1);
    }
}

status_t frame_making_step(struct frame_making *making)
{
    ASSERT(making->wanted != 0);
    if (is_ready(making)) {
        return OK;
    }
    if (making->block == NULL) {
        status_t status = take_memory(making);

        if (status != OK) {
            return status;
        }
    }
    make_piece(making);
    if (!is_ready(making)) {
        return ERR_AGAIN;
    }
    if (making->wanted > 1) {
        frame_block_join(making->block, making->wanted);
    }
    counter_add(COUNTER_blocks_made, 1);
    return OK;
}

bool frame_making_is_ready(const struct frame_making *making, unsigned level,
                           const struct vm_budget *payer)
{
    return making->wanted == level && making->payer == payer && is_ready(making);
}

struct frame *frame_making_take_charged(struct frame_making *making)
{
    struct frame *block = making->block;

    ASSERT(is_ready(making));
    forget(making);
    return block;
}

struct frame *frame_making_take(struct frame_making *making)
{
    uncharge(making);
    return frame_making_take_charged(making);
}
