/* SPDX-License-Identifier: MIT */
/*
 * Thread-local data and threads.  A thread's pages, from low to high: the stack, growing down; its
 * struct user_launch; its thread-local data.  They are mapped with unmapped pages on both sides.
 */
#include "launch.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "user/vellum.h"
#include "vellum/calls.h"

_Static_assert(offsetof(struct user_launch, tp) == 0, "launch.S loads it");
_Static_assert(offsetof(struct user_launch, begin) == 8, "launch.S loads it");

#define THREAD_BYTES UINT64_C(0x10000)

/* From the linker script: the template, and where its bytes end and its zeroes begin. */
extern const char __tls_start[];
extern const char __tdata_end[];
extern const char __tls_end[];

/* Where user_pages_map looks next; only grows, so that a stray pointer to unmapped pages faults. */
static _Atomic(uint64_t) pages_next = USER_PAGES_START;

uint64_t user_tls_bytes(void)
{
    return ((uint64_t)(__tls_end - __tls_start) + 15) & ~UINT64_C(15);
}

void *user_tls_fill(void *block)
{
    size_t filled = (size_t)(__tdata_end - __tls_start);

    memcpy(block, __tls_start, filled);
    memset((char *)block + filled, 0, user_tls_bytes() - filled);
    return block;
}

long user_pages_map(uint64_t bytes, uint64_t prot, uint64_t *address)
{
    if (bytes > USER_PAGES_END - USER_PAGES_START - VM_PAGE_SIZE) {
        return -SYS_ENOMEM;
    }
    /* Nothing else depends on the order: the value alone makes the range ours. */
    uint64_t start =
        atomic_fetch_add_explicit(&pages_next, bytes + VM_PAGE_SIZE, memory_order_relaxed);
    if (start > USER_PAGES_END - VM_PAGE_SIZE - bytes) {
        return -SYS_ENOMEM;
    }
    uint64_t done = 0;
    long status = sys_vm_map(user_self(), start, bytes, prot, 0, &done);
    if (status != 0) {
        if (done != 0) {
            (void)sys_vm_unmap(user_self(), start, done, NULL);
        }
        return status;
    }
    *address = start;
    return 0;
}

long user_pages_unmap(uint64_t address, uint64_t bytes)
{
    return sys_vm_unmap(user_self(), address, bytes, NULL);
}

_Noreturn static void thread_begin(struct user_launch *launch)
{
    launch->run_thread(launch->argument);
    for (;;) {
        (void)sys_thread_exit();
    }
}

long user_thread_start(struct user_thread *thread, void (*run)(void *argument), void *argument)
{
    uint64_t stack = 0;
    long status = user_pages_map(THREAD_BYTES, VM_PROT_R | VM_PROT_W, &stack);

    if (status != 0) {
        return status;
    }
    uint64_t tls = stack + THREAD_BYTES - user_tls_bytes();
    uint64_t base = (tls - sizeof(struct user_launch)) & ~UINT64_C(15);
    struct user_launch *launch = (struct user_launch *)(uintptr_t)base;
    *launch = (struct user_launch){
        .tp = (uintptr_t)user_tls_fill((void *)(uintptr_t)tls),
        .begin = thread_begin,
        .run_thread = run,
        .argument = argument,
    };
    status =
        sys_thread_start(user_self(), (uintptr_t)user_launch_entry, base, base, 0, &thread->handle);
    if (status != 0) {
        (void)user_pages_unmap(stack, THREAD_BYTES);
        return status;
    }
    thread->stack = stack;
    return 0;
}

long user_thread_join(struct user_thread *thread)
{
    long status = sys_thread_wait(thread->handle, WAIT_FOREVER);

    if (status != 0) {
        return status;
    }
    (void)sys_handle_close(thread->handle);
    return user_pages_unmap(thread->stack, THREAD_BYTES);
}
