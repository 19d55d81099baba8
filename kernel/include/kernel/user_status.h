/* SPDX-License-Identifier: MIT */
/* Status values as programs see them.  Pure: the one place where they are translated. */
#pragma once

#include <stdint.h>

#include "lib/status.h"

/* What a status other than OK becomes: a number of uapi/error.h, negated.  A value that is no
 * status becomes -SYS_EIO. */
uint64_t user_status_error(status_t status);

/* What a system call that ended with `status` leaves in a0. */
static inline uint64_t user_status(status_t status)
{
    return status == OK ? 0 : user_status_error(status);
}
