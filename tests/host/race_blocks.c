/* SPDX-License-Identifier: MIT */
/*
 * Real threads as harts: blocks of 2 MiB and 1 GiB are made, shared, sliced, split, joined and
 * reaped by all of them at once.
 *
 * Who has a reference reads, who has the only one writes, both without any order of their own: if a
 * count let somebody believe too early that he is alone, or a frame come free while somebody has
 * it, the sanitizer sees a read and a write that nothing orders.  In the end all frames are back.
 */
#include "harts/harts.h"
#include "lib/assert.h"
#include "lib/spinlock.h"
#include "mm/frame_block.h"
#include "mm/frame_records.h"
#include "mm/vm_budget.h"
#include "mm/vm_space.h"

#define ROUNDS 600U
#define SLOTS  3U /* blocks of level 1 that harts share, and one of level 2 */
#define HELD   6U /* references that a hart has at most                     */
#define BUDGET 8U /* blocks of level 1 that may be under way                */
#define PARTS  512U
#define WORDS  4U /* frames of a block that harts read and write */

struct held {
    struct frame *frame; /* NULL: none */
    unsigned level;
};

static struct {
    struct spinlock lock; /* rank LOCK_HANDLES     */
    struct frame *block;  /* (l) with a reference  */
} slots[SLOTS + 1];

static struct vm_budget *budget;
static _Thread_local struct held mine[HELD];

static unsigned level_of_slot(unsigned i)
{
    return i < SLOTS ? 1 : 2;
}

static struct frame *part_of(struct frame *block, unsigned level, uint64_t i)
{
    return block + i * frame_block_frames(level - 1);
}

/* The first word of one of a block's first frames. */
static uint64_t *word_of(struct frame *block, unsigned level)
{
    return frame_bytes(block + (level == 0 ? 0 : pick(WORDS)));
}

/* Reads; and writes, if nobody else has it. */
static void use(const struct held *held)
{
    uint64_t *word;

    if (held->frame == NULL) {
        return;
    }
    word = word_of(held->frame, held->level);
    EXPECT(*word <= 1);
    if (frame_block_has_one_ref(held->frame, held->level)) {
        *word = 1 - *word;
    }
}

static void keep(struct frame *frame, unsigned level)
{
    struct held *held = &mine[pick(HELD)];

    if (held->frame != NULL) {
        frame_block_put(held->frame, held->level);
    }
    *held = (struct held){frame, level};
}

static struct held *some_block(void)
{
    struct held *held = &mine[pick(HELD)];

    return held->frame != NULL && held->level > 0 ? held : NULL;
}

/* Zeroes, some of which are given up before they are a block. */
static void make(void)
{
    struct frame_making making = {0};
    unsigned steps = (unsigned)pick(20);
    status_t status = ERR_AGAIN;

    frame_making_want(&making, 1, budget);
    for (unsigned i = 0; i < steps && status == ERR_AGAIN; i++) {
        status = frame_making_step(&making);
    }
    EXPECT(status == OK || status == ERR_AGAIN || status == ERR_NOMEM);
    if (status == OK) {
        struct frame *block = frame_making_take(&making);

        EXPECT(*word_of(block, 1) == 0);
        keep(block, 1);
    }
    frame_making_drop(&making);
}

/* 1 GiB, if it is free; what is in it was zero, and is 0 or 1. */
static void make_large(void)
{
    struct frame *block = frame_take_block(FRAME_USER, 18);

    if (block != NULL) {
        frame_begin_block(block, FRAME_USER, frame_block_frames(2));
        for (uint64_t i = 0; i < PARTS; i++) {
            frame_block_join(part_of(block, 2, i), 1);
        }
        frame_block_join(block, 2);
        keep(block, 2);
    }
}

static void get_shared(void)
{
    unsigned i = (unsigned)pick(SLOTS + 1);
    struct frame *block;

    spinlock_acquire(&slots[i].lock);
    block = slots[i].block;
    if (block != NULL) {
        frame_block_get(block, level_of_slot(i));
    }
    spinlock_release(&slots[i].lock);
    if (block != NULL) {
        keep(block, level_of_slot(i));
    }
}

/* A block goes into a slot, and what was there out of it. */
static void share(void)
{
    const struct held *held = some_block();
    unsigned i = held == NULL || held->level == 1 ? (unsigned)pick(SLOTS) : SLOTS;
    struct frame *fresh = held != NULL ? held->frame : NULL;
    struct frame *old;

    if (fresh != NULL) {
        frame_block_get(fresh, held->level);
    }
    spinlock_acquire(&slots[i].lock);
    old = slots[i].block;
    slots[i].block = fresh;
    spinlock_release(&slots[i].lock);
    if (old != NULL) {
        frame_block_put(old, level_of_slot(i));
    }
}

static void slice(void)
{
    const struct held *held = some_block();

    if (held != NULL) {
        unsigned level = (unsigned)pick(held->level);
        uint64_t count = frame_block_frames(held->level) / frame_block_frames(level);
        struct frame *part =
            held->frame + pick(pick(2) == 0 ? WORDS : count) * frame_block_frames(level);

        frame_block_get(part, level);
        pause_maybe();
        keep(part, level);
    }
}

/* True if this hart alone has each part, of each of which it has a reference. */
static bool has_all_parts(struct frame *block, unsigned level)
{
    for (uint64_t i = 0; i < PARTS; i++) {
        if (!frame_block_has_one_ref(part_of(block, level, i), level - 1)) {
            return false;
        }
    }
    return true;
}

/* The parts are joined if they may be, else they go, but one. */
static void split(void)
{
    struct held *held = some_block();
    struct held whole;
    uint64_t kept = pick(PARTS);

    if (held == NULL) {
        return;
    }
    whole = *held;
    *held = (struct held){0};
    frame_block_split(whole.frame, whole.level);
    for (uint64_t tries = pick(3); tries > 0; tries--) {
        pause_maybe();
        (void)vm_space_reap();
        if (has_all_parts(whole.frame, whole.level)) {
            frame_block_join(whole.frame, whole.level);
            keep(whole.frame, whole.level);
            return;
        }
    }
    for (uint64_t i = 0; i < PARTS; i++) {
        if (i != kept) {
            frame_block_put(part_of(whole.frame, whole.level, i), whole.level - 1);
        }
    }
    keep(part_of(whole.frame, whole.level, kept), whole.level - 1);
}

/* Frames like any others come and go between them. */
static void make_frame(void)
{
    struct frame *frame;

    if (frame_alloc(FRAME_USER, &frame) == OK) {
        EXPECT(*word_of(frame, 0) == 0);
        keep(frame, 0);
    }
}

static void change_something(void)
{
    switch (pick(12)) {
    case 0:
    case 1:
        make();
        break;
    case 2:
        make_large();
        break;
    case 3:
        share();
        break;
    case 4:
        split();
        break;
    case 5:
    case 6:
        slice();
        break;
    case 7:
        make_frame();
        break;
    default:
        get_shared();
    }
}

static void run(hart_idx_t hart)
{
    (void)hart;
    for (unsigned round = 0; round < ROUNDS; round++) {
        change_something();
        for (unsigned i = 0; i < HELD; i++) {
            use(&mine[i]);
        }
        (void)vm_space_reap();
    }
    for (unsigned i = 0; i < HELD; i++) {
        if (mine[i].frame != NULL) {
            frame_block_put(mine[i].frame, mine[i].level);
        }
    }
}

static void program(const struct harts_config *config)
{
    if (config->levels > 3) {
        harts_ram_set(2 * GIB); /* one of which is a block */
    }
    harts_begin(config);
    EXPECT_OK(vm_budget_create(NULL, BUDGET * PARTS, &budget));
    for (unsigned i = 0; i <= SLOTS; i++) {
        spinlock_init(&slots[i].lock, LOCK_HANDLES);
    }
    harts_run(run);
    for (unsigned i = 0; i <= SLOTS; i++) {
        if (slots[i].block != NULL) {
            frame_block_put(slots[i].block, level_of_slot(i));
        }
    }
    EXPECT(vm_budget_state(budget).used == 0);
    vm_budget_put(budget);
    harts_end();
}

int main(void)
{
    static const struct harts_config configs[] = {{4, 3, 16}, {3, 4, 0}};

    return harts_for_each(configs, ARRAY_LEN(configs), program);
}
