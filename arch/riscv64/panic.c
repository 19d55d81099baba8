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

#define BACKTRACE_MAX      32U
#define FRAME_RECORD_BYTES 16U /* below a frame pointer: the caller's, then the return address */

static bool is_text(uint64_t pc)
{
    return pc >= (uint64_t)(uintptr_t)image_start && pc < (uint64_t)(uintptr_t)image_text_end;
}

/* Frame pointers rise strictly and stay inside this hart's stacks, or it ends. */
static void print_backtrace(uint64_t pc, uint64_t frame_pointer)
{
    log_printf("backtrace:\n");
    for (unsigned i = 0; i < BACKTRACE_MAX && is_text(pc); i++) {
        const uint64_t *record;

        log_printf("  0x%016lx\n", pc);
        if (!is_aligned(frame_pointer, 8) || !hart_stack_has(frame_pointer, FRAME_RECORD_BYTES)) {
            return;
        }
        record = (const uint64_t *)(uintptr_t)(frame_pointer - FRAME_RECORD_BYTES);
        pc = record[1];
        if (record[0] <= frame_pointer) {
            frame_pointer = 0; /* the outermost function is still printed */
        } else {
            frame_pointer = record[0];
        }
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
    /* After a jump into nowhere the return address is the last known place. */
    print_backtrace(is_text(frame->pc) ? frame->pc : frame->x[1], frame->x[8]);
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
        const uint64_t *record = __builtin_frame_address(0);

        print_backtrace(record[-1], record[-2]);
    }
    if (self->frame != NULL) {
        kernel_print_current();
    }
    power_fail();
}
