/* SPDX-License-Identifier: MIT */
/*
 * Traps in words: reads the cause registers once, says what happened, and asks the kernel what to
 * do.  No policy here.  Privileged spec, "Supervisor Cause Register (scause)".
 */
#include "trap.h"

#include "arch/arch.h"
#include "arch/upcall.h"
#include "csr.h"
#include "extable.h"
#include "external.h"
#include "fp.h"
#include "hart.h"
#include "lib/assert.h"
#include "lib/log.h"
#include "lib/trace.h"
#include "power.h"
#include "timer.h"

struct cause {
    const char *name; /* NULL: not a cause this kernel knows */
    enum fault_kind kind;
    enum vm_access access;
};

static const struct cause causes[] = {
    [CAUSE_FETCH_MISALIGN] = {"misaligned fetch", FAULT_MISALIGNED, VM_ACCESS_EXECUTE},
    [CAUSE_FETCH_ACCESS] = {"fetch access fault", FAULT_ACCESS, VM_ACCESS_EXECUTE},
    [CAUSE_ILLEGAL] = {"illegal instruction", FAULT_ILLEGAL, VM_ACCESS_EXECUTE},
    [CAUSE_BREAKPOINT] = {"breakpoint", FAULT_BREAKPOINT, VM_ACCESS_EXECUTE},
    [CAUSE_LOAD_MISALIGN] = {"misaligned load", FAULT_MISALIGNED, VM_ACCESS_READ},
    [CAUSE_LOAD_ACCESS] = {"load access fault", FAULT_ACCESS, VM_ACCESS_READ},
    [CAUSE_STORE_MISALIGN] = {"misaligned store", FAULT_MISALIGNED, VM_ACCESS_WRITE},
    [CAUSE_STORE_ACCESS] = {"store access fault", FAULT_ACCESS, VM_ACCESS_WRITE},
    [CAUSE_FETCH_PAGE] = {"fetch page fault", FAULT_PAGE, VM_ACCESS_EXECUTE},
    [CAUSE_LOAD_PAGE] = {"load page fault", FAULT_PAGE, VM_ACCESS_READ},
    [CAUSE_STORE_PAGE] = {"store page fault", FAULT_PAGE, VM_ACCESS_WRITE},
};

static const struct cause *cause_of(uint64_t scause)
{
    return scause < ARRAY_LEN(causes) && causes[scause].name != NULL ? &causes[scause] : NULL;
}

const char *trap_cause_name(uint64_t scause)
{
    const struct cause *cause = cause_of(scause);

    return cause != NULL ? cause->name : "unknown cause";
}

static struct user_frame *on_interrupt(struct user_frame *frame, uint64_t scause)
{
    trace_note(TRACE_INTERRUPT, scause & ~SCAUSE_INTERRUPT, 0);
    if (scause == (SCAUSE_INTERRUPT | INTERRUPT_TIMER)) {
        timer_interrupt_off();
        return kernel_on_timer(frame);
    }
    if (scause == (SCAUSE_INTERRUPT | INTERRUPT_EXTERNAL)) {
        external_interrupt();
    } else {
        hart_take_ipi();
    }
    return kernel_on_interrupt(frame);
}

struct user_frame *trap_from_user(struct user_frame *frame)
{
    uint64_t scause = csr_read(scause);
    vaddr_t stval = {csr_read(stval)};
    const struct cause *cause = cause_of(scause);

    /* A mistake between sscratch and sret would look like a trap of the program. */
    ASSERT((csr_read(sstatus) & SSTATUS_SPP) == 0);
    if ((scause & SCAUSE_INTERRUPT) != 0) {
        return on_interrupt(frame, scause);
    }

    if (scause == CAUSE_ILLEGAL && fp_begin(frame)) {
        return frame;
    }

    struct fault fault = {
        .kind = cause != NULL ? cause->kind : FAULT_OTHER,
        .access = cause != NULL ? cause->access : VM_ACCESS_EXECUTE,
        .va = cause != NULL ? stval : (vaddr_t){scause},
        .pc = user_frame_pc(frame),
    };

    return kernel_on_fault(frame, &fault);
}

void trap_from_kernel(struct user_frame *frame)
{
    struct hart *self = hart_self();
    uint64_t stval = csr_read(stval);
    uint64_t scause = csr_read(scause);
    uint64_t fixup = (scause & SCAUSE_INTERRUPT) == 0 ? extable_fixup(frame->pc, stval) : 0;

    if (fixup != 0) {
        csr_clear(sstatus, SSTATUS_SUM);
        frame->pc = fixup;
        return;
    }
    if (self->panicking) {
        log_printf("PANIC while in a panic: %s, address 0x%lx, pc 0x%lx\n", trap_cause_name(scause),
                   stval, frame->pc);
        power_fail();
    }
    self->panic_frame = frame;
    PANIC("%s in the kernel: scause 0x%lx, address 0x%lx, pc 0x%lx", trap_cause_name(scause),
          scause, stval, frame->pc);
}

struct user_frame *trap_idle_wait(void)
{
    for (;;) {
        struct user_frame *frame = kernel_on_idle();

        if (frame != NULL) {
            return frame;
        }
        hart_quiescence_leave();
        hart_wait(); /* not at all if an interrupt came since the look */
        hart_quiescence_enter();
        if ((csr_read(sip) & SIE_TIMER) != 0) {
            timer_interrupt_off();
        }
        if ((csr_read(sip) & csr_read(sie) & SIE_EXTERNAL) != 0) {
            external_interrupt();
        }
        hart_take_ipi();
    }
}
