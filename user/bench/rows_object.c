/* SPDX-License-Identifier: MIT */
/* Rows: pages of memory objects, and pages that move. */
#include "bench.h"

#define PAGES     UINT64_C(4096)
#define MOVED     UINT64_C(16384) /* 64 MiB */
#define ELSEWHERE (PLACE + (UINT64_C(4) << 30))

static handle_t object;

/* An object that has all its pages. */
static long object_make(void)
{
    long status = sys_memory_create(PAGES * PAGE, 0, &object);

    return status != 0 ? status
                       : sys_memory_map(user_self(), ELSEWHERE, PAGES * PAGE, RW, VM_FLAG_NOW,
                                        object, 0, NULL);
}

static long object_map_run(uint64_t times)
{
    long status = 0;

    for (uint64_t i = 0; i < times && status == 0; i++) {
        status = sys_memory_map(user_self(), PLACE + i * PAGE, PAGE, RW, VM_FLAG_NOW, object,
                                i * PAGE, NULL);
    }
    return status;
}

static void object_drop(void)
{
    (void)sys_vm_unmap(user_self(), PLACE, PAGES * PAGE, NULL);
    (void)sys_vm_unmap(user_self(), ELSEWHERE, PAGES * PAGE, NULL);
    (void)sys_handle_close(object);
    (void)sys_quiesce(user_machine());
}

/* A page to move, and one beside each of its places, so that both have a table. */
static long page_map(void)
{
    long status = sys_vm_map(user_self(), PLACE, 2 * PAGE, RW, 0, NULL);

    return status != 0 ? status : sys_vm_map(user_self(), ELSEWHERE + PAGE, PAGE, RW, 0, NULL);
}

/* There and back. */
static long move_page_run(uint64_t times)
{
    uint64_t from = PLACE;
    uint64_t to = ELSEWHERE;
    long status = 0;

    for (uint64_t i = 0; i < times && status == 0; i++) {
        status = sys_vm_move(user_self(), user_self(), from, PAGE, to, NULL);
        from ^= PLACE ^ ELSEWHERE;
        to ^= PLACE ^ ELSEWHERE;
    }
    return status;
}

static long many_map(void)
{
    return sys_vm_map(user_self(), PLACE, MOVED * PAGE, RW, 0, NULL);
}

static long move_many_run(uint64_t times)
{
    return sys_vm_move(user_self(), user_self(), PLACE, times * PAGE, ELSEWHERE, NULL);
}

static void moved_unmap(void)
{
    (void)sys_vm_unmap(user_self(), PLACE, MOVED * PAGE, NULL);
    (void)sys_vm_unmap(user_self(), ELSEWHERE, MOVED * PAGE, NULL);
    (void)sys_quiesce(user_machine());
}

const struct row rows_object[] = {
    {"object_page", PAGES, 0, object_make, object_map_run, object_drop},
    {"move_page", PAGES, 0, page_map, move_page_run, moved_unmap},
    {"move_64m", MOVED, 1, many_map, move_many_run, moved_unmap},
    {.name = NULL},
};
