/* SPDX-License-Identifier: MIT */
/*
 * The time, and timer interrupts.  An interrupt that has come stays pending until a later deadline
 * is set, so it is masked in sie when it is taken; setting a deadline lets the next one in.
 *
 * Readings of the time are counted: a core without the `time` CSR traps into the firmware for each.
 */
#include "timer.h"

#include "arch/arch.h"
#include "csr.h"
#include "lib/counter.h"
#include "sbi.h"

static enum timer_source source; /* (c) after boot */

status_t timer_choose(bool all_have_stimecmp)
{
    if (all_have_stimecmp) {
        source = TIMER_STIMECMP;
    } else if (sbi_has(SBI_EXT_TIME)) {
        source = TIMER_SBI;
    } else {
        return ERR_NOTSUP;
    }
    return OK;
}

void timer_start_hart(void)
{
    csr_write(sie, SIE_SOFT);
}

enum timer_source timer_source(void)
{
    return source;
}

void timer_interrupt_off(void)
{
    csr_clear(sie, SIE_TIMER);
}

uint64_t arch_time_now(void)
{
    uint64_t ticks;

    __asm__ volatile("rdtime %0" : "=r"(ticks));
    counter_add(COUNTER_time_reads, 1);
    return ticks;
}

void arch_timer_set(uint64_t deadline)
{
    if (deadline == UINT64_MAX) {
        timer_interrupt_off(); /* nothing is waited for: the old deadline may pass unseen */
        return;
    }
    if (source == TIMER_STIMECMP) {
        __asm__ volatile("csrw %0, %1" ::"i"(CSR_STIMECMP), "r"(deadline) : "memory");
    } else {
        /* timer_init found the extension; a refusal would mean no interrupt, as if never set. */
        (void)sbi_set_timer(deadline);
    }
    csr_set(sie, SIE_TIMER);
}
