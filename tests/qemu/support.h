/* SPDX-License-Identifier: MIT */
/* What the test programs share. */
#pragma once

#include <stdint.h>

#include "user/tap.h"
#include "user/vellum.h"
#include "vellum/calls.h"

#define PAGE            VM_PAGE_SIZE
#define RW              (VM_PROT_R | VM_PROT_W)
#define PLACE           USER_FREE_START /* where tests map, if any place is good */

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A pointer to an address, through which every access happens as written. */
static inline volatile uint64_t *word_at(uint64_t address)
{
    return (volatile uint64_t *)(uintptr_t)address;
}

/* Maps zeroed pages in this process. */
static inline long page_map(uint64_t address, uint64_t bytes, uint64_t prot)
{
    return sys_vm_map(user_self(), address, bytes, prot, 0, NULL);
}

static inline long page_unmap(uint64_t address, uint64_t bytes)
{
    return sys_vm_unmap(user_self(), address, bytes, NULL);
}

/* One access each, in the first instruction of the function: ACCESS_READ, ACCESS_WRITE,
 * ACCESS_EXECUTE.  They return if there was no fault. */
void touch(uint64_t access, uint64_t address);

/* Where touch() makes that access: the pc of a fault, for ACCESS_EXECUTE the address itself. */
uint64_t touch_pc(uint64_t access, uint64_t address);

/* Checks that `end` is a fault of that access to that address made by touch(), and tells the
 * console's reader what the kernel must have said. */
void check_fault(const struct user_end *end, uint64_t access, uint64_t address, const char *what);

/* Makes the access in a copy of this process, where it must fault. */
void check_touch(uint64_t access, uint64_t address, const char *what);

/* Checks that a copy of this process ends with that status after run(argument). */
void check_child(int (*run)(void *argument), void *argument, uint64_t status, const char *what);

/* Free frames of the machine when nothing waits to be freed. */
uint64_t frames_free(void);

/* How many threads of a process wait in the call of that number. */
unsigned threads_waiting_in(handle_t process, uint64_t call);

/* The value of a counter of the kernel, by its name; 0 if there is none. */
uint64_t counter_value(const char *name);

/* A system call as the machine sees it: a0 to a6 and the number; out: a0 to a7 afterwards. */
struct raw_call {
    uint64_t number;
    uint64_t args[7];
    uint64_t out[8];
};
void raw_call(struct raw_call *call);

/* The same; returns a0. */
long raw_status(uint64_t number, const uint64_t args[7]);

/* Index of the first I/O region whose `compatible` is that; -1: none. */
long io_find(const char *compatible, struct io_info *info);
