/* SPDX-License-Identifier: MIT */
/* The children that waitpid knows; private to user/posix. */
#pragma once

#include <sys/types.h>

#include "user/vellum.h"

/* Starts a program as a child that waitpid knows.  *pid: its number.  Errors: as user_spawn. */
long child_spawn(const struct user_program *program, pid_t *pid);
