/* SPDX-License-Identifier: MIT */
/*
 * Copy on write, counted: a clone of pages takes no frame but its tables'; each page that is
 * written to takes one, once; the last owner takes none.  Many processes on all harts write to
 * clones of the same pages and read only what they wrote, or what was there.
 */
#include <stdatomic.h>
#include <string.h>

#include "support.h"
#include "team.h"

#define PAGES    64U
#define BYTES    (PAGES * PAGE)
#define CHILDREN 12U
#define ROUNDS   6U

static uint64_t word_of(uint64_t owner, unsigned page)
{
    return owner << 32 | page;
}

static void write_all(uint64_t base, uint64_t owner)
{
    for (unsigned page = 0; page < PAGES; page++) {
        *word_at(base + page * PAGE + 8) = word_of(owner, page);
    }
}

static unsigned count_owned(uint64_t base, uint64_t owner)
{
    unsigned count = 0;

    for (unsigned page = 0; page < PAGES; page++) {
        count += *word_at(base + page * PAGE + 8) == word_of(owner, page) ? 1 : 0;
    }
    return count;
}

/* Pages cloned into a process that never runs: only tables are taken, and no frame goes twice. */
static void check_counts(void)
{
    handle_t other = HANDLE_NONE;
    uint64_t cloned;
    uint64_t replaced;
    uint64_t free_before;
    uint64_t done = 0;

    write_all(PLACE, 1);
    (void)sys_process_create((uintptr_t) "other", 5, 0, &other);
    (void)frames_free();
    cloned = counter_value("pages_cloned");
    free_before = frames_free();
    tap_status(sys_vm_clone(user_self(), other, PLACE, BYTES, PLACE, &done), 0, "pages are cloned");
    tap_is(done, BYTES, "all of them");
    tap_is(counter_value("pages_cloned") - cloned, PAGES, "and counted");
    tap_ok(free_before - frames_free() < 8, "their clone takes no frames but for tables");
    tap_status(sys_vm_clone(user_self(), other, PLACE, BYTES, PLACE, &done), -SYS_EEXIST,
               "not over what is there");
    tap_status(sys_vm_clone(user_self(), user_self(), PLACE, BYTES, PLACE + 2 * BYTES, &done),
               -SYS_EINVAL, "not inside one process");
    free_before = frames_free();
    replaced = counter_value("frames_replaced");
    write_all(PLACE, 2);
    tap_is(counter_value("frames_replaced") - replaced, PAGES, "each write takes a frame");
    tap_is(free_before - frames_free(), PAGES, "as many as pages");
    write_all(PLACE, 3);
    tap_is(counter_value("frames_replaced") - replaced, PAGES, "and only the first");
    tap_status(sys_process_kill(other), 0, "the other process is killed");
    (void)sys_handle_close(other);
}

static void check_last_owner(void)
{
    handle_t other = HANDLE_NONE;
    uint64_t replaced;

    (void)sys_process_create((uintptr_t) "other", 5, 0, &other);
    tap_status(sys_vm_clone(user_self(), other, PLACE, BYTES, PLACE, NULL), 0, "cloned again");
    (void)sys_process_kill(other);
    (void)sys_handle_close(other);
    (void)frames_free();
    replaced = counter_value("frames_replaced");
    write_all(PLACE, 4);
    tap_is(counter_value("frames_replaced") - replaced, 0, "who is alone takes no frame");
    tap_is(count_owned(PLACE, 4), PAGES, "and writes");
}

/* Sees what was cloned, makes half of it its own, again and again, and clones itself once. */
static int child_run(void *argument)
{
    uint64_t me = (uintptr_t)argument;

    if (count_owned(PLACE, 5) != PAGES) {
        return 1;
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned page = (unsigned)(me % 2); page < PAGES; page += 2) {
            *word_at(PLACE + page * PAGE + 8) = word_of(me + round, page);
        }
        (void)sys_yield();
        if (count_owned(PLACE, me + round) != PAGES / 2 || count_owned(PLACE, 5) != PAGES / 2) {
            return 2;
        }
    }
    return 0;
}

static void check_many(void)
{
    handle_t children[CHILDREN];
    struct user_end end;
    unsigned right = 0;

    write_all(PLACE, 5);
    for (unsigned i = 0; i < CHILDREN; i++) {
        children[i] = HANDLE_NONE;
        (void)user_fork_run(child_run, (void *)(uintptr_t)(100 + 20 * i + i % 2), &children[i]);
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        end = (struct user_end){.reason = EXIT_KILLED};
        (void)user_finish(children[i], &end);
        right += end.reason == EXIT_STATUS && end.detail == 0 ? 1 : 0;
    }
    tap_is(right, CHILDREN, "%u processes write to clones of the same pages", CHILDREN);
    tap_is(count_owned(PLACE, 5), PAGES, "nobody's writes are seen by another");
}

static _Atomic(uint64_t) torn;

/* One member clones the space again and again, the others write meanwhile, all to words of their
 * own: a page becomes pending under them, and none of their stores may get lost. */
static void store_work(unsigned member)
{
    for (unsigned round = 0; round < 40; round++) {
        if (member == 0) {
            handle_t other = HANDLE_NONE;

            (void)team_is((uint64_t)sys_process_create((uintptr_t) "other", 5, 0, &other), 0,
                          "creating");
            (void)team_is((uint64_t)sys_vm_clone(user_self(), other, PLACE, BYTES, PLACE, NULL), 0,
                          "cloning");
            (void)sys_process_kill(other);
            (void)sys_handle_close(other);
            continue;
        }
        for (unsigned page = 0; page < PAGES; page++) {
            volatile uint64_t *word = word_at(PLACE + page * PAGE + 64 * member);

            *word = word_of(round + 1, page);
            if (*word != word_of(round + 1, page)) {
                atomic_fetch_add_explicit(&torn, 1, memory_order_relaxed);
            }
        }
    }
}

static void check_stores(void)
{
    tap_status(team_run(team_size(), store_work), 0, "%u threads store while one clones",
               team_size());
    tap_is(atomic_load_explicit(&torn, memory_order_relaxed), 0, "no store got lost");
    team_report("every clone was made");
}

int main(void)
{
    tap_status(page_map(PLACE, BYTES, RW), 0, "pages are mapped");
    check_counts();
    check_last_owner();
    check_many();
    check_stores();
    tap_status(page_unmap(PLACE, BYTES), 0, "the pages are unmapped");
    return tap_done();
}
