/* SPDX-License-Identifier: MIT */
/*
 * Code written on one hart runs on another, and new code in the same place runs as the new code: in
 * pages made executable after they were written, which needs nothing more, and in pages that are
 * writable and executable at once, where the writer calls icache_sync.  Also where the other hart
 * was busy with another space meanwhile.
 */
#include <stdatomic.h>

#include "support.h"
#include "team.h"

/* li a0, N; ret */
#define CODE(n)  (UINT64_C(0x00008067) << 32 | (uint64_t)(n) << 20 | UINT64_C(0x513))
#define CODE_MAX 2000U
#define RX       (VM_PROT_R | VM_PROT_X)
#define RWX      (RW | VM_PROT_X)
#define ROUNDS   96U
#define CODE_AT  (PLACE + 0x100)

enum manner {
    BY_PROTECT, /* written while writable, then made executable       */
    BY_SYNC,    /* written while executable, then icache_sync         */
    BY_REPLACE, /* another page, written through the process's handle */
};

static enum manner manner;
static int with_strangers;

static void code_write(uint64_t code)
{
    switch (manner) {
    case BY_PROTECT:
        (void)team_is((uint64_t)sys_vm_protect(user_self(), PLACE, PAGE, RW, NULL), 0, "to RW");
        *word_at(CODE_AT) = code;
        (void)team_is((uint64_t)sys_vm_protect(user_self(), PLACE, PAGE, RX, NULL), 0, "to RX");
        break;
    case BY_SYNC:
        *word_at(CODE_AT) = code;
        (void)team_is((uint64_t)sys_icache_sync(CODE_AT, sizeof(code)), 0, "icache_sync");
        break;
    case BY_REPLACE:
        (void)team_is((uint64_t)sys_vm_map(user_self(), PLACE, PAGE, RX, VM_FLAG_REPLACE, NULL), 0,
                      "replacing the page");
        (void)team_is(
            (uint64_t)sys_vm_write(user_self(), CODE_AT, (uintptr_t)&code, sizeof(code), NULL), 0,
            "writing through the handle");
        (void)team_is((uint64_t)sys_icache_sync(CODE_AT, sizeof(code)), 0, "icache_sync");
        break;
    }
}

static uint64_t code_run(void)
{
    uint64_t (*function)(void) = (uint64_t(*)(void))(uintptr_t)CODE_AT;

    return function();
}

/* Another process on the same hart, which runs code of its own at the same address. */
static int stranger(void *argument)
{
    uint64_t own = CODE_MAX + (uintptr_t)argument % 40;

    if (page_map(PLACE, PAGE, RW) != 0) {
        return 1;
    }
    *word_at(CODE_AT) = CODE(own);
    if (sys_vm_protect(user_self(), PLACE, PAGE, RX, NULL) != 0) {
        return 2;
    }
    while (code_run() == own) {
        (void)sys_yield();
    }
    return 3;
}

/* Each round has one writer; between the meetings all others run what it wrote. */
static void code_work(unsigned member)
{
    unsigned members = team_members();

    for (unsigned round = 0; round < ROUNDS / members; round++) {
        uint64_t number = (round * 37 + manner) % CODE_MAX;

        if (round % members == member) {
            code_write(CODE(number));
        }
        team_meet();
        (void)team_is(code_run(), number, "what the code gives");
        (void)(with_strangers && sys_yield());
        (void)team_is(code_run(), number, "what the code gives again");
        team_meet();
    }
}

static void code_check(enum manner how, uint64_t prot, const char *what)
{
    manner = how;
    tap_status(page_map(PLACE, PAGE, prot), 0, "a page for code");
    tap_status(team_run(team_size(), code_work), 0, "a team of %u runs code %s", team_size(), what);
    team_report("it was always the code written last");
    (void)page_unmap(PLACE, PAGE);
}

static void code_checks(void)
{
    code_check(BY_PROTECT, RW, "of a page that is made executable");
    code_check(BY_SYNC, RWX, "of a page that is writable and executable");
    code_check(BY_REPLACE, RX, "of pages that replace each other");
}

int main(void)
{
    handle_t strangers[TEAM_MAX];
    struct user_end end = {0};
    unsigned count = harts_count() < 4 ? harts_count() : 4;

    code_checks();
    with_strangers = 1;
    for (unsigned i = 0; i < count; i++) {
        tap_status(user_fork_run(stranger, (void *)(uintptr_t)i, &strangers[i]), 0,
                   "another process runs code of its own there");
    }
    code_checks();
    for (unsigned i = 0; i < count; i++) {
        (void)sys_process_kill(strangers[i]);
        tap_status(user_finish(strangers[i], &end), 0, "the other process is stopped");
        tap_is(end.reason, EXIT_KILLED, "its code was its own until then");
    }
    return tap_done();
}
