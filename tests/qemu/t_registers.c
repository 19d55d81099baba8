/* SPDX-License-Identifier: MIT */
/*
 * The register rule: a system call keeps ra, sp, gp, tp and s0 to s11, returns results in a
 * registers, and leaves zero in all others, so that nothing of the kernel or of another program
 * shows; a thread that is interrupted anywhere keeps all 31.
 */
#include <inttypes.h>
#include <stdatomic.h>

#include "support.h"

/* By register number; sp is not set but checked. */
struct registers {
    uint64_t in[32];
    uint64_t out[32];
};

/* Sets all registers, makes a system call, stores all registers. */
void registers_call(struct registers *registers);

/* Sets all registers, counts t6 (x31) down to zero, stores all registers. */
void registers_spin(struct registers *registers);

#define OTHERS "1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30"

#define HOLD(name, action)                                                                         \
    ".globl " name "\n" name ":\n"                                                                 \
    "    addi sp, sp, -256\n"                                                                      \
    "    .irp n, 1,3,4,8,9,18,19,20,21,22,23,24,25,26,27\n"                                        \
    "    sd x\\n, 8*\\n(sp)\n"                                                                     \
    "    .endr\n"                                                                                  \
    "    sd a0, 0(sp)\n"                                                                           \
    "    sd sp, 8*2(a0)\n"                                                                         \
    "    mv x31, a0\n"                                                                             \
    "    .irp n, " OTHERS "\n"                                                                     \
    "    ld x\\n, 8*\\n(x31)\n"                                                                    \
    "    .endr\n"                                                                                  \
    "    ld x31, 8*31(x31)\n" action "    sd x31, 8*2(sp)\n"                                       \
    "    ld x31, 0(sp)\n"                                                                          \
    "    .irp n, " OTHERS "\n"                                                                     \
    "    sd x\\n, 256+8*\\n(x31)\n"                                                                \
    "    .endr\n"                                                                                  \
    "    sd sp, 256+8*2(x31)\n"                                                                    \
    "    ld x30, 8*2(sp)\n"                                                                        \
    "    sd x30, 256+8*31(x31)\n"                                                                  \
    "    .irp n, 1,3,4,8,9,18,19,20,21,22,23,24,25,26,27\n"                                        \
    "    ld x\\n, 8*\\n(sp)\n"                                                                     \
    "    .endr\n"                                                                                  \
    "    addi sp, sp, 256\n"                                                                       \
    "    ret\n"

__asm__(".text\n"
        ".balign 4\n" HOLD("registers_call", "    ecall\n")
            HOLD("registers_spin", "9:  addi x31, x31, -1\n"
                                   "    bnez x31, 9b\n"));

#define A0 10
#define A7 17

static int is_kept(int n)
{
    return n <= 4 || n == 8 || n == 9 || (n >= 18 && n <= 27);
}

static void registers_fill(struct registers *registers, uint64_t seed)
{
    for (uint64_t n = 0; n < 32; n++) {
        registers->in[n] = UINT64_C(0x9e3779b97f4a7c15) * (seed * 32 + n);
    }
}

struct call {
    const char *what;
    uint64_t number;
    long status;
    int results;
};

static void call_check(const struct call *call, uint64_t seed)
{
    struct registers registers;
    unsigned bad = 0;

    registers_fill(&registers, seed);
    registers.in[A7] = call->number;
    registers.in[A0] = user_self();
    registers.in[A0 + 1] = PLACE;
    registers_call(&registers);
    for (int n = 1; n < 32; n++) {
        if (n >= A0 && n <= A0 + call->results) {
            continue;
        }
        uint64_t want = is_kept(n) ? registers.in[n] : 0;
        if (registers.out[n] != want) {
            tap_diag("%s: x%d is 0x%" PRIx64 ", want 0x%" PRIx64, call->what, n, registers.out[n],
                     want);
            bad++;
        }
    }
    tap_status((long)registers.out[A0], call->status, "%s: the status", call->what);
    tap_ok(bad == 0, "%s: all other registers", call->what);
}

static _Noreturn int scribble(void *argument)
{
    struct registers registers;

    (void)argument;
    for (uint64_t seed = 1000;; seed++) {
        registers_fill(&registers, seed);
        registers.in[A7] = 14;
        registers_call(&registers);
    }
}

static _Atomic(uint64_t) spoiled;

static void spin_and_compare(void *argument)
{
    struct registers registers;

    for (uint64_t round = 0; round < 10; round++) {
        registers_fill(&registers, (uintptr_t)argument + round);
        registers.in[31] = 4000000;
        registers_spin(&registers);
        for (int n = 1; n < 31; n++) {
            /* Relaxed: only the sum matters, and joining orders it. */
            atomic_fetch_add_explicit(&spoiled, registers.out[n] != registers.in[n] ? 1 : 0,
                                      memory_order_relaxed);
        }
    }
}

int main(void)
{
    static const struct call calls[] = {
        {"null", 0, 0, 0},
        {"yield", 14, 0, 0},
        {"time_get", 23, 0, 2},
        {"vm_query", 19, 0, 6},
        {"handle_info", 5, 0, 3},
        {"an unknown call", 999, -SYS_ENOSYS, 0},
        {"vm_map", 15, -SYS_EINVAL, 1},
    };
    struct user_thread threads[2];
    handle_t child = HANDLE_NONE;

    tap_status(user_fork_run(scribble, NULL, &child), 0, "a child scribbles in its registers");
    for (uint64_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(calls); i++) {
            call_check(&calls[i], round * COUNT_OF(calls) + i);
        }
    }
    for (uint64_t i = 0; i < COUNT_OF(threads); i++) {
        tap_status(user_thread_start(&threads[i], spin_and_compare, (void *)(uintptr_t)(i * 100)),
                   0, "a thread holds values in its registers");
    }
    for (uint64_t i = 0; i < COUNT_OF(threads); i++) {
        tap_status(user_thread_join(&threads[i]), 0, "until it ends");
    }
    tap_is(atomic_load_explicit(&spoiled, memory_order_relaxed), 0, "no register was spoiled");
    (void)sys_process_kill(child);
    (void)sys_handle_close(child);
    return tap_done();
}
