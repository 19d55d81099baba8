/* SPDX-License-Identifier: MIT */
/* Tiny processes: made page by page through their handles. */
#include "tiny.h"

#include "support.h"

#define TINY_CODE (PLACE + UINT64_C(0x100000))
#define TINY_DATA (PLACE + UINT64_C(0x300000)) /* in another table than the code */

/* In the data page: the value, the count of turns, the turns wanted. */
#define AT_COUNT 8UL

/* What a tiny process runs: position-independent; a0: its data, a1: its value. */
extern const char tiny_code[];
extern const char tiny_code_end[];

__asm__(".section .rodata\n"
        ".balign 8\n"
        ".globl tiny_code, tiny_code_end\n"
        "tiny_code:\n"
        "    mv s0, a0\n"
        "    mv s1, a1\n"
        "    ld s2, 16(s0)\n"
        "1:  ld t0, 0(s0)\n"
        "    bne t0, s1, 2f\n"
        "    ld t0, 8(s0)\n"
        "    addi t0, t0, 1\n"
        "    sd t0, 8(s0)\n"
        "    beq t0, s2, 3f\n"
        "    li a7, 14\n" /* yield */
        "    ecall\n"
        "    j 1b\n"
        "2:  li a0, 1\n"
        "    li a7, 8\n" /* process_exit */
        "    ecall\n"
        "3:  li a0, 0\n"
        "    li a7, 8\n"
        "    ecall\n"
        "tiny_code_end:\n"
        ".previous\n");

static long tiny_fill(handle_t process, uint64_t value, uint64_t turns)
{
    uint64_t data[] = {value, 0, turns};
    uint64_t code_bytes = (uint64_t)(tiny_code_end - tiny_code);
    long status = sys_vm_map(process, TINY_CODE, PAGE, VM_PROT_R | VM_PROT_X, 0, NULL);

    if (status == 0) {
        status = sys_vm_map(process, TINY_DATA, PAGE, RW, 0, NULL);
    }
    if (status == 0) {
        status = sys_vm_write(process, TINY_CODE, (uintptr_t)tiny_code, code_bytes, NULL);
    }
    if (status == 0) {
        status = sys_vm_write(process, TINY_DATA, (uintptr_t)data, sizeof(data), NULL);
    }
    /* The code was written after its page became executable. */
    if (status == 0) {
        status = sys_vm_protect(process, TINY_CODE, PAGE, VM_PROT_R | VM_PROT_X, NULL);
    }
    return status;
}

static long tiny_run(handle_t process, uint64_t value, unsigned hart)
{
    handle_t thread = HANDLE_NONE;
    long status = sys_thread_start(process, TINY_CODE, TINY_DATA, TINY_DATA, value, &thread);

    if (status == 0) {
        status = sys_thread_set_affinity(thread, UINT64_C(1) << hart);
        (void)sys_handle_close(thread);
    }
    return status;
}

long tiny_start(struct tiny *tiny, uint64_t value, uint64_t turns, unsigned hart)
{
    long status = sys_process_create((uintptr_t) "tiny", 4, 0, &tiny->process);

    if (status != 0) {
        return status;
    }
    tiny->value = value;
    status = tiny_fill(tiny->process, value, turns);
    if (status == 0) {
        status = tiny_run(tiny->process, value, hart);
    }
    /* Ended already, after few turns, before it could be pinned. */
    if (status == -SYS_ESRCH && turns != 0) {
        return 0;
    }
    if (status != 0) {
        (void)sys_process_kill(tiny->process);
        (void)sys_handle_close(tiny->process);
    }
    return status;
}

uint64_t tiny_turns(const struct tiny *tiny)
{
    uint64_t count = 0;

    (void)sys_vm_read(tiny->process, TINY_DATA + AT_COUNT, (uintptr_t)&count, sizeof(count), NULL);
    return count;
}

int tiny_stop(struct tiny *tiny)
{
    struct user_end end = {0};

    (void)sys_process_kill(tiny->process);
    return user_finish(tiny->process, &end) == 0 && end.reason == EXIT_KILLED;
}
