/* SPDX-License-Identifier: MIT */
/* A program that writes where nothing is mapped, to see what the kernel and the shell say. */
#include <stdint.h>
#include <stdio.h>

#include "user/vellum.h"

int main(void)
{
    volatile int *nothing = (volatile int *)(uintptr_t)USER_FREE_START;

    printf("faulty: writing to %p\n", (const void *)(uintptr_t)nothing);
    *nothing = 1;
    printf("faulty: still here\n");
    return 0;
}
