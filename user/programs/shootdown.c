/* SPDX-License-Identifier: MIT */
/*
 * A page is taken from under threads that use it.  One reader runs on each other hart and does
 * nothing but look at the page; this thread puts a fresh page in its place, several times.  The
 * kernel removes the old one, fences the harts of the readers, then maps the new one: a reader that
 * looks in between faults, waits, and goes on.  docs/debugging.md shows the trace of it.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "user/vellum.h"
#include "vellum/calls.h"

#define READERS_MAX 15U
#define ROUNDS      3U
#define LOOKS       1000U /* of the readers, between two rounds */

static const volatile uint32_t *page;
static _Atomic(uint64_t) looks; /* counts; raised in steps  */
static _Atomic(uint64_t) over;  /* released by main         */

static void reader(void *argument)
{
    (void)argument;
    while (atomic_load_explicit(&over, memory_order_acquire) == 0) {
        for (unsigned i = 0; i < LOOKS / 10; i++) {
            (void)*page;
        }
        atomic_fetch_add_explicit(&looks, LOOKS / 10, memory_order_relaxed);
    }
}

/* Waits until the readers have looked so often more. */
static void looks_wait(uint64_t more)
{
    uint64_t end = atomic_load_explicit(&looks, memory_order_relaxed) + more;

    while (atomic_load_explicit(&looks, memory_order_relaxed) < end) {
    }
}

int main(void)
{
    struct user_thread readers[READERS_MAX];
    unsigned started = 0;
    uint64_t address = 0;
    uint64_t here = 0;
    uint64_t harts = 0;
    long status = user_pages_map(VM_PAGE_SIZE, VM_PROT_R | VM_PROT_W, &address);

    page = (const volatile uint32_t *)(uintptr_t)address;
    (void)sys_hart_get(&here, &harts);
    for (uint64_t hart = 0; status == 0 && harts >> hart != 0 && started < READERS_MAX; hart++) {
        if (hart != here && (harts >> hart & 1) != 0) {
            status = user_thread_start(&readers[started], reader, NULL);
            started += status == 0;
            status = status == 0 ? sys_thread_set_affinity(readers[started - 1].handle, 1UL << hart)
                                 : status;
        }
    }
    for (unsigned round = 0; status == 0 && started > 0 && round < ROUNDS; round++) {
        looks_wait(started * LOOKS);
        status = sys_vm_map(user_self(), address, VM_PAGE_SIZE, VM_PROT_R | VM_PROT_W,
                            VM_FLAG_REPLACE, NULL);
    }
    atomic_store_explicit(&over, 1, memory_order_release);
    for (unsigned i = 0; i < started; i++) {
        (void)user_thread_join(&readers[i]);
    }
    printf("%u readers: status %ld\n", started, status);
    return status == 0 ? 0 : 1;
}
