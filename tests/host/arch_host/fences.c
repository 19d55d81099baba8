/* SPDX-License-Identifier: MIT */
/*
 * arch/arch.h on the host, the part that harts notice: satp, fences, instruction caches,
 * quiescence.  While the oracle is on (tests/oracle/machine) it plays the harts and the firmware;
 * while it is off, fences have nothing to remove.
 */
#include "arch/arch.h"
#include "arch/shared.h"
#include "arch_host/arch_host.h"
#include "machine/effects.h"

static status_t rfence_failure = OK;
static unsigned rfence_failures_left;
static void (*flush_function)(void *context, struct tlb_op op);
static void *flush_context;
static paddr_t active_root[HART_MAX];
static struct shared quiescence[HART_MAX];

void host_rfence_fail(status_t status, unsigned times)
{
    rfence_failure = status;
    rfence_failures_left = times;
}

/* What the call reports, having done its work or, if the oracle says so, only a part of it. */
static status_t rfence_result(bool done)
{
    if (rfence_failures_left == 0) {
        return done ? OK : ERR_IO;
    }
    rfence_failures_left--;
    return rfence_failure;
}

void host_on_flush(void (*function)(void *context, struct tlb_op op), void *context)
{
    flush_function = function;
    flush_context = context;
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
    if (oracle_is_on) {
        oracle_sfence(op.va.raw, op.bytes, op.asid);
    }
    host_event_add((struct host_event){.kind = HOST_EVENT_FLUSH_LOCAL, .op = op});
}

status_t arch_tlb_flush_remote(struct hart_mask harts, struct tlb_op op)
{
    bool done = true;

    if (hart_mask_is_empty(harts)) {
        return OK;
    }
    call_on_flush(op);
    if (oracle_is_on) {
        done = oracle_rfence(harts.bits, op.va.raw, op.bytes, op.asid);
    }
    host_event_add((struct host_event){.kind = HOST_EVENT_FLUSH_REMOTE, .op = op, .harts = harts});
    return rfence_result(done);
}

void arch_space_activate(paddr_t root, asid_t asid)
{
    if (oracle_is_on) {
        oracle_satp(root.raw, asid);
    }
    active_root[hart_index()] = root;
    host_event_add(
        (struct host_event){.kind = HOST_EVENT_ACTIVATE, .pa = root.raw, .op = {.asid = asid}});
}

paddr_t arch_active_root(void)
{
    return active_root[hart_index()];
}

void arch_icache_sync_local(void)
{
    if (oracle_is_on) {
        oracle_fence_i();
    }
    host_event_add((struct host_event){.kind = HOST_EVENT_CODE_LOCAL});
}

status_t arch_icache_sync(struct hart_mask others)
{
    arch_icache_sync_local();
    if (hart_mask_is_empty(others)) {
        return OK;
    }
    if (oracle_is_on) {
        oracle_remote_fence_i(others.bits);
    }
    host_event_add((struct host_event){.kind = HOST_EVENT_CODE_REMOTE, .harts = others});
    return rfence_result(true);
}

uint64_t arch_quiescence_count(hart_idx_t hart)
{
    /* Pairs with the release in host_hart_leave. */
    return shared_load(&quiescence[hart], memory_order_acquire);
}

void host_hart_enter(void)
{
    uint64_t before = shared_fetch_add(&quiescence[hart_index()], 1, memory_order_relaxed);

    if (before % 2 != 0) {
        host_fail("hart %u enters the kernel twice", hart_index());
    }
    /* Pairs with the fence of whoever reads the counter after detaching a table. */
    shared_fence(memory_order_seq_cst);
}

void host_hart_leave(void)
{
    if (shared_fetch_add(&quiescence[hart_index()], 1, memory_order_release) % 2 == 0) {
        host_fail("hart %u leaves the kernel twice", hart_index());
    }
}
