/* SPDX-License-Identifier: MIT */
/* Starts the first program, `init`, from the initrd. */
#pragma once

#include "lib/types.h"

/* Makes the process `init`: its program from the archive, the archive mapped read-only, a stack
 * with struct start_info and argv, handles to itself, the console and the machine; and starts it.
 * The reaper turns the machine off when it ends.
 *
 * Errors: ERR_NOENT no initrd, or no init in it; ERR_NOEXEC it is no program that can run here;
 *         ERR_NOMEM.  *what says what is wrong, as static text.  Boot only: what was made stays. */
status_t init_start(const char **what);
