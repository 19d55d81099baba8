/* SPDX-License-Identifier: MIT */
/*
 * What arch/ asks of the kernel above it.  Implemented by kernel/upcall.c.
 *
 * A handler never switches stacks.  It returns the frame to resume to the trap exit:
 *   the frame it was given - go on with the same thread (its registers as the frame has them);
 *   another frame          - the old thread's remaining registers are saved first;
 *   NULL                   - nothing can run: the trap exit saves the old frame and idles.
 * The old frame is therefore still there when a handler returns, even if its thread has ended.
 * The address space of the thread to resume has been activated by the handler.  Interrupts are off
 * throughout, and no lock is held when a handler returns.
 */
#pragma once

#include <stdatomic.h>

#include "arch/user_frame.h"
#include "arch/vm_types.h"
#include "lib/types.h"

struct machine;

/* Where the parts of the running image lie, all page aligned: text, then read-only data, then data
 * with bss. */
struct image_parts {
    paddr_t start; /* first byte, mapped at LAYOUT_KERNEL */
    uint64_t text_bytes, rodata_bytes, data_bytes;
};

/* Brings up mm/ (mm_init) for boot, which may not see it.  The contract is mm_init's. */
status_t kernel_start_memory(const struct machine *machine, const struct image_parts *image,
                             void (*activate)(paddr_t root, uint64_t base, paddr_t base_pa));

/* Maps the console's registers (mm_map_device; its contract). */
status_t kernel_map_device(struct pa_range range, volatile void **registers);

/* RAM in bytes, for the boot report: the allocator's, what of it is free, and what the direct map
 * of this paging mode cannot show. */
struct kernel_memory {
    uint64_t total_bytes, free_bytes, left_out_bytes;
};

struct kernel_memory kernel_memory(void);

/* The boot hart's way into the kernel proper: machine, console and mm are up.  Ends in arch_run().
 */
_Noreturn void kernel_main(void);

/* Every other hart's way into the kernel: its block, stack and table are in force and its TLB is
 * empty.  Ends in arch_run(). */
_Noreturn void kernel_hart_main(void);

/* An exception taken from user mode, in words.  RISC-V does not say whether a page was absent or
 * forbade the access, so neither does this. */
enum fault_kind {
    FAULT_PAGE,       /* page fault: va and access say where and how       */
    FAULT_ACCESS,     /* physical memory refused it (PMP, PMA)             */
    FAULT_MISALIGNED, /* misaligned and not emulated                       */
    FAULT_ILLEGAL,    /* illegal instruction; va = the instruction or 0    */
    FAULT_BREAKPOINT, /* ebreak                                            */
    FAULT_OTHER,      /* a cause this kernel does not know; va = the cause */
};

struct fault {
    enum fault_kind kind;
    enum vm_access access;
    vaddr_t va; /* stval */
    vaddr_t pc;
};

/* System calls.  The trap entry calls kernel_calls[number](frame) itself, or for a number that is
 * none kernel_calls[kernel_call_count](frame).  ra, sp, tp, pc and the a-registers are in the
 * frame; the s-registers and gp are not yet.  The handler returns one of three.
 *
 * 0 or less: the call is over; this is its status, and it has no results.  The entry steps past the
 * ecall and puts it into a0, zeroes into a1-a7.
 *
 * KERNEL_CALL_RESULTS: it is over, and pc and the a-registers are in the frame.
 *
 * More: the kernel's own matter; kernel_on_verdict decides.
 *
 * The first two go straight back to the program, unless arch_returns_set says that the kernel wants
 * to look: then they too go to kernel_on_verdict. */
typedef int kernel_call(struct user_frame *frame);

#define KERNEL_CALL_RESULTS 1

extern kernel_call *const *_Atomic kernel_calls;
extern const uint64_t kernel_call_count;

/* What to do after a call with that result, whatever it is. */
struct user_frame *kernel_on_verdict(struct user_frame *frame, int result);

/* Exception from user mode; all registers are in the frame. */
struct user_frame *kernel_on_fault(struct user_frame *frame, const struct fault *fault);

/* Timer interrupt, or a software interrupt from another hart (arch_ipi_send), from user mode; all
 * registers are in the frame. */
struct user_frame *kernel_on_timer(struct user_frame *frame);
struct user_frame *kernel_on_interrupt(struct user_frame *frame);

/* The console says that there is input (arch_console_tell).  Boot hart, from user mode or while it
 * waits; kernel_on_interrupt or kernel_on_idle follows. */
void kernel_console_input(void);

/* Nothing runs here: the frame of a thread that can, or NULL to wait for an interrupt.  Called
 * again after each interrupt that ends the wait. */
struct user_frame *kernel_on_idle(void);

/* One line for the panic report: which thread and process this hart was running for. */
void kernel_print_current(void);
