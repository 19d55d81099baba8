/* SPDX-License-Identifier: MIT */
/*
 * The self-test beside programs: what it finds is whole and right, harts that it takes to help lose
 * nothing of what they did, and several callers take turns.  What it finds on which machine, and
 * each check, is session_selftest.py's.
 */
#include <stdatomic.h>
#include <string.h>

#include "support.h"
#include "team.h"

#define QUICK_CHECKS 16U /* the first ones, which need no other hart */
#define REMOTE_CHECK 31U
#define REMOTE_KEY   "sfence-remote-all-fetch"
#define MEMBERS_MAX  3U /* an emulator takes long for harts that wait */
#define WORDS        64U

static _Atomic(uint64_t) over;

static long check(uint64_t index, struct selftest_info *info)
{
    return sys_selftest(user_machine(), index, (uintptr_t)info);
}

/* Nonzero: a text that is not empty, ends, and prints. */
static int is_text(const char *text, size_t room)
{
    size_t length = strnlen(text, room);

    for (size_t i = 0; i < length; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            return 0;
        }
    }
    return length > 0 && length < room;
}

static void facts_check(void)
{
    struct selftest_info info;
    unsigned bad = 0, wrong = 0;

    for (uint64_t i = 0; i < QUICK_CHECKS; i++) {
        memset(&info, 0xff, sizeof(info));
        bad += check(i, &info) != 0 || !is_text(info.key, sizeof(info.key)) ||
                       !is_text(info.value, sizeof(info.value))
                   ? 1
                   : 0;
        wrong += info.verdict == SELFTEST_VERDICT_WRONG ? 1 : 0;
    }
    tap_is(bad, 0, "each check gives two texts");
    tap_is(wrong, 0, "nothing is wrong with this machine");
    memset(&info, 0xff, sizeof(info));
    tap_is((uint64_t)check(1000, &info), (uint64_t)-SYS_ENOENT, "there are fewer than 1000");
    tap_is((uint64_t)check(UINT64_MAX, &info), (uint64_t)-SYS_ENOENT, "and than 2^64 - 1");
    tap_is(info.verdict, UINT64_MAX, "then nothing is written");
}

/* Keeps words of its own, in pages that come and go, until the other member is done. */
static void keep_busy(unsigned member)
{
    uint64_t place = PLACE + member * UINT64_C(0x1000000);
    volatile uint64_t *words = word_at(place);
    double sum = 0;
    uint64_t rounds = 0;

    while (atomic_load_explicit(&over, memory_order_acquire) == 0) {
        uint64_t kept = 0;

        if (!team_is((uint64_t)page_map(place, PAGE, RW), 0, "a page is mapped")) {
            return;
        }
        for (unsigned i = 0; i < WORDS; i++) {
            words[i] = rounds + i + member;
        }
        for (unsigned i = 0; i < WORDS; i++) {
            kept += words[i] - i - member;
        }
        sum += 0.5;
        rounds++;
        (void)team_is(kept, (rounds - 1) * WORDS, "its words are there");
        (void)team_is((uint64_t)page_unmap(place, PAGE), 0, "and unmapped");
    }
    (void)team_is((uint64_t)(sum * 2), rounds, "floating point is as it was");
}

static void help_or_work(unsigned member)
{
    struct selftest_info info;

    if (member > 0) {
        keep_busy(member);
        return;
    }
    (void)team_is((uint64_t)check(REMOTE_CHECK, &info), 0, "a check that others help with");
    (void)team_is((uint64_t)strcmp(info.key, REMOTE_KEY), 0, "it is the one it should be");
    const char *wanted = harts_count() > 1 ? "stale in 0 of " : "not tried";

    (void)team_is((uint64_t)strncmp(info.value, wanted, strlen(wanted)), 0,
                  "another hart helped, if there is one");
    atomic_store_explicit(&over, 1, memory_order_release);
}

/* Member 0 makes long checks until another caller has come in between and had to wait: then the
 * kernel made its call again.  On one hart none comes in between. */
static void ask_at_once(unsigned member)
{
    struct selftest_info info;
    uint64_t restarts = counter_value("syscall_restarts");

    team_meet();
    do {
        uint64_t index = member == 0 ? REMOTE_CHECK : member;

        (void)team_is((uint64_t)check(index, &info), 0, "each caller gets its turn");
        (void)team_is((uint64_t)is_text(info.value, sizeof(info.value)), 1, "and a value");
    } while (harts_count() > 1 && counter_value("syscall_restarts") == restarts);
}

int main(void)
{
    unsigned members = team_size() < MEMBERS_MAX ? team_size() : MEMBERS_MAX;

    facts_check();
    (void)team_run(members, help_or_work);
    team_report("harts that help lose nothing of their own");
    (void)team_run(members, ask_at_once);
    team_report("callers on several harts take turns");
    return tap_done();
}
