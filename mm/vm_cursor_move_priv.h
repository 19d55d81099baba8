/* SPDX-License-Identifier: MIT */
/* What the files of moving share. */
#pragma once

#include "cursor_pass.h"

/* Moves what begins at the position of `from`, a place where something is: as much as goes at once.
 * ERR_EXIST, ERR_NOMEM: no address means anything else. */
status_t moving_take_entries(struct pass *pass, const struct pt_place *source);

/* Where marks end that say together what the one at the position says, with those side by side that
 * continue it.  Looks at a bounded number. */
vaddr_t moving_marks_end(const struct pass *pass, const struct pt_place *source);

/* Moves marks from the position up to `end`, which say one thing, as far as the edits go.
 * ERR_EXIST, ERR_NOMEM: no address means anything else. */
status_t moving_take_marks(struct pass *pass, vaddr_t end);
