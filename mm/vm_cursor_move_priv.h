/* SPDX-License-Identifier: MIT */
/* What the two files of moving share. */
#pragma once

#include "cursor_pass.h"

/* Moves what begins at the position of `from`, a place where something is: as much as goes at once.
 * ERR_EXIST, ERR_NOMEM: no address means anything else. */
status_t moving_take_entries(struct pass *pass, const struct pt_place *source);
