/* SPDX-License-Identifier: MIT */
/*
 * One handle table, used from all harts: handles are made, looked at and closed at the same time.
 * Whoever owns a number closes it once; a number that another closes meanwhile is refused or means
 * what it meant; in the end none is lost.
 */
#include <stdatomic.h>

#include "support.h"
#include "team.h"

#define SLOTS  8U
#define ROUNDS 800U

/* Numbers that any member may use; whoever takes one out must close it. */
static _Atomic(uint64_t) shared[SLOTS];

static handle_t make(uint64_t *random)
{
    handle_t handle = HANDLE_NONE;
    long status = random_next(random) % 2 == 0
                      ? sys_handle_duplicate(user_self(), RIGHT_READ, &handle)
                      : sys_process_create((uintptr_t) "short", 5, 0, &handle);

    (void)team_is((uint64_t)status, 0, "making a handle");
    return handle;
}

static void exchange(uint64_t *random)
{
    handle_t handle = make(random);
    /* Acq_rel: pairs with itself; the number is all that is handed over. */
    uint64_t old = atomic_exchange_explicit(&shared[random_next(random) % SLOTS], handle,
                                            memory_order_acq_rel);

    if (old != HANDLE_NONE) {
        (void)team_is((uint64_t)sys_handle_close((handle_t)old), 0, "closing what is owned");
    }
}

static void look(uint64_t *random)
{
    handle_t handle =
        (handle_t)atomic_load_explicit(&shared[random_next(random) % SLOTS], memory_order_acquire);
    uint64_t type = HANDLE_PROCESS;
    handle_t copy = HANDLE_NONE;
    long status = sys_handle_info(handle, &type, NULL, NULL);

    if (status != 0) {
        (void)team_is((uint64_t)status, (uint64_t)-SYS_EBADF, "asking about a handle");
    } else {
        (void)team_is(type, HANDLE_PROCESS, "what a handle means");
    }
    if (sys_handle_duplicate(handle, RIGHT_READ, &copy) == 0) {
        (void)team_is((uint64_t)sys_handle_close(copy), 0, "closing a copy");
    }
}

static void race_work(unsigned member)
{
    uint64_t random = member + 11;

    for (unsigned round = 0; round < ROUNDS / team_members(); round++) {
        exchange(&random);
        look(&random);
        look(&random);
    }
}

/* All make handles until there is no room; how many each got. */
static unsigned made[TEAM_MAX];

static void fill_work(unsigned member)
{
    handle_t handles[HANDLE_MAX];
    unsigned count = 0;

    while (count < HANDLE_MAX &&
           sys_handle_duplicate(user_self(), RIGHT_READ, &handles[count]) == 0) {
        count++;
    }
    made[member] = count;
    team_meet();
    for (unsigned i = 0; i < count; i++) {
        (void)team_is((uint64_t)sys_handle_close(handles[i]), 0, "closing one of many");
    }
}

/* How many handles there is room for. */
static unsigned room(void)
{
    handle_t handles[HANDLE_MAX];
    unsigned count = 0;

    while (count < HANDLE_MAX &&
           sys_handle_duplicate(user_self(), RIGHT_READ, &handles[count]) == 0) {
        count++;
    }
    for (unsigned i = 0; i < count; i++) {
        (void)sys_handle_close(handles[i]);
    }
    return count;
}

/* All wait for the same process and for each other's threads. */
static handle_t waited_for;

static int end_with_nine(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < 20; i++) {
        (void)sys_yield();
    }
    return 9;
}

static void wait_work(unsigned member)
{
    uint64_t reason = 0;
    uint64_t detail = 0;

    (void)member;
    (void)team_is(
        (uint64_t)sys_process_wait(waited_for, WAIT_FOREVER, &reason, &detail, NULL, NULL), 0,
        "waiting");
    (void)team_is(reason, EXIT_STATUS, "how the process ended");
    (void)team_is(detail, 9, "its status");
}

int main(void)
{
    unsigned members = team_size();
    unsigned before = room();
    unsigned all = 0;

    tap_status(team_run(members, race_work), 0, "a team of %u exchanges handles", members);
    team_report("each is closed once, none means something else");
    for (unsigned i = 0; i < SLOTS; i++) {
        (void)sys_handle_close((handle_t)shared[i]);
    }
    tap_is(room(), before, "no handle is left over");
    tap_status(team_run(members, fill_work), 0, "a team of %u fills the table", members);
    team_report("all could be closed");
    for (unsigned member = 0; member < members; member++) {
        all += made[member];
    }
    /* Less one for each member's thread. */
    tap_is(all, before - members, "they made as many as there is room for");
    tap_is(room(), before, "no handle is left over");
    tap_status(user_fork_run(end_with_nine, NULL, &waited_for), 0, "a child starts");
    tap_status(team_run(members, wait_work), 0, "a team of %u waits for it", members);
    team_report("all learn how it ended");
    (void)sys_handle_close(waited_for);
    return tap_done();
}
