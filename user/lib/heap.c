/* SPDX-License-Identifier: MIT */
/*
 * The break: memory that grows at one end, below malloc.  Pages are mapped as the break grows, in
 * pieces of 64 KiB, and unmapped as it shrinks.  The invariant: exactly [USER_HEAP_START,
 * heap_mapped) is mapped.  Under the lock of the address space.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "user/space.h"
#include "user/vellum.h"
#include "vellum/calls.h"

#define PIECE_BYTES UINT64_C(0x10000)

static uint64_t heap_break = USER_HEAP_START;
static uint64_t heap_mapped = USER_HEAP_START;

static long heap_resize_locked(uint64_t mapped)
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

static long break_set_locked(uint64_t after)
{
    if (after < USER_HEAP_START || after > USER_HEAP_END) {
        return -SYS_ENOMEM;
    }
    long status = heap_resize_locked((after + PIECE_BYTES - 1) & ~(PIECE_BYTES - 1));
    if (status == 0) {
        heap_break = after;
    }
    return status;
}

void *sbrk(ptrdiff_t increment)
{
    user_space_lock();
    uint64_t before = heap_break;
    long status = break_set_locked(before + (uint64_t)increment);
    user_space_unlock();
    if (status != 0) {
        errno = ENOMEM;
        return (void *)UINTPTR_MAX;
    }
    return (void *)(uintptr_t)before;
}
