/* SPDX-License-Identifier: MIT */
/*
 * Fake physical memory.  The reservation has no access rights and costs nothing; banks are opened
 * in it.  Small banks are filled with a pattern that is neither zero nor a valid entry, so that
 * code which trusts fresh RAM to be zero is found.
 */
#define _GNU_SOURCE /* memfd_create */

#include "arch_host/phys_mem.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch_host/arch_host.h"

#ifdef __SANITIZE_ADDRESS__
#    include <sanitizer/asan_interface.h>
#else
#    define ASAN_POISON_MEMORY_REGION(at, bytes)   ((void)(at), (void)(bytes))
#    define ASAN_UNPOISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
#endif

#define FILL_BYTES_MAX (UINT64_C(64) << 20)
#define FILL_PATTERN   0xa4

#define SMALL_END      (UINT64_C(4) << 30)
#define SMALL_LIMIT    (UINT64_C(8) << 30)

static unsigned char *reservation;
static uint64_t limit; /* of this machine: a small one takes less of the host's address space */
static int memory_file;
static const struct machine *described;

static void open_range(struct pa_range range, int rights)
{
    uint64_t start = align_down(range.start.raw, PAGE_SIZE);
    uint64_t end = align_up(range.end.raw, PAGE_SIZE);

    if (mprotect(reservation + start, end - start, rights) != 0) {
        host_fail("phys_mem: cannot set rights of %#lx..%#lx", start, end);
    }
}

static bool is_same_ram(const struct machine *machine)
{
    bool same = machine->bank_count == described->bank_count;

    for (size_t i = 0; same && i < machine->bank_count; i++) {
        same = machine->banks[i].start.raw == described->banks[i].start.raw &&
               machine->banks[i].end.raw == described->banks[i].end.raw;
    }
    return same;
}

void phys_mem_init(const struct machine *machine)
{
    if (reservation != NULL) {
        if (!is_same_ram(machine)) {
            host_fail("phys_mem: set up twice, with another RAM");
        }
        described = machine;
        for (size_t i = 0; i < machine->bank_count; i++) {
            phys_mem_open(machine->banks[i].start.raw, pa_range_bytes(machine->banks[i]));
        }
        return;
    }
    limit = SMALL_LIMIT;
    for (size_t i = 0; i < machine->bank_count; i++) {
        if (machine->banks[i].end.raw > SMALL_END) {
            limit = PHYS_MEM_LIMIT;
        }
    }
    memory_file = memfd_create("vellum-ram", MFD_CLOEXEC);
    if (memory_file < 0 || ftruncate(memory_file, (off_t)limit) != 0) {
        host_fail("phys_mem: cannot make the memory file");
    }
    reservation = mmap(NULL, limit, PROT_NONE, MAP_SHARED | MAP_NORESERVE, memory_file, 0);
    if (reservation == MAP_FAILED) {
        host_fail("phys_mem: cannot reserve address space");
    }
    described = machine;
    for (size_t i = 0; i < machine->bank_count; i++) {
        struct pa_range bank = machine->banks[i];

        if (bank.end.raw > limit) {
            continue; /* cannot be touched, which is what a test of far RAM wants */
        }
        open_range(bank, PROT_READ | PROT_WRITE);
        if (pa_range_bytes(bank) <= FILL_BYTES_MAX) {
            memset(reservation + bank.start.raw, FILL_PATTERN, pa_range_bytes(bank));
        }
    }
    for (size_t i = 0; i < machine->reserved_count; i++) {
        if (machine->reserved[i].kind == MACHINE_RESERVED_NO_MAP) {
            open_range(machine->reserved[i].range, PROT_NONE);
        }
    }
}

void *phys_mem_pointer(uint64_t pa)
{
    if (pa >= limit) {
        host_fail("phys_mem: no pointer to physical address %#lx", pa);
    }
    return reservation + pa;
}

uint64_t phys_mem_address(const void *pointer)
{
    uint64_t offset = (uint64_t)((const unsigned char *)pointer - reservation);

    if (offset >= limit) {
        host_fail("phys_mem: %p is not in the direct map", pointer);
    }
    return offset;
}

bool phys_mem_has(uint64_t pa, uint64_t bytes)
{
    for (size_t i = 0; i < described->bank_count; i++) {
        struct pa_range bank = described->banks[i];

        if (pa >= bank.start.raw && pa < bank.end.raw) {
            return bytes <= bank.end.raw - pa && pa < limit;
        }
    }
    return false;
}

bool phys_mem_read64(uint64_t pa, uint64_t *value)
{
    const _Atomic(uint64_t) *word;

    if (!phys_mem_has(pa, sizeof(*value))) {
        return false;
    }
    word = phys_mem_pointer(pa);
    /* Relaxed: a hardware walker has no order of its own; pairs with the stores of slot.c. */
    *value = atomic_load_explicit(word, memory_order_relaxed);
    return true;
}

bool phys_mem_alias(void *at, uint64_t pa, uint64_t bytes)
{
    return mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE,
                memory_file, (off_t)pa) != MAP_FAILED;
}

void phys_mem_close(uint64_t pa, uint64_t bytes)
{
    ASAN_POISON_MEMORY_REGION(phys_mem_pointer(pa), bytes);
}

void phys_mem_open(uint64_t pa, uint64_t bytes)
{
    ASAN_UNPOISON_MEMORY_REGION(phys_mem_pointer(pa), bytes);
}
