/* SPDX-License-Identifier: MIT */
/*
 * VM_PROT_NONE: nobody gets at a hidden page, neither the program nor calls in its name nor a
 * thread that had it in its TLB; it keeps what it holds, and the rights it gets later are all
 * there is to its coming back.
 */
#include <stdatomic.h>

#include "support.h"
#include "team.h"

#define PAGES UINT64_C(1500)

static long protect(uint64_t address, uint64_t bytes, uint64_t prot)
{
    return sys_vm_protect(user_self(), address, bytes, prot, NULL);
}

static void access_check(void)
{
    uint64_t kind = 0;
    uint64_t prot = 99;
    uint64_t flags = 0;
    uint64_t pages = 0;

    (void)page_map(PLACE, 2 * PAGE, RW);
    *word_at(PLACE) = 1;
    *word_at(PLACE + PAGE) = 2;
    tap_status(sys_vm_protect(user_self(), PLACE, PAGE, VM_PROT_NONE, &pages), 0,
               "a page is hidden");
    tap_is(pages, 1, "just one");
    check_touch(ACCESS_READ, PLACE, "there");
    check_touch(ACCESS_WRITE, PLACE, "there");
    check_touch(ACCESS_EXECUTE, PLACE, "there");
    tap_is(*word_at(PLACE + PAGE), 2, "its neighbour is not");
    (void)sys_vm_query(user_self(), PLACE, NULL, NULL, &kind, &prot, &flags, NULL);
    tap_is(kind, VM_KIND_HIDDEN, "a query says so");
    tap_is(prot, VM_PROT_NONE, "with no rights");
    tap_is(flags, VM_STATE_ACCESSED | VM_STATE_DIRTY | VM_STATE_PRIVATE, "and that it was written");
    tap_status(protect(PLACE, PAGE, VM_PROT_R), 0, "it may be read again");
    tap_is(*word_at(PLACE), 1, "and holds what it held");
    check_touch(ACCESS_WRITE, PLACE, "there");
    (void)protect(PLACE, PAGE, VM_PROT_NONE);
    tap_status(protect(PLACE, PAGE, RW), 0, "it may be written again");
    *word_at(PLACE) += 10;
    tap_is(*word_at(PLACE), 11, "and is");
    (void)page_unmap(PLACE, 2 * PAGE);
}

static void calls_check(void)
{
    uint64_t here = 0;

    (void)page_map(PLACE, 2 * PAGE, RW);
    *word_at(PLACE) = 3;
    (void)protect(PLACE, PAGE, VM_PROT_NONE);
    tap_status(sys_vm_read(user_self(), PLACE, (uintptr_t)&here, 8, NULL), -SYS_EFAULT,
               "vm_read does not get at it");
    tap_status(sys_vm_write(user_self(), PLACE, (uintptr_t)&here, 8, NULL), -SYS_EFAULT,
               "nor vm_write");
    tap_status(sys_console_write(user_console(), PLACE, 8, NULL), -SYS_EFAULT,
               "nor a call that reads a text");
    tap_status(sys_machine_info(user_machine(), PLACE), -SYS_EFAULT, "nor one that writes");
    tap_status(sys_vm_find_next(user_self(), PLACE, PAGE, NULL), -SYS_ENOENT,
               "nor is it found as mapped");
    tap_status(page_map(PLACE, PAGE, RW), -SYS_EEXIST, "it is in the way of another page");
    tap_status(sys_vm_mark(user_self(), PLACE, PAGE, VM_KIND_RESERVED, RW, 0, NULL), -SYS_EEXIST,
               "and of a mark");
    (void)protect(PLACE, PAGE, VM_PROT_R);
    tap_is(*word_at(PLACE), 3, "it holds what it held after all that");
    (void)page_unmap(PLACE, 2 * PAGE);
}

static void many_make(void)
{
    (void)page_map(PLACE, PAGES * PAGE, RW);
    (void)sys_vm_mark(user_self(), PLACE + PAGES * PAGE, PAGES * PAGE, VM_KIND_RESERVED, RW, 0,
                      NULL);
}

/* More than a step's worth, with other things between, and what goes without coming back. */
static void many_check(void)
{
    uint64_t pages = 0;
    uint64_t sum = 0;

    many_make();
    (void)page_unmap(PLACE, 4 * PAGES * PAGE); /* once before: some tables stay */
    uint64_t before = frames_free();
    many_make();
    for (uint64_t i = 0; i < PAGES; i++) {
        *word_at(PLACE + i * PAGE) = i;
    }
    tap_status(sys_vm_protect(user_self(), PLACE, 3 * PAGES * PAGE, VM_PROT_NONE, &pages), 0,
               "1500 pages are hidden, and 1500 reserved addresses");
    tap_is(pages, PAGES, "the pages are counted");
    check_touch(ACCESS_READ, PLACE + (PAGES - 1) * PAGE, "in the last page");
    check_touch(ACCESS_READ, PLACE + (2 * PAGES - 1) * PAGE, "at the last address");
    tap_status(sys_vm_protect(user_self(), PLACE, 3 * PAGES * PAGE, RW, &pages), 0,
               "all come back");
    tap_is(pages, PAGES, "the pages are counted");
    for (uint64_t i = 0; i < 2 * PAGES; i++) {
        sum += *word_at(PLACE + i * PAGE);
    }
    tap_is(sum, PAGES * (PAGES - 1) / 2, "each with what it held, zeroes in the others");
    (void)protect(PLACE, PAGES * PAGE, VM_PROT_NONE);
    tap_status(sys_vm_unmap(user_self(), PLACE, 4 * PAGES * PAGE, &pages), 0, "all go");
    tap_is(pages, 2 * PAGES, "hidden ones are counted");
    tap_is(frames_free(), before, "all frames came back");
}

static uint64_t kind_at(uint64_t address)
{
    uint64_t kind = 99;

    (void)sys_vm_query(user_self(), address, NULL, NULL, &kind, NULL, NULL, NULL);
    return kind;
}

static int look_at_copy(void *argument)
{
    (void)argument;
    if (kind_at(PLACE) != VM_KIND_HIDDEN || kind_at(PLACE + PAGE) != VM_KIND_RESERVED ||
        kind_at(PLACE + 2 * PAGE) != VM_KIND_GUARD || kind_at(PLACE + 3 * PAGE) != VM_KIND_ABSENT) {
        return 1;
    }
    if (protect(PLACE, 2 * PAGE, VM_PROT_R) != 0) {
        return 2;
    }
    return *word_at(PLACE) == 5 && *word_at(PLACE + PAGE) == 0 ? 0 : 3;
}

/* The touches above are a copy's: what is hidden, reserved or a guard here is so there. */
static void copy_check(void)
{
    (void)page_map(PLACE, PAGE, RW);
    *word_at(PLACE) = 5;
    (void)protect(PLACE, PAGE, VM_PROT_NONE);
    (void)sys_vm_mark(user_self(), PLACE + PAGE, PAGE, VM_KIND_RESERVED, RW, 0, NULL);
    (void)sys_vm_mark(user_self(), PLACE + 2 * PAGE, PAGE, VM_KIND_GUARD, 0, 0, NULL);
    check_child(look_at_copy, NULL, 0, "a copy of the process has all of that");
    tap_is(kind_at(PLACE), VM_KIND_HIDDEN, "and here nothing has changed");
    (void)page_unmap(PLACE, 3 * PAGE);
}

static _Atomic(uint64_t) reads;

static void reader(void *argument)
{
    (void)argument;
    for (;;) {
        (void)*word_at(PLACE);
        /* Release pairs with the acquire in hide_from_reader: that read was before. */
        (void)atomic_fetch_add_explicit(&reads, 1, memory_order_release);
    }
}

static uint64_t reads_now(void)
{
    return atomic_load_explicit(&reads, memory_order_acquire);
}

/* At most one read was under way when the call returned; a second one would be a fault missed. */
static int hide_from_reader(void *argument)
{
    struct user_thread thread;

    (void)argument;
    if (user_thread_start(&thread, reader, NULL) != 0) {
        return 2;
    }
    (void)sys_thread_set_affinity(thread.handle, UINT64_C(1) << hart_nth(1));
    team_wait(&reads, 1000);
    if (protect(PLACE, PAGE, VM_PROT_NONE) != 0) {
        return 3;
    }
    uint64_t after = reads_now();
    while (reads_now() < after + 2) {
        (void)sys_yield();
    }
    return 1;
}

static void reader_check(void)
{
    struct user_end end = {0};

    (void)page_map(PLACE, PAGE, RW);
    *word_at(PLACE) = 4;
    tap_status(user_fork_wait(hide_from_reader, NULL, &end), 0,
               "a page is hidden while another hart reads it");
    tap_expect_log("unhandled READ fault at 0x%lx", (unsigned long)PLACE);
    tap_ok(end.reason == EXIT_FAULT && end.detail == PLACE, "whose next read is a fault");
    tap_is(*word_at(PLACE), 4, "the parent's page is its own");
    (void)page_unmap(PLACE, PAGE);
}

int main(void)
{
    access_check();
    calls_check();
    copy_check();
    many_check();
    reader_check();
    return tap_done();
}
