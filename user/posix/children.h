/* SPDX-License-Identifier: MIT */
/* The children that waitpid knows; private to user/posix. */
#pragma once

#include <sys/types.h>

#include "user/vellum.h"

/* Starts a program as a child that waitpid knows.  *pid: its number.  Errors: as user_spawn. */
long child_spawn(const struct user_program *program, pid_t *pid);

/* Starts a copy of this process as such a child, which begins in run(argument) and ends with what
 * that returns.  Errors: as user_fork_run. */
long child_fork(int (*run)(void *argument), void *argument, pid_t *pid);
