/* SPDX-License-Identifier: MIT */
/*
 * Pages of 2 MiB to look at, each at its own GiB from USER_FREE_START on: two as they were mapped,
 * one that was split because a page in it is read-only, and four that come when they are accessed,
 * of which one was.  Try `large &`, then `vmmap large`, `ptdump large`, and `kill large`.
 */
#include <stdint.h>
#include <stdio.h>

#include "user/vellum.h"
#include "vellum/calls.h"

#define LARGE UINT64_C(0x200000)
#define APART UINT64_C(0x40000000)
#define RW    (VM_PROT_R | VM_PROT_W)

int main(void)
{
    static uint32_t word;
    const uint64_t whole = USER_FREE_START;
    const uint64_t split = whole + APART;
    const uint64_t later = split + APART;
    long status = sys_vm_map(user_self(), whole, 2 * LARGE, RW, VM_FLAG_2M, NULL);

    status = status == 0 ? sys_vm_map(user_self(), split, LARGE, RW, VM_FLAG_2M, NULL) : status;
    if (status == 0) {
        status = sys_vm_protect(user_self(), split + LARGE / 2, VM_PAGE_SIZE, VM_PROT_R, NULL);
    }
    if (status == 0) {
        status = sys_vm_mark(user_self(), later, 4 * LARGE, VM_KIND_RESERVED, RW, VM_FLAG_2M, NULL);
    }
    if (status != 0) {
        printf("large: no large pages: error %ld\n", -status);
        return 1;
    }
    *(volatile uint64_t *)(uintptr_t)(later + LARGE) = 1;
    printf("large: waits\n");
    while (sys_futex_wait((uintptr_t)&word, 0, WAIT_FOREVER, 0) == 0) { /* nobody wakes it */
    }
    return 0;
}
