/* SPDX-License-Identifier: MIT */
/*
 * The machine as mm/ and kernel/ see it: every effect they may ask for.
 *
 * Two implementations: arch/riscv64 and the host tests' (tests/host/arch_host).  What is pure is in
 * arch/pte.h and arch/layout.h; loads and stores of page-table entries are arch/slot.h; what the
 * machine is made of is arch/machine.h; registers of user threads are arch/user_frame.h.
 */
#pragma once

#include "arch/vm_types.h"
#include "lib/hart_mask.h"
#include "lib/types.h"

/* ---- paging ---- */

/* Levels of the page table in force: 3 (Sv39), 4 (Sv48), 5 (Sv57).  Fixed before mm_init. */
unsigned arch_paging_levels(void);

/* Width of address-space identifiers on all harts, 0 to 16; 0: there are none. */
unsigned arch_asid_bits(void);

/* True if leaf entries may carry a memory type (Svpbmt). */
bool arch_has_svpbmt(void);

/* The direct map: the only way from a physical address to a pointer, and back.  Valid for RAM that
 * the direct map shows. */
void *arch_phys_to_virt(paddr_t pa);
paddr_t arch_virt_to_phys(const void *direct_map_ptr);

/* Pointer through which the kernel reaches [va, va + bytes) of its own window (arch/layout.h),
 * which has been mapped in the table in force.  On the machine that is va itself. */
void *arch_kernel_window(vaddr_t va, uint64_t bytes);

/* What a TLB flush covers.  bytes == 0: whole address spaces, walk caches included; else the pages
 * of [va, va + bytes), leaf entries only, both page aligned.  asid: of that one space; 0: of all.
 */
struct tlb_op {
    vaddr_t va;
    uint64_t bytes;
    asid_t asid;
};

/* sfence.vma on this hart.  Earlier stores to slots are ordered before later walks of this hart
 * ("Supervisor Memory-Management Fence Instruction"). */
void arch_tlb_flush_local(struct tlb_op op);

/* The same on other harts, by one SBI RFENCE call; returns when all have done it.  Only harts that
 * were started are asked; an empty set costs nothing.  May be called with node locks held. */
status_t arch_tlb_flush_remote(struct hart_mask harts, struct tlb_op op);

/* Makes `root` the active table of this hart under `asid`; earlier stores are visible first.
 * Nothing is flushed: what has to be, and whether before or after, is the caller's to know.  The
 * upper half of every root is the same. */
void arch_space_activate(paddr_t root, asid_t asid);

/* Makes stores to code visible to instruction fetch on this hart and on `others`: fence.i here, one
 * SBI RFENCE call for the rest; returns when all have done it. */
status_t arch_icache_sync(struct hart_mask others);

/* fence.i on this hart alone. */
void arch_icache_sync_local(void);

/* ---- harts ---- */

/* Starts every other usable hart by SBI HSM; each runs kernel_hart_main() on its own stack, in the
 * final table, after it has flushed its whole TLB.  Returns the harts that run, this one included;
 * one that does not start is reported and left out.  Boot hart, once, when kernel_hart_main may be
 * called. */
struct hart_mask arch_harts_start(void);

/* The harts that run the kernel.  Grows only in arch_harts_start. */
struct hart_mask arch_harts(void);

/* Makes each of `harts` take a software interrupt soon: kernel_on_interrupt() in user mode, another
 * kernel_on_idle() if it waits.  This hart may be among them; an empty set costs nothing. */
void arch_ipi_send(struct hart_mask harts);

/* A hart's quiescence counter: odd from its entry into the kernel until it leaves for user mode or
 * waits for interrupts, when it is even; it only grows.  The entry ends in a full fence, so what
 * the hart reads afterwards is not older than the counter; the leaving store is a release.  This
 * read is an acquire.  0 for a hart that never ran. */
uint64_t arch_quiescence_count(hart_idx_t hart);

/* ---- memory ---- */

/* Fills one frame (4 KiB, direct-map pointer, page aligned) with zeroes. */
void arch_zero_frame(void *frame);

/* The same with words, the first of which is `word`, each `step` more than the one before. */
void arch_fill_frame(void *frame, uint64_t word, uint64_t step);

/* Copies len_bytes between the kernel and user addresses of the active space.  SUM is set only
 * around the access.  Returns the bytes copied: less than len_bytes if a user access faulted.
 * If `to` and `from` agree modulo 8, aligned words are moved whole, by one access each, as other
 * harts see it.  The range must lie inside the user half.  No lock may be held. */
size_t arch_copy_from_user(void *to, vaddr_t from, size_t len_bytes);
size_t arch_copy_to_user(vaddr_t to, const void *from, size_t len_bytes);
size_t arch_zero_user(vaddr_t to, size_t len_bytes);

/* arch_copy_from_user where a lock must be held: whoever calls it lets go of its locks before it
 * does anything about a fault. */
size_t arch_try_copy_from_user(void *to, vaddr_t from, size_t len_bytes);

/* One aligned 32-bit user word, atomically.  False: the access faulted; nothing was waited for, so
 * a lock may be held. */
bool arch_load_user_u32(vaddr_t from, uint32_t *value);

/* Compare-exchange of one aligned 32-bit user word.  *seen in: what to expect, out: what was there
 * (equal to what was expected exactly if `value` was stored).  False: the access faulted. */
bool arch_compare_exchange_user_u32(vaddr_t at, uint32_t *seen, uint32_t value);

/* ---- time ---- */

/* Ticks of the `time` CSR; machine_get()->timebase_hz of them a second.  Where the firmware
 * emulates that CSR it costs as much as an SBI call. */
uint64_t arch_time_now(void);

/* Asks for one timer interrupt when the time reaches `deadline`; UINT64_MAX: never. */
void arch_timer_set(uint64_t deadline);

/* ---- console and power ---- */

/* Next input byte of the early console, or -1 if none waits.  Never blocks. */
int arch_console_read(void);

/* Whether the device tells that input has come. */
enum arch_console_tell {
    ARCH_CONSOLE_QUIET,
    ARCH_CONSOLE_TELL, /* kernel_console_input() on the boot hart, as long as there is input */
};

/* Quiet at first.  Any hart; the caller serialises.
 * Errors: ERR_NOTSUP the device has no interrupt that comes here: look for input yourself. */
status_t arch_console_tell(enum arch_console_tell how);

/* Quiet for good: the interrupt is of no use.  Called by kernel_console_input alone. */
void arch_console_tell_no_more(void);

/* Writes to the early console; the waits for the device are bounded. */
void arch_console_write(const char *bytes, size_t len_bytes);

/* Stops the other harts, prints `vellum: power off, status N`, and asks the firmware to turn the
 * machine off; if that fails this hart stops for good. */
_Noreturn void arch_power_off(uint64_t status);

/* Stops the other harts, prints `vellum: reboot`, and asks the firmware to start the machine anew,
 * as after power-on; if that fails this hart stops for good.  Returns only with ERR_NOTSUP: the
 * firmware has no call for it; nothing has happened. */
status_t arch_reboot(void);

/* ---- control flow ---- */

/* How system calls that are over leave this hart (arch/upcall.h). */
enum arch_returns {
    ARCH_RETURNS_FREE,    /* straight back to the program */
    ARCH_RETURNS_WATCHED, /* by kernel_on_verdict         */
};

/* Free at first.  A hart's own. */
void arch_returns_set(enum arch_returns how);

/* System calls that all harts have taken since boot; a moment old for the others. */
uint64_t arch_calls_count(void);

/* Leaves the boot path for good: asks kernel_on_idle() for a thread to run, resumes it, and waits
 * for interrupts while there is none.  Called once on each hart, on its own kernel stack. */
_Noreturn void arch_run(void);

/* Prints where `va` leads in the table rooted at `root`, level by level. */
void arch_print_walk(paddr_t root, vaddr_t va);

/* Root of the address space in force on this hart. */
paddr_t arch_active_root(void);
