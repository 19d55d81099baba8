/* SPDX-License-Identifier: MIT */
/*
 * Threads on all harts map, unmap, protect, write and read the same pages, which lie on both sides
 * of a table's border, each in an order of its own.  Whatever becomes of a page, what it holds is
 * zero or was written to that page; calls fail only as they may; in the end all can be removed.
 */
#include <string.h>

#include "support.h"
#include "team.h"

#define TABLE  (UINT64_C(512) * PAGE)
#define PAGES  24U
#define AREA   (PLACE + TABLE - PAGES / 2 * PAGE)
#define ROUNDS 600U

/* What is written to page n. */
#define VALUE(n, member, round)                                                                    \
    (((uint64_t)(n) + 1) << 56 | (uint64_t)(member) << 32 | ((uint64_t)(round) + 1))
#define VALUE_PAGE(value) ((unsigned)((value) >> 56) - 1)

struct choice {
    unsigned page;
    unsigned pages;
};

static struct choice choose(uint64_t *random)
{
    unsigned page = (unsigned)(random_next(random) % PAGES);
    unsigned pages = 1 + (unsigned)(random_next(random) % (PAGES - page));

    return (struct choice){page, pages};
}

static void status_check(long status, long other, const char *what)
{
    if (status != other) {
        (void)team_is((uint64_t)status, 0, what);
    }
}

static void area_map(uint64_t *random)
{
    struct choice choice = choose(random);
    uint64_t flags = random_next(random) % 4 == 0 ? VM_FLAG_REPLACE : 0;
    uint64_t prot = random_next(random) % 4 == 0 ? VM_PROT_R : RW;
    uint64_t done = 0;
    long status =
        sys_vm_map(user_self(), AREA + choice.page * PAGE, choice.pages * PAGE, prot, flags, &done);

    status_check(status, flags == 0 ? -SYS_EEXIST : 0, "mapping");
    if (done > choice.pages * PAGE || (status == 0 && done != choice.pages * PAGE)) {
        team_wrong(done, "bytes mapped");
    }
}

static void area_unmap(uint64_t *random)
{
    struct choice choice = choose(random);
    uint64_t pages = 0;
    long status = sys_vm_unmap(user_self(), AREA + choice.page * PAGE, choice.pages * PAGE, &pages);

    (void)team_is((uint64_t)status, 0, "unmapping");
    if (pages > choice.pages) {
        team_wrong(pages, "pages unmapped");
    }
}

static void area_protect(uint64_t *random)
{
    struct choice choice = choose(random);
    uint64_t prot = random_next(random) % 2 == 0 ? VM_PROT_R : RW;
    uint64_t pages = 0;
    long status =
        sys_vm_protect(user_self(), AREA + choice.page * PAGE, choice.pages * PAGE, prot, &pages);

    (void)team_is((uint64_t)status, 0, "protecting");
    if (pages > choice.pages) {
        team_wrong(pages, "pages protected");
    }
}

/* Writes as the program itself (the page must be writable), or through the process's handle. */
static void area_write(uint64_t *random, unsigned member, unsigned round)
{
    unsigned page = choose(random).page;
    uint64_t value = VALUE(page, member, round);
    uint64_t address = AREA + page * PAGE;
    uint64_t here = (uintptr_t)&value;
    long status = random_next(random) % 2 == 0
                      ? sys_vm_read(user_self(), here, address, sizeof(value), NULL)
                      : sys_vm_write(user_self(), address, here, sizeof(value), NULL);

    status_check(status, -SYS_EFAULT, "writing");
}

static void area_read(uint64_t *random)
{
    unsigned page = choose(random).page;
    uint64_t value = 0;
    uint64_t address = AREA + page * PAGE;
    uint64_t here = (uintptr_t)&value;
    long status = random_next(random) % 2 == 0
                      ? sys_vm_write(user_self(), here, address, sizeof(value), NULL)
                      : sys_vm_read(user_self(), address, here, sizeof(value), NULL);

    status_check(status, -SYS_EFAULT, "reading");
    if (status == 0 && value != 0) {
        (void)team_is(VALUE_PAGE(value), page, "the page that a word read was written to");
    }
}

static void area_query(uint64_t *random)
{
    struct choice choice = choose(random);
    uint64_t address = AREA + choice.page * PAGE;
    uint64_t found = 0;
    uint64_t start = 0;
    uint64_t bytes = 0;
    long status = sys_vm_find_next(user_self(), address, choice.pages * PAGE, &found);

    status_check(status, -SYS_ENOENT, "looking for a page");
    if (status == 0 && (found < address || found >= address + choice.pages * PAGE)) {
        team_wrong(found, "where a page was found");
    }
    status = sys_vm_query(user_self(), address, &start, &bytes, NULL, NULL, NULL, NULL);
    (void)team_is((uint64_t)status, 0, "asking about a page");
    if (address - start >= bytes) {
        team_wrong(start, "what a page belongs to");
    }
}

static void area_work(unsigned member)
{
    uint64_t random = member * 77 + 5;
    unsigned rounds = ROUNDS / team_members();

    for (unsigned round = 0; round < rounds; round++) {
        switch (random_next(&random) % 8) {
        case 0:
        case 1:
            area_map(&random);
            break;
        case 2:
            area_unmap(&random);
            break;
        case 3:
            area_protect(&random);
            break;
        case 4:
        case 5:
            area_write(&random, member, round);
            break;
        case 6:
            area_read(&random);
            break;
        default:
            area_query(&random);
            break;
        }
    }
}

int main(void)
{
    uint64_t found = 0;

    tap_status(team_run(team_size(), area_work), 0, "a team of %u changes one area", team_size());
    team_report("all calls did what they may, all words were of their page");
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "the kernel's audit finds no fault");
    tap_status(page_unmap(AREA, PAGES * PAGE), 0, "what is left is unmapped");
    tap_status(sys_vm_find_next(user_self(), AREA, PAGES * PAGE, &found), -SYS_ENOENT,
               "then there is nothing");
    return tap_done();
}
