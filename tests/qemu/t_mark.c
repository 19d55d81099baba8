/* SPDX-License-Identifier: MIT */
/*
 * vm_mark: reserved memory comes by the first access that it permits, is zero, and takes nothing
 * before that; marks are there for all other calls, and large ones come apart where one needs it.
 */
#include <inttypes.h>
#include <string.h>

#include "support.h"

#define GIB   (UINT64_C(1) << 30)
#define LARGE (PLACE + 4 * GIB)

static long reserve(uint64_t address, uint64_t bytes, uint64_t prot)
{
    return sys_vm_mark(user_self(), address, bytes, VM_KIND_RESERVED, prot, 0, NULL);
}

static uint64_t kind_at(handle_t process, uint64_t address)
{
    uint64_t kind = 99;

    (void)sys_vm_query(process, address, NULL, NULL, &kind, NULL, NULL, NULL);
    return kind;
}

static void check_refused(uint64_t kind, uint64_t prot, uint64_t flags, const char *what)
{
    uint64_t done = 99;

    tap_status(sys_vm_mark(user_self(), PLACE, PAGE, kind, prot, flags, &done), -SYS_EINVAL, "%s",
               what);
    tap_is(done, 0, "nothing is marked");
}

static void errors_check(void)
{
    uint64_t limit = user_limit();

    check_refused(VM_KIND_RAM, RW, 0, "RAM is no mark");
    check_refused(VM_KIND_HIDDEN, 0, 0, "nor is a hidden page");
    check_refused(VM_KIND_ABSENT, 0, 0, "nor is nothing");
    check_refused(VM_KIND_RESERVED, VM_PROT_W, 0, "writing without reading");
    check_refused(VM_KIND_RESERVED, 8, 0, "an unknown permission");
    check_refused(VM_KIND_GUARD, VM_PROT_R, 0, "a guard with a permission");
    check_refused(VM_KIND_GUARD, 0, VM_FLAG_NC, "a flag that is vm_map_io's");
    tap_status(reserve(PLACE + 1, PAGE, RW), -SYS_EINVAL, "between pages");
    tap_status(reserve(PLACE, 0, RW), -SYS_EINVAL, "no bytes");
    tap_status(reserve(PLACE, PAGE + 1, RW), -SYS_EINVAL, "part of a page");
    tap_status(reserve(limit, PAGE, RW), -SYS_ERANGE, "past the user range");
    tap_status(reserve(limit - PAGE, 2 * PAGE, RW), -SYS_ERANGE, "partly past it");
    tap_is(kind_at(user_self(), PLACE), VM_KIND_ABSENT, "nothing is there after all that");
}

static void access_check(void)
{
    uint64_t prot = 0;

    tap_status(reserve(PLACE, 4 * PAGE, RW), 0, "four pages are reserved");
    (void)sys_vm_query(user_self(), PLACE + PAGE, NULL, NULL, NULL, &prot, NULL, NULL);
    tap_is(kind_at(user_self(), PLACE + PAGE), VM_KIND_RESERVED, "so a query says");
    tap_is(prot, RW, "with their permissions");
    tap_is(*word_at(PLACE), 0, "the first is zero when it is read");
    *word_at(PLACE + PAGE) = 1;
    tap_is(*word_at(PLACE + PAGE), 1, "the second keeps what is written");
    tap_is(*word_at(PLACE), 0, "which is not in the first");
    *word_at(PLACE) = 2;
    tap_is(*word_at(PLACE), 2, "what was read may be written");
    tap_is(kind_at(user_self(), PLACE), VM_KIND_RAM, "it is memory now");
    tap_is(kind_at(user_self(), PLACE + 2 * PAGE), VM_KIND_RESERVED, "the third is not");
    check_touch(ACCESS_EXECUTE, PLACE + 2 * PAGE, "in the third");
    tap_status(page_unmap(PLACE, 4 * PAGE), 0, "all are unmapped");
    check_touch(ACCESS_READ, PLACE + 2 * PAGE, "in what was reserved");
}

static void rights_check(void)
{
    uint64_t pages = 99;

    (void)reserve(PLACE, PAGE, VM_PROT_R);
    check_touch(ACCESS_WRITE, PLACE, "in what is only to be read");
    tap_is(*word_at(PLACE), 0, "one reads zeroes there");
    check_touch(ACCESS_WRITE, PLACE, "in it, now that it was read");
    (void)reserve(PLACE + PAGE, PAGE, VM_PROT_NONE);
    check_touch(ACCESS_READ, PLACE + PAGE, "in what permits nothing");
    tap_status(sys_vm_protect(user_self(), PLACE, 2 * PAGE, RW, &pages), 0, "both become writable");
    tap_is(pages, 1, "of which one is a page");
    *word_at(PLACE) = 3;
    *word_at(PLACE + PAGE) = 4;
    tap_is(*word_at(PLACE) + *word_at(PLACE + PAGE), 7, "and both are written");
    (void)page_unmap(PLACE, 2 * PAGE);
    (void)reserve(PLACE, PAGE, VM_PROT_X);
    check_touch(ACCESS_READ, PLACE, "in what is only to be executed");
    (void)page_unmap(PLACE, PAGE);
}

static void occupied_check(void)
{
    uint64_t done = 99;
    uint64_t pages = 99;

    (void)page_map(PLACE + 2 * PAGE, PAGE, RW);
    *word_at(PLACE + 2 * PAGE) = 5;
    tap_status(sys_vm_mark(user_self(), PLACE, 4 * PAGE, VM_KIND_RESERVED, RW, 0, &done),
               -SYS_EEXIST, "a page is in the way");
    tap_is(done, 2 * PAGE, "of the third of four");
    tap_is(*word_at(PLACE + 2 * PAGE), 5, "it is as it was");
    tap_is(kind_at(user_self(), PLACE + 3 * PAGE), VM_KIND_ABSENT, "nothing is behind it");
    tap_status(reserve(PLACE, PAGE, RW), -SYS_EEXIST, "a mark is in the way of another");
    tap_status(page_map(PLACE, PAGE, RW), -SYS_EEXIST, "and of a page");
    tap_status(sys_vm_mark(user_self(), PLACE, 4 * PAGE, VM_KIND_RESERVED, VM_PROT_R,
                           VM_FLAG_REPLACE, &done),
               0, "replacing marks all four");
    tap_is(done, 4 * PAGE, "all are done");
    tap_is(*word_at(PLACE + 2 * PAGE), 0, "what was in the third is gone");
    tap_status(sys_vm_map(user_self(), PLACE, PAGE, RW, VM_FLAG_REPLACE, NULL), 0,
               "a page replaces a mark");
    *word_at(PLACE) = 6;
    tap_status(sys_vm_unmap(user_self(), PLACE, 4 * PAGE, &pages), 0, "all are unmapped");
    tap_is(pages, 2, "of which two were pages");
}

/* Sums of what vm_ranges tells of a range. */
static void ranges_sum(uint64_t start, uint64_t end, uint64_t sums[VM_KIND_HIDDEN + 1])
{
    struct vm_range_info ranges[8];
    uint64_t count = 0;

    memset(sums, 0, (VM_KIND_HIDDEN + 1) * sizeof(sums[0]));
    while (start < end && sys_vm_ranges(user_self(), start, end - start, (uintptr_t)ranges,
                                        COUNT_OF(ranges), &count, &start) == 0) {
        for (uint64_t i = 0; i < count; i++) {
            sums[ranges[i].kind] += ranges[i].bytes;
        }
    }
}

/* A mark of 2 GiB and two pages, one at each end of it, and what happens inside. */
static void large_check(void)
{
    uint64_t sums[VM_KIND_HIDDEN + 1];
    uint64_t start = LARGE - PAGE;
    uint64_t bytes = 2 * GIB + 2 * PAGE;
    uint64_t slot = 0;
    uint64_t slot_bytes = 0;
    uint64_t pages = 99;

    (void)reserve(start, bytes, RW); /* once before: some tables stay */
    (void)page_unmap(PLACE, 16 * GIB);
    uint64_t before = frames_free();
    tap_status(reserve(start, bytes, RW), 0, "2 GiB and two pages are reserved");
    tap_ok(before - frames_free() < 16, "by a few tables");
    (void)sys_vm_query(user_self(), LARGE + 77 * PAGE, &slot, &slot_bytes, NULL, NULL, NULL, NULL);
    tap_ok(slot == LARGE && slot_bytes == GIB, "one slot is a GiB");
    tap_status(page_unmap(LARGE + 5 * PAGE, PAGE), 0, "a page of it goes");
    check_touch(ACCESS_READ, LARGE + 5 * PAGE, "there");
    *word_at(LARGE + 4 * PAGE) = 4;
    *word_at(LARGE + 6 * PAGE) = 6;
    tap_status(sys_vm_protect(user_self(), LARGE + GIB, 3 * PAGE, VM_PROT_R, &pages), 0,
               "three others become read-only");
    tap_is(pages, 0, "none of them is a page");
    tap_is(*word_at(LARGE + GIB + 2 * PAGE), 0, "one of them is read");
    check_touch(ACCESS_WRITE, LARGE + GIB + 2 * PAGE, "there");
    *word_at(LARGE + GIB + 3 * PAGE) = 7;
    ranges_sum(PLACE, PLACE + 16 * GIB, sums);
    tap_is(sums[VM_KIND_RAM], 4 * PAGE, "four pages have memory");
    tap_is(sums[VM_KIND_RESERVED], bytes - 5 * PAGE, "all but one of the others is reserved");
    tap_is(*word_at(LARGE + 4 * PAGE) + *word_at(LARGE + 6 * PAGE), 10,
           "what was written is there");
    tap_status(sys_vm_unmap(user_self(), PLACE, 16 * GIB, &pages), 0, "everything goes");
    tap_is(pages, 4, "with four pages");
    tap_is(frames_free(), before, "all frames came back");
}

/* Restarting by hand: progress says where to go on. */
static void progress_check(void)
{
    struct raw_call call = {
        .number = 46,
        .args = {user_self(), PLACE, 8 * PAGE, VM_KIND_RESERVED, RW, 0, 5 * PAGE},
    };

    raw_call(&call);
    tap_ok(call.out[0] == 0 && call.out[1] == 8 * PAGE, "a call that starts at progress 5");
    tap_is(kind_at(user_self(), PLACE + 4 * PAGE), VM_KIND_ABSENT, "marks nothing before it");
    tap_is(kind_at(user_self(), PLACE + 5 * PAGE), VM_KIND_RESERVED, "and all from there on");
    (void)page_unmap(PLACE, 8 * PAGE);
}

/* Another process's memory, touched through its handle. */
static void other_check(void)
{
    handle_t process = HANDLE_NONE;
    uint64_t word = 42;
    uint64_t done = 99;

    (void)sys_process_create((uintptr_t) "other", 5, 0, &process);
    (void)sys_vm_mark(process, PLACE, 2 * PAGE, VM_KIND_RESERVED, RW, 0, NULL);
    (void)sys_vm_mark(process, PLACE + 2 * PAGE, PAGE, VM_KIND_RESERVED, VM_PROT_R, 0, NULL);
    (void)sys_vm_mark(process, PLACE + 3 * PAGE, PAGE, VM_KIND_GUARD, 0, 0, NULL);
    tap_status(sys_vm_read(process, PLACE, (uintptr_t)&word, 8, NULL), 0, "reading it elsewhere");
    tap_is(word, 0, "gives zeroes");
    word = 9;
    tap_status(sys_vm_write(process, PLACE, (uintptr_t)&word, 8, NULL), 0,
               "what was read is written");
    tap_status(sys_vm_write(process, PLACE + PAGE, (uintptr_t)&word, 8, NULL), 0,
               "and what was not");
    word = 0;
    (void)sys_vm_read(process, PLACE + PAGE, (uintptr_t)&word, 8, NULL);
    tap_is(word, 9, "which is there");
    tap_is(kind_at(process, PLACE), VM_KIND_RAM, "it is memory now");
    (void)sys_vm_read(process, PLACE + 2 * PAGE, (uintptr_t)&done, 8, NULL);
    tap_is(done, 0, "what is to be read only is read");
    tap_status(sys_vm_write(process, PLACE + 2 * PAGE, (uintptr_t)&word, 8, NULL), 0,
               "and may be filled then");
    (void)sys_vm_read(process, PLACE + 2 * PAGE, (uintptr_t)&done, 8, NULL);
    tap_is(done, 9, "as by a loader");
    tap_status(sys_vm_read(process, PLACE + 3 * PAGE - 8, (uintptr_t)&word, 16, &done), -SYS_EFAULT,
               "a guard is not read");
    (void)reserve(PLACE, PAGE, RW);
    tap_is(*word_at(PLACE), 0, "zeroes are zeroes still");
    (void)page_unmap(PLACE, PAGE);
    (void)sys_process_kill(process);
    (void)sys_handle_close(process);
}

/* All addresses there are, in a process that has nothing else. */
static void whole_check(void)
{
    handle_t process = HANDLE_NONE;
    uint64_t limit = user_limit();
    uint64_t before = frames_free();
    uint64_t word = 8;
    uint64_t done = 0;
    uint64_t pages = 0;

    (void)sys_process_create((uintptr_t) "whole", 5, 0, &process);
    tap_status(sys_vm_mark(process, 0, limit, VM_KIND_RESERVED, RW, 0, &done), 0,
               "a whole space is reserved");
    tap_is(done, limit, "up to its end");
    tap_status(sys_vm_write(process, limit - 8, (uintptr_t)&word, 8, NULL), 0,
               "its last page is written");
    tap_status(sys_vm_protect(process, 0, limit, VM_PROT_NONE, &pages), 0, "all of it is closed");
    tap_is(pages, 1, "which is one page");
    tap_is(kind_at(process, limit - 1), VM_KIND_HIDDEN, "at the end");
    tap_is(kind_at(process, limit - PAGE - 1), VM_KIND_RESERVED, "and marks before it");
    tap_ok(before - frames_free() < 32, "with a few tables");
    tap_status(sys_vm_unmap(process, 0, limit, &pages), 0, "all of it goes");
    tap_is(pages, 1, "with that page");
    (void)sys_process_kill(process);
    (void)sys_handle_close(process);
    tap_is(frames_free(), before, "all frames came back");
}

int main(void)
{
    errors_check();
    access_check();
    rights_check();
    occupied_check();
    large_check();
    progress_check();
    other_check();
    whole_check();
    return tap_done();
}
