/* SPDX-License-Identifier: MIT */
/*
 * The break: memory that grows at one end, below malloc.  It is reserved as the break grows, in
 * pieces of 64 KiB, and unmapped as it shrinks.  The invariant: exactly [USER_HEAP_START,
 * heap_end) is reserved or mapped.  Under the lock of the address space.
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
static uint64_t heap_end = USER_HEAP_START;

static long heap_resize_locked(uint64_t end)
{
    long status = 0;
    uint64_t done = 0;

    if (end > heap_end) {
        status = sys_vm_mark(user_self(), heap_end, end - heap_end, VM_KIND_RESERVED,
                             VM_PROT_R | VM_PROT_W, 0, &done);
        if (status != 0 && done != 0) {
            (void)sys_vm_unmap(user_self(), heap_end, done, NULL);
        }
    } else if (end < heap_end) {
        status = sys_vm_unmap(user_self(), end, heap_end - end, NULL);
    }
    if (status == 0) {
        heap_end = end;
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
