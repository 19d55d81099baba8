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

/* Chooses the source; the tree says whether Sstc may be tried.  ERR_NOTSUP: there is none. */
status_t timer_init(bool has_sstc);

enum timer_source timer_source(void);

/* Keeps a pending timer interrupt from coming again until the next arch_timer_set. */
void timer_interrupt_off(void);
