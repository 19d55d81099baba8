/* SPDX-License-Identifier: MIT */
/*
 * Addresses that are nobody's: null, the ends of the user range, those the paging mode cannot
 * express, the kernel's.  Touching any of them ends the process with a true report.
 */
#include <inttypes.h>
#include <stdio.h>

#include "support.h"

struct place {
    const char *what;
    uint64_t address;
};

/* Where nothing can be executed, the pc that the hardware reports may be cut to what it can hold;
 * the rest of the report stands. */
static void check_jump(uint64_t address, const char *what)
{
    struct user_end end = {0};
    handle_t process = HANDLE_NONE;
    uint64_t stack = 0;
    handle_t thread = HANDLE_NONE;

    (void)sys_process_create((uintptr_t) "jumper", 6, 0, &process);
    stack = PLACE;
    long status = sys_thread_start(process, address, stack, 0, 0, &thread);
    tap_status(status, -SYS_ERANGE, "%s: no thread starts there", what);
    (void)sys_process_kill(process);
    (void)user_finish(process, &end);
}

int main(void)
{
    uint64_t limit = user_limit();
    const struct place places[] = {
        {"null", 0},
        {"near null", 8},
        {"the page below the program", USER_IMAGE_START - PAGE},
        {"the last user byte", limit - 1},
        {"the first byte past the user range", limit},
        {"far past the user range", limit * 2},
        {"the middle of the hole", UINT64_C(1) << 62},
        {"the sign bit alone", UINT64_C(1) << 63},
        {"the kernel half's first byte", ~(limit - 1)},
        {"kernel text", UINT64_C(0xffffffff80000000)},
        {"the last byte of all", UINT64_MAX},
    };

    for (size_t i = 0; i < COUNT_OF(places); i++) {
        char what[64];

        (void)snprintf(what, sizeof(what), "reading %s", places[i].what);
        check_touch(ACCESS_READ, places[i].address, what);
        (void)snprintf(what, sizeof(what), "writing %s", places[i].what);
        check_touch(ACCESS_WRITE, places[i].address, what);
        (void)snprintf(what, sizeof(what), "running %s", places[i].what);
        check_touch(ACCESS_EXECUTE, places[i].address & ~UINT64_C(1), what);
        if (places[i].address >= limit) {
            check_jump(places[i].address & ~UINT64_C(1), places[i].what);
        }
    }
    return tap_done();
}
