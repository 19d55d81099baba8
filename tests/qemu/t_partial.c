/* SPDX-License-Identifier: MIT */
/*
 * What long calls leave when they stop midway: vm_map at an occupied page keeps the pages before
 * it and says how far it came; VM_FLAG_REPLACE goes on instead.  Ranges larger than one step of
 * the kernel come out whole.
 */
#include <inttypes.h>

#include "support.h"

#define LARGE_PAGES UINT64_C(1500)
#define EVERYTHING  (UINT64_C(1) << 36) /* bytes from PLACE, with all that a test maps there */

static void occupied_check(void)
{
    uint64_t done = 99;
    uint64_t found = 0;
    uint64_t pages = 0;

    tap_status(page_map(PLACE + 3 * PAGE, PAGE, RW), 0, "the fourth page is taken");
    *word_at(PLACE + 3 * PAGE) = 4;
    tap_status(sys_vm_map(user_self(), PLACE, 8 * PAGE, RW, 0, &done), -SYS_EEXIST,
               "mapping eight is refused there");
    tap_is(done, 3 * PAGE, "with three done");
    *word_at(PLACE + 2 * PAGE) = 3;
    tap_is(*word_at(PLACE + 3 * PAGE), 4, "the page in the way is as it was");
    tap_status(sys_vm_find_next(user_self(), PLACE + 4 * PAGE, 4 * PAGE, &found), -SYS_ENOENT,
               "nothing is mapped behind it");
    tap_status(sys_vm_map(user_self(), PLACE, PAGE, RW, 0, &done), -SYS_EEXIST,
               "the first page is taken now");
    tap_is(done, 0, "with nothing done");

    tap_status(sys_vm_map(user_self(), PLACE, 8 * PAGE, RW, VM_FLAG_REPLACE, &done), 0,
               "replacing maps all eight");
    tap_is(done, 8 * PAGE, "all are done");
    tap_ok(*word_at(PLACE + 2 * PAGE) == 0 && *word_at(PLACE + 3 * PAGE) == 0,
           "what was there is gone");
    tap_status(sys_vm_unmap(user_self(), PLACE, 8 * PAGE, &pages), 0, "they are unmapped");
    tap_is(pages, 8, "and counted");
}

static void large_check(void)
{
    uint64_t bytes = LARGE_PAGES * PAGE;
    uint64_t done = 0;
    uint64_t pages = 0;

    /* The same once before, so that the tables which stay are there already. */
    (void)page_map(PLACE, bytes, RW);
    (void)page_unmap(PLACE, EVERYTHING);
    uint64_t before = frames_free();
    tap_status(sys_vm_map(user_self(), PLACE, bytes, RW, 0, &done), 0, "a large range is mapped");
    tap_is(done, bytes, "all of it");
    for (uint64_t i = 0; i < LARGE_PAGES; i++) {
        *word_at(PLACE + i * PAGE) = i;
    }
    for (uint64_t i = 0; i < LARGE_PAGES; i += 2) {
        (void)page_unmap(PLACE + i * PAGE, PAGE);
    }
    tap_status(sys_vm_protect(user_self(), PLACE, bytes, VM_PROT_R, &pages), 0,
               "every second page is protected");
    tap_is(pages, LARGE_PAGES / 2, "each is counted once");
    uint64_t sum = 0;
    for (uint64_t i = 1; i < LARGE_PAGES; i += 2) {
        sum += *word_at(PLACE + i * PAGE) == i ? 1 : 0;
    }
    tap_is(sum, LARGE_PAGES / 2, "each has its contents");
    tap_status(sys_vm_unmap(user_self(), PLACE, EVERYTHING, &pages), 0,
               "all are unmapped, with much that is absent");
    tap_is(pages, LARGE_PAGES / 2, "each is counted once");
    tap_is(frames_free(), before, "all frames came back");
}

/* Restarting by hand: progress says where to go on. */
static void progress_check(void)
{
    struct raw_call call = {
        .number = 15,
        .args = {user_self(), PLACE, 8 * PAGE, RW, 0, 5 * PAGE},
    };
    uint64_t found = 0;

    raw_call(&call);
    tap_ok(call.out[0] == 0 && call.out[1] == 8 * PAGE, "a call that starts at progress 5");
    (void)sys_vm_find_next(user_self(), PLACE, 8 * PAGE, &found);
    tap_is(found, PLACE + 5 * PAGE, "maps from there on");
    tap_status(page_unmap(PLACE, 8 * PAGE), 0, "the pages are unmapped");
}

int main(void)
{
    occupied_check();
    large_check();
    progress_check();
    return tap_done();
}
