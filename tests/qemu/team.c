/* SPDX-License-Identifier: MIT */
/*
 * Teams of pinned threads.  One team runs at a time; the thread that starts it waits in the kernel
 * for its end, so that it takes no hart from a member.
 */
#include "team.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "support.h"

enum gate {
    GATE_SHUT,
    GATE_OPEN,
    GATE_GO_HOME, /* not all members could be made */
};

static struct {
    team_work *work;
    unsigned members;
    struct user_thread threads[TEAM_MAX];
    /* Released by the starter, acquired by each member. */
    _Atomic(uint64_t) gate;
    /* Members that have come to the meeting, and meetings held: each arrival releases, the last one
     * releases the new number, and all others acquire that. */
    _Atomic(uint64_t) arrived;
    _Atomic(uint64_t) meetings;
} team;

/* The first wrong thing is kept by whoever raises `noted` from 0; read when the team has ended. */
static struct {
    _Atomic(uint64_t) noted;
    const char *what;
    uint64_t got;
    uint64_t want;
    unsigned hart;
} wrong;

static uint64_t harts_mask(void)
{
    uint64_t mask = 0;

    (void)sys_hart_get(NULL, &mask);
    return mask;
}

unsigned harts_count(void)
{
    unsigned count = 0;

    for (uint64_t mask = harts_mask(); mask != 0; mask &= mask - 1) {
        count++;
    }
    return count;
}

unsigned hart_nth(unsigned n)
{
    uint64_t mask = harts_mask();

    for (n %= harts_count(); n != 0; n--) {
        mask &= mask - 1;
    }
    return (unsigned)__builtin_ctzl(mask);
}

unsigned hart_here(void)
{
    uint64_t hart = 0;

    (void)sys_hart_get(&hart, NULL);
    return (unsigned)hart;
}

unsigned team_size(void)
{
    unsigned harts = harts_count();

    if (harts < 2) {
        return 2;
    }
    return harts < TEAM_MAX ? harts : TEAM_MAX;
}

unsigned team_members(void)
{
    return team.members;
}

static void member_run(void *argument)
{
    unsigned member = (unsigned)(uintptr_t)argument;

    team_wait(&team.gate, GATE_OPEN);
    if (atomic_load_explicit(&team.gate, memory_order_relaxed) != GATE_OPEN) {
        return;
    }
    while (hart_here() != hart_nth(member)) {
        (void)sys_yield();
    }
    team_meet();
    team.work(member);
}

static long member_start(unsigned member)
{
    struct user_thread *thread = &team.threads[member];
    long status = user_thread_start(thread, member_run, (void *)(uintptr_t)member);

    if (status != 0) {
        return status;
    }
    team.members += 1;
    return sys_thread_set_affinity(thread->handle, UINT64_C(1) << hart_nth(member));
}

long team_run(unsigned members, team_work *work)
{
    long status = 0;

    team.work = work;
    team.members = 0;
    /* Relaxed: no member exists yet. */
    atomic_store_explicit(&team.gate, GATE_SHUT, memory_order_relaxed);
    atomic_store_explicit(&team.arrived, 0, memory_order_relaxed);
    for (unsigned member = 0; member < members && status == 0; member++) {
        status = member_start(member);
    }
    atomic_store_explicit(&team.gate, status == 0 ? GATE_OPEN : GATE_GO_HOME, memory_order_release);
    for (unsigned member = 0; member < team.members; member++) {
        (void)user_thread_join(&team.threads[member]);
    }
    return status;
}

void team_meet(void)
{
    uint64_t held = atomic_load_explicit(&team.meetings, memory_order_relaxed);

    if (atomic_fetch_add_explicit(&team.arrived, 1, memory_order_acq_rel) + 1 < team.members) {
        team_wait(&team.meetings, held + 1);
        return;
    }
    /* Relaxed: nobody arrives again before the release below. */
    atomic_store_explicit(&team.arrived, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&team.meetings, 1, memory_order_release);
}

void team_wait(const _Atomic(uint64_t) *word, uint64_t least)
{
    while (atomic_load_explicit(word, memory_order_acquire) < least) {
        (void)sys_yield();
    }
}

void team_spin(const _Atomic(uint64_t) *word, uint64_t least)
{
    while (atomic_load_explicit(word, memory_order_acquire) < least) {
    }
}

static void note(uint64_t got, uint64_t want, const char *what)
{
    /* Relaxed: it is read after the team's end. */
    if (atomic_fetch_add_explicit(&wrong.noted, 1, memory_order_relaxed) == 0) {
        wrong.what = what;
        wrong.got = got;
        wrong.want = want;
        wrong.hart = hart_here();
    }
}

int team_is(uint64_t got, uint64_t want, const char *what)
{
    if (got != want) {
        note(got, want, what);
    }
    return got == want;
}

void team_wrong(uint64_t got, const char *what)
{
    note(got, 0, what);
}

void team_report(const char *format, ...)
{
    uint64_t noted = atomic_exchange_explicit(&wrong.noted, 0, memory_order_relaxed);
    char text[128];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (!tap_ok(noted == 0, "%s", text)) {
        tap_diag("%" PRIu64 " things are wrong; first, on hart %u: %s: got 0x%" PRIx64
                 ", want 0x%" PRIx64,
                 noted, wrong.hart, wrong.what, wrong.got, wrong.want);
    }
}
