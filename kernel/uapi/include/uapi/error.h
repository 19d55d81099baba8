/* SPDX-License-Identifier: MIT */
/* Error numbers that system calls return in a0, negated.  The values are picolibc's (newlib's), so
 * that user code compares them with <errno.h>; user/lib asserts that they agree. */
#pragma once

#define SYS_EPERM     1
#define SYS_ENOENT    2
#define SYS_ESRCH     3
#define SYS_EIO       5
#define SYS_E2BIG     7
#define SYS_ENOEXEC   8
#define SYS_EBADF     9
#define SYS_EAGAIN    11
#define SYS_ENOMEM    12
#define SYS_EACCES    13
#define SYS_EFAULT    14
#define SYS_EBUSY     16
#define SYS_EEXIST    17
#define SYS_EINVAL    22
#define SYS_ENOSPC    28
#define SYS_ERANGE    34
#define SYS_EDEADLK   45
#define SYS_ENOSYS    88
#define SYS_ETIMEDOUT 116
#define SYS_ENOTSUP   134
