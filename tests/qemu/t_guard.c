/* SPDX-License-Identifier: MIT */
/*
 * Guards: every access is a fault, and no permission is given to them; below every stack and behind
 * what user_pages_map gives there is one.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "support.h"

static uint64_t kind_at(uint64_t address)
{
    uint64_t kind = 99;

    (void)sys_vm_query(user_self(), address, NULL, NULL, &kind, NULL, NULL, NULL);
    return kind;
}

static long guard(uint64_t address, uint64_t bytes, uint64_t flags)
{
    return sys_vm_mark(user_self(), address, bytes, VM_KIND_GUARD, VM_PROT_NONE, flags, NULL);
}

static void access_check(void)
{
    uint64_t pages = 99;

    tap_status(guard(PLACE, PAGE, 0), 0, "a guard");
    check_touch(ACCESS_READ, PLACE, "there");
    check_touch(ACCESS_WRITE, PLACE, "there");
    check_touch(ACCESS_EXECUTE, PLACE, "there");
    tap_status(sys_vm_protect(user_self(), PLACE, PAGE, RW, &pages), 0, "rights pass it by");
    tap_is(pages, 0, "and change no page");
    check_touch(ACCESS_READ, PLACE, "there still");
    tap_status(page_map(PLACE, PAGE, RW), -SYS_EEXIST, "no page comes in its place");
    tap_status(sys_machine_info(user_machine(), PLACE), -SYS_EFAULT, "no call writes there");
    tap_status(sys_vm_map(user_self(), PLACE, PAGE, RW, VM_FLAG_REPLACE, NULL), 0,
               "unless it is replaced");
    *word_at(PLACE) = 1;
    tap_status(guard(PLACE, PAGE, VM_FLAG_REPLACE), 0, "a guard takes the place of a page");
    check_touch(ACCESS_READ, PLACE, "there again");
    tap_status(page_unmap(PLACE, PAGE), 0, "it is unmapped");
    tap_is(kind_at(PLACE), VM_KIND_ABSENT, "and nothing is left");
}

/* A guard in the middle of what is reserved. */
static void middle_check(void)
{
    (void)sys_vm_mark(user_self(), PLACE, 1024 * PAGE, VM_KIND_RESERVED, RW, 0, NULL);
    tap_status(guard(PLACE + 512 * PAGE, PAGE, 0), -SYS_EEXIST, "a guard does not replace");
    tap_status(guard(PLACE + 512 * PAGE, PAGE, VM_FLAG_REPLACE), 0, "unless it is to");
    *word_at(PLACE + 511 * PAGE) = 1;
    *word_at(PLACE + 513 * PAGE) = 1;
    check_touch(ACCESS_WRITE, PLACE + 512 * PAGE, "between two pages");
    tap_is(*word_at(PLACE + 511 * PAGE) + *word_at(PLACE + 513 * PAGE), 2, "which are there");
    tap_status(page_unmap(PLACE, 1024 * PAGE), 0, "all of it goes");
}

static void *stack_look(void *argument)
{
    uint64_t at = (uintptr_t)__builtin_frame_address(0) & ~(PAGE - 1);

    (void)argument;
    while (kind_at(at) == VM_KIND_RAM || kind_at(at) == VM_KIND_RESERVED) {
        at -= PAGE;
    }
    return (void *)at;
}

static void stacks_check(void)
{
    struct user_thread thread;
    pthread_t other;
    void *below = NULL;
    uint64_t pages = 0;

    below = stack_look(NULL);
    tap_is((uintptr_t)below, user_info()->stack_top - USER_STACK_BYTES - PAGE,
           "the first stack has its length");
    tap_is(kind_at((uintptr_t)below), VM_KIND_GUARD, "and a guard below");
    check_touch(ACCESS_WRITE, (uintptr_t)below + PAGE - 8, "below it");
    (void)pthread_create(&other, NULL, stack_look, NULL);
    (void)pthread_join(other, &below);
    tap_is(kind_at((uintptr_t)below), VM_KIND_GUARD, "so it is with a thread's");
    check_touch(ACCESS_WRITE, (uintptr_t)below + PAGE - 8, "below it");
    tap_status(user_thread_prepare(&thread, 1 << 20), 0, "a stack of a MiB");
    tap_is(kind_at(thread.stack - PAGE), VM_KIND_GUARD, "has a guard below");
    tap_is(kind_at(thread.stack), VM_KIND_RESERVED, "and memory where it is used");
    uint64_t stack = thread.stack;
    user_thread_discard(&thread);
    tap_is(kind_at(stack - PAGE), VM_KIND_ABSENT, "with the stack its guard goes");
    tap_status(user_pages_map(2 * PAGE, RW, &pages), 0, "two pages");
    tap_is(kind_at(pages + 2 * PAGE), VM_KIND_GUARD, "have a guard behind");
    check_touch(ACCESS_READ, pages + 2 * PAGE, "behind them");
    (void)user_pages_unmap(pages, 2 * PAGE);
    tap_is(kind_at(pages + 2 * PAGE), VM_KIND_ABSENT, "which goes with them");
}

int main(void)
{
    access_check();
    middle_check();
    stacks_check();
    return tap_done();
}
