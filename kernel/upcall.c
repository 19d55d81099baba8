/* SPDX-License-Identifier: MIT */
/*
 * What arch/ asks of the kernel beside system calls (syscall.c): faults and interrupts of user
 * mode, and idling.  The way back always goes through the scheduler.
 */
#include "arch/upcall.h"

#include "kernel/console.h"
#include "kernel/memory_retry.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/thread.h"
#include "lib/counter.h"
#include "lib/log.h"
#include "lib/trace.h"
#include "mm/vm_fault.h"

static uint64_t access_of(const struct fault *fault)
{
    switch (fault->kind) {
    case FAULT_PAGE:
    case FAULT_ACCESS:
        break;
    case FAULT_ILLEGAL:
        return ACCESS_ILLEGAL;
    case FAULT_BREAKPOINT:
        return ACCESS_BREAKPOINT;
    case FAULT_MISALIGNED:
    case FAULT_OTHER:
        return ACCESS_OTHER;
    }
    switch (fault->access) {
    case VM_ACCESS_READ:
        return ACCESS_READ;
    case VM_ACCESS_WRITE:
        return ACCESS_WRITE;
    case VM_ACCESS_EXECUTE:
        return ACCESS_EXECUTE;
    }
    return ACCESS_OTHER;
}

/* Ends the process of a thread whose fault nothing explains, or for which there is no memory, and
 * says so. */
static void fault_end(struct thread *thread, const struct fault *fault, uint64_t reason)
{
    static const char *const words[] = {
        [ACCESS_READ] = "READ",
        [ACCESS_WRITE] = "WRITE",
        [ACCESS_EXECUTE] = "EXECUTE",
        [ACCESS_ILLEGAL] = "ILLEGAL",
        [ACCESS_BREAKPOINT] = "BREAKPOINT",
        [ACCESS_OTHER] = "OTHER",
    };
    struct process *process = thread->process;
    uint64_t access = access_of(fault);

    log_printf("process %s (%u): %s %s fault at 0x%lx, pc 0x%lx\n", process->name, process->id,
               reason == EXIT_NO_MEMORY ? "no memory for" : "unhandled", words[access],
               fault->va.raw, fault->pc.raw);
    user_frame_print(&thread->frame);
    process_end(process, (struct process_exit){.reason = reason,
                                               .detail = fault->va.raw,
                                               .access = access,
                                               .pc = fault->pc.raw});
}

/* What becomes of a fault that is not settled.  True: the thread faults again, and goes on there.
 */
__attribute__((noinline)) static bool faults_again(struct thread *thread,
                                                   enum vm_fault_result result)
{
    if (result == VM_FAULT_AGAIN) {
        return true; /* what memory_retry knows of the fault stays: this piece is not its end */
    }
    return memory_retry(thread->process->space, result == VM_FAULT_NOMEM ? ERR_NOMEM : OK);
}

struct user_frame *kernel_on_fault(struct user_frame *frame, const struct fault *fault)
{
    struct thread *thread = thread_of_frame(frame);
    enum vm_fault_result result;

    counter_add(COUNTER_faults, 1);
    trace_note(TRACE_FAULT, fault->va.raw, access_of(fault));
    result = fault->kind == FAULT_PAGE ? vm_space_fault_making(thread->process->space, fault->va,
                                                               fault->access, &thread->making)
                                       : VM_FAULT_BAD;
    trace_note(TRACE_FAULT_END, fault->va.raw, result == VM_FAULT_RETRY ? 0 : 1);
    if (result == VM_FAULT_RETRY) {
        (void)memory_retry(thread->process->space, OK);
    } else if (!faults_again(thread, result)) {
        fault_end(thread, fault, result == VM_FAULT_NOMEM ? EXIT_NO_MEMORY : EXIT_FAULT);
    }
    return sched_leave(thread, VERDICT_DONE);
}

struct user_frame *kernel_on_timer(struct user_frame *frame)
{
    counter_add(COUNTER_interrupts, 1);
    return sched_leave(thread_of_frame(frame), sched_timer_fired() ? VERDICT_YIELD : VERDICT_DONE);
}

struct user_frame *kernel_on_interrupt(struct user_frame *frame)
{
    counter_add(COUNTER_interrupts, 1);
    return sched_leave(thread_of_frame(frame), VERDICT_DONE);
}

void kernel_console_input(void)
{
    counter_add(COUNTER_console_interrupts, 1);
    console_told();
}

struct user_frame *kernel_on_idle(void)
{
    counter_add(COUNTER_idle_looks, 1);
    return sched_idle();
}

uint32_t trace_thread(void)
{
    const struct thread *thread = sched_current();

    return thread != NULL ? thread->id : 0;
}

void kernel_print_current(void)
{
    const struct thread *thread = sched_current();

    if (thread == NULL || thread->process == NULL) {
        log_printf("running: no thread\n");
        return;
    }
    log_printf("running: thread %u of process %s (%u)\n", thread->id, thread->process->name,
               thread->process->id);
}
