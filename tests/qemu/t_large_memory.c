/* SPDX-License-Identifier: MIT */
/*
 * Memory and budgets run out in the middle of what concerns pages of 2 MiB: mapping stops with what
 * it has, a first access makes 4 KiB instead, a part can always be unmapped, and whatever fails
 * changes nothing.  With the program's end every frame comes back.
 */
#include "large.h"

#define LARGES    3U /* pages of 2 MiB that the budget has room for */
#define ROOM      (LARGES * PARTS + 200U)
#define ELSEWHERE (PLACE + 64 * GIB)

/* Takes what is left of the budget, but for a few frames at most that only tables would fill. */
static uint64_t rest_take(void)
{
    uint64_t done = 0;

    (void)sys_vm_map(user_self(), ELSEWHERE, GIB, RW, 0, &done);
    return done;
}

/* As many as fit, and again when they are gone. */
static int map_to_the_limit(void *argument)
{
    (void)argument;
    for (unsigned round = 0; round < 3; round++) {
        uint64_t done = 0;
        long status = sys_vm_map(user_self(), PLACE, (LARGES + 2) * LARGE, RW, VM_FLAG_2M, &done);

        if (status != -SYS_ENOMEM || done != LARGES * LARGE) {
            return 1;
        }
        if (large_tally(user_self(), PLACE, done).ram[1] != done) {
            return 2;
        }
        large_write(PLACE, done, 1);
        if (large_wrong(PLACE, done, 1) != 0 || page_unmap(PLACE, done) != 0) {
            return 3;
        }
    }
    return 0;
}

/* Nothing is left at all, and pages are split in each way; only what needs a frame fails. */
static int split_without_memory(void *argument)
{
    uint64_t used;

    (void)argument;
    if (large_map(PLACE, LARGES * LARGE, RW, VM_FLAG_2M) != 0 || rest_take() == 0 ||
        budget_left() != 0) {
        return 1;
    }
    large_write(PLACE, LARGES * LARGE, 2);
    if (sys_vm_map(user_self(), PLACE + LARGE + PAGE, PAGE, RW, VM_FLAG_REPLACE, NULL) !=
            -SYS_ENOMEM ||
        large_wrong(PLACE, LARGES * LARGE, 2) != 0) {
        return 2;
    }
    used = self_info().budget_used;
    if (page_unmap(PLACE + 5 * PAGE, PAGE) != 0 || self_info().budget_used > used) {
        return 3; /* the table came from what was put by */
    }
    if (page_unmap(PLACE + LARGE - PAGE, PAGE) != 0 ||
        sys_vm_protect(user_self(), PLACE + LARGE + 9 * PAGE, PAGE, VM_PROT_R, NULL) != 0) {
        return 4;
    }
    if (large_wrong(PLACE + 6 * PAGE, LARGE - 7 * PAGE, 2) != 0 ||
        large_wrong(PLACE + LARGE, 2 * LARGE, 2) != 0) {
        return 5;
    }
    return page_unmap(PLACE, LARGES * LARGE) == 0 && budget_left() >= LARGES * PARTS - 16 ? 0 : 6;
}

/* Less than a block is left: first accesses make 4 KiB. */
static int touch_to_the_limit(void *argument)
{
    struct large_tally tally;

    (void)argument;
    if (large_reserve(PLACE, (LARGES + 2) * LARGE, RW) != 0) {
        return 1;
    }
    for (uint64_t i = 0; i < LARGES + 1; i++) {
        *word_at(PLACE + i * LARGE + 3 * PAGE) = i + 1;
    }
    tally = large_tally(user_self(), PLACE, (LARGES + 2) * LARGE);
    if (tally.ram[1] != LARGES * LARGE || tally.ram[0] != PAGE) {
        return 2;
    }
    for (uint64_t i = 0; i < LARGES + 1; i++) {
        if (*word_at(PLACE + i * LARGE + 3 * PAGE) != i + 1) {
            return 3;
        }
    }
    large_write(PLACE + LARGES * LARGE, LARGE, 3); /* here it ends */
    return 4;
}

/* Copies of large pages cost their frames, too. */
static int clone_to_the_limit(void *argument)
{
    handle_t other = HANDLE_NONE;
    uint64_t done = 0;
    long status;

    (void)argument;
    if (large_map(PLACE, 2 * LARGE, RW, VM_FLAG_2M) != 0 ||
        sys_process_create((uintptr_t) "other", 5, 0, &other) != 0) {
        return 1;
    }
    large_write(PLACE, 2 * LARGE, 4);
    status = sys_vm_clone(user_self(), other, PLACE, 2 * LARGE, PLACE, &done);
    if (status != -SYS_ENOMEM || large_wrong(PLACE, 2 * LARGE, 4) != 0) {
        return 2;
    }
    (void)sys_process_kill(other);
    (void)sys_handle_close(other);
    (void)sys_quiesce(user_machine());
    large_write(PLACE, 2 * LARGE, 5);
    return large_wrong(PLACE, 2 * LARGE, 5) == 0 ? 0 : 3;
}

/* An object's memory, when its maker's budget has none for a block. */
static int object_to_the_limit(void *argument)
{
    handle_t object = HANDLE_NONE;
    uint64_t done = 0;
    uint64_t word = 7;
    uint64_t used = 0;

    (void)argument;
    if (sys_memory_create(8 * LARGE, VM_FLAG_2M, &object) != 0) {
        return 1;
    }
    /* A mapping is charged for what it maps, and the object for what it has. */
    if (sys_memory_map(user_self(), PLACE, 8 * LARGE, RW, VM_FLAG_NOW, object, 0, &done) !=
        -SYS_ENOMEM) {
        return 2;
    }
    if (sys_memory_info(object, NULL, &used) != 0 || used == 0 || used % LARGE != 0) {
        return 3;
    }
    if (page_unmap(PLACE, 8 * LARGE) != 0) {
        return 4;
    }
    for (done = 0; sys_memory_write(object, done, (uintptr_t)&word, sizeof(word), NULL) == 0;) {
        done += LARGE;
    }
    return done == LARGES * LARGE ? 0 : 5;
}

static void run(int (*scenario)(void *argument), uint64_t reason, const char *what)
{
    budget_run(&(struct budget_run){scenario, reason, what}, ROOM);
}

int main(void)
{
    run(map_to_the_limit, EXIT_STATUS, "map");
    run(split_without_memory, EXIT_STATUS, "split");
    tap_expect_log("no memory for WRITE fault");
    run(touch_to_the_limit, EXIT_NO_MEMORY, "touch");
    run(clone_to_the_limit, EXIT_STATUS, "clone");
    run(object_to_the_limit, EXIT_STATUS, "object");
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "the kernel's audit finds no fault");
    return tap_done();
}
