/* SPDX-License-Identifier: MIT */
/*
 * Harts that leave a space and come back: while they run another process, one thread replaces the
 * page they know, makes it read-only, or unmaps it.  Nobody fences a hart that is away; when it
 * returns it must know nothing of the old page all the same.
 */
#include <stdatomic.h>

#include "support.h"
#include "team.h"
#include "tiny.h"

#define ROUNDS  150U
#define LEAVING 3U /* times that a hart leaves before it asks what happened */

enum change {
    REPLACE,
    TIGHTEN,
    UNMAP,
    CHANGES,
};

static _Atomic(uint64_t) changed; /* the round: released by member 0, acquired by the others */

static uint64_t value_of(unsigned round)
{
    return UINT64_C(0x600d000000000000) + round;
}

static void page_change(unsigned round)
{
    uint64_t old = 0;

    switch ((enum change)(round % CHANGES)) {
    case REPLACE:
        (void)team_is((uint64_t)sys_vm_map(user_self(), PLACE, PAGE, RW, VM_FLAG_REPLACE, NULL), 0,
                      "replacing the page");
        *word_at(PLACE) = value_of(round);
        break;
    case TIGHTEN:
        (void)team_is((uint64_t)sys_vm_protect(user_self(), PLACE, PAGE, VM_PROT_R, NULL), 0,
                      "making the page read-only");
        break;
    default:
        (void)sys_vm_unmap(user_self(), PLACE, PAGE, &old);
        (void)team_is(old, 1, "unmapping the page");
        break;
    }
}

/* Uses the page as the state before this round's change allows, so that the hart knows it. */
static void page_use(unsigned round)
{
    if (round % CHANGES != REPLACE) {
        (void)team_is(*word_at(PLACE), value_of(round - round % CHANGES), "the page before");
    }
    if (round % CHANGES == TIGHTEN) {
        *word_at(PLACE + 8) = round;
    }
}

static long write_by_call(uint64_t address)
{
    uint64_t value = 0;

    return sys_vm_read(user_self(), (uintptr_t)&value, address, sizeof(value), NULL);
}

static long read_by_call(uint64_t address)
{
    uint64_t value = 0;

    return sys_vm_write(user_self(), (uintptr_t)&value, address, sizeof(value), NULL);
}

static void page_check(unsigned round)
{
    switch ((enum change)(round % CHANGES)) {
    case REPLACE:
        (void)team_is(*word_at(PLACE), value_of(round), "the page that replaced another");
        break;
    case TIGHTEN:
        (void)team_is((uint64_t)write_by_call(PLACE + 16), (uint64_t)-SYS_EFAULT,
                      "a write to a read-only page");
        break;
    default:
        (void)team_is((uint64_t)read_by_call(PLACE), (uint64_t)-SYS_EFAULT,
                      "a read of an unmapped page");
        break;
    }
}

static void leave_work(unsigned member)
{
    unsigned rounds = ROUNDS / team_members() / CHANGES * CHANGES;

    for (unsigned round = 0; round < rounds; round++) {
        page_use(round);
        team_meet();
        if (member == 0) {
            page_change(round);
            atomic_store_explicit(&changed, round + 1, memory_order_release);
        } else {
            for (unsigned i = 0; i < LEAVING; i++) {
                (void)sys_yield();
            }
            team_wait(&changed, round + 1);
        }
        page_check(round);
        team_meet();
    }
}

int main(void)
{
    struct tiny others[TEAM_MAX];
    unsigned members = team_size();
    unsigned count = 0;

    for (; count < members; count++) {
        if (tiny_start(&others[count], count, 0, hart_nth(count)) != 0) {
            break;
        }
    }
    tap_is(count, members, "another process on each hart");
    tap_status(team_run(members, leave_work), 0, "a team of %u leaves its space and returns",
               members);
    team_report("nobody knew what went while it was away");
    for (unsigned i = 0; i < count; i++) {
        tap_ok(tiny_stop(&others[i]), "the other process found its own page to its end");
    }
    return tap_done();
}
