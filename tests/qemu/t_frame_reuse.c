/* SPDX-License-Identifier: MIT */
/*
 * One thread takes pages away while all others read them, and the frames are used again at once,
 * filled with a pattern, by this process and by another: nobody ever reads the pattern at the old
 * addresses.  Pages go in two ways: replaced, where readers may use them directly, because the
 * address is never without a page; and unmapped, where they read through system calls, which find
 * nothing there for a while.  Last, readers that use unmapped pages directly end by the fault.
 */
#include <stdatomic.h>
#include <string.h>

#include "support.h"
#include "team.h"

#define PAGES   8U
#define BYTES   (PAGES * PAGE)
#define AREA    PLACE
#define OTHER   (PLACE + UINT64_C(0x40000000))
#define PATTERN UINT64_C(0xbad0bad0bad0bad0)
#define ROUNDS  120U
#define ENDS    4U

/* What page n holds, if not the zeroes that it is mapped with. */
#define OWN(n) (UINT64_C(0x600d000000000000) + (n))

static _Atomic(uint64_t) is_over; /* released by member 0, acquired by the readers */
static int replaces;

static void fill(uint64_t address, uint64_t bytes, uint64_t value)
{
    for (uint64_t at = address; at < address + bytes; at += sizeof(uint64_t)) {
        *word_at(at) = value;
    }
}

/* Maps pages that the allocator is most likely to make of the frames just freed. */
static void frames_soil(void)
{
    (void)team_is((uint64_t)page_map(OTHER, BYTES, RW), 0, "mapping elsewhere");
    fill(OTHER, BYTES, PATTERN);
    (void)page_unmap(OTHER, BYTES);
}

static void pages_own(void)
{
    for (unsigned n = 0; n < PAGES; n++) {
        *word_at(AREA + n * PAGE) = OWN(n);
        *word_at(AREA + (n + 1) * PAGE - 8) = OWN(n);
    }
}

static void round_replace(void)
{
    long status = sys_vm_map(user_self(), AREA, BYTES, RW, VM_FLAG_REPLACE, NULL);

    (void)team_is((uint64_t)status, 0, "replacing the pages");
    frames_soil();
    pages_own();
}

static void round_unmap(void)
{
    uint64_t pages = 0;

    (void)sys_vm_unmap(user_self(), AREA, BYTES, &pages);
    (void)team_is(pages, PAGES, "pages unmapped");
    frames_soil();
    (void)team_is((uint64_t)page_map(AREA, BYTES, RW), 0, "mapping again");
    pages_own();
}

static void value_check(unsigned page, uint64_t value)
{
    if (value != 0) {
        (void)team_is(value, OWN(page), "read from a page that went");
    }
}

/* Reads a word at an address that may have no page.  The kernel moves it whole, also when the page
 * comes between a fault and the second try. */
static void read_by_call(unsigned page, uint64_t address)
{
    uint64_t value = 0;
    long status = sys_vm_write(user_self(), (uintptr_t)&value, address, sizeof(value), NULL);

    if (status == 0) {
        value_check(page, value);
    } else {
        (void)team_is((uint64_t)status, (uint64_t)-SYS_EFAULT, "a call that finds no page");
    }
}

static void read_all(void)
{
    for (unsigned page = 0; page < PAGES; page++) {
        for (unsigned offset = 0; offset < PAGE; offset += PAGE - 8) {
            uint64_t address = AREA + page * PAGE + offset;

            if (replaces) {
                value_check(page, *word_at(address));
            } else {
                read_by_call(page, address);
            }
        }
    }
}

static void reuse_work(unsigned member)
{
    if (member != 0) {
        while (atomic_load_explicit(&is_over, memory_order_acquire) == 0) {
            read_all();
        }
        return;
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        replaces ? round_replace() : round_unmap();
    }
    atomic_store_explicit(&is_over, 1, memory_order_release);
}

static void reuse_check(int by_replacing, const char *what)
{
    replaces = by_replacing;
    /* Relaxed: no member exists yet. */
    atomic_store_explicit(&is_over, 0, memory_order_relaxed);
    tap_status(page_map(AREA, BYTES, RW), 0, "pages are mapped, to be %s", what);
    tap_status(team_run(team_size(), reuse_work), 0, "a team of %u reads them meanwhile",
               team_size());
    team_report("no reader saw the frames' next contents");
    (void)page_unmap(AREA, BYTES);
}

/* Another process that takes frames and fills them, until it is killed. */
static _Noreturn int soil_for_ever(void *argument)
{
    (void)argument;
    for (;;) {
        frames_soil();
        (void)sys_yield();
    }
}

static _Atomic(uint64_t) readers_warm; /* raised by each reader, acquired by member 0 */

/* Readers that have used the pages, and go on, until the pages go. */
static void direct_work(unsigned member)
{
    if (member == 0) {
        team_wait(&readers_warm, team_members() - 1);
        (void)page_unmap(AREA, BYTES);
        frames_soil();
        (void)sys_thread_exit();
    }
    for (uint64_t reads = 0;; reads++) {
        unsigned page = (unsigned)(reads + member) % PAGES;
        uint64_t value = *word_at(AREA + page * PAGE);

        if (value != OWN(page)) {
            (void)sys_process_exit(value == PATTERN ? 2 : 3);
        }
        if (reads == PAGES) {
            atomic_fetch_add_explicit(&readers_warm, 1, memory_order_acq_rel);
        }
    }
}

static int read_till_the_end(void *argument)
{
    (void)argument;
    if (page_map(AREA, BYTES, RW) != 0) {
        return 1;
    }
    pages_own();
    return team_run(team_size(), direct_work) == 0 ? 4 : 5;
}

static void direct_check(void)
{
    struct user_end end = {0};

    tap_status(user_fork_wait(read_till_the_end, NULL, &end), 0, "a child reads what it unmaps");
    tap_is(end.reason, EXIT_FAULT, "it ends by a fault");
    tap_is(end.access, ACCESS_READ, "of a read");
    tap_ok(end.detail >= AREA && end.detail < AREA + BYTES, "of a page that went");
}

int main(void)
{
    handle_t other = HANDLE_NONE;
    struct user_end end = {0};

    tap_status(user_fork_run(soil_for_ever, NULL, &other), 0, "another process soils frames");
    reuse_check(1, "replaced");
    reuse_check(0, "unmapped");
    for (unsigned i = 0; i < ENDS; i++) {
        direct_check();
    }
    tap_status(sys_process_kill(other), 0, "the other process is killed");
    tap_status(user_finish(other, &end), 0, "and ends");
    tap_is(end.reason, EXIT_KILLED, "by that");
    return tap_done();
}
