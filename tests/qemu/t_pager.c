/* SPDX-License-Identifier: MIT */
/*
 * What a pager does with pages of another process: takes them out under cookies, reads them, and
 * brings them back, between two rounds of a program that stores to all of them; sees which are
 * used; and is refused what is not there, or not under that cookie.
 */
#include <stdatomic.h>

#include "support.h"

#define PAGES  300U /* more than one step does */
#define BYTES  (PAGES * PAGE)
#define KEEP   (PLACE + (UINT64_C(1) << 30))
#define SHARED (PLACE + (UINT64_C(2) << 30))
#define COOKIE UINT64_C(0x1234500000)
#define ROUNDS 6U
#define USED   7U /* pages that are used after their bits were taken */

/* In a page of a memory object that both map. */
struct turns {
    _Atomic(uint64_t) asked, done; /* rounds; acquired and released */
    _Atomic(uint64_t) wrong;
};

static struct turns *turns_of(void)
{
    return (struct turns *)(uintptr_t)SHARED;
}

static void wait_until(_Atomic(uint64_t) *word, uint64_t value)
{
    while (atomic_load_explicit(word, memory_order_acquire) < value) {
        (void)sys_yield();
    }
}

static uint64_t word_of(uint64_t round, unsigned page)
{
    return round << 32 | page;
}

/* The program: in each round it finds what it stored in the last one, and stores anew. */
static int program_run(void *argument)
{
    struct turns *turns = turns_of();

    (void)argument;
    (void)sys_vm_mark(user_self(), PLACE, BYTES, VM_KIND_RESERVED, RW, 0, NULL);
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        for (unsigned page = 0; page < PAGES; page++) {
            uint64_t want = round == 1 ? 0 : word_of(round - 1, page);

            if (*word_at(PLACE + page * PAGE + 8) != want) {
                atomic_fetch_add_explicit(&turns->wrong, 1, memory_order_relaxed);
            }
            *word_at(PLACE + page * PAGE + 8) = word_of(round, page);
        }
        atomic_store_explicit(&turns->done, round, memory_order_release);
        wait_until(&turns->asked, round + 1);
    }
    touch(ACCESS_READ, PLACE + 5 * PAGE);
    return 1;
}

static long evict(handle_t program, uint64_t address, uint64_t bytes, uint64_t there,
                  uint64_t cookie, uint64_t *done)
{
    return sys_vm_evict(program, user_self(), address, bytes, there, cookie, done);
}

static long supply(handle_t program, uint64_t there, uint64_t bytes, uint64_t address,
                   uint64_t cookie, uint64_t *done)
{
    return sys_vm_supply(user_self(), program, there, bytes, address, cookie, done);
}

/* What the program stored is in what was taken out. */
static unsigned count_kept(uint64_t round)
{
    unsigned count = 0;

    for (unsigned page = 0; page < PAGES; page++) {
        count += *word_at(KEEP + page * PAGE + 8) == word_of(round, page) ? 1 : 0;
    }
    return count;
}

static void round_check(handle_t program, uint64_t round)
{
    uint64_t kind = 99, prot = 0, cookie = 0, done = 0, word = 0;

    wait_until(&turns_of()->done, round);
    tap_status(evict(program, PLACE, BYTES, KEEP, COOKIE + round, &done), 0,
               "round %u: pages are taken out", (unsigned)round);
    tap_is(done, BYTES, "all of them");
    tap_is(count_kept(round), PAGES, "with what the program stored");
    (void)sys_vm_query(program, PLACE + 9 * PAGE, NULL, NULL, &kind, &prot, NULL, &cookie);
    tap_ok(kind == VM_KIND_SWAPPED && prot == RW && cookie == COOKIE + round + 9,
           "and leave cookie and rights");
    tap_status(sys_vm_read(program, PLACE, (uintptr_t)&word, sizeof(word), NULL), -SYS_EFAULT,
               "there is nothing to be read");
    tap_status(supply(program, KEEP, BYTES, PLACE, COOKIE + round + 1, &done), -SYS_EAGAIN,
               "other cookies bring nothing back");
    tap_is(done, 0, "no page");
    tap_status(supply(program, KEEP, BYTES, PLACE, COOKIE + round, &done), 0, "but theirs do");
    tap_is(done, BYTES, "all pages");
}

static void accessed_check(handle_t program)
{
    uint64_t accessed = 0;
    uint64_t word = 1;

    tap_status(sys_vm_clear_accessed(program, PLACE, BYTES, &accessed), 0, "bits are taken");
    tap_is(accessed, PAGES, "of all pages");
    tap_status(sys_vm_clear_accessed(program, PLACE, BYTES, &accessed), 0, "and again");
    tap_is(accessed, 0, "of none");
    for (unsigned page = 0; page < USED; page++) {
        (void)sys_vm_read(program, PLACE + page * PAGE, (uintptr_t)&word, sizeof(word), NULL);
    }
    tap_status(sys_vm_clear_accessed(program, PLACE, BYTES, &accessed), 0, "and once more");
    tap_is(accessed, USED, "of those that were used");
}

static void refused_check(handle_t program)
{
    uint64_t done = 99;

    tap_status(evict(user_self(), PLACE, PAGE, KEEP, COOKIE, &done), -SYS_EINVAL,
               "not inside one process");
    tap_status(evict(program, PLACE, PAGE, KEEP, UINT64_C(1) << 40, &done), -SYS_EINVAL,
               "no such cookie");
    tap_status(evict(program, SHARED, PAGE, KEEP, COOKIE, &done), -SYS_ENOENT,
               "a page that is shared stays");
    tap_status(evict(program, PLACE, PAGE, SHARED, COOKIE, &done), -SYS_EEXIST,
               "not to where something is");
    tap_status(evict(program, PLACE, BYTES + PAGE, KEEP, COOKIE, &done), -SYS_ENOENT,
               "past the last page there is nothing");
    tap_is(done, BYTES, "and all before it is taken out");
}

int main(void)
{
    handle_t memory = HANDLE_NONE;
    handle_t program = HANDLE_NONE;
    struct user_end end = {0};

    tap_status(sys_memory_create(PAGE, 0, &memory), 0, "a page for both");
    tap_status(sys_memory_map(user_self(), SHARED, PAGE, RW, 0, memory, 0, NULL), 0, "is mapped");
    tap_status(user_fork_run(program_run, NULL, &program), 0, "a program runs");
    for (uint64_t round = 1; round < ROUNDS; round++) {
        round_check(program, round);
        atomic_store_explicit(&turns_of()->asked, round + 1, memory_order_release);
    }
    wait_until(&turns_of()->done, ROUNDS);
    tap_is(atomic_load_explicit(&turns_of()->wrong, memory_order_relaxed), 0,
           "it found what it had stored");
    accessed_check(program);
    refused_check(program);
    atomic_store_explicit(&turns_of()->asked, ROUNDS + 1, memory_order_release);
    (void)user_finish(program, &end);
    check_fault(&end, ACCESS_READ, PLACE + 5 * PAGE, "a page that was not brought back");
    return tap_done();
}
