/* SPDX-License-Identifier: MIT */
/*
 * arch/arch.h and lib/hart.h on the host: paging, fences, time and harts.  A hart is whatever the
 * calling thread says it is (host_hart_set).  What
 * the machine is made of is what the test gave to host_machine_start.
 */
#include "arch_host/arch_host.h"

#include <stdlib.h>

#include "arch/pte.h"
#include "arch/selftest.h"
#include "arch_host/phys_mem.h"
#include "lib/trace.h"
#include "machine/effects.h"

static const struct machine *the_machine;
static unsigned asid_bits;
static unsigned paging_levels;
static struct host_direct_map direct_map;
static uint64_t time_now;
static _Thread_local hart_idx_t this_hart;

void host_machine_start(const struct machine *machine, unsigned levels)
{
    the_machine = machine;
    paging_levels = levels;
    phys_mem_init(machine);
    host_oracle_start();
    oracle_off();
}

void host_oracle_start(void)
{
    struct oracle_config config = {
        .harts = HART_MAX,
        .levels = paging_levels,
        .asid_bits = asid_bits,
        .has_svpbmt = (the_machine->isa & MACHINE_ISA_SVPBMT) != 0,
    };

    oracle_reset(&config);
}

void host_activate(paddr_t root, uint64_t base, paddr_t base_pa)
{
    direct_map = (struct host_direct_map){root, base, base_pa};
    arch_space_activate(root, 0);
    arch_tlb_flush_local((struct tlb_op){0});
}

struct host_direct_map host_direct_map(void)
{
    return direct_map;
}

void host_hart_set(hart_idx_t hart)
{
    this_hart = hart;
}

/* ---- lib/hart.h ---- */

hart_idx_t hart_index(void)
{
    return this_hart;
}

uint64_t hart_time(void)
{
    return time_now;
}

/* One thread for each hart; where the kernel is linked, it knows better. */
__attribute__((weak)) uint32_t trace_thread(void)
{
    return this_hart + 1;
}

void hart_relax(void)
{
    if (oracle_is_on) {
        oracle_pause();
    }
    __asm__ volatile("" ::: "memory");
}

void hart_panic_begin(void)
{
}

_Noreturn void hart_panic(void)
{
    abort();
}

/* ---- arch/machine.h ---- */

const struct machine *machine_get(void)
{
    return the_machine;
}

/* ---- arch/arch.h: paging ---- */

unsigned arch_paging_levels(void)
{
    return paging_levels;
}

void host_asid_bits_set(unsigned bits)
{
    asid_bits = bits;
}

unsigned arch_asid_bits(void)
{
    return asid_bits;
}

bool arch_has_svpbmt(void)
{
    return (the_machine->isa & MACHINE_ISA_SVPBMT) != 0;
}

void *arch_phys_to_virt(paddr_t pa)
{
    uint64_t window = pte_user_limit(paging_levels) / 2;

    if (direct_map.root.raw != 0 && pa.raw - direct_map.base_pa.raw >= window) {
        host_fail("physical address %#lx is outside the direct map", pa.raw);
    }
    return phys_mem_pointer(pa.raw);
}

paddr_t arch_virt_to_phys(const void *direct_map_ptr)
{
    return (paddr_t){phys_mem_address(direct_map_ptr)};
}

/* ---- arch/arch.h: time ---- */

uint64_t arch_time_now(void)
{
    return ++time_now;
}

void arch_timer_set(uint64_t deadline)
{
    (void)deadline;
}

_Noreturn void arch_power_off(uint64_t status)
{
    (void)status;
    exit(0);
}

status_t arch_reboot(void)
{
    return ERR_NOTSUP;
}

/* ---- arch/selftest.h: this machine has nothing to try ---- */

status_t arch_selftest(size_t index, void *room, struct selftest_found *found)
{
    (void)index;
    (void)room;
    (void)found;
    return ERR_NOENT;
}
