/* SPDX-License-Identifier: MIT */
/*
 * A memory object to look at, mapped in four ways, each at its own GiB from USER_FREE_START on:
 * shared, as a view, private, and without rights.  The first two pages of the first three were
 * written or read.  Try `shares &`, then `vmmap shares`, `ptdump shares`, and `kill shares`.
 */
#include <stdint.h>
#include <stdio.h>

#include "user/vellum.h"
#include "vellum/calls.h"

#define BYTES  UINT64_C(0x400000)
#define APART  UINT64_C(0x40000000)
#define RW     (VM_PROT_R | VM_PROT_W)
#define READER (RIGHT_READ | RIGHT_MAP)

static volatile uint64_t *word_at(unsigned way, uint64_t page)
{
    return (volatile uint64_t *)(uintptr_t)(USER_FREE_START + way * APART + page * VM_PAGE_SIZE);
}

static long map(unsigned way, handle_t memory, uint64_t prot, uint64_t flags)
{
    return sys_memory_map(user_self(), USER_FREE_START + way * APART, BYTES, prot, flags, memory, 0,
                          NULL);
}

int main(void)
{
    static uint32_t word;
    handle_t memory = HANDLE_NONE;
    handle_t reader = HANDLE_NONE;
    long status = sys_memory_create(BYTES, 0, &memory);

    status = status == 0 ? sys_handle_duplicate(memory, READER, &reader) : status;
    status = status == 0 ? map(0, memory, RW, 0) : status;
    status = status == 0 ? map(1, reader, VM_PROT_R, 0) : status;
    status = status == 0 ? map(2, reader, RW, VM_FLAG_PRIVATE) : status;
    status = status == 0 ? map(3, memory, VM_PROT_NONE, 0) : status;
    if (status != 0) {
        printf("shares: no memory object: error %ld\n", -status);
        return 1;
    }
    for (uint64_t page = 0; page < 2; page++) {
        *word_at(0, page) = page + 1;
        *word_at(2, page) = *word_at(1, page) + 1;
    }
    printf("shares: %u and %u, in a copy %u and %u; waits\n", (unsigned)*word_at(1, 0),
           (unsigned)*word_at(1, 1), (unsigned)*word_at(2, 0), (unsigned)*word_at(2, 1));
    while (sys_futex_wait((uintptr_t)&word, 0, WAIT_FOREVER, 0) == 0) { /* nobody wakes it */
    }
    return 0;
}
