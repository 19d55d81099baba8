/* SPDX-License-Identifier: MIT */
/* Between the trap entry and C. */
#pragma once

#include "arch/user_frame.h"

/* trap_entry.S: where stvec points. */
void trap_entry(void);

/* Called by trap_entry.S: a trap from user mode that is no system call.  All registers are in the
 * frame; returns the frame to resume, or NULL to idle. */
struct user_frame *trap_from_user(struct user_frame *frame);

/* Called by trap_entry.S: a trap in the kernel.  Returns if the access was one that may fault, with
 * the frame's pc at its fixup. */
void trap_from_kernel(struct user_frame *frame);

/* Called by trap_entry.S while nothing runs: waits until something can. */
struct user_frame *trap_idle_wait(void);

/* The name of an exception cause, for reports.  Never NULL. */
const char *trap_cause_name(uint64_t scause);
