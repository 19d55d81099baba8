/* SPDX-License-Identifier: MIT */
/* The children that waitpid knows; private to user/posix. */
#pragma once

#include <sys/types.h>

#include "uapi/handle.h"

/* Takes the handle of a child; returns the child's number. */
pid_t child_add(handle_t process);
