/* SPDX-License-Identifier: MIT */
/*
 * What no rule of the machine's sees: objects of the kernel's that are used after their frame came
 * free, and accesses that lead nowhere.  Both end a history and not the program.
 */
#include "world/guard.h"

#include <signal.h>

#include "arch_host/phys_mem.h"
#include "mm/frame.h"
#include "world/fiber.h"

/* Words and locks lie in objects of the kernel's; an object whose frame is free is gone. */
static void judge_place(const struct oracle_step *step)
{
    uint64_t pa = step->place - (uint64_t)(uintptr_t)phys_mem_pointer(0);
    const struct frame *frame;

    if (!phys_mem_has(pa, sizeof(uint64_t))) {
        return;
    }
    frame = frame_of((paddr_t){pa});
    if (frame != NULL && (frame->type == FRAME_FREE || frame->type == FRAME_FREE_PART)) {
        oracle_fail(ORACLE_RULE_TOUCH_FREE, step->hart,
                    "hart %u uses a word or lock in the frame %#lx, which is free", step->hart,
                    pa & ~PAGE_MASK);
    }
}

static bool is_in_object(enum oracle_step_kind kind)
{
    return kind == ORACLE_WORD_LOAD || kind == ORACLE_WORD_STORE || kind == ORACLE_LOCK ||
           kind == ORACLE_UNLOCK;
}

void guard_step(const struct oracle_step *step)
{
    if (is_in_object(step->kind)) {
        judge_place(step);
    }
}

/* A wild access of mm/ is the end of a run, not of the program. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (fiber_current() == FIBER_MAIN) {
        (void)signal(number, SIG_DFL);
        return;
    }
    oracle_fail(ORACLE_RULE_AUDIT, fiber_current(), "mm touches %p, where nothing is (signal %d)",
                info->si_addr, number);
}

#ifdef __SANITIZE_ADDRESS__
#    define CATCHES_FAULTS 0 /* the sanitizer tells more */
#else
#    define CATCHES_FAULTS 1
#endif

void guard_start(void)
{
    static unsigned char signal_stack[65536];
    stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof(signal_stack)};
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

    if (CATCHES_FAULTS) {
        (void)sigaltstack(&stack, NULL);
        (void)sigaction(SIGSEGV, &action, NULL);
        (void)sigaction(SIGBUS, &action, NULL);
    }
}
