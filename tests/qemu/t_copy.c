/* SPDX-License-Identifier: MIT */
/*
 * Memory of another process through its handle: copies cross page edges, fill read-only and
 * execute-only pages, stop at what is absent and say how far they came.
 */
#include <string.h>

#include "support.h"

#define THERE UINT64_C(0x2345678000) /* in the other process */
#define LARGE (UINT64_C(600) * PAGE + 123)

static handle_t process;
static unsigned char bytes_out[5 * PAGE];
static unsigned char bytes_in[5 * PAGE];

static void edges_check(void)
{
    static const struct {
        uint64_t offset;
        uint64_t bytes;
    } rows[] = {
        {0, 1},        {0, PAGE},     {PAGE - 1, 2},        {PAGE - 3, 6},
        {1, PAGE},     {7, 2 * PAGE}, {PAGE, 2 * PAGE + 5}, {3 * PAGE - 1, 1},
        {13, 3 * 999}, {5, 0},
    };
    unsigned bad = 0;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t done = 0;

        memset(bytes_out, (int)i + 1, sizeof(bytes_out));
        memset(bytes_in, 0, sizeof(bytes_in));
        bad += sys_vm_write(process, THERE + rows[i].offset, (uintptr_t)bytes_out + i,
                            rows[i].bytes, &done) != 0;
        bad += done != rows[i].bytes;
        bad += sys_vm_read(process, THERE + rows[i].offset, (uintptr_t)bytes_in + 2 * i,
                           rows[i].bytes, &done) != 0;
        bad += done != rows[i].bytes;
        bad += memcmp(bytes_in + 2 * i, bytes_out, rows[i].bytes) != 0;
        bad += bytes_in[2 * i + rows[i].bytes] != 0;
    }
    tap_is(bad, 0, "copies of all sizes across page edges");
}

static void permissions_check(void)
{
    uint64_t word = 0x1122334455667788;
    uint64_t back = 0;

    (void)sys_vm_protect(process, THERE, PAGE, VM_PROT_R, NULL);
    tap_status(sys_vm_write(process, THERE + 8, (uintptr_t)&word, 8, NULL), 0,
               "a read-only page is filled");
    tap_status(sys_vm_read(process, THERE + 8, (uintptr_t)&back, 8, NULL), 0, "and read");
    tap_is(back, word, "with what was written");
    (void)sys_vm_protect(process, THERE, PAGE, VM_PROT_X, NULL);
    tap_status(sys_vm_write(process, THERE + 16, (uintptr_t)&word, 8, NULL), 0,
               "an execute-only page is filled");
    tap_status(sys_vm_read(process, THERE + 16, (uintptr_t)&back, 8, NULL), -SYS_EFAULT,
               "but not read");
    (void)sys_vm_protect(process, THERE, PAGE, RW, NULL);
    (void)sys_vm_read(process, THERE + 16, (uintptr_t)&back, 8, NULL);
    tap_is(back, word, "it holds what was written");
}

static void holes_check(void)
{
    uint64_t done = 99;

    (void)sys_vm_unmap(process, THERE + 2 * PAGE, PAGE, NULL);
    tap_status(sys_vm_write(process, THERE, (uintptr_t)bytes_out, 3 * PAGE, &done), -SYS_EFAULT,
               "a write stops at a hole");
    tap_is(done, 2 * PAGE, "with two pages done");
    tap_status(sys_vm_read(process, THERE + PAGE + 100, (uintptr_t)bytes_in, PAGE, &done),
               -SYS_EFAULT, "a read stops at a hole");
    tap_is(done, PAGE - 100, "with what was before it done");
    tap_status(sys_vm_read(process, THERE + 2 * PAGE, (uintptr_t)bytes_in, 1, &done), -SYS_EFAULT,
               "in the hole there is nothing");
    tap_is(done, 0, "and nothing is done");
    (void)page_map(PLACE, PAGE, RW);
    tap_status(sys_vm_read(process, THERE, PLACE + PAGE - 8, 16, &done), -SYS_EFAULT,
               "a buffer may end too early");
    tap_is(done, 8, "what fits is done");
    (void)page_unmap(PLACE, PAGE);
}

static void large_check(void)
{
    uint64_t here = 0;
    uint64_t pages = (LARGE + PAGE - 1) & ~(PAGE - 1);
    uint64_t done = 0;
    uint64_t bad = 0;

    tap_status(user_pages_map(2 * pages, RW, &here), 0, "room for a large copy");
    tap_status(sys_vm_map(process, PLACE, pages + PAGE, RW, 0, NULL), 0, "and there");
    for (uint64_t i = 0; i < pages / 8; i++) {
        *word_at(here + i * 8) = i;
    }
    tap_status(sys_vm_write(process, PLACE + 77, here, LARGE, &done), 0, "a large write");
    tap_is(done, LARGE, "is whole");
    tap_status(sys_vm_read(process, PLACE + 77, here + pages, LARGE, &done), 0, "a large read");
    tap_is(done, LARGE, "is whole");
    for (uint64_t i = 0; i < LARGE / 8; i++) {
        bad += *word_at(here + pages + i * 8) != i ? 1 : 0;
    }
    tap_is(bad, 0, "and true");
    tap_status(user_pages_unmap(here, 2 * pages), 0, "room is given back");
}

int main(void)
{
    uint64_t own = 5;
    uint64_t copy = 0;

    (void)sys_process_create((uintptr_t) "other", 5, 0, &process);
    tap_status(sys_vm_map(process, THERE, 4 * PAGE, RW, 0, NULL), 0, "pages are mapped there");
    edges_check();
    permissions_check();
    holes_check();
    large_check();
    tap_status(sys_vm_read(user_self(), (uintptr_t)&own, (uintptr_t)&copy, 8, NULL), 0,
               "a process may read itself");
    tap_is(copy, 5, "truly");
    (void)sys_process_kill(process);
    (void)sys_handle_close(process);
    return tap_done();
}
