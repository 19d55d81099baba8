/* SPDX-License-Identifier: MIT */
/*
 * Off: firmware is asked to switch the machine off.  Boards and QEMU's sifive_u may not be able to;
 * the hart then waits for ever, and whoever watches the console acts on its last lines.
 */
#include "power.h"

#include "arch/arch.h"
#include "hart.h"
#include "lib/log.h"
#include "sbi.h"
#include "stop.h"

#define POWER_FAIL_STATUS 255U

static _Noreturn void power_off(enum sbi_off_reason reason, uint64_t status)
{
    status_t refusal;

    stop_others();
    log_printf("vellum: power off, status %lu\n", status);
    refusal = sbi_system_off(reason);
    log_printf("firmware cannot switch this machine off (%s); it is safe to do it by hand\n",
               status_name(refusal));
    hart_halt();
}

_Noreturn void arch_power_off(uint64_t status)
{
    power_off(SBI_OFF_NORMAL, status);
}

_Noreturn void power_fail(void)
{
    power_off(SBI_OFF_FAILURE, POWER_FAIL_STATUS);
}
