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

static _Noreturn void power_off(enum sbi_off_reason reason)
{
    status_t status = sbi_system_off(reason);

    log_printf("firmware cannot switch this machine off (%s); it is safe to do it by hand\n",
               status_name(status));
    hart_halt();
}

_Noreturn void arch_power_off(void)
{
    power_off(SBI_OFF_NORMAL);
}

_Noreturn void power_fail(void)
{
    log_printf("vellum: power off, status 255\n");
    power_off(SBI_OFF_FAILURE);
}
