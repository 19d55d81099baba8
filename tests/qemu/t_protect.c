/* SPDX-License-Identifier: MIT */
/*
 * Permissions: a page made read-only refuses the next write, even of the thread that has just
 * written to it; made writable again it accepts it, and nothing is lost on the way.
 */
#include "support.h"

static long protect(uint64_t address, uint64_t prot)
{
    return sys_vm_protect(user_self(), address, PAGE, prot, NULL);
}

static int write_protect_write(void *argument)
{
    (void)argument;
    *word_at(PLACE) = 7;
    if (protect(PLACE, VM_PROT_R) != 0) {
        return 1;
    }
    if (*word_at(PLACE) != 7) {
        return 2;
    }
    touch(ACCESS_WRITE, PLACE);
    return 3;
}

static int loosen_and_write(void *argument)
{
    (void)argument;
    if (protect(PLACE, VM_PROT_R) != 0 || protect(PLACE, RW) != 0) {
        return 1;
    }
    *word_at(PLACE) = 8;
    return *word_at(PLACE) == 8 ? 0 : 2;
}

static int read_write_only(void *argument)
{
    (void)argument;
    if (protect(PLACE, VM_PROT_X) != 0) {
        return 1;
    }
    touch(ACCESS_READ, PLACE);
    return 2;
}

int main(void)
{
    struct user_end end = {0};
    uint64_t pages = 0;
    uint64_t prot = 0;

    tap_status(page_map(PLACE, 4 * PAGE, RW), 0, "pages are mapped");
    tap_status(user_fork_wait(write_protect_write, NULL, &end), 0, "a child tightens its page");
    check_fault(&end, ACCESS_WRITE, PLACE, "writing to the read-only page");
    check_child(loosen_and_write, NULL, 0, "a loosened page can be written");
    tap_status(user_fork_wait(read_write_only, NULL, &end), 0, "a child makes a page execute-only");
    check_fault(&end, ACCESS_READ, PLACE, "reading the execute-only page");

    *word_at(PLACE + PAGE) = 9;
    tap_status(page_unmap(PLACE + 2 * PAGE, PAGE), 0, "a hole is made");
    tap_status(sys_vm_protect(user_self(), PLACE, 4 * PAGE, VM_PROT_R, &pages), 0,
               "protecting across a hole");
    tap_is(pages, 3, "counts the pages that are there");
    tap_is(*word_at(PLACE + PAGE), 9, "the contents stay");
    (void)sys_vm_query(user_self(), PLACE + PAGE, NULL, NULL, NULL, &prot, NULL, NULL);
    tap_is(prot, VM_PROT_R, "a query shows the new permission");
    check_touch(ACCESS_WRITE, PLACE + 3 * PAGE, "writing behind the hole");
    tap_status(page_unmap(PLACE, 4 * PAGE), 0, "pages are unmapped");
    return tap_done();
}
