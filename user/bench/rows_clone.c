/* SPDX-License-Identifier: MIT */
/* Rows: clones of memory, and the writes that part what they share. */
#include <string.h>

#include "bench.h"

#define PAGES UINT64_C(4096)

static handle_t other;

static void pages_write(uint64_t pages)
{
    for (uint64_t i = 0; i < pages; i++) {
        *(volatile uint64_t *)(uintptr_t)(PLACE + i * PAGE) = i;
    }
}

static long clone_run(uint64_t times)
{
    return sys_vm_clone(user_self(), other, PLACE, times * PAGE, PLACE, NULL);
}

/* Pages that are written, and a process that has nothing yet. */
static long pages_map(void)
{
    static const char name[] = "other";
    long status = sys_vm_map(user_self(), PLACE, PAGES * PAGE, RW, 0, NULL);

    if (status == 0) {
        pages_write(PAGES);
        status = sys_process_create((uintptr_t)name, strlen(name), 0, &other);
    }
    return status;
}

static long pages_clone(void)
{
    long status = pages_map();

    return status != 0 ? status : clone_run(PAGES);
}

/* The clone has come and gone. */
static long pages_clone_and_drop(void)
{
    long status = pages_clone();

    if (status == 0) {
        status = sys_vm_unmap(other, PLACE, PAGES * PAGE, NULL);
    }
    return status != 0 ? status : sys_quiesce(user_machine());
}

static long write_run(uint64_t times)
{
    pages_write(times);
    return 0;
}

static void all_unmap(void)
{
    (void)sys_vm_unmap(user_self(), PLACE, PAGES * PAGE, NULL);
    (void)sys_process_kill(other);
    (void)sys_handle_close(other);
    (void)sys_quiesce(user_machine());
}

static int nothing(void *argument)
{
    (void)argument;
    return 0;
}

static long fork_run(uint64_t times)
{
    long status = 0;

    for (uint64_t i = 0; i < times && status == 0; i++) {
        struct user_end end;

        status = user_fork_wait(nothing, NULL, &end);
    }
    return status != 0 ? status : sys_quiesce(user_machine());
}

const struct row rows_clone[] = {
    {"clone_page", PAGES, 1, pages_map, clone_run, all_unmap},
    {"fault_copy", PAGES, 0, pages_clone, write_run, all_unmap},
    {"fault_sole", PAGES, 0, pages_clone_and_drop, write_run, all_unmap},
    {"fork", 100, 0, NULL, fork_run, NULL},
    {.name = NULL},
};
