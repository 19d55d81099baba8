/* SPDX-License-Identifier: MIT */
/*
 * Touching what is not mapped ends a process, and only it: its waiter learns kind, address and pc
 * of the access, and the kernel reports the same on the console.
 */
#include "support.h"

int main(void)
{
    check_touch(ACCESS_READ, PLACE, "reading");
    check_touch(ACCESS_WRITE, PLACE + 0x123, "writing");
    check_touch(ACCESS_EXECUTE, PLACE + 0x1000, "jumping");
    tap_ok(1, "this process goes on");
    return tap_done();
}
