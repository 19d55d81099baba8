/* SPDX-License-Identifier: MIT */
/*
 * Rows: pages of 2 MiB.  The table of level 1 stays from row to row's end, held by a guard behind
 * the places; what is mapped is there with all its memory before, but where a row makes it.
 */
#include "bench.h"

#define LARGE     (UINT64_C(512) * PAGE)
#define TIMES     UINT64_C(128)
#define MADE      UINT64_C(16)
#define ELSEWHERE (PLACE + (UINT64_C(4) << 30))
#define BEHIND    (PLACE + TIMES * LARGE)

static handle_t object;

static long guard_mark(void)
{
    return sys_vm_mark(user_self(), BEHIND, PAGE, VM_KIND_GUARD, 0, 0, NULL);
}

/* An object of one page, which has its memory. */
static long object_make(void)
{
    long status = sys_memory_create(LARGE, VM_FLAG_2M, &object);

    if (status == 0) {
        status = sys_memory_map(user_self(), ELSEWHERE, LARGE, RW, VM_FLAG_NOW, object, 0, NULL);
    }
    return status != 0 ? status : guard_mark();
}

static long object_map_run(uint64_t times)
{
    long status = 0;

    for (uint64_t i = 0; i < times && status == 0; i++) {
        status =
            sys_memory_map(user_self(), PLACE + i * LARGE, LARGE, RW, VM_FLAG_NOW, object, 0, NULL);
    }
    return status;
}

static void all_unmap(void)
{
    (void)sys_vm_unmap(user_self(), PLACE, (TIMES + 1) * LARGE, NULL);
    (void)sys_quiesce(user_machine());
}

static void object_drop(void)
{
    (void)sys_vm_unmap(user_self(), ELSEWHERE, LARGE, NULL);
    (void)sys_handle_close(object);
    all_unmap();
}

static long touch_run(uint64_t times)
{
    long status = 0;

    for (uint64_t i = 0; i < times && status == 0; i++) {
        uint64_t at = PLACE + i * LARGE;

        status = sys_vm_mark(user_self(), at, LARGE, VM_KIND_RESERVED, RW, VM_FLAG_2M, NULL);
        if (status == 0) {
            *(volatile uint64_t *)(uintptr_t)at = at;
        }
    }
    return status;
}

static long pages_map(void)
{
    long status = sys_vm_map(user_self(), PLACE, TIMES * LARGE, RW, VM_FLAG_2M, NULL);

    return status != 0 ? status : guard_mark();
}

static long unmap_run(uint64_t times)
{
    long status = 0;

    for (uint64_t i = 0; i < times; i++) {
        status |= sys_vm_unmap(user_self(), PLACE + i * LARGE, LARGE, NULL);
    }
    return status;
}

static long protect_run(uint64_t times)
{
    long status = 0;

    for (uint64_t i = 0; i < times; i++) {
        status |= sys_vm_protect(user_self(), PLACE + i * LARGE, LARGE, VM_PROT_R, NULL);
    }
    return status;
}

/* Tables for it come from the allocator. */
static long split_run(uint64_t times)
{
    long status = 0;

    for (uint64_t i = 0; i < times; i++) {
        status |= sys_vm_unmap(user_self(), PLACE + i * LARGE + 7 * PAGE, PAGE, NULL);
    }
    return status;
}

/* Pages that were split, of which all parts are there and alike. */
static long pages_split(void)
{
    long status = pages_map();

    for (uint64_t i = 0; i < TIMES && status == 0; i++) {
        uint64_t at = PLACE + i * LARGE + 7 * PAGE;

        status = sys_vm_protect(user_self(), at, PAGE, VM_PROT_R, NULL);
        if (status == 0) {
            status = sys_vm_protect(user_self(), at, PAGE, RW, NULL);
        }
    }
    return status;
}

static long fold_run(uint64_t times)
{
    long status = 0;

    for (uint64_t i = 0; i < times && status == 0; i++) {
        uint64_t folded = 0;

        status = sys_vm_fold(user_self(), PLACE + i * LARGE, LARGE, &folded);
        status = status == 0 && folded != 1 ? -SYS_EIO : status;
    }
    return status;
}

const struct row rows_large[] = {
    {"object_superpage", TIMES, 0, object_make, object_map_run, object_drop},
    {"large_touch", MADE, 0, guard_mark, touch_run, all_unmap},
    {"large_unmap", TIMES, 0, pages_map, unmap_run, all_unmap},
    {"large_protect", TIMES, 0, pages_map, protect_run, all_unmap},
    {"large_split", TIMES, 0, pages_map, split_run, all_unmap},
    {"large_fold", TIMES, 0, pages_split, fold_run, all_unmap},
    {.name = NULL},
};
