/* SPDX-License-Identifier: MIT */
/*
 * The end of a run: firmware is asked to switch the machine off, or to start it anew.  It may
 * refuse, as on QEMU's sifive_u, or never return without doing it, as on a JH7110 whose power chip
 * does not answer.  So what a person is to do is said before the call, and whoever watches the
 * console acts on the last lines.
 */
#include "power.h"

#include "arch/arch.h"
#include "console.h"
#include "hart.h"
#include "lib/log.h"
#include "sbi.h"
#include "stop.h"

#define POWER_FAIL_STATUS 255U

static _Noreturn void power_off(enum sbi_reset_reason reason, uint64_t status)
{
    status_t refusal;

    stop_others();
    log_printf("vellum: power off, status %lu\n", status);
    log_printf("if the machine stays on, it is safe to switch it off by hand\n");
    console_drain();
    refusal = sbi_system_reset(SBI_RESET_OFF, reason);
    log_printf("firmware cannot switch this machine off (%s)\n", status_name(refusal));
    hart_halt();
}

_Noreturn void arch_power_off(uint64_t status)
{
    power_off(SBI_REASON_NONE, status);
}

_Noreturn void power_fail(void)
{
    power_off(SBI_REASON_FAILURE, POWER_FAIL_STATUS);
}

/* A cold reboot is the one that a JH7110's firmware has; it refuses a warm one. */
status_t arch_reboot(void)
{
    status_t refusal;

    if (!sbi_has(SBI_EXT_SRST)) {
        return ERR_NOTSUP;
    }
    stop_others();
    log_printf("vellum: reboot\n");
    log_printf("if the machine does not start again, it is safe to switch it off by hand\n");
    console_drain();
    refusal = sbi_system_reset(SBI_RESET_COLD_REBOOT, SBI_REASON_NONE);
    log_printf("firmware cannot reboot this machine (%s)\n", status_name(refusal));
    hart_halt();
}
