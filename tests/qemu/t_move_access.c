/* SPDX-License-Identifier: MIT */
/*
 * Pages go to and fro between two places while threads on all harts read and write them: no store
 * is lost, none lands where the pages have been, and each refused access is explained by a place
 * that held nothing at that time.  They use calls that access their memory, which fail where
 * nothing is; then children whose threads have used the pages directly, and end by their next
 * access to the old place.
 */
#include <inttypes.h>
#include <stdatomic.h>

#include "support.h"
#include "team.h"

#define GIB      (UINT64_C(1) << 30)
#define TABLE    (UINT64_C(512) * PAGE)
#define MOVES    20U
#define ATTEMPTS 2U /* of each member, between two moves */

/* Where the pages may be. */
static struct place {
    handle_t process;
    uint64_t address;
} places[2];

static uint64_t area_bytes;

/* Twice the moves made, and one more during each: then the pages are in neither place for sure, and
 * else in places[turn / 2 % 2].  Released by member 0, acquired by the others. */
static _Atomic(uint64_t) turn;
static _Atomic(uint64_t) is_over; /* released by member 0, acquired by the others */

/* Of each member; `count` is released by it and acquired by member 0, the rest is read when all
 * have ended. */
static struct {
    _Atomic(uint64_t) count; /* writes that were read back */
    uint64_t refused;
    char rest[48];
} done_by[TEAM_MAX];

static uint64_t offset_of(unsigned member, uint64_t n)
{
    return n % (area_bytes / PAGE) * PAGE + member * sizeof(uint64_t);
}

enum access {
    LOAD,
    STORE,
};

/* One access to a word in that place; -SYS_EFAULT: nothing is there.  To this process's own memory
 * it is made by the hart, to another's through its page table. */
static long access_try(enum access access, const struct place *place, uint64_t offset,
                       uint64_t *word)
{
    uint64_t address = place->address + offset;
    uint64_t here = (uintptr_t)word;

    if (place->process == user_self()) {
        return access == STORE ? sys_vm_read(user_self(), here, address, sizeof(*word), NULL)
                               : sys_vm_write(user_self(), here, address, sizeof(*word), NULL);
    }
    return access == STORE ? sys_vm_write(place->process, address, here, sizeof(*word), NULL)
                           : sys_vm_read(place->process, address, here, sizeof(*word), NULL);
}

/* Accesses the word wherever it is: one place after the other, beginning with `which`. */
static void access_word(unsigned member, enum access access, unsigned which, uint64_t offset,
                        uint64_t *word)
{
    long status = -SYS_EFAULT;

    for (; status == -SYS_EFAULT; which = 1 - which) {
        uint64_t before = atomic_load_explicit(&turn, memory_order_acquire);

        status = access_try(access, &places[which], offset, word);
        /* Read again after the access, which is a system call. */
        uint64_t after = atomic_load_explicit(&turn, memory_order_acquire);

        if (status != 0 && status != -SYS_EFAULT) {
            team_wrong((uint64_t)status, "an access");
        }
        done_by[member].refused += status != 0 ? 1 : 0;
        if (before == after && before % 2 == 0) {
            long want = before / 2 % 2 == which ? 0 : -SYS_EFAULT;

            (void)team_is((uint64_t)status, (uint64_t)want, "an access while nothing moves");
        }
    }
}

static void access_for_ever(unsigned member)
{
    for (uint64_t n = 1; atomic_load_explicit(&is_over, memory_order_acquire) == 0; n++) {
        uint64_t word = n << 8 | member;

        access_word(member, STORE, n % 2, offset_of(member, n), &word);
        word = 0;
        access_word(member, LOAD, n / 2 % 2, offset_of(member, n), &word);
        (void)team_is(word, n << 8 | member, "a word that was just written");
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

static void move_work(unsigned member)
{
    if (member != 0) {
        access_for_ever(member);
        return;
    }
    for (uint64_t move = 0; move < MOVES; move++) {
        const struct place *from = &places[move % 2];
        const struct place *to = &places[1 - move % 2];
        uint64_t done = 0;

        others_wait();
        atomic_store_explicit(&turn, 2 * move + 1, memory_order_release);
        long status =
            sys_vm_move(from->process, to->process, from->address, area_bytes, to->address, &done);
        atomic_store_explicit(&turn, 2 * move + 2, memory_order_release);
        (void)team_is((uint64_t)status, 0, "moving");
        (void)team_is(done, area_bytes, "bytes moved");
    }
    others_wait();
    atomic_store_explicit(&is_over, 1, memory_order_release);
}

/* The last word that each member wrote to each page is there, and nothing is in the other place. */
static void check_words(void)
{
    uint64_t pages = area_bytes / PAGE;
    uint64_t wrong = 0;
    uint64_t found = 0;

    for (unsigned member = 1; member < team_size(); member++) {
        /* Relaxed: the members have ended. */
        uint64_t last = atomic_load_explicit(&done_by[member].count, memory_order_relaxed);

        for (uint64_t n = last > pages ? last - pages + 1 : 1; n <= last; n++) {
            uint64_t word = *word_at(places[0].address + offset_of(member, n));

            wrong += word != (n << 8 | member) ? 1 : 0;
        }
    }
    tap_is(wrong, 0, "every word is where the pages are");
    tap_status(sys_vm_find_next(places[1].process, places[1].address, area_bytes, &found),
               -SYS_ENOENT, "and nothing where they were");
}

static void counts_tell(void)
{
    uint64_t accesses = 0;
    uint64_t refused = 0;

    for (unsigned member = 1; member < team_size(); member++) {
        accesses += 2 * atomic_load_explicit(&done_by[member].count, memory_order_relaxed);
        refused += done_by[member].refused;
    }
    tap_ok(refused > 0, "some accesses were refused");
    tap_diag("%" PRIu64 " accesses, and %" PRIu64 " refused before they found the page", accesses,
             refused);
}

static void check_moves(struct place to, uint64_t bytes, const char *what)
{
    places[0] = (struct place){user_self(), PLACE};
    places[1] = to;
    area_bytes = bytes;
    atomic_store_explicit(&turn, 0, memory_order_relaxed);
    atomic_store_explicit(&is_over, 0, memory_order_relaxed);
    for (unsigned member = 0; member < TEAM_MAX; member++) {
        atomic_store_explicit(&done_by[member].count, 0, memory_order_relaxed);
        done_by[member].refused = 0;
    }
    tap_status(page_map(PLACE, bytes, RW), 0, "%s: pages are mapped", what);
    tap_status(team_run(team_size(), move_work), 0, "a team of %u uses and moves them",
               team_size());
    team_report("no store was lost, and no access was where nothing was");
    check_words();
    counts_tell();
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "the kernel's audit finds no fault");
    tap_status(page_unmap(PLACE, bytes), 0, "the pages are unmapped");
}

/* In a child: all members have read the first page; then it moves, and one reads it once more. */
static struct {
    unsigned culprit;
    uint64_t bytes, to;
} direct;
static _Atomic(uint64_t) warm;     /* raised by each reader, acquired by member 0 */
static _Atomic(uint64_t) is_moved; /* released by member 0, acquired by the readers */

static void direct_work(unsigned member)
{
    if (member == 0) {
        team_wait(&warm, team_members() - 1);
        (void)sys_vm_move(user_self(), user_self(), PLACE, direct.bytes, direct.to, NULL);
        atomic_store_explicit(&is_moved, 1, memory_order_release);
        return;
    }
    *word_at(PLACE + member * sizeof(uint64_t)) = member;
    atomic_fetch_add_explicit(&warm, 1, memory_order_acq_rel);
    team_spin(&is_moved, 1);
    if (member == direct.culprit && *word_at(direct.to + member * sizeof(uint64_t)) == member) {
        touch(ACCESS_READ, PLACE + member * sizeof(uint64_t));
    }
}

static int access_directly(void *argument)
{
    (void)argument;
    if (page_map(PLACE, direct.bytes, RW) != 0 || team_run(team_size(), direct_work) != 0) {
        return 1;
    }
    return 2; /* something was there */
}

static void check_direct(unsigned member, uint64_t bytes, uint64_t to)
{
    struct user_end end = {0};

    direct.culprit = member;
    direct.bytes = bytes;
    direct.to = to;
    tap_status(user_fork_wait(access_directly, NULL, &end), 0,
               "a child whose member %u reads where a page was", member);
    check_fault(&end, ACCESS_READ, PLACE + member * sizeof(uint64_t), "that access");
}

int main(void)
{
    handle_t other = HANDLE_NONE;

    check_moves((struct place){user_self(), PLACE + GIB + PAGE}, 20 * PAGE, "page by page");
    check_moves((struct place){user_self(), PLACE + GIB}, TABLE, "a table");
    check_moves((struct place){user_self(), PLACE + 2 * TABLE}, 2 * TABLE, "tables side by side");
    tap_status(sys_process_create((uintptr_t) "other", 5, 0, &other), 0, "another process");
    check_moves((struct place){other, PLACE + GIB + PAGE}, 20 * PAGE, "to it, page by page");
    check_moves((struct place){other, PLACE + GIB}, TABLE, "to it, a table");
    (void)sys_process_kill(other);
    (void)sys_handle_close(other);
    check_direct(1, PAGE, PLACE + GIB + PAGE);
    check_direct(team_size() - 1, TABLE, PLACE + GIB);
    return tap_done();
}
