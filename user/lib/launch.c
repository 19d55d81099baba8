/* SPDX-License-Identifier: MIT */
/*
 * Thread-local data and threads.  A thread's pages, from low to high: the stack, growing down; its
 * struct user_launch; its thread-local data.  Below the stack is a guard page.
 */
#include "launch.h"

#include <stddef.h>
#include <string.h>

#include "user/lock.h"
#include "user/space.h"
#include "user/vellum.h"
#include "vellum/calls.h"

_Static_assert(offsetof(struct user_launch, tp) == 0, "launch.S loads it");
_Static_assert(offsetof(struct user_launch, begin) == 8, "launch.S loads it");

/* From the linker script: the template, and where its bytes end and its zeroes begin. */
extern const char __tls_start[];
extern const char __tdata_end[];
extern const char __tls_end[];

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

_Noreturn static void thread_begin(struct user_launch *launch)
{
    launch->run_thread(launch->argument);
    for (;;) {
        (void)sys_thread_exit();
    }
}

long user_thread_prepare(struct user_thread *thread, uint64_t stack_bytes)
{
    uint64_t stack = 0;

    if (stack_bytes > USER_PAGES_END - USER_PAGES_START) {
        return -SYS_ENOMEM;
    }
    uint64_t bytes = stack_bytes + sizeof(struct user_launch) + user_tls_bytes();
    bytes = (bytes + VM_PAGE_SIZE - 1) & ~(VM_PAGE_SIZE - 1);
    long status = user_stack_map(bytes, &stack);
    if (status != 0) {
        return status;
    }
    uint64_t tls = stack + bytes - user_tls_bytes();
    *thread = (struct user_thread){
        .stack = stack,
        .stack_bytes = bytes,
        .tp = (uintptr_t)user_tls_fill((void *)(uintptr_t)tls),
    };
    return 0;
}

void *user_thread_local(const struct user_thread *thread, void *own)
{
    return (char *)(uintptr_t)thread->tp + ((uintptr_t)own - user_thread_id());
}

long user_thread_begin(struct user_thread *thread, void (*run)(void *argument), void *argument)
{
    uint64_t base = (thread->tp - sizeof(struct user_launch)) & ~UINT64_C(15);
    struct user_launch *launch = (struct user_launch *)(uintptr_t)base;

    *launch = (struct user_launch){
        .tp = thread->tp,
        .begin = thread_begin,
        .run_thread = run,
        .argument = argument,
    };
    return sys_thread_start(user_self(), (uintptr_t)user_launch_entry, base, base, 0,
                            &thread->handle);
}

void user_thread_discard(struct user_thread *thread)
{
    user_stack_unmap(thread->stack, thread->stack_bytes);
}

long user_thread_start(struct user_thread *thread, void (*run)(void *argument), void *argument)
{
    long status = user_thread_prepare(thread, USER_THREAD_STACK_BYTES);

    if (status != 0) {
        return status;
    }
    status = user_thread_begin(thread, run, argument);
    if (status != 0) {
        user_thread_discard(thread);
    }
    return status;
}

long user_thread_join(struct user_thread *thread)
{
    long status = sys_thread_wait(thread->handle, WAIT_FOREVER);

    if (status != 0) {
        return status;
    }
    (void)sys_handle_close(thread->handle);
    user_thread_discard(thread);
    return 0;
}
