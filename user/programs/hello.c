/* SPDX-License-Identifier: MIT */
/*
 * A program is one C file: each in this folder is in every archive, others are brought along with
 * scripts/run --program FILE.c.  The C library is picolibc; the system calls are in vellum/calls.h,
 * and what else Vellum gives programs is in user/vellum.h.  template.c shows more.
 */
#include <inttypes.h>
#include <stdio.h>

#include "user/vellum.h"
#include "vellum/calls.h"

int main(int argc, char **argv)
{
    uint64_t address = 0;
    uint64_t nanoseconds = 0;

    printf("Hello from user mode.\n");
    for (int i = 1; i < argc; i++) {
        printf("argument %d: %s\n", i, argv[i]);
    }

    /* A page of memory, at an address that the library chooses. */
    long status = user_pages_map(VM_PAGE_SIZE, VM_PROT_R | VM_PROT_W, &address);
    if (status != 0) {
        printf("no memory: error %ld\n", -status);
        return 1;
    }
    int *numbers = (int *)(uintptr_t)address;
    numbers[0] = 42;
    printf("the page at 0x%" PRIx64 " holds %d and %d\n", address, numbers[0], numbers[1]);
    (void)user_pages_unmap(address, VM_PAGE_SIZE);

    /* The result of a call is its status; what it tells comes through pointers. */
    (void)sys_time_get(&nanoseconds, NULL);
    printf("%" PRIu64 " ms since boot\n", nanoseconds / 1000000);
    return 0;
}
