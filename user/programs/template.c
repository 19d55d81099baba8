/* SPDX-License-Identifier: MIT */
/*
 * A program to begin with: each function shows one thing, and all of them run.  To make it yours:
 *
 *   cp user/programs/template.c mine.c
 *   scripts/run --program mine.c -c 'run mine one two'
 *
 * docs/programs.md tells the rest.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "user/vellum.h"  /* what Vellum's library gives: memory, threads, processes */
#include "vellum/calls.h" /* the system calls, sys_NAME: docs/syscalls.md            */

/* Calls return 0 or a negated error, with the C library's numbers.  The rest comes by pointers;
 * NULL where it is not wanted. */
static int show_calls(void)
{
    uint64_t nanoseconds = 0;
    uint64_t harts = 0;

    long status = sys_time_get(&nanoseconds, NULL);
    if (status == 0) {
        status = sys_hart_get(NULL, &harts);
    }
    if (status != 0) {
        printf("a call failed: %s\n", strerror((int)-status));
        return 1;
    }
    printf("%" PRIu64 " ms since boot, harts that run: 0x%" PRIx64 "\n", nanoseconds / 1000000,
           harts);

    /* Handles say what a program may do.  It is given three, and makes others. */
    status = sys_vm_map(HANDLE_NONE, USER_FREE_START, VM_PAGE_SIZE, VM_PROT_R, 0, NULL);
    printf("handles: self %u, console %u, machine %u; a map with no handle: %s\n", user_self(),
           user_console(), user_machine(), strerror((int)-status));
    return 0;
}

/* From USER_FREE_START to USER_FREE_END a program maps what it likes where it likes.  (malloc and
 * user_pages_map choose for you, elsewhere.) */
static int show_memory(void)
{
    const uint64_t pages = 4;
    uint64_t mapped = 0;
    uint64_t prot = 0;

    long status = sys_vm_map(user_self(), USER_FREE_START, pages * VM_PAGE_SIZE,
                             VM_PROT_R | VM_PROT_W, 0, &mapped);
    if (status != 0) {
        printf("vm_map stopped after 0x%" PRIx64 " bytes: %s\n", mapped, strerror((int)-status));
        (void)sys_vm_unmap(user_self(), USER_FREE_START, mapped, NULL);
        return 1;
    }
    volatile uint32_t *words = (volatile uint32_t *)(uintptr_t)USER_FREE_START;
    words[0] = 1;
    (void)sys_vm_protect(user_self(), USER_FREE_START, VM_PAGE_SIZE, VM_PROT_R, NULL);
    (void)sys_vm_query(user_self(), USER_FREE_START, NULL, NULL, NULL, &prot, NULL, NULL);
    printf("the first of %" PRIu64 " pages holds %" PRIu32 ", permissions %" PRIu64 "\n", pages,
           words[0], prot);
    return sys_vm_unmap(user_self(), USER_FREE_START, pages * VM_PAGE_SIZE, NULL) != 0;
}

static void half(void *argument)
{
    double *number = argument;

    *number /= 2;
}

/* Threads share everything but their stacks and floating-point registers. */
static int show_threads(void)
{
    struct user_thread thread;
    double number = 5;

    long status = user_thread_start(&thread, half, &number);
    if (status == 0) {
        status = user_thread_join(&thread);
    }
    if (status != 0) {
        printf("no thread: %s\n", strerror((int)-status));
        return 1;
    }
    printf("a thread made %g of 5\n", number);
    return 0;
}

static int write_nowhere(void *argument)
{
    *(volatile int *)argument = 1;
    return 0;
}

/* A fault that nothing explains ends the process, here a copy of this one, and its parent is told.
 * The kernel's report, with all registers, is on the console. */
static int show_fault(void)
{
    struct user_end end;
    char text[96];

    long status = user_fork_wait(write_nowhere, (void *)(uintptr_t)USER_FREE_START, &end);
    if (status != 0) {
        printf("no process: %s\n", strerror((int)-status));
        return 1;
    }
    user_end_text(&end, text, sizeof(text));
    printf("a copy of me %s\n", text);
    return end.reason != EXIT_FAULT;
}

/* argv[0] is the name it was started by; the result is its status: the shell shows it, and
 * scripts/run -c ends with it. */
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        printf("%s: argument %d is %s\n", argv[0], i, argv[i]);
    }
    return show_calls() + show_memory() + show_threads() + show_fault();
}
