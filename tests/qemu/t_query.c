/* SPDX-License-Identifier: MIT */
/*
 * Looking at an address space: slots tile the whole user range, absent ones may be large, the next
 * mapped page is found over any distance and never outside of the range asked for.
 */
#include <inttypes.h>

#include "support.h"

#define SLOTS_MAX 100000

/* Walks from 0 to the limit by queries; the mapped pages, or 0 if the slots don't tile. */
static uint64_t space_walk(handle_t process)
{
    uint64_t limit = user_limit();
    uint64_t at = 0;
    uint64_t pages = 0;

    for (unsigned i = 0; i < SLOTS_MAX && at < limit; i++) {
        uint64_t start = 0;
        uint64_t bytes = 0;
        uint64_t kind = 0;

        if (sys_vm_query(process, at, &start, &bytes, &kind, NULL, NULL, NULL) != 0 ||
            start != at || bytes == 0 || bytes % PAGE != 0) {
            return 0;
        }
        pages += kind == VM_KIND_RAM || kind == VM_KIND_IO ? bytes / PAGE : 0;
        at += bytes;
    }
    return at == limit ? pages : 0;
}

/* The same by vm_find_next. */
static uint64_t space_count(handle_t process)
{
    uint64_t limit = user_limit();
    uint64_t pages = 0;
    uint64_t found = 0;

    for (uint64_t at = 0; at < limit; at = found + PAGE) {
        if (sys_vm_find_next(process, at, limit - at, &found) != 0) {
            break;
        }
        pages++;
    }
    return pages;
}

static void empty_space_check(handle_t process)
{
    uint64_t start = 1;
    uint64_t bytes = 0;
    uint64_t kind = 9;
    uint64_t found = 0;

    tap_status(sys_vm_find_next(process, 0, user_limit(), &found), -SYS_ENOENT,
               "an empty space has no page");
    tap_status(sys_vm_query(process, user_limit() - 1, &start, &bytes, &kind, NULL, NULL, NULL), 0,
               "its last byte can be asked for");
    tap_is(kind, VM_KIND_ABSENT, "and is absent");
    tap_ok(bytes >= UINT64_C(1) << 30 && start + bytes == user_limit(),
           "in a slot of 1 GiB at least, up to the limit");
}

static void find_check(handle_t process, uint64_t page)
{
    uint64_t limit = user_limit();
    uint64_t start = 0;
    uint64_t bytes = 0;
    uint64_t found = 1;

    tap_status(sys_vm_map(process, page, PAGE, RW, 0, NULL), 0, "mapping 0x%" PRIx64, page);
    tap_status(sys_vm_find_next(process, 0, limit, &found), 0, "it is found from 0");
    tap_is(found, page, "where it is");
    tap_status(sys_vm_find_next(process, page, PAGE, &found), 0, "it is found by itself");
    if (page > 0) {
        tap_status(sys_vm_find_next(process, 0, page, &found), -SYS_ENOENT, "not before it");
    }
    if (page + PAGE < limit) {
        tap_status(sys_vm_find_next(process, page + PAGE, limit - page - PAGE, &found), -SYS_ENOENT,
                   "not behind it");
    }
    (void)sys_vm_query(process, page + 77, &start, &bytes, NULL, NULL, NULL, NULL);
    tap_ok(start == page && bytes == PAGE, "a query within it gives its slot");
    tap_is(space_walk(process), 1, "the slots tile the range with one page in it");
    tap_status(sys_vm_unmap(process, 0, limit, &found), 0, "everything is unmapped");
    tap_is(found, 1, "which was one page");
}

static void flags_check(void)
{
    uint64_t flags = 0;

    tap_status(page_map(PLACE, PAGE, RW), 0, "a page is mapped here");
    *word_at(PLACE) = 1;
    (void)sys_vm_query(user_self(), PLACE, NULL, NULL, NULL, NULL, &flags, NULL);
    tap_is(flags, VM_STATE_ACCESSED | VM_STATE_DIRTY | VM_STATE_PRIVATE,
           "a written page is accessed and dirty");
    (void)sys_vm_protect(user_self(), PLACE, PAGE, VM_PROT_R, NULL);
    (void)sys_vm_query(user_self(), PLACE, NULL, NULL, NULL, NULL, &flags, NULL);
    tap_is(flags, VM_STATE_ACCESSED | VM_STATE_DIRTY | VM_STATE_PRIVATE,
           "and stays so when it is made read-only");
    tap_status(page_unmap(PLACE, PAGE), 0, "the page is unmapped");
}

int main(void)
{
    static const uint64_t pages[] = {
        0, PAGE, 0x1ff000, 0x200000, 0x3ffff000, 0x40000000, UINT64_C(0x3ffffff000)};
    handle_t process = HANDLE_NONE;

    tap_status(sys_process_create((uintptr_t) "looked-at", 9, 0, &process), 0, "a process is made");
    empty_space_check(process);
    for (size_t i = 0; i < COUNT_OF(pages); i++) {
        find_check(process, pages[i]);
    }
    find_check(process, user_limit() - PAGE);
    for (size_t i = 0; i < COUNT_OF(pages); i++) {
        (void)sys_vm_map(process, pages[i], PAGE, RW, 0, NULL);
    }
    tap_is(space_walk(process), COUNT_OF(pages), "queries see all pages");
    tap_is(space_count(process), COUNT_OF(pages), "finding sees all pages");
    (void)sys_process_kill(process);
    (void)sys_handle_close(process);
    tap_ok(space_walk(user_self()) == space_count(user_self()), "both agree on this process");
    flags_check();
    return tap_done();
}
