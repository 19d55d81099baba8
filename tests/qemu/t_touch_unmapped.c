/* SPDX-License-Identifier: MIT */
/*
 * Touching what is not mapped ends a process, and only it: its waiter learns kind, address and pc
 * of the access, and the kernel reports the same on the console.
 */
#include <inttypes.h>

#include "support.h"

int main(void)
{
    tap_expect_log("child: read of 0x%" PRIx64, (uint64_t)PLACE);
    check_touch(ACCESS_READ, PLACE, "reading");
    tap_expect_log("child: write to 0x%" PRIx64, (uint64_t)PLACE + 0x123);
    check_touch(ACCESS_WRITE, PLACE + 0x123, "writing");
    tap_expect_log("child: execution of 0x%" PRIx64, (uint64_t)PLACE + 0x1000);
    check_touch(ACCESS_EXECUTE, PLACE + 0x1000, "jumping");
    tap_ok(1, "this process goes on");
    return tap_done();
}
