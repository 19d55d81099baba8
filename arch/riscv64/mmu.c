/* SPDX-License-Identifier: MIT */
/*
 * Paging, TLB and frames of zeroes: satp, sfence.vma and the direct map.
 *
 * Fences follow the privileged spec, "Supervisor Memory-Management Fence Instruction": the form
 * with an address covers leaf entries only, the form with an ASID spares global entries.  Addresses
 * of the upper half are global in every space, so they are always flushed without an ASID.
 */
#include "mmu.h"

#include "arch/arch.h"
#include "arch/pte.h"
#include "csr.h"
#include "fence_log.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "lib/trace.h"
#include "sbi.h"

/* A range longer than this is cheaper to flush whole. */
#define FLUSH_PAGES_MAX 32U

/* (c) after boot. */
static unsigned levels;
static unsigned asid_bits;
static bool has_svpbmt;
static bool only_global_fences;
static uint64_t zero_block_bytes; /* 0: plain stores */
static uint64_t direct_offset;    /* virtual - physical, modulo 2^64 */
static uint64_t kernel_satp;      /* of mmu_activate */

void mmu_set_levels(unsigned level_count)
{
    levels = level_count;
}

void mmu_set_asid_bits(unsigned bits)
{
    asid_bits = bits;
}

void mmu_set_svpbmt(bool works)
{
    has_svpbmt = works;
}

void mmu_set_global_fences(void)
{
    only_global_fences = true;
}

bool mmu_has_global_fences(void)
{
    return only_global_fences;
}

void mmu_set_direct(uint64_t base, paddr_t base_pa)
{
    direct_offset = base - base_pa.raw;
}

void mmu_set_zero_block(uint64_t block_bytes)
{
    zero_block_bytes = block_bytes;
}

unsigned arch_paging_levels(void)
{
    return levels;
}

unsigned arch_asid_bits(void)
{
    return asid_bits;
}

bool arch_has_svpbmt(void)
{
    return has_svpbmt;
}

void *arch_phys_to_virt(paddr_t pa)
{
    return (void *)(uintptr_t)(pa.raw + direct_offset);
}

paddr_t arch_virt_to_phys(const void *direct_map_ptr)
{
    return (paddr_t){(uint64_t)(uintptr_t)direct_map_ptr - direct_offset};
}

void *arch_kernel_window(vaddr_t va, uint64_t bytes)
{
    (void)bytes; /* on the machine the table alone decides what is there */
    return (void *)(uintptr_t)va.raw;
}

static void flush_everything(void)
{
    __asm__ volatile("sfence.vma" ::: "memory");
    counter_add(COUNTER_tlb_flush_local, 1);
}

static bool op_is_global(struct tlb_op op)
{
    return only_global_fences || op.asid == 0 || (op.bytes > 0 && (int64_t)op.va.raw < 0);
}

void arch_tlb_flush_local(struct tlb_op op)
{
    bool global = op_is_global(op);
    uint64_t asid = op.asid;
    uint64_t pages = op.bytes / PAGE_SIZE;

    fence_log_note(FENCE_TLB, (struct hart_mask){0}, op);
    trace_note(TRACE_FENCE_LOCAL, op.va.raw, op.bytes);
    if (only_global_fences || (pages == 0 && global)) {
        flush_everything();
        return;
    }
    if (pages == 0 || pages > FLUSH_PAGES_MAX) {
        if (global) {
            flush_everything();
            return;
        }
        __asm__ volatile("sfence.vma x0, %0" ::"r"(asid) : "memory");
        counter_add(COUNTER_tlb_flush_local, 1);
        return;
    }
    for (uint64_t i = 0; i < pages; i++) {
        uint64_t va = op.va.raw + i * PAGE_SIZE;

        if (global) {
            __asm__ volatile("sfence.vma %0, x0" ::"r"(va) : "memory");
        } else {
            __asm__ volatile("sfence.vma %0, %1" ::"r"(va), "r"(asid) : "memory");
        }
    }
    counter_add(COUNTER_tlb_flush_local, pages);
}

status_t arch_tlb_flush_remote(struct hart_mask harts, struct tlb_op op)
{
    status_t status;

    if (hart_mask_is_empty(harts)) {
        return OK;
    }
    fence_log_note(FENCE_TLB, harts, op);
    trace_note(TRACE_FENCE_REMOTE, harts.bits, op.bytes);
    /* Stores to slots are visible to the other harts before they are asked to fence. */
    __asm__ volatile("fence rw, rw" ::: "memory");
    if (only_global_fences) {
        status = sbi_remote_sfence(harts, (vaddr_t){0}, 0);
    } else if (op_is_global(op)) {
        status = sbi_remote_sfence(harts, op.va, op.bytes);
    } else {
        status = sbi_remote_sfence_asid(harts, op.va, op.bytes, op.asid);
    }
    trace_note(TRACE_FENCE_REMOTE_END, harts.bits, (uint64_t)status);
    return status;
}

/* Tables and the caller's mark "this hart uses the space" are visible before satp names the root;
 * pairs with the fence of whoever changes the table and then reads those marks. */
static void satp_switch(uint64_t satp)
{
    __asm__ volatile("fence rw, rw" ::: "memory");
    csr_write(satp, satp);
}

void arch_space_activate(paddr_t root, asid_t asid)
{
    satp_switch(satp_make(levels, root.raw, asid));
}

void mmu_activate(paddr_t root, uint64_t base, paddr_t base_pa)
{
    uint64_t satp = satp_make(levels, root.raw, 0);

    /* Another mode may come into force here; the image lies at the same address in all of them. */
    satp_switch(satp);
    flush_everything();
    ASSERT_FMT(csr_read(satp) == satp, "satp did not take 0x%lx", satp);
    mmu_set_direct(base, base_pa);
    kernel_satp = satp;
}

void mmu_join(void)
{
    satp_switch(kernel_satp);
    flush_everything();
    ASSERT_FMT(csr_read(satp) == kernel_satp, "satp did not take 0x%lx", kernel_satp);
    arch_icache_sync_local();
}

paddr_t arch_active_root(void)
{
    return (paddr_t){(csr_read(satp) & SATP_PPN_MASK) << PAGE_SHIFT};
}

void arch_icache_sync_local(void)
{
    fence_log_note(FENCE_CODE, (struct hart_mask){0}, (struct tlb_op){0});
    trace_note(TRACE_CODE_LOCAL, 0, 0);
    __asm__ volatile("fence.i" ::: "memory");
    counter_add(COUNTER_fence_i, 1);
}

status_t arch_icache_sync(struct hart_mask others)
{
    status_t status;

    arch_icache_sync_local();
    if (hart_mask_is_empty(others)) {
        return OK;
    }
    fence_log_note(FENCE_CODE, others, (struct tlb_op){0});
    trace_note(TRACE_CODE_REMOTE, others.bits, 0);
    __asm__ volatile("fence rw, rw" ::: "memory");
    status = sbi_remote_fence_i(others);
    trace_note(TRACE_CODE_REMOTE_END, others.bits, (uint64_t)status);
    return status;
}

void arch_zero_frame(void *frame)
{
    if (zero_block_bytes != 0) {
        zero_frame_blocks(frame, zero_block_bytes);
    } else {
        fill_frame_stores(frame, 0);
    }
}

void arch_fill_frame(void *frame, uint64_t word, uint64_t step)
{
    uint64_t *words = frame;

    if (step == 0) {
        fill_frame_stores(frame, word);
        return;
    }
    for (size_t i = 0; i < PAGE_SIZE / sizeof(word); i++) {
        words[i] = word + i * step;
    }
}
