/* SPDX-License-Identifier: MIT */
/* The end of a run that went wrong. */
#pragma once

/* Prints the last line of a failed run (`vellum: power off, status 255`), turns the machine off
 * and, if it stays on, stops this hart. */
_Noreturn void power_fail(void);
