/* SPDX-License-Identifier: MIT */
/* Names of status values, for messages. */
#include "lib/status.h"

const char *status_name(status_t status)
{
    switch (status) {
    case OK:
        return "OK";
    case ERR_INVAL:
        return "EINVAL";
    case ERR_RANGE:
        return "ERANGE";
    case ERR_NOMEM:
        return "ENOMEM";
    case ERR_EXIST:
        return "EEXIST";
    case ERR_NOENT:
        return "ENOENT";
    case ERR_FAULT:
        return "EFAULT";
    case ERR_ACCES:
        return "EACCES";
    case ERR_DEADLK:
        return "EDEADLK";
    case ERR_NOTSUP:
        return "ENOTSUP";
    case ERR_BADF:
        return "EBADF";
    case ERR_BUSY:
        return "EBUSY";
    case ERR_AGAIN:
        return "EAGAIN";
    case ERR_NOSYS:
        return "ENOSYS";
    case ERR_NOSPC:
        return "ENOSPC";
    case ERR_SRCH:
        return "ESRCH";
    case ERR_2BIG:
        return "E2BIG";
    case ERR_IO:
        return "EIO";
    case ERR_NOEXEC:
        return "ENOEXEC";
    case ERR_TIMEDOUT:
        return "ETIMEDOUT";
    }
    return "unknown status";
}
