/* SPDX-License-Identifier: MIT */
/*
 * Calls to the firmware (SBI specification 2.0).
 *
 * Every extension is probed; nothing is concluded from the version the firmware reports.  A call of
 * an extension that is not there returns ERR_NOTSUP without asking.  Sets of harts are cut down to
 * those that run the kernel before firmware sees them: starting or naming a monitor hart can hang
 * the machine.
 */
#pragma once

#include <stdint.h>

#include "lib/hart_mask.h"
#include "lib/types.h"

enum sbi_ext {
    SBI_EXT_TIME,
    SBI_EXT_IPI,
    SBI_EXT_RFENCE,
    SBI_EXT_HSM,
    SBI_EXT_SRST,
    SBI_EXT_DBCN,
    SBI_EXT_PMU,
    SBI_EXT_FWFT,
    SBI_EXT_LEGACY_PUTCHAR,
    SBI_EXT_LEGACY_GETCHAR,
    SBI_EXT_COUNT
};

/* Who the firmware says it is. */
struct sbi_identity {
    uint64_t spec_version; /* major << 24 | minor                   */
    uint64_t impl_id;      /* 1: OpenSBI                            */
    uint64_t impl_version; /* OpenSBI: major << 16 | minor          */
};

/* Who a hart says it is. */
struct sbi_core {
    uint64_t mvendorid, marchid, mimpid;
};

/* HSM states, by the numbers of the specification. */
enum sbi_hart_state {
    SBI_HART_STARTED,
    SBI_HART_STOPPED,
    SBI_HART_START_PENDING,
    SBI_HART_STOP_PENDING,
    SBI_HART_SUSPENDED,
    SBI_HART_SUSPEND_PENDING,
    SBI_HART_RESUME_PENDING,
};

/* What the machine is to do, and why, by the numbers of the specification ("System Reset"). */
enum sbi_reset {
    SBI_RESET_OFF = 0,
    SBI_RESET_COLD_REBOOT = 1,
};

enum sbi_reset_reason {
    SBI_REASON_NONE = 0,
    SBI_REASON_FAILURE = 1,
};

/* Probes the firmware; once, before any other function here.
 * ERR_NOTSUP: no BASE extension.  Then only the legacy console is taken to be there. */
status_t sbi_init(void);

/* The shortest call there is, for what a call costs. */
void sbi_null(void);

bool sbi_has(enum sbi_ext ext);
const char *sbi_ext_name(enum sbi_ext ext);
const struct sbi_identity *sbi_identity(void);

/* The hart that asks. */
struct sbi_core sbi_core(void);

/* Has the hart that asks fault on a clear A or D bit from now on (FWFT, PTE_AD_HW_UPDATING).
 * ERR_NOTSUP, or what else the firmware says: nothing changed. */
status_t sbi_hardware_updates_off(void);

/* One timer interrupt at `deadline` of the time CSR; UINT64_MAX: never.  Clears a pending one. */
status_t sbi_set_timer(uint64_t deadline);

/* A software interrupt on each of the harts. */
status_t sbi_send_ipi(struct hart_mask harts);

/* Fences on other harts; OpenSBI returns when all have done it.  bytes == 0: everything, else the
 * range must be page aligned.  The form with an ASID spares global entries. */
status_t sbi_remote_fence_i(struct hart_mask harts);
status_t sbi_remote_sfence(struct hart_mask harts, vaddr_t va, uint64_t bytes);
status_t sbi_remote_sfence_asid(struct hart_mask harts, vaddr_t va, uint64_t bytes, uint16_t asid);

/* Starts a hart at `entry` with paging off, a0 = hart_id, a1 = opaque.  Returns before it runs. */
status_t sbi_hart_start(uint64_t hart_id, paddr_t entry, uint64_t opaque);
status_t sbi_hart_get_state(uint64_t hart_id, enum sbi_hart_state *state);

/* Turns the machine off, or starts it anew.  Returns only if the firmware refuses; where it tries
 * and fails, it may stop this hart for good. */
status_t sbi_system_reset(enum sbi_reset reset, enum sbi_reset_reason reason);

/* The firmware's console: DBCN, else the legacy calls, else nothing.  Gives up after a bounded
 * number of refusals.  Read returns -1 if no byte waits.  One hart at a time: console.c sees to it.
 */
void sbi_console_write(const char *bytes, size_t len_bytes);
int sbi_console_read(void);
