/* SPDX-License-Identifier: MIT */
/*
 * Pages of memory objects and of I/O regions move, too, inside of a process and to another: shared
 * ones stay shared, private ones private, views are never written to, and what nobody has touched
 * yet comes from the object at the new place.
 */
#include "memory.h"

#define GIB   (UINT64_C(1) << 30)
#define TABLE (UINT64_C(512) * PAGE)
#define FROM  PLACE
#define TO    (PLACE + 8 * GIB)
#define PAGES 8U
#define BYTES (PAGES * PAGE)
#define LARGE (2 * TABLE)

static handle_t other;

static uint64_t word_there(handle_t process, uint64_t address)
{
    uint64_t word = 0;

    (void)sys_vm_read(process, address, (uintptr_t)&word, sizeof(word), NULL);
    return word;
}

static uint64_t word_of_object(handle_t memory, uint64_t page)
{
    uint64_t word = 0;

    (void)sys_memory_read(memory, page * PAGE, (uintptr_t)&word, sizeof(word), NULL);
    return word;
}

static void check_audits(const char *what)
{
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "%s: no fault here", what);
    tap_status(sys_vm_check(user_machine(), other), 0, "nor there");
}

/* Half of the pages are touched.  They go to the other process, which writes, and come back. */
static void check_shared(handle_t memory, uint64_t skew)
{
    uint64_t word = 5;

    tap_status(memory_map(memory, FROM, PAGES, RW, 0), 0, "shared pages");
    for (uint64_t i = 0; i < PAGES / 2; i++) {
        *word_at(FROM + i * PAGE) = 100 + i;
    }
    tap_status(sys_vm_move(user_self(), other, FROM, BYTES, TO + skew, NULL), 0, "go");
    struct seen touched = memory_seen(other, TO + skew + PAGE);
    struct seen untouched = memory_seen(other, TO + skew + 5 * PAGE);
    tap_ok(touched.kind == VM_KIND_RAM && (touched.flags & VM_STATE_PRIVATE) == 0,
           "what was touched is shared memory");
    tap_ok(untouched.kind == VM_KIND_PAGED && untouched.prot == RW, "the rest is to come");
    (void)sys_vm_write(other, TO + skew + PAGE, (uintptr_t)&word, sizeof(word), NULL);
    (void)sys_vm_write(other, TO + skew + 5 * PAGE, (uintptr_t)&word, sizeof(word), NULL);
    tap_is(word_of_object(memory, 1) + word_of_object(memory, 5), 10,
           "the object has what is written there");
    check_audits("there");
    tap_status(sys_vm_move(other, user_self(), TO + skew, BYTES, FROM, NULL), 0, "and come back");
    tap_is(*word_at(FROM + 5 * PAGE) + *word_at(FROM + 2 * PAGE), 5 + 102, "with their words");
    *word_at(FROM + 7 * PAGE) = 7;
    tap_is(word_of_object(memory, 7), 7, "the object has what is written here");
    check_audits("back");
    (void)page_unmap(FROM, BYTES);
}

static void check_private(handle_t memory)
{
    uint64_t word = 6;

    tap_status(memory_map(memory, FROM, PAGES, RW, VM_FLAG_PRIVATE), 0, "private pages");
    *word_at(FROM) = 9;
    tap_is(*word_at(FROM + PAGE), 5, "one is only read");
    tap_status(sys_vm_move(user_self(), other, FROM, BYTES, TO, NULL), 0, "go");
    tap_is(word_there(other, TO), 9, "what was written goes with them");
    (void)sys_vm_write(other, TO + PAGE, (uintptr_t)&word, sizeof(word), NULL);
    (void)sys_vm_write(other, TO + 5 * PAGE, (uintptr_t)&word, sizeof(word), NULL);
    tap_is(word_there(other, TO + PAGE) + word_there(other, TO + 5 * PAGE), 12,
           "what is written there stays there");
    tap_is(word_of_object(memory, 0), 100, "the object has what it had");
    tap_is(word_of_object(memory, 1) + word_of_object(memory, 5), 10, "in all pages");
    check_audits("private");
    (void)sys_vm_unmap(other, TO, BYTES, NULL);
}

static void check_view(handle_t memory)
{
    handle_t weak = HANDLE_NONE;

    (void)sys_handle_duplicate(memory, RIGHT_READ | RIGHT_MAP, &weak);
    tap_status(memory_map(weak, FROM, PAGES, VM_PROT_R, 0), 0, "a view");
    (void)*word_at(FROM);
    (void)sys_handle_close(weak);
    tap_status(sys_vm_move(user_self(), other, FROM, BYTES, TO, NULL), 0, "goes");
    tap_is(memory_seen(other, TO).flags & VM_STATE_VIEW, VM_STATE_VIEW, "and is one there");
    tap_status(sys_vm_protect(other, TO, PAGE, RW, NULL), -SYS_EACCES,
               "what was touched cannot be written to");
    tap_status(sys_vm_protect(other, TO + PAGE, PAGE, RW, NULL), -SYS_EACCES, "nor the rest");
    check_audits("a view");
    (void)sys_vm_unmap(other, TO, BYTES, NULL);
}

/* Marks above pages, whose object nobody has a handle to any more. */
static void check_large(void)
{
    handle_t memory = memory_make(LARGE / PAGE);
    uint64_t word = 8;

    (void)sys_memory_write(memory, 700 * PAGE, (uintptr_t)&word, sizeof(word), NULL);
    tap_status(memory_map(memory, FROM, LARGE / PAGE, RW, 0), 0, "a large object");
    (void)sys_handle_close(memory);
    tap_status(sys_vm_move(user_self(), other, FROM, LARGE, TO, NULL), 0, "goes");
    tap_is(word_there(other, TO + 700 * PAGE), 8, "its pages come there");
    tap_status(sys_vm_move(other, user_self(), TO + 600 * PAGE, 200 * PAGE, FROM + PAGE, NULL), 0,
               "a part comes back");
    tap_is(*word_at(FROM + 101 * PAGE), 8, "with its pages");
    check_audits("a large object");
    (void)page_unmap(FROM, LARGE);
    (void)sys_vm_unmap(other, TO, LARGE, NULL);
}

/* The region's first page, of whatever region the machine has for programs to look at. */
static void check_io(void)
{
    struct io_info info;
    handle_t io = HANDLE_NONE;
    uint64_t physical = 0;
    long rtc = io_find("google,goldfish-rtc", &info);
    long index = rtc >= 0 ? rtc : io_find("sifive,fu540-c000-prci", &info);

    if (index < 0) {
        return;
    }
    (void)sys_io_open(user_machine(), (uint64_t)index, &io);
    tap_status(sys_vm_map_io(user_self(), FROM, PAGE, VM_PROT_R, 0, io, 0, NULL), 0,
               "a device's page");
    (void)sys_handle_close(io);
    tap_status(sys_vm_move(user_self(), user_self(), FROM, PAGE, TO, NULL), 0, "is moved");
    (void)*(volatile uint32_t *)(uintptr_t)TO;
    check_audits("a device");
    tap_status(sys_vm_move(user_self(), other, TO, PAGE, FROM, NULL), 0, "goes");
    (void)sys_vm_query(other, FROM, NULL, NULL, NULL, NULL, NULL, &physical);
    tap_is(physical, info.base, "and is what it was");
    tap_is(memory_seen(other, FROM).kind, VM_KIND_IO, "a device's");
    tap_status(sys_vm_protect(other, FROM, PAGE, RW, NULL), -SYS_EACCES, "not to be written to");
    check_audits("a device elsewhere");
    tap_status(sys_vm_unmap(other, FROM, PAGE, NULL), 0, "it goes for good");
}

static void check_all(void)
{
    handle_t memory = memory_make(PAGES);

    tap_status(sys_process_create((uintptr_t) "other", 5, 0, &other), 0, "another process");
    check_shared(memory, PAGE);
    (void)sys_memory_resize(memory, 0);
    (void)sys_memory_resize(memory, BYTES);
    check_shared(memory, 0);
    check_private(memory);
    check_view(memory);
    check_large();
    check_io();
    (void)sys_process_kill(other);
    (void)sys_handle_close(other);
    (void)sys_handle_close(memory);
    (void)page_unmap(FROM, 16 * GIB);
}

int main(void)
{
    check_all(); /* then this space has its table of objects, and tables put by */
    uint64_t before = frames_free();
    check_all();
    tap_is(before - frames_free(), 0, "all frames come back");
    return tap_done();
}
