/* SPDX-License-Identifier: MIT */
/*
 * The rest of a panic report, after the line that lib/panic.c prints: registers and the walk of the
 * address for a trap, the backtrace through the kernel and the program, for whom this hart was
 * running, and what all harts did last.  Everything is read with care: what is broken may be the
 * stack or the tables.  scripts/symbolize names the addresses.
 */
#include "arch/arch.h"
#include "arch/machine.h"
#include "arch/pte.h"
#include "arch/upcall.h"
#include "csr.h"
#include "fence_log.h"
#include "hart.h"
#include "image.h"
#include "lib/hart.h"
#include "lib/log.h"
#include "lib/trace.h"
#include "power.h"
#include "stop.h"

#define BACKTRACE_MAX      32U
#define FRAME_RECORD_BYTES 16U /* below a frame pointer: the caller's, then the return address */
#define TRACE_LAST         8U  /* events of each hart */

static bool is_text(uint64_t pc)
{
    return pc >= (uint64_t)(uintptr_t)image_start && pc < (uint64_t)(uintptr_t)image_text_end;
}

/* The callers from a frame pointer on: "from" a return address.  Frame pointers rise strictly and
 * stay inside this hart's stacks, or it ends.  Returns the frame pointer that does not; the trap
 * entry leaves 0, or for a system call the program's. */
static uint64_t print_callers(uint64_t frame_pointer)
{
    for (unsigned i = 0; i < BACKTRACE_MAX; i++) {
        const uint64_t *record;
        uint64_t caller;

        if (!is_aligned(frame_pointer, 8) || !hart_stack_has(frame_pointer, FRAME_RECORD_BYTES)) {
            break;
        }
        record = (const uint64_t *)(uintptr_t)(frame_pointer - FRAME_RECORD_BYTES);
        caller = record[0];
        if (!is_text(record[1])) {
            return 0;
        }
        log_printf("  from 0x%016lx\n", record[1]);
        if (caller <= frame_pointer && hart_stack_has(caller, 0)) {
            return 0;
        }
        frame_pointer = caller;
    }
    return frame_pointer;
}

/* The frame record of a program; false: it cannot be read. */
static bool user_record(uint64_t frame_pointer, uint64_t record[2])
{
    uint64_t limit = pte_user_limit(satp_levels(csr_read(satp)));

    return is_aligned(frame_pointer, 8) && frame_pointer >= FRAME_RECORD_BYTES &&
           frame_pointer < limit &&
           arch_copy_from_user(record, (vaddr_t){frame_pointer - FRAME_RECORD_BYTES},
                               FRAME_RECORD_BYTES) == FRAME_RECORD_BYTES;
}

/* The program's part of the backtrace.  frame_pointer: what print_callers came to. */
static void print_user(const struct user_frame *frame, uint64_t frame_pointer)
{
    uint64_t record[2];

    log_printf("  user 0x%016lx\n", frame->pc);
    if (frame_pointer == 0) {
        frame_pointer = frame->x[8];
    }
    for (unsigned i = 0; i < BACKTRACE_MAX && user_record(frame_pointer, record); i++) {
        log_printf("  user from 0x%016lx\n", record[1]);
        if (record[0] <= frame_pointer) {
            return;
        }
        frame_pointer = record[0];
    }
}

/* Returns what print_callers came to. */
static uint64_t print_trap(const struct hart *self)
{
    const struct user_frame *frame = self->panic_frame;

    if (frame->x[2] < self->stack_low || frame->x[2] > self->stack_top) {
        log_printf("sp is outside of the kernel stack, 0x%lx to 0x%lx%s\n", self->stack_low,
                   self->stack_top, frame->x[2] < self->stack_low ? ": overflow" : "");
    }
    user_frame_print(frame);
    arch_print_walk(arch_active_root(), (vaddr_t){csr_read(stval)});
    log_printf("backtrace:\n");
    if (is_text(frame->pc)) {
        log_printf("  at   0x%016lx\n", frame->pc);
    } else if (is_text(frame->x[1])) {
        log_printf("  from 0x%016lx\n", frame->x[1]); /* a jump into nowhere */
    }
    return print_callers(frame->x[8]);
}

/* What harts recorded last, as a short dump of a trace (docs/debugging.md). */
static void print_trace(void)
{
    uint64_t events = 0;

    log_printf("trace: begin %lx %lx\n", machine_get()->timebase_hz, hart_started().bits);
    for (hart_idx_t hart = 0; hart < HART_MAX; hart++) {
        uint64_t count = trace_count(hart);

        for (uint64_t i = count > TRACE_LAST ? count - TRACE_LAST : 0; i < count; i++) {
            struct trace_record record;

            if (trace_copy(hart, i, &record, 1).events == 1 && record.kind < TRACE_KIND_COUNT) {
                events++;
                log_printf("trace: %x %lx %lx %x %s %lx %lx\n", hart, i, record.ticks,
                           record.thread, trace_kind_name(record.kind), record.a, record.b);
            }
        }
    }
    log_printf("trace: end %lx 0\n", events);
}

void hart_panic_begin(void)
{
    stop_others();
}

_Noreturn void hart_panic(void)
{
    struct hart *self = hart_self();
    uint64_t frame_pointer;

    if (self->panicking) {
        power_fail();
    }
    self->panicking = true;
    log_printf("hart %u (id %lu), satp 0x%016lx, sstatus 0x%lx, time %lu\n", self->index,
               self->hart_id, csr_read(satp), csr_read(sstatus), arch_time_now());
    if (self->panic_frame != NULL) {
        frame_pointer = print_trap(self);
    } else {
        log_printf("backtrace:\n");
        frame_pointer = print_callers((uint64_t)(uintptr_t)__builtin_frame_address(0));
    }
    if (self->frame != NULL) {
        print_user(self->frame, frame_pointer);
        kernel_print_current();
    }
    fence_log_print();
    if (trace_is_on()) {
        print_trace();
    }
    power_fail();
}
