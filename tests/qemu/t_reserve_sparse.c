/* SPDX-License-Identifier: MIT */
/*
 * 100 GiB reserved and touched here and there: what it takes is pages where it was written and
 * their tables, nothing for the rest; all of it comes back.
 */
#include <sys/mman.h>

#include "support.h"

#define GIB      (UINT64_C(1) << 30)
#define BYTES    (100 * GIB)
#define TOUCHES  UINT64_C(120)
#define READABLE (PROT_READ | PROT_WRITE)

/* Places in the whole range, in no order, no two of which are in the same 2 MiB. */
static uint64_t place(uint64_t number)
{
    uint64_t areas = BYTES >> 21;

    return PLACE + (number * 20011 % areas << 21) + number * 37 % 512 * PAGE;
}

static uint64_t kind_at(uint64_t address)
{
    uint64_t kind = 99;

    (void)sys_vm_query(user_self(), address, NULL, NULL, &kind, NULL, NULL, NULL);
    return kind;
}

static void *reserve(void)
{
    return mmap((void *)(uintptr_t)PLACE, BYTES, READABLE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
}

static void touch_check(void)
{
    uint64_t before = frames_free();
    uint64_t sum = 0;

    tap_is((uintptr_t)reserve(), PLACE, "100 GiB are reserved");
    tap_ok(before - frames_free() < 24, "by a few tables");
    for (uint64_t i = 0; i < TOUCHES; i++) {
        sum += *word_at(place(i));
    }
    tap_is(sum, 0, "300 places are zero");
    uint64_t read = frames_free();
    /* A page in 2 MiB needs a table of level 0; those above are shared by the places of a GiB. */
    tap_ok(before - read <= TOUCHES + 100 + 24, "which takes their tables, and no memory");
    for (uint64_t i = 0; i < TOUCHES; i++) {
        *word_at(place(i)) = i + 1;
    }
    tap_is(read - frames_free(), TOUCHES, "writing to each takes a page");
    for (uint64_t i = 0; i < TOUCHES; i++) {
        sum += *word_at(place(i)) == i + 1 ? 1 : 0;
    }
    tap_is(sum, TOUCHES, "each holds what was written");
    for (uint64_t i = 0; i < TOUCHES; i++) {
        sum -= kind_at(place(i) ^ PAGE) == VM_KIND_RESERVED ? 1 : 0;
    }
    tap_is(sum, 0, "the page beside each has no memory");
}

/* After touch_check: here and there pages leave, and others come. */
static void change_check(void)
{
    uint64_t sum = 0;
    uint64_t with = frames_free();

    for (uint64_t i = 0; i < TOUCHES; i += 2) {
        sum += (uint64_t)madvise((void *)(uintptr_t)place(i), PAGE, MADV_DONTNEED);
    }
    tap_is(sum, 0, "every second gives its memory back");
    tap_is(frames_free() - with, TOUCHES / 2, "a page each");
    for (uint64_t i = 0; i < TOUCHES; i++) {
        sum += *word_at(place(i)) == (i % 2 == 0 ? 0 : i + 1) ? 1 : 0;
    }
    tap_is(sum, TOUCHES, "and is zero, the others hold what they held");
    for (uint64_t i = 1; i < TOUCHES; i += 2) {
        sum -= munmap((void *)(uintptr_t)(place(i) ^ PAGE), PAGE) == 0 ? 1 : 0;
    }
    tap_is(sum, TOUCHES / 2, "a hole is made beside each of those");
    check_touch(ACCESS_READ, place(1) ^ PAGE, "in a hole");
    tap_is(*word_at(place(1)), 2, "but not beside it");
}

/* Free frames when all is gone again. */
static uint64_t round_check(void)
{
    uint64_t pages = 0;

    touch_check();
    change_check();
    tap_status(sys_vm_unmap(user_self(), PLACE, BYTES, &pages), 0, "all of it goes");
    tap_is(pages, TOUCHES, "with every page that was touched");
    tap_is((uint64_t)munmap((void *)(uintptr_t)PLACE, BYTES), 0, "what is gone may go again");
    return frames_free();
}

int main(void)
{
    /* The first time some tables are put by, and the stack grows. */
    uint64_t first = round_check();

    tap_is(round_check(), first, "the second time all frames came back");
    return tap_done();
}
