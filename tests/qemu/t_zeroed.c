/* SPDX-License-Identifier: MIT */
/*
 * A frame that one program gave back arrives zeroed at the next owner, whether it was given back
 * by unmapping, by replacing, or by the end of the process.
 */
#include <string.h>

#include "support.h"

#define BYTES (256 * PAGE)

static int fill_and_end(void *argument)
{
    (void)argument;
    if (page_map(PLACE, BYTES, RW) != 0) {
        return 1;
    }
    memset((void *)(uintptr_t)PLACE, 0xa5, BYTES);
    return 0;
}

static int fill_and_fault(void *argument)
{
    (void)fill_and_end(argument);
    touch(ACCESS_WRITE, 0);
    return 0;
}

/* Maps more than was given back, so that the same frames come again. */
static void check_zero(const char *what)
{
    uint64_t dirty = 0;

    (void)sys_quiesce(user_machine());
    tap_status(page_map(PLACE, 2 * BYTES, RW), 0, "pages are mapped");
    for (uint64_t at = PLACE; at < PLACE + 2 * BYTES; at += sizeof(uint64_t)) {
        dirty += *word_at(at) != 0 ? 1 : 0;
    }
    tap_is(dirty, 0, "all are zero after %s", what);
    memset((void *)(uintptr_t)PLACE, 0x5a, 2 * BYTES);
    tap_status(page_unmap(PLACE, 2 * BYTES), 0, "they are filled and unmapped");
}

int main(void)
{
    struct user_end end;
    uint64_t dirty = 0;

    check_zero("the start");
    check_zero("an unmap of this process");
    check_child(fill_and_end, NULL, 0, "a child fills pages and ends");
    check_zero("the end of a process");
    tap_status(user_fork_wait(fill_and_fault, NULL, &end), 0, "a child fills pages and faults");
    check_zero("a fault");

    tap_status(page_map(PLACE, BYTES, RW), 0, "pages are mapped");
    memset((void *)(uintptr_t)PLACE, 0x77, BYTES);
    tap_status(sys_vm_map(user_self(), PLACE, BYTES, RW, VM_FLAG_REPLACE, NULL), 0,
               "they are replaced");
    for (uint64_t at = PLACE; at < PLACE + BYTES; at += sizeof(uint64_t)) {
        dirty += *word_at(at) != 0 ? 1 : 0;
    }
    tap_is(dirty, 0, "the new ones are zero");
    tap_status(page_unmap(PLACE, BYTES), 0, "pages are unmapped");
    return tap_done();
}
