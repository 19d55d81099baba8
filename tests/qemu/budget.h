/* SPDX-License-Identifier: MIT */
/* What test programs that spend budgets share. */
#pragma once

#include "support.h"

/* What the kernel knows of this program. */
struct process_info self_info(void);

/* Frames that its budget has left. */
uint64_t budget_left(void);

/* A copy of this program, in a budget with `room` frames more than this one has used, runs
 * scenario(NULL): points for how it ends (EXIT_*), that it returns 0 if it ends by itself, and that
 * every frame comes back. */
struct budget_run {
    int (*scenario)(void *argument);
    uint64_t reason;
    const char *what;
};
void budget_run(const struct budget_run *run, uint64_t room);
