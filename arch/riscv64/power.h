/* SPDX-License-Identifier: MIT */
/* The end of a run that went wrong. */
#pragma once

/* Ends a failed run as arch_power_off does, with status 255. */
_Noreturn void power_fail(void);
