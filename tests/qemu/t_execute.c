/* SPDX-License-Identifier: MIT */
/*
 * Execution: data does not run, constants do not run; code that a program wrote runs once its page
 * is made executable, and new code in the same page runs as the new code.
 */
#include "support.h"

/* li a0, N; ret */
#define CODE(n) (UINT64_C(0x00008067) << 32 | (uint64_t)(n) << 20 | UINT64_C(0x513))

static const uint64_t constant_code = CODE(1);
static uint64_t data_code = CODE(2);

static uint64_t code_run(uint64_t address)
{
    uint64_t (*function)(void) = (uint64_t(*)(void))(uintptr_t)address;

    return function();
}

static void code_write(uint64_t address, uint64_t code)
{
    tap_status(sys_vm_protect(user_self(), address, PAGE, RW, NULL), 0, "the page is writable");
    *word_at(address) = code;
    tap_status(sys_vm_protect(user_self(), address, PAGE, VM_PROT_R | VM_PROT_X, NULL), 0,
               "the page is executable");
}

int main(void)
{
    check_touch(ACCESS_EXECUTE, (uintptr_t)&data_code, "running data");
    check_touch(ACCESS_EXECUTE, (uintptr_t)&constant_code, "running constants");

    tap_status(page_map(PLACE, PAGE, RW), 0, "a page is mapped");
    *word_at(PLACE) = CODE(41);
    check_touch(ACCESS_EXECUTE, PLACE, "running a writable page");
    for (uint64_t n = 42; n < 46; n++) {
        code_write(PLACE, CODE(n));
        tap_is(code_run(PLACE), n, "the code just written runs");
    }
    check_touch(ACCESS_WRITE, PLACE, "writing to code");
    tap_status(sys_vm_protect(user_self(), PLACE, PAGE, VM_PROT_X, NULL), 0,
               "the page is made execute-only");
    tap_is(code_run(PLACE), 45, "its code still runs");
    tap_status(page_unmap(PLACE, PAGE), 0, "the page is unmapped");
    check_touch(ACCESS_EXECUTE, PLACE, "running an unmapped page");
    check_touch(ACCESS_WRITE, (uintptr_t)main, "writing to the program's text");
    check_touch(ACCESS_WRITE, (uintptr_t)&constant_code, "writing to the program's constants");
    return tap_done();
}
