/* SPDX-License-Identifier: MIT */
/*
 * A page of 2 MiB is split while threads on all harts read and write it: no word is lost, and each
 * access that is refused is explained by what the page was made at that time.  Most accesses are
 * the harts' own; those to the one part that changes are calls, which fail where they may not.
 */
#include <stdatomic.h>

#include "large.h"
#include "team.h"

#define HOLE      300U /* a part that goes, and nobody uses */
#define VICTIM    77U  /* a part whose rights change        */
#define ATTEMPTS  24U  /* of each member between two changes */
#define ELSEWHERE (PLACE + GIB)

/* How the page is split first. */
enum way {
    BY_PROTECT,
    BY_HIDING,
    BY_UNMAP,
    BY_REPLACING,
    BY_GUARD,
    BY_MOVING,
    WAYS
};
static enum way way;

/* Twice the changes of the victim's rights, and one more during each: while it is even, they are
 * granted if it is a multiple of 4.  Released by member 0, acquired by the others. */
static _Atomic(uint64_t) turn;
static _Atomic(uint64_t) is_over; /* released by member 0, acquired by the others */

/* Of each member; `count` is released by it and acquired by member 0, the other is read when all
 * have ended. */
static struct {
    _Atomic(uint64_t) count;
    uint64_t refused;
    char rest[48];
} done_by[TEAM_MAX];

/* Pages that members use directly, by turns. */
static uint64_t page_of(uint64_t n)
{
    uint64_t page = n * 29 % PARTS;

    return page == HOLE || page == VICTIM ? page + 1 : page;
}

static uint64_t address_of(unsigned member, uint64_t page)
{
    return PLACE + page * PAGE + member * sizeof(uint64_t);
}

/* A store and a load, each right or explained. */
static void use_victim(unsigned member, uint64_t n)
{
    uint64_t here = (uintptr_t)&n;
    uint64_t before = atomic_load_explicit(&turn, memory_order_acquire);
    long status =
        sys_vm_read(user_self(), here, address_of(member, VICTIM), sizeof(uint64_t), NULL);
    uint64_t after = atomic_load_explicit(&turn, memory_order_acquire);

    if (status != 0) {
        done_by[member].refused++;
        (void)team_is((uint64_t)status, (uint64_t)-SYS_EFAULT, "a store that is refused");
    }
    if (before == after && before % 2 == 0) {
        (void)team_is(status == 0, before % 4 == 0, "a store while nothing changes");
    }
    if (status == 0) {
        uint64_t word = 0;

        here = (uintptr_t)&word;
        status = sys_vm_write(user_self(), here, address_of(member, VICTIM), sizeof(word), NULL);
        if (status == 0) {
            (void)team_is(word, n, "what was just stored");
        }
    }
}

static void use_for_ever(unsigned member)
{
    for (uint64_t n = 1; atomic_load_explicit(&is_over, memory_order_acquire) == 0; n++) {
        volatile uint64_t *word = word_at(address_of(member, page_of(n)));

        *word = n;
        if (n % 8 == 0) {
            use_victim(member, n);
        }
        (void)team_is(*word, n, "a word that was just written");
        atomic_store_explicit(&done_by[member].count, n, memory_order_release);
    }
}

static void others_wait(void)
{
    for (unsigned member = 1; member < team_members(); member++) {
        uint64_t now = atomic_load_explicit(&done_by[member].count, memory_order_acquire);

        team_wait(&done_by[member].count, now + ATTEMPTS);
    }
}

static long victim_protect(uint64_t prot)
{
    uint64_t now = atomic_load_explicit(&turn, memory_order_relaxed);
    long status;

    atomic_store_explicit(&turn, now + 1, memory_order_release);
    status = sys_vm_protect(user_self(), PLACE + VICTIM * PAGE, PAGE, prot, NULL);
    atomic_store_explicit(&turn, now + 2, memory_order_release);
    return status;
}

static long hole_change(void)
{
    const uint64_t hole = PLACE + HOLE * PAGE;

    switch (way) {
    case BY_UNMAP:
        return page_unmap(hole, PAGE);
    case BY_REPLACING:
        return sys_vm_map(user_self(), hole, PAGE, RW, VM_FLAG_REPLACE, NULL);
    case BY_GUARD:
        return sys_vm_mark(user_self(), hole, PAGE, VM_KIND_GUARD, 0, VM_FLAG_REPLACE, NULL);
    case BY_MOVING:
        return sys_vm_move(user_self(), user_self(), hole, PAGE, ELSEWHERE, NULL);
    default:
        return 0;
    }
}

static void split_work(unsigned member)
{
    if (member != 0) {
        use_for_ever(member);
        return;
    }
    others_wait();
    (void)team_is((uint64_t)hole_change(), 0, "splitting");
    others_wait();
    (void)team_is((uint64_t)victim_protect(way == BY_HIDING ? VM_PROT_NONE : VM_PROT_R), 0,
                  "taking rights");
    others_wait();
    (void)team_is((uint64_t)victim_protect(RW), 0, "giving rights");
    others_wait();
    atomic_store_explicit(&is_over, 1, memory_order_release);
}

/* Words that are not the last ones their members wrote there. */
static uint64_t words_lost(void)
{
    uint64_t lost = 0;

    for (unsigned member = 1; member < team_size(); member++) {
        uint64_t newest[PARTS] = {0};
        /* Relaxed: the members have ended. */
        uint64_t last = atomic_load_explicit(&done_by[member].count, memory_order_relaxed);

        for (uint64_t n = last > 2 * PARTS ? last - 2 * PARTS : 1; n <= last; n++) {
            newest[page_of(n)] = n;
        }
        for (unsigned page = 0; page < PARTS; page++) {
            if (page != HOLE && page != VICTIM && newest[page] != 0) {
                lost += *word_at(address_of(member, page)) != newest[page] ? 1 : 0;
            }
        }
    }
    return lost;
}

static void check_way(const char *what)
{
    uint64_t refused = 0;
    uint64_t absent = way == BY_UNMAP || way == BY_GUARD || way == BY_MOVING ? PAGE : 0;

    atomic_store_explicit(&turn, 0, memory_order_relaxed);
    atomic_store_explicit(&is_over, 0, memory_order_relaxed);
    for (unsigned member = 0; member < TEAM_MAX; member++) {
        atomic_store_explicit(&done_by[member].count, 0, memory_order_relaxed);
        done_by[member].refused = 0;
    }
    tap_status(large_map(PLACE, LARGE, RW, VM_FLAG_2M), 0, "%s: a page of 2 MiB", what);
    tap_status(team_run(team_size(), split_work), 0, "%s: a team of %u uses it", what, team_size());
    team_report("%s: all was as it may be", what);
    tap_is(words_lost(), 0, "%s: no word is lost", what);
    for (unsigned member = 1; member < TEAM_MAX; member++) {
        refused += done_by[member].refused;
    }
    tap_ok(refused > 0, "%s: some stores were refused", what);
    large_is(PLACE, LARGE, 0, absent, what);
    tap_status(page_unmap(PLACE, LARGE), 0, "%s: all of it goes", what);
    tap_status(page_unmap(ELSEWHERE, PAGE), 0, "%s: what moved, too", what);
}

int main(void)
{
    static const char *const names[WAYS] = {"protect", "hide", "unmap", "replace", "guard", "move"};

    for (way = 0; way < WAYS; way++) {
        check_way(names[way]);
    }
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "the kernel's audit finds no fault");
    return tap_done();
}
