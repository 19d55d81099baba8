/* SPDX-License-Identifier: MIT */
/*
 * What the kernel shows of spaces agrees with what was made: ranges are what was mapped, the
 * entries of the page table say the same as the ranges, and both can be looked at while they
 * change.
 */
#include "support.h"
#include "team.h"

#define RANGES  40U
#define TWO_MIB (UINT64_C(2) << 20)

/* ---- ranges ---- */

static struct vm_range_info ranges[RANGES];

/* All ranges of this process in a part of it; neighbours that came in pieces are joined. */
static unsigned ranges_read(uint64_t start, uint64_t bytes, uint64_t room)
{
    struct vm_range_info part[RANGES];
    uint64_t end = start + bytes;
    unsigned count = 0;

    while (start < end) {
        uint64_t got = 0;

        if (sys_vm_ranges(user_self(), start, end - start, (uintptr_t)part, room, &got, &start) !=
            0) {
            return 0;
        }
        for (unsigned i = 0; i < got && count < RANGES; i++) {
            struct vm_range_info *last = count != 0 ? &ranges[count - 1] : NULL;

            if (last != NULL && last->start + last->bytes == part[i].start &&
                last->prot == part[i].prot && last->kind == part[i].kind) {
                last->bytes += part[i].bytes;
                last->shared += part[i].shared;
                last->accessed += part[i].accessed;
                last->dirty += part[i].dirty;
            } else {
                ranges[count++] = part[i];
            }
        }
    }
    return count;
}

static int range_is(const struct vm_range_info *range, uint64_t page, uint64_t pages, uint32_t prot)
{
    return range->start == PLACE + page * PAGE && range->bytes == pages * PAGE &&
           range->prot == prot && range->kind == VM_KIND_RAM && range->level == 0 &&
           range->physical == 0 && (range->flags & ~VM_STATE_PRIVATE) == 0;
}

static void ranges_check(uint64_t room)
{
    unsigned count = ranges_read(PLACE, 2 * TWO_MIB, room);

    tap_is(count, 5, "with room for %u: so many ranges as were mapped", (unsigned)room);
    tap_ok(range_is(&ranges[0], 1, 3, RW), "three pages");
    tap_ok(range_is(&ranges[1], 4, 2, VM_PROT_R), "neighbours with less rights are another range");
    tap_ok(range_is(&ranges[2], 7, 1, RW), "one behind a gap");
    tap_ok(range_is(&ranges[3], 100, 600, RW), "a long one across two tables");
    tap_ok(range_is(&ranges[4], 800, 1, RW), "one alone");
    tap_ok(ranges[0].dirty >= 1 && ranges[0].dirty <= 3, "one page at least was written to");
    tap_ok(ranges[3].dirty >= 2 && ranges[3].dirty <= 600, "two at least of the long one");
    tap_ok(ranges[0].accessed >= 1 && ranges[0].accessed <= 3, "and so accessed");
    tap_is(ranges[3].shared, 0, "none is shared");
}

static void map_all(void)
{
    (void)page_map(PLACE + PAGE, 5 * PAGE, RW);
    (void)sys_vm_protect(user_self(), PLACE + 4 * PAGE, 2 * PAGE, VM_PROT_R, NULL);
    (void)page_map(PLACE + 7 * PAGE, PAGE, RW);
    (void)page_map(PLACE + 100 * PAGE, 600 * PAGE, RW);
    (void)page_map(PLACE + 800 * PAGE, PAGE, RW);
    *word_at(PLACE + 2 * PAGE) = 1;
    *word_at(PLACE + 100 * PAGE) = 1;
    *word_at(PLACE + 699 * PAGE) = 1;
}

static void refusals_check(void)
{
    uint64_t got = 7, next = 7;

    tap_status(sys_vm_ranges(user_self(), 0, PAGE, (uintptr_t)ranges, 0, &got, &next), -SYS_EINVAL,
               "no room is refused");
    tap_status(sys_vm_ranges(user_self(), 0, PAGE, (uintptr_t)ranges, UINT64_MAX / 8, &got, &next),
               -SYS_ERANGE, "so is more than there are addresses");
    tap_status(sys_vm_ranges(user_self(), 1, PAGE, (uintptr_t)ranges, 1, &got, &next), -SYS_EINVAL,
               "and half a page");
    tap_status(sys_vm_ranges(user_self(), PLACE + PAGE, PAGE, PLACE + 10 * PAGE, 1, &got, &next),
               -SYS_EFAULT, "and a buffer that is not there");
}

/* ---- tables ---- */

#define PTE_V UINT64_C(1)

static uint64_t entries[512];

/* All entries of a node, in as many calls as it takes. */
static long table_read(uint64_t address, uint64_t level, uint64_t *physical)
{
    long status = 0;

    for (uint64_t first = 0; first < 512 && status == 0;) {
        uint64_t copied = 0;

        status = sys_vm_table(user_machine(), user_self(), address, level, first,
                              (uintptr_t)&entries[first], 512 - first, &copied, physical);
        first += copied;
        if (status == 0 && copied == 0) {
            return -SYS_EIO;
        }
    }
    return status;
}

/* The entries of the leaf table of `address` and the ranges that were read tell the same. */
static unsigned disagreements(uint64_t address, unsigned count)
{
    unsigned wrong = 0;

    for (uint64_t i = 0; i < 512; i++) {
        uint64_t at = address + i * PAGE;
        uint64_t want = 0;

        for (unsigned r = 0; r < count; r++) {
            if (at >= ranges[r].start && at - ranges[r].start < ranges[r].bytes) {
                want = ranges[r].prot << 1 | PTE_V; /* R, W, X follow V in this order */
            }
        }
        wrong += (entries[i] & 0xf) != want ? 1 : 0;
    }
    return wrong;
}

static void tables_check(void)
{
    struct machine_info machine = {0};
    unsigned count = ranges_read(PLACE, 2 * TWO_MIB, RANGES);
    uint64_t physical = 0, below = 0;
    uint64_t copied = 0;

    (void)sys_machine_info(user_machine(), (uintptr_t)&machine);
    for (unsigned i = 0; i < 2; i++) {
        tap_status(table_read(PLACE + i * TWO_MIB, 0, &below), 0, "a leaf table is read");
        tap_is(disagreements(PLACE + i * TWO_MIB, count), 0, "it says what the ranges say");
    }
    for (uint64_t level = 1; level < machine.levels; level++) {
        uint64_t index = (PLACE + TWO_MIB) >> (12 + 9 * level) & 511;

        tap_status(table_read(PLACE + TWO_MIB, level, &physical), 0, "the table above is read");
        tap_is(entries[index] >> 10 << 12, below, "its entry leads to the one below");
        below = physical;
    }
    tap_status(table_read(PLACE, machine.levels, &physical), -SYS_EINVAL, "there is no more above");
    tap_status(table_read(PLACE + 4 * TWO_MIB, 0, &physical), -SYS_ENOENT,
               "where nothing was mapped is no table");
    tap_status(sys_vm_table(user_machine(), user_self(), PLACE, 0, 511, (uintptr_t)entries, 2,
                            &copied, &physical),
               -SYS_EINVAL, "a node has 512 entries");
    tap_status(sys_vm_table(user_machine(), user_self(), machine.user_limit, 0, 0,
                            (uintptr_t)entries, 1, &copied, &physical),
               -SYS_ERANGE, "the kernel's half is not shown so");
    tap_status(sys_vm_table(user_machine(), user_self(), PLACE, 0, 0, PLACE + 10 * PAGE, 1, &copied,
                            &physical),
               -SYS_EFAULT, "nor is anything to where nothing is mapped");
}

/* ---- while it changes ---- */

#define TURNS 150U

static void look_work(unsigned member)
{
    static struct vm_range_info seen[TEAM_MAX][4];
    static uint64_t copy[TEAM_MAX][512];
    uint64_t place = PLACE + TWO_MIB * 8;

    for (unsigned turn = 0; turn < TURNS; turn++) {
        uint64_t got = 0, next = 0;

        if (member % 2 == 0) {
            (void)page_map(place, TWO_MIB, RW);
            (void)page_unmap(place, TWO_MIB);
            continue;
        }
        if (sys_vm_ranges(user_self(), place, TWO_MIB, (uintptr_t)seen[member], 4, &got, &next) !=
                0 ||
            next <= place) {
            team_wrong(next, "ranges are not told while they change");
        }
        long status = sys_vm_table(user_machine(), user_self(), place, 0, 0,
                                   (uintptr_t)copy[member], 512, &got, &next);

        if (status != 0 && status != -SYS_ENOENT) {
            team_wrong((uint64_t)status, "a table is not shown while it comes and goes");
        }
        struct process_info info = {0};

        while (sys_process_info(user_machine(), info.number, (uintptr_t)&info) == 0) {
        }
    }
}

int main(void)
{
    map_all();
    ranges_check(RANGES);
    ranges_check(1);
    refusals_check();
    tables_check();
    (void)team_run(team_size(), look_work);
    team_report("looking while others map and unmap");
    return tap_done();
}
