/* SPDX-License-Identifier: MIT */
/*
 * Threads on 1 to 8 harts touch one reserved area of 2 MiB for the first time at once, by stores,
 * by loads and by calls: one block is there in the end, what each stored is in it, and it is
 * charged once, whoever else was making one.
 */
#include "large.h"
#include "team.h"

#define MEMBERS 8U

enum how {
    STORES,
    LOADS,
    MIXED, /* loads, stores, and a call's copy */
    HOWS
};
static enum how how;
static unsigned rounds_done;

static uint64_t place_of(unsigned member)
{
    return PLACE + (member * 61 + rounds_done * 7) % PARTS * PAGE + member * sizeof(uint64_t);
}

static void touch_work(unsigned member)
{
    volatile uint64_t *word = word_at(place_of(member));

    team_meet();
    if (how == LOADS || (how == MIXED && member % 2 == 1)) {
        (void)team_is(*word, 0, "a word that nobody has written");
    }
    *word = member + 1;
    (void)team_is(*word, member + 1, "a word that was just written");
}

static void check_round(unsigned members)
{
    uint64_t used;
    uint64_t mapped = counter_value("blocks_mapped");
    uint64_t wrong = 0;

    (void)frames_free();
    used = self_info().budget_used;
    tap_status(large_reserve(PLACE, LARGE, RW), 0, "an area is reserved");
    tap_status(team_run(members, touch_work), 0, "a team of %u touches it", members);
    team_report("each found zero, and then its own word");
    (void)frames_free(); /* what others were making goes with its thread */
    large_is(PLACE, LARGE, LARGE, 0, "touched");
    tap_is(counter_value("blocks_mapped") - mapped, 1, "one block was mapped");
    used = self_info().budget_used - used;
    tap_ok(used >= PARTS && used < PARTS + 32, "and one is charged: %u frames", (unsigned)used);
    for (unsigned member = 0; member < members; member++) {
        wrong += *word_at(place_of(member)) != member + 1 ? 1 : 0;
    }
    tap_is(wrong, 0, "what each stored is there");
    tap_status(page_unmap(PLACE, LARGE), 0, "the area goes");
}

/* A call's copy takes 4 KiB: it makes nothing in pieces. */
static void check_call(void)
{
    struct machine_info *info = (struct machine_info *)(uintptr_t)(PLACE + 5 * PAGE);

    tap_status(large_reserve(PLACE, LARGE, RW), 0, "an area is reserved");
    tap_status(sys_machine_info(user_machine(), (uintptr_t)info), 0, "a call writes to it");
    tap_ok(info->free_frames != 0, "its result is there");
    large_is(PLACE + 5 * PAGE, PAGE, 0, 0, "in a page of its own");
    *word_at(PLACE) = 1;
    large_is(PLACE, PAGE, 0, 0, "as have the others then");
    tap_status(page_unmap(PLACE, LARGE), 0, "the area goes");
}

int main(void)
{
    for (unsigned members = 1; members <= MEMBERS && members <= 2 * team_size(); members *= 2) {
        for (how = 0; how < HOWS; how++) {
            rounds_done++;
            check_round(members);
        }
    }
    check_call();
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "the kernel's audit finds no fault");
    return tap_done();
}
