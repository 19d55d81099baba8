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

struct words {
    const char *advice;  /* what a person may do if nothing happens */
    const char *refused; /* what the firmware cannot do             */
};

static const struct words words[] = {
    [SBI_RESET_OFF] = {"if the machine stays on", "switch this machine off"},
    [SBI_RESET_COLD_REBOOT] = {"if the machine does not start again", "reboot this machine"},
};

/* What is about to happen has been said. */
static _Noreturn void reset(enum sbi_reset type, enum sbi_reset_reason reason)
{
    status_t refusal;

    log_printf("%s, it is safe to switch it off by hand\n", words[type].advice);
    console_drain();
    refusal = sbi_system_reset(type, reason);
    log_printf("firmware cannot %s (%s)\n", words[type].refused, status_name(refusal));
    hart_halt();
}

static _Noreturn void power_off(enum sbi_reset_reason reason, uint64_t status)
{
    stop_others();
    log_printf("vellum: power off, status %lu\n", status);
    reset(SBI_RESET_OFF, reason);
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
    if (!sbi_has(SBI_EXT_SRST)) {
        return ERR_NOTSUP;
    }
    stop_others();
    log_printf("vellum: reboot\n");
    reset(SBI_RESET_COLD_REBOOT, SBI_REASON_NONE);
}
