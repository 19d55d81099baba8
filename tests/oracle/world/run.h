/* SPDX-License-Identifier: MIT */
/* Running a history, and being told what it does. */
#pragma once

#include "world/sched.h"

enum run_event {
    RUN_BEGINS,
    RUN_RETURNS,
};

/* Told of each operation; NULL: nobody. */
void run_tell(void (*function)(enum run_event event, unsigned hart, const struct world_op *op));

/* world_run with the decisions of `chooser` (NULL: of the history) while harts run side by side. */
void run_history(const struct world_history *history, const struct sched_chooser *chooser,
                 struct world_result *result, struct world_history *taken);
