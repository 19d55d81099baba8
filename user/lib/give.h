/* SPDX-License-Identifier: MIT */
/* Handles for new processes; private to the library. */
#pragma once

#include "uapi/process.h"

/* Puts a handle to the process itself and copies of this program's console, machine and I/O
 * handles, with the rights they have, into a process and their numbers there into *info.  A handle
 * that may not be given away is left out. */
long user_handles_give(handle_t process, struct start_info *info);
