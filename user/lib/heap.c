/* SPDX-License-Identifier: MIT */
/*
 * The memory below malloc: pages mapped as the break grows, in pieces of 64 KiB, and unmapped as it
 * shrinks.  The invariant: exactly [USER_HEAP_START, heap_mapped) is mapped.  Not for several
 * threads at once, as the C library's malloc here is not either.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "user/vellum.h"
#include "vellum/calls.h"

#define PIECE_BYTES UINT64_C(0x10000)

static uint64_t heap_break = USER_HEAP_START;
static uint64_t heap_mapped = USER_HEAP_START;

static long heap_resize(uint64_t mapped)
{
    long status = 0;
    uint64_t done = 0;

    if (mapped > heap_mapped) {
        status = sys_vm_map(user_self(), heap_mapped, mapped - heap_mapped, VM_PROT_R | VM_PROT_W,
                            0, &done);
        if (status != 0 && done != 0) {
            (void)sys_vm_unmap(user_self(), heap_mapped, done, NULL);
        }
    } else if (mapped < heap_mapped) {
        status = sys_vm_unmap(user_self(), mapped, heap_mapped - mapped, NULL);
    }
    if (status == 0) {
        heap_mapped = mapped;
    }
    return status;
}

void *sbrk(ptrdiff_t increment)
{
    uint64_t before = heap_break;
    uint64_t after = before + (uint64_t)increment;

    if (after < USER_HEAP_START || after > USER_HEAP_END ||
        heap_resize((after + PIECE_BYTES - 1) & ~(PIECE_BYTES - 1)) != 0) {
        errno = ENOMEM;
        return (void *)UINTPTR_MAX;
    }
    heap_break = after;
    return (void *)(uintptr_t)before;
}
