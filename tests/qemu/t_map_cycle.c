/* SPDX-License-Identifier: MIT */
/*
 * The life of a page: mapped it is zero, keeps what is written, is found by a query; unmapped it
 * faults again, also for a process that has just used it; mapped anew it is zero again.
 */
#include "support.h"

#define PAGES 3

static int use_then_unmap(void *argument)
{
    (void)argument;
    if (page_map(PLACE, PAGE, RW) != 0) {
        return 1;
    }
    *word_at(PLACE) = 1;
    if (page_unmap(PLACE, PAGE) != 0) {
        return 2;
    }
    touch(ACCESS_READ, PLACE);
    return 3;
}

static void pages_write_and_read(void)
{
    int zero = 1;
    int same = 1;

    for (uint64_t at = PLACE; at < PLACE + PAGES * PAGE; at += sizeof(uint64_t)) {
        zero &= *word_at(at) == 0;
        *word_at(at) = at;
    }
    for (uint64_t at = PLACE; at < PLACE + PAGES * PAGE; at += sizeof(uint64_t)) {
        same &= *word_at(at) == at;
    }
    tap_ok(zero, "fresh pages are zero");
    tap_ok(same, "pages keep what is written");
}

int main(void)
{
    struct user_end end = {0};
    uint64_t done = 0;
    uint64_t pages = 0;
    uint64_t kind = 0;
    uint64_t prot = 0;

    tap_status(sys_vm_map(user_self(), PLACE, PAGES * PAGE, RW, 0, &done), 0, "pages are mapped");
    tap_is(done, PAGES * PAGE, "done counts them");
    pages_write_and_read();
    tap_status(sys_vm_query(user_self(), PLACE + PAGE, NULL, NULL, &kind, &prot, NULL, NULL), 0,
               "a query finds a page");
    tap_ok(kind == VM_KIND_RAM && prot == RW, "it is RAM with the permissions asked for");

    tap_status(sys_vm_unmap(user_self(), PLACE, PAGES * PAGE, &pages), 0, "pages are unmapped");
    tap_is(pages, PAGES, "all are counted");
    check_touch(ACCESS_READ, PLACE, "reading the first");
    check_touch(ACCESS_WRITE, PLACE + PAGES * PAGE - 1, "writing the last");

    tap_status(user_fork_wait(use_then_unmap, NULL, &end), 0, "a child maps, writes and unmaps");
    check_fault(&end, ACCESS_READ, PLACE, "reading after its own unmap");

    tap_status(page_map(PLACE, PAGE, RW), 0, "the place can be mapped again");
    tap_is(*word_at(PLACE), 0, "and is zero again");
    tap_status(page_unmap(PLACE, PAGE), 0, "and unmapped again");
    tap_status(sys_vm_unmap(user_self(), PLACE, PAGE, &pages), 0, "unmapping nothing is no error");
    tap_is(pages, 0, "and counts no page");
    return tap_done();
}
