/* SPDX-License-Identifier: MIT */
/*
 * What each of several harts takes when all work at once, each in memory of its own: entries apart,
 * in tables of their own.  Locks of tables, tables, and fences are counted over all of them, and
 * are what one hart takes, times their number: nobody's work is done for another.
 *
 * scripts/bench reads the comments "flat HARTS OPERATION: n=PAGES COUNTER=...", sums over all
 * harts.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "support.h"
#include "team.h"

#define PAGES  UINT64_C(512)
#define STRIDE (UINT64_C(1) << 30) /* between members */

enum counted {
    LOCKS,
    TABLES,
    LOCAL,
    REMOTE,
    COUNTED
};

static const char *const names[COUNTED] = {
    "node_locks",
    "tables_allocated",
    "tlb_flush_local",
    "tlb_flush_remote",
};

enum operation {
    RESERVE,
    TOUCH,
    CLONE,
    UNMAP,
    OPERATIONS
};

static const char *const operations[OPERATIONS] = {"reserve", "touch", "clone", "unmap"};

static handle_t others[TEAM_MAX];
static uint64_t got[OPERATIONS][COUNTED]; /* member 0's */

static uint64_t place_of(unsigned member)
{
    return PLACE + (member + 1) * STRIDE;
}

static void operation_do(enum operation operation, unsigned member)
{
    uint64_t place = place_of(member);
    long status = 0;

    switch (operation) {
    case RESERVE:
        status = sys_vm_mark(user_self(), place, PAGES * PAGE, VM_KIND_RESERVED, RW, 0, NULL);
        break;
    case TOUCH:
        for (uint64_t page = 0; page < PAGES; page++) {
            *word_at(place + page * PAGE) = page;
        }
        break;
    case CLONE:
        status = sys_vm_clone(user_self(), others[member], place, PAGES * PAGE, place, NULL);
        break;
    case UNMAP:
        status = sys_vm_unmap(user_self(), place, PAGES * PAGE, NULL);
        break;
    case OPERATIONS:
        break;
    }
    (void)team_is((uint64_t)status, 0, operations[operation]);
}

static void counters_read(uint64_t values[COUNTED])
{
    for (unsigned which = 0; which < COUNTED; which++) {
        values[which] = counter_value(names[which]);
    }
}

/* All members at once; none does anything else before member 0 has read the counters again. */
static void operation_count(enum operation operation, unsigned member)
{
    uint64_t before[COUNTED] = {0};
    uint64_t after[COUNTED] = {0};

    team_meet();
    if (member == 0) {
        counters_read(before);
    }
    team_meet();
    operation_do(operation, member);
    team_meet();
    if (member == 0) {
        counters_read(after);
        for (unsigned which = 0; which < COUNTED; which++) {
            got[operation][which] = after[which] - before[which];
        }
    }
    team_meet();
}

/* Twice: the first time brings what stays from then on. */
static void work(unsigned member)
{
    static const char name[] = "other";

    for (unsigned round = 0; round < 2; round++) {
        long status = sys_process_create((uintptr_t)name, strlen(name), 0, &others[member]);

        (void)team_is((uint64_t)status, 0, "making a process");
        for (unsigned operation = 0; operation < OPERATIONS; operation++) {
            operation_count((enum operation)operation, member);
        }
        (void)sys_process_kill(others[member]);
        (void)sys_handle_close(others[member]);
    }
}

static void tell(unsigned members, enum operation operation)
{
    tap_diag("flat %u %s: n=%" PRIu64 " node_locks=%" PRIu64 " tables_allocated=%" PRIu64
             " tlb_flush_local=%" PRIu64 " tlb_flush_remote=%" PRIu64,
             members, operations[operation], members * PAGES, got[operation][LOCKS],
             got[operation][TABLES], got[operation][LOCAL], got[operation][REMOTE]);
}

/* Each takes what one alone did; and a call for each flush where there is somebody to call. */
static void compare(unsigned members, uint64_t alone[OPERATIONS][COUNTED])
{
    for (unsigned operation = 0; operation < OPERATIONS; operation++) {
        const char *what = operations[operation];

        for (unsigned which = LOCKS; which <= LOCAL; which++) {
            tap_is(got[operation][which], members * alone[operation][which], "%s, %u at once: %s",
                   what, members, names[which]);
        }
        tap_is(got[operation][REMOTE], members > 1 ? members * alone[operation][LOCAL] : 0,
               "%s, %u at once: %s", what, members, names[REMOTE]);
        tell(members, (enum operation)operation);
    }
}

/* As many as there are harts, and memory for what each is charged for: its pages, those of the
 * clone, and those of the clone before, which may not be gone yet. */
static unsigned members_most(void)
{
    unsigned harts = harts_count() < TEAM_MAX ? harts_count() : TEAM_MAX;
    uint64_t fit = frames_free() / (4 * PAGES);

    return fit < harts ? (unsigned)fit : harts;
}

int main(void)
{
    unsigned most = members_most();
    uint64_t alone[OPERATIONS][COUNTED];

    tap_status(team_run(1, work), 0, "one alone");
    team_report("as it should");
    memcpy(alone, got, sizeof(alone));
    compare(1, alone);
    tap_ok(alone[TOUCH][LOCKS] >= PAGES, "each touch takes a lock: %" PRIu64, alone[TOUCH][LOCKS]);
    tap_ok(alone[UNMAP][LOCAL] > 0, "an unmap flushes: %" PRIu64, alone[UNMAP][LOCAL]);
    if (most > 1) {
        tap_status(team_run(most, work), 0, "a team of %u", most);
        team_report("as it should");
        compare(most, alone);
    }
    return tap_done();
}
