/* SPDX-License-Identifier: MIT */
/*
 * The rest of a panic report, after the line that lib/panic.c prints: registers and the walk of the
 * address for a trap, the backtrace, and for whom this hart was running.  Everything is read with
 * care: what is broken may be the stack or the tables.  scripts/symbolize names the addresses.
 */
#include "arch/arch.h"
#include "arch/upcall.h"
#include "csr.h"
#include "hart.h"
#include "image.h"
#include "lib/hart.h"
#include "lib/log.h"
#include "power.h"
#include "stop.h"

#define BACKTRACE_MAX      32U
#define FRAME_RECORD_BYTES 16U /* below a frame pointer: the caller's, then the return address */

static bool is_text(uint64_t pc)
{
    return pc >= (uint64_t)(uintptr_t)image_start && pc < (uint64_t)(uintptr_t)image_text_end;
}

/* The callers from a frame pointer on: "from" a return address.  Frame pointers rise strictly and
 * stay inside this hart's stacks, or it ends. */
static void print_callers(uint64_t frame_pointer)
{
    for (unsigned i = 0; i < BACKTRACE_MAX; i++) {
        const uint64_t *record;
        uint64_t caller;

        if (!is_aligned(frame_pointer, 8) || !hart_stack_has(frame_pointer, FRAME_RECORD_BYTES)) {
            return;
        }
        record = (const uint64_t *)(uintptr_t)(frame_pointer - FRAME_RECORD_BYTES);
        caller = record[0];
        if (!is_text(record[1])) {
            return;
        }
        log_printf("  from 0x%016lx\n", record[1]);
        if (caller <= frame_pointer) {
            return;
        }
        frame_pointer = caller;
    }
}

static void print_trap(const struct hart *self)
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
    print_callers(frame->x[8]);
}

void hart_panic_begin(void)
{
    stop_others();
}

_Noreturn void hart_panic(void)
{
    struct hart *self = hart_self();

    if (self->panicking) {
        power_fail();
    }
    self->panicking = true;
    log_printf("hart %u (id %lu), satp 0x%016lx, sstatus 0x%lx, time %lu\n", self->index,
               self->hart_id, csr_read(satp), csr_read(sstatus), arch_time_now());
    if (self->panic_frame != NULL) {
        print_trap(self);
    } else {
        log_printf("backtrace:\n");
        print_callers((uint64_t)(uintptr_t)__builtin_frame_address(0));
    }
    if (self->frame != NULL) {
        kernel_print_current();
    }
    power_fail();
}
