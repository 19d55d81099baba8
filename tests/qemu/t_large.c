/* SPDX-License-Identifier: MIT */
/*
 * Pages of 2 MiB and 1 GiB: mapping them at once and by the first access, what the calls say of
 * them, and that whatever concerns a part of one splits it, and leaves all else what it was.
 */
#include "large.h"

#define ELSEWHERE (PLACE + 4 * GIB)
#define HOLE      (77 * PAGE) /* a page in the middle */

/* A machine with more frames has a free page of 1 GiB; of one with 2 GiB, firmware and kernel lie
 * in the one half, and the device tree may lie in the other. */
#define GIB_CERTAIN (5 * GIB / 2 / PAGE)

struct slot {
    uint64_t start, bytes, kind, prot, flags;
};

static struct slot slot_at(uint64_t address)
{
    struct slot slot = {.kind = UINT64_MAX};

    (void)sys_vm_query(user_self(), address, &slot.start, &slot.bytes, &slot.kind, &slot.prot,
                       &slot.flags, NULL);
    return slot;
}

static void check_arguments(void)
{
    static const struct {
        uint64_t address, bytes, prot, flags;
        const char *what;
    } rows[] = {
        {PLACE + PAGE, LARGE, RW, VM_FLAG_2M, "an address inside"},
        {PLACE, LARGE + PAGE, RW, VM_FLAG_2M, "a length inside"},
        {PLACE, 0, RW, VM_FLAG_2M, "no length"},
        {PLACE, LARGE, RW, VM_FLAG_1G, "2 MiB in pages of 1 GiB"},
        {PLACE, GIB, RW, VM_FLAG_2M | VM_FLAG_1G, "two sizes"},
        {PLACE, LARGE, VM_PROT_W, VM_FLAG_2M, "W without R"},
        {PLACE, LARGE, VM_PROT_NONE, VM_FLAG_2M, "no rights"},
        {PLACE, LARGE, RW, VM_FLAG_2M | VM_FLAG_NOW, "another call's flag"},
        {PLACE, LARGE, RW, VM_FLAG_2M | UINT64_C(1) << 40, "an unknown flag"},
    };
    uint64_t beyond = user_limit() - LARGE;
    handle_t memory = HANDLE_NONE;

    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        tap_status(large_map(rows[i].address, rows[i].bytes, rows[i].prot, rows[i].flags),
                   -SYS_EINVAL, "vm_map refuses %s", rows[i].what);
    }
    tap_status(large_map(beyond, 2 * LARGE, RW, VM_FLAG_2M), -SYS_ERANGE, "and what leaves user");
    tap_status(sys_vm_mark(user_self(), PLACE, LARGE, VM_KIND_GUARD, 0, VM_FLAG_2M, NULL),
               -SYS_EINVAL, "a guard has no size of pages");
    tap_status(
        sys_vm_mark(user_self(), PLACE, GIB, VM_KIND_RESERVED, RW, VM_FLAG_2M | VM_FLAG_1G, NULL),
        -SYS_EINVAL, "nor reserved memory two");
    tap_status(sys_memory_create(LARGE + PAGE, VM_FLAG_2M, &memory), -SYS_EINVAL,
               "an object is no half of its page");
    tap_status(sys_memory_create(GIB, VM_FLAG_1G, &memory), -SYS_EINVAL, "nor of 1 GiB");
    tap_status(sys_memory_create(LARGE, VM_FLAG_NOW, &memory), -SYS_EINVAL, "nor of other flags");
    tap_is(slot_at(PLACE).kind, VM_KIND_ABSENT, "nothing came of all that");
}

static void check_map(void)
{
    uint64_t mapped = counter_value("blocks_mapped");
    uint64_t made = counter_value("blocks_made");
    uint64_t used = self_info().budget_used;
    uint64_t done = 0;
    struct slot slot;

    tap_status(sys_vm_map(user_self(), PLACE, 2 * LARGE, RW, VM_FLAG_2M, &done), 0,
               "two pages of 2 MiB are mapped");
    tap_is(done, 2 * LARGE, "both");
    tap_is(counter_value("blocks_mapped") - mapped, 2, "by an entry each");
    tap_is(counter_value("blocks_made") - made, 2, "and made for that");
    used = self_info().budget_used - used;
    tap_ok(used >= 2 * PARTS && used < 2 * PARTS + 32, "they are charged in full");
    slot = slot_at(PLACE + LARGE + HOLE);
    tap_ok(slot.start == PLACE + LARGE && slot.bytes == LARGE, "a query tells the whole page");
    tap_ok(slot.kind == VM_KIND_RAM && slot.prot == RW && (slot.flags & VM_STATE_PRIVATE) != 0,
           "of one's own memory");
    tap_is(*word_at(PLACE + LARGE - 8) | *word_at(PLACE + LARGE), 0, "it is zero");
    large_write(PLACE, 2 * LARGE, 1);
    tap_is(large_wrong(PLACE, 2 * LARGE, 1), 0, "and holds what is written");
    large_is(PLACE, 2 * LARGE, 2 * LARGE, 0, "mapped");
    tap_status(large_map(PLACE + LARGE, LARGE, RW, VM_FLAG_2M), -SYS_EEXIST, "not twice");
    tap_status(page_map(PLACE + HOLE, PAGE, RW), -SYS_EEXIST, "nor a part");
    tap_status(large_map(PLACE, LARGE, RW, VM_FLAG_2M | VM_FLAG_REPLACE), 0, "but in its place");
    tap_is(*word_at(PLACE + 16), 0, "where there is nothing of before");
    tap_is(large_wrong(PLACE + LARGE, LARGE, 1), 0, "which the other page keeps");
    tap_status(page_unmap(PLACE, 2 * LARGE), 0, "both go");
    tap_status(page_map(PLACE, LARGE, RW), 0, "pages of 4 KiB");
    tap_status(large_map(PLACE, LARGE, RW, VM_FLAG_2M), -SYS_EEXIST, "are in the way");
    tap_status(large_map(PLACE, LARGE, VM_PROT_R, VM_FLAG_2M | VM_FLAG_REPLACE), 0,
               "or are replaced");
    large_is(PLACE, LARGE, LARGE, 0, "replaced");
    tap_status(page_unmap(PLACE, LARGE), 0, "and that goes");
}

static void check_reserve(void)
{
    uint64_t demand;

    tap_status(large_reserve(PLACE + LARGE / 2, 3 * LARGE, RW), 0, "3 times 2 MiB are reserved");
    tap_is(slot_at(PLACE + LARGE).flags, VM_STATE_PRIVATE | VM_STATE_2M, "in pages of 2 MiB");
    demand = counter_value("demand_faults");
    tap_is(*word_at(PLACE + LARGE + HOLE), 0, "one is read");
    tap_is(counter_value("demand_faults") - demand, 1, "a fault for all of it");
    tap_is(slot_at(PLACE + LARGE).bytes, LARGE, "it is a page of 2 MiB");
    *word_at(PLACE + LARGE / 2) = 1;
    tap_is(slot_at(PLACE + LARGE / 2).bytes, PAGE, "an end that is smaller comes in 4 KiB");
    tap_is(slot_at(PLACE + 3 * LARGE).kind, VM_KIND_RESERVED, "the rest waits");
    large_write(PLACE + LARGE, 2 * LARGE, 2);
    large_is(PLACE + LARGE, 2 * LARGE, 2 * LARGE, 0, "written");
    tap_is(large_wrong(PLACE + LARGE, 2 * LARGE, 2), 0, "what was written is there");
    tap_status(page_unmap(PLACE, 4 * LARGE), 0, "all of it goes");
}

/* A page of 2 MiB with words in it, of which a part is then changed. */
static void page_make(void)
{
    tap_status(large_map(PLACE, LARGE, RW, VM_FLAG_2M), 0, "a page of 2 MiB");
    large_write(PLACE, LARGE, 3);
}

static void page_end(uint64_t absent, const char *what)
{
    large_is(PLACE, LARGE, 0, absent, what);
    tap_is(large_wrong(PLACE, HOLE, 3), 0, "%s: what lies before is the same", what);
    tap_is(large_wrong(PLACE + HOLE + PAGE, LARGE - HOLE - PAGE, 3), 0, "%s: and behind", what);
    tap_status(page_unmap(PLACE, LARGE), 0, "%s: all of it goes", what);
}

static void check_splits(void)
{
    uint64_t split = counter_value("entries_split");

    page_make();
    tap_status(page_unmap(PLACE + HOLE, PAGE), 0, "a part is unmapped");
    tap_is(slot_at(PLACE + HOLE).kind, VM_KIND_ABSENT, "nothing is there");
    check_touch(ACCESS_READ, PLACE + HOLE, "the hole");
    page_end(PAGE, "unmap");
    tap_is(counter_value("entries_split") - split, 1, "one entry was split");

    page_make();
    tap_status(sys_vm_protect(user_self(), PLACE + HOLE, PAGE, VM_PROT_R, NULL), 0,
               "a part is made read-only");
    check_touch(ACCESS_WRITE, PLACE + HOLE, "that part");
    tap_is(large_wrong(PLACE + HOLE, PAGE, 3), 0, "it keeps its word");
    page_end(0, "protect");

    page_make();
    tap_status(sys_vm_protect(user_self(), PLACE + HOLE, PAGE, VM_PROT_NONE, NULL), 0,
               "a part is hidden");
    tap_is(slot_at(PLACE + HOLE).kind, VM_KIND_HIDDEN, "it is");
    tap_status(sys_vm_protect(user_self(), PLACE, LARGE, RW, NULL), 0, "and shown again");
    tap_is(large_wrong(PLACE + HOLE, PAGE, 3), 0, "with its word");
    page_end(0, "hide");

    page_make();
    tap_status(sys_vm_map(user_self(), PLACE + HOLE, PAGE, RW, VM_FLAG_REPLACE, NULL), 0,
               "a part is replaced");
    tap_is(*word_at(PLACE + HOLE + 16), 0, "by zeroes");
    page_end(0, "remap");

    page_make();
    tap_status(
        sys_vm_mark(user_self(), PLACE + HOLE, PAGE, VM_KIND_GUARD, 0, VM_FLAG_REPLACE, NULL), 0,
        "a part is a guard");
    check_touch(ACCESS_READ, PLACE + HOLE, "the guard");
    page_end(PAGE, "mark");

    page_make();
    tap_status(sys_vm_move(user_self(), user_self(), PLACE + HOLE, PAGE, ELSEWHERE, NULL), 0,
               "a part moves");
    tap_is(large_wrong_at(ELSEWHERE, PAGE, 3, PLACE + HOLE), 0, "with its word");
    tap_status(page_unmap(ELSEWHERE, PAGE), 0, "and goes");
    page_end(PAGE, "move");
}

/* What concerns all of a page leaves it whole. */
static void check_whole(void)
{
    uint64_t pages = 0;

    page_make();
    tap_status(sys_vm_protect(user_self(), PLACE, LARGE, VM_PROT_R, &pages), 0,
               "all of it is made read-only");
    tap_is(pages, PARTS, "which is 512 pages");
    large_is(PLACE, LARGE, LARGE, 0, "protect all");
    check_touch(ACCESS_WRITE, PLACE + HOLE, "the page");
    tap_status(sys_vm_protect(user_self(), PLACE, LARGE, VM_PROT_NONE, &pages), 0, "hidden");
    tap_is(large_tally(user_self(), PLACE, LARGE).hidden[1], LARGE, "as one");
    check_touch(ACCESS_READ, PLACE + HOLE, "the hidden page");
    tap_status(sys_vm_protect(user_self(), PLACE, LARGE, RW, NULL), 0, "and shown again");
    tap_is(large_wrong(PLACE, LARGE, 3), 0, "with its words");
    tap_status(sys_vm_move(user_self(), user_self(), PLACE, LARGE, ELSEWHERE, NULL), 0,
               "all of it moves");
    large_is(ELSEWHERE, LARGE, LARGE, 0, "move");
    tap_is(large_wrong_at(ELSEWHERE, LARGE, 3, PLACE), 0, "with its words");
    tap_is(slot_at(PLACE).kind, VM_KIND_ABSENT, "and is not where it was");
    tap_status(sys_vm_unmap(user_self(), ELSEWHERE, LARGE, &pages), 0, "all of it goes");
    tap_is(pages, PARTS, "512 pages");
}

static int write_copy(void *argument)
{
    uint64_t replaced = counter_value("frames_replaced");

    (void)argument;
    if (large_wrong(PLACE, LARGE, 3) != 0) {
        return 1;
    }
    *word_at(PLACE + HOLE + 16) = 9;
    if (counter_value("frames_replaced") - replaced != 1) {
        return 2; /* never more than 4 KiB is copied */
    }
    large_write(PLACE, LARGE, 4);
    return large_wrong(PLACE, LARGE, 4) == 0 ? 0 : 3;
}

static void check_fork(void)
{
    page_make();
    check_child(write_copy, NULL, 0, "a copy of this process writes to its copy of the page");
    tap_is(large_wrong(PLACE, LARGE, 3), 0, "which does not change this one");
    large_write(PLACE, LARGE, 5);
    tap_is(large_wrong(PLACE, LARGE, 5), 0, "this process writes again");
    tap_status(page_unmap(PLACE, LARGE), 0, "all of it goes");
}

/* The kernel's own copies. */
static void check_copies(void)
{
    static uint64_t words[PAGE];

    page_make();
    tap_status(sys_vm_read(user_self(), PLACE + HOLE, (uintptr_t)words, sizeof(words), NULL), 0,
               "8 pages are read by a call");
    tap_is(words[2 + 3 * PAGE / 8], *word_at(PLACE + HOLE + 3 * PAGE + 16), "and are those");
    words[0] = 123;
    tap_status(sys_vm_write(user_self(), PLACE + LARGE - sizeof(words), (uintptr_t)words,
                            sizeof(words), NULL),
               0, "and written");
    tap_is(*word_at(PLACE + LARGE - sizeof(words)), 123, "to the page's end");
    large_is(PLACE, LARGE, LARGE, 0, "copies");
    tap_status(page_unmap(PLACE, LARGE), 0, "all of it goes");
}

static void check_gib(void)
{
    struct large_tally tally;
    long status = large_map(ELSEWHERE, GIB, RW, VM_FLAG_1G);

    if (status == -SYS_ENOMEM && frames_total() < GIB_CERTAIN) {
        tap_diag("no page of 1 GiB: this machine has no such block that is free");
        return;
    }
    tap_status(status, 0, "a page of 1 GiB is mapped");
    tap_is(slot_at(ELSEWHERE + GIB - 1).bytes, GIB, "as one");
    *word_at(ELSEWHERE + HOLE + PAGE) = 5;
    *word_at(ELSEWHERE + GIB - 8) = 6;
    tap_status(page_unmap(ELSEWHERE + HOLE, PAGE), 0, "a page in it is unmapped");
    tally = large_tally(user_self(), ELSEWHERE, GIB);
    tap_is(tally.ram[1], GIB - LARGE, "it is 511 pages of 2 MiB");
    tap_is(tally.ram[0], LARGE - PAGE, "and 511 of 4 KiB");
    tap_ok(*word_at(ELSEWHERE + HOLE + PAGE) == 5 && *word_at(ELSEWHERE + GIB - 8) == 6,
           "with what was written");
    tap_is(*word_at(ELSEWHERE + GIB / 2), 0, "and zeroes");
    tap_status(page_unmap(ELSEWHERE, GIB), 0, "all of it goes");
}

int main(void)
{
    uint64_t used = self_info().budget_used;
    uint64_t free_before = frames_free();

    check_arguments();
    check_map();
    check_reserve();
    check_splits();
    check_whole();
    check_fork();
    check_copies();
    check_gib();
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "the kernel's audit finds no fault");
    tap_ok(frames_free() + 32 > free_before, "memory came back, but for a few tables");
    tap_ok(self_info().budget_used < used + 32, "and so did the budget");
    return tap_done();
}
