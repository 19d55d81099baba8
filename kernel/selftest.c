/* SPDX-License-Identifier: MIT */
/*
 * Lends the self-test its room, and prints it all for the word `selftest` on the command line, so
 * that a board's first boot answers by itself.
 */
#include "kernel/selftest.h"

#include <stdatomic.h>

#include "lib/log.h"
#include "mm/frame.h"

static _Atomic(uint32_t) is_busy; /* 0 or 1 */

static status_t find_with_room(uint64_t index, struct selftest_found *found)
{
    struct frame *room;
    status_t status = frame_alloc_block(SELFTEST_ORDER, &room);

    if (status != OK) {
        return status;
    }
    status = arch_selftest(index, frame_bytes(room), found);
    for (unsigned i = 0; i < 1U << SELFTEST_ORDER; i++) {
        frame_put(room + i);
    }
    return status;
}

status_t selftest_find(uint64_t index, struct selftest_found *found)
{
    status_t status;

    /* Acquire: what the last one left, all see; pairs with the release below. */
    if (atomic_exchange_explicit(&is_busy, 1, memory_order_acquire) != 0) {
        return ERR_BUSY;
    }
    status = find_with_room(index, found);
    atomic_store_explicit(&is_busy, 0, memory_order_release);
    return status;
}

void selftest_print(void)
{
    struct selftest_found found;
    unsigned wrong = 0;
    uint64_t index = 0;
    status_t status;

    log_printf("selftest: begin\n");
    while ((status = selftest_find(index, &found)) == OK) {
        bool is_wrong = found.verdict == SELFTEST_WRONG;

        log_printf("%s: %s%s\n", found.key, found.value, is_wrong ? " (WRONG)" : "");
        wrong += is_wrong ? 1 : 0;
        index++;
    }
    if (status == ERR_NOENT) {
        log_printf("selftest: %lu facts, %u wrong\n", index, wrong);
    } else {
        log_printf("selftest: breaks off: %s\n", status_name(status));
    }
}
