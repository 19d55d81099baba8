/* SPDX-License-Identifier: MIT */
/* Status values to error numbers of the user ABI. */
#include "kernel/user_status.h"

#include "uapi/error.h"

static uint64_t error_number(status_t status)
{
    switch (status) {
    case OK:
        return 0;
    case ERR_INVAL:
        return SYS_EINVAL;
    case ERR_RANGE:
        return SYS_ERANGE;
    case ERR_NOMEM:
        return SYS_ENOMEM;
    case ERR_EXIST:
        return SYS_EEXIST;
    case ERR_NOENT:
        return SYS_ENOENT;
    case ERR_FAULT:
        return SYS_EFAULT;
    case ERR_ACCES:
        return SYS_EACCES;
    case ERR_DEADLK:
        return SYS_EDEADLK;
    case ERR_NOTSUP:
        return SYS_ENOTSUP;
    case ERR_BADF:
        return SYS_EBADF;
    case ERR_BUSY:
        return SYS_EBUSY;
    case ERR_AGAIN:
        return SYS_EAGAIN;
    case ERR_NOSYS:
        return SYS_ENOSYS;
    case ERR_NOSPC:
        return SYS_ENOSPC;
    case ERR_SRCH:
        return SYS_ESRCH;
    case ERR_2BIG:
        return SYS_E2BIG;
    case ERR_IO:
        return SYS_EIO;
    case ERR_NOEXEC:
        return SYS_ENOEXEC;
    case ERR_TIMEDOUT:
        return SYS_ETIMEDOUT;
    }
    return SYS_EIO;
}

uint64_t user_status_error(status_t status)
{
    return -error_number(status);
}
