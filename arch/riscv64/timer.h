/* SPDX-License-Identifier: MIT */
/* The timer of this hart: stimecmp where it works, else the firmware. */
#pragma once

#include <stdbool.h>

#include "lib/status.h"

enum timer_source {
    TIMER_NONE,
    TIMER_STIMECMP, /* Sstc */
    TIMER_SBI,
};

/* Chooses the source for all harts: stimecmp if each has it.  ERR_NOTSUP: there is none. */
status_t timer_choose(bool all_have_stimecmp);

/* Lets this hart take software interrupts, and timer interrupts once a deadline is set. */
void timer_start_hart(void);

enum timer_source timer_source(void);

/* Keeps a pending timer interrupt from coming again until the next arch_timer_set. */
void timer_interrupt_off(void);
