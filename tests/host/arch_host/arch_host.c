/* SPDX-License-Identifier: MIT */
/*
 * arch/arch.h and lib/hart.h on the host: paging, fences, time and harts.  A hart is whatever the
 * calling thread says it is (host_hart_set).  Fences go to the TLB model and into the record; what
 * the machine is made of is what the test gave to host_machine_start.
 */
#include "arch_host/arch_host.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "arch/pte.h"
#include "arch_host/phys_mem.h"
#include "model/tlb_model.h"

static const struct machine *the_machine;
static unsigned asid_bits;
static unsigned paging_levels;
static struct host_direct_map direct_map;
static enum host_frame_state (*frame_probe)(uint64_t pa);
static status_t rfence_failure = OK;
static unsigned rfence_failures_left;
static void (*flush_function)(void *context, struct tlb_op op);
static void *flush_context;
static uint64_t time_now;
static _Thread_local hart_idx_t this_hart;
static _Atomic(uint64_t) quiescence[HART_MAX];

void host_machine_start(const struct machine *machine, unsigned levels)
{
    the_machine = machine;
    paging_levels = levels;
    phys_mem_init(machine);
}

void host_frame_probe_set(enum host_frame_state (*probe)(uint64_t pa))
{
    frame_probe = probe;
}

enum host_frame_state host_frame_state(uint64_t pa)
{
    return frame_probe != NULL ? frame_probe(pa) : HOST_FRAME_UNKNOWN;
}

void host_activate(paddr_t root, uint64_t base, paddr_t base_pa)
{
    direct_map = (struct host_direct_map){root, base, base_pa};
    arch_space_activate(root, 0);
    tlb_model_fence(hart_index(), (struct tlb_op){0});
}

struct host_direct_map host_direct_map(void)
{
    return direct_map;
}

void host_hart_set(hart_idx_t hart)
{
    this_hart = hart;
}

void host_rfence_fail(status_t status, unsigned times)
{
    rfence_failure = status;
    rfence_failures_left = times;
}

static status_t rfence_result(void)
{
    if (rfence_failures_left == 0) {
        return OK;
    }
    rfence_failures_left--;
    return rfence_failure;
}

void host_on_flush(void (*function)(void *context, struct tlb_op op), void *context)
{
    flush_function = function;
    flush_context = context;
}

/* ---- lib/hart.h ---- */

hart_idx_t hart_index(void)
{
    return this_hart;
}

void hart_relax(void)
{
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

static void call_on_flush(struct tlb_op op)
{
    void (*function)(void *context, struct tlb_op op) = flush_function;

    if (function != NULL) {
        flush_function = NULL;
        function(flush_context, op);
        flush_function = function;
    }
}

void arch_tlb_flush_local(struct tlb_op op)
{
    call_on_flush(op);
    tlb_model_fence(hart_index(), op);
    host_event_add((struct host_event){.kind = HOST_EVENT_FLUSH_LOCAL, .op = op});
}

status_t arch_tlb_flush_remote(struct hart_mask harts, struct tlb_op op)
{
    if (hart_mask_is_empty(harts)) {
        return OK;
    }
    call_on_flush(op);
    for (hart_idx_t hart = 0; hart < HART_MAX; hart++) {
        if (hart_mask_has(harts, hart)) {
            tlb_model_fence(hart, op);
        }
    }
    host_event_add((struct host_event){.kind = HOST_EVENT_FLUSH_REMOTE, .op = op, .harts = harts});
    return rfence_result();
}

void arch_space_activate(paddr_t root, asid_t asid)
{
    tlb_model_activate(hart_index(), root.raw, asid);
    host_event_add(
        (struct host_event){.kind = HOST_EVENT_ACTIVATE, .pa = root.raw, .op = {.asid = asid}});
}

paddr_t arch_active_root(void)
{
    return (paddr_t){tlb_model_root(hart_index())};
}

void arch_icache_sync_local(void)
{
    host_event_add((struct host_event){.kind = HOST_EVENT_CODE_LOCAL});
}

status_t arch_icache_sync(struct hart_mask others)
{
    arch_icache_sync_local();
    if (hart_mask_is_empty(others)) {
        return OK;
    }
    host_event_add((struct host_event){.kind = HOST_EVENT_CODE_REMOTE, .harts = others});
    return rfence_result();
}

/* ---- arch/arch.h: harts ---- */

uint64_t arch_quiescence_count(hart_idx_t hart)
{
    /* Pairs with the release in host_hart_leave. */
    return atomic_load_explicit(&quiescence[hart], memory_order_acquire);
}

void host_hart_enter(void)
{
    uint64_t before = atomic_fetch_add_explicit(&quiescence[hart_index()], 1, memory_order_relaxed);

    if (before % 2 != 0) {
        host_fail("hart %u enters the kernel twice", hart_index());
    }
    /* Pairs with the fence of whoever reads the counter after detaching a table. */
    atomic_thread_fence(memory_order_seq_cst);
}

void host_hart_leave(void)
{
    if (atomic_fetch_add_explicit(&quiescence[hart_index()], 1, memory_order_release) % 2 == 0) {
        host_fail("hart %u leaves the kernel twice", hart_index());
    }
}

/* ---- arch/arch.h: memory, time ---- */

void arch_zero_frame(void *frame)
{
    if (((uintptr_t)frame & PAGE_MASK) != 0) {
        host_fail("arch_zero_frame: %p is not a frame", frame);
    }
    memset(frame, 0, PAGE_SIZE);
}

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
