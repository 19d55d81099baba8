/* SPDX-License-Identifier: MIT */
/*
 * Flat: the same four operations on more and more memory.  So many pages are reserved, the first of
 * them touched, all of it cloned into another process, or unmapped.  A row is one operation on one
 * size; reserving is divided by the pages reserved, the others by those touched.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define FLAT_PLACE  (UINT64_C(1) << 39) /* aligned to all entries */
#define TOUCHED_MAX UINT64_C(4096)

/* From a page to 64 GiB. */
static const uint64_t sizes[] = {1, 16, 512, 4096, 1 << 18, 1 << 21, 1 << 24};

static uint64_t reserved; /* pages */
static handle_t other;

static uint64_t touched(void)
{
    return reserved < TOUCHED_MAX ? reserved : TOUCHED_MAX;
}

static long reserve(void)
{
    return sys_vm_mark(user_self(), FLAT_PLACE, reserved * PAGE, VM_KIND_RESERVED, RW, 0, NULL);
}

static long reserve_run(uint64_t times)
{
    (void)times;
    return reserve();
}

static long touch_run(uint64_t times)
{
    for (uint64_t i = 0; i < times; i++) {
        *(volatile uint64_t *)(uintptr_t)(FLAT_PLACE + i * PAGE) = i;
    }
    return 0;
}

static long touched_make(void)
{
    long status = reserve();

    return status != 0 ? status : touch_run(touched());
}

static long other_make(void)
{
    static const char name[] = "other";
    long status = touched_make();

    return status != 0 ? status : sys_process_create((uintptr_t)name, strlen(name), 0, &other);
}

static long clone_run(uint64_t times)
{
    (void)times;
    return sys_vm_clone(user_self(), other, FLAT_PLACE, reserved * PAGE, FLAT_PLACE, NULL);
}

static long unmap_run(uint64_t times)
{
    (void)times;
    long status = sys_vm_unmap(user_self(), FLAT_PLACE, reserved * PAGE, NULL);

    return status != 0 ? status : sys_quiesce(user_machine());
}

static void all_unmap(void)
{
    (void)unmap_run(1);
}

static void both_end(void)
{
    (void)sys_process_kill(other);
    (void)sys_handle_close(other);
    all_unmap();
}

static void rows_of_size(void)
{
    const struct row rows[] = {
        {"reserve", reserved, 1, NULL, reserve_run, all_unmap},
        {"touch", touched(), 0, reserve, touch_run, all_unmap},
        {"clone", touched(), 1, other_make, clone_run, both_end},
        {"unmap", touched(), 1, touched_make, unmap_run, all_unmap},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct row row = rows[i];
        char name[32];

        (void)snprintf(name, sizeof(name), "%s_%" PRIu64, row.name, reserved);
        row.name = name;
        row_print(&row);
    }
}

void flat_print(void)
{
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        reserved = sizes[i];
        rows_of_size();
    }
}
