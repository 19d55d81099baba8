/* SPDX-License-Identifier: MIT */
/* Errors of system calls in words, with what to do about those that a person meets. */
#include <stdio.h>
#include <string.h>

#include "shell.h"

int failure_tell(const char *who, long status)
{
    switch (-status) {
    case SYS_ENOMEM:
        printf("%s: no memory is left; free: how much there is, ps: who may have it\n", who);
        break;
    case SYS_ESRCH:
        printf("%s: the process has ended\n", who);
        break;
    case SYS_ENOSYS:
        printf("%s: this kernel does not have the call that is needed\n", who);
        break;
    case SYS_E2BIG:
        printf("%s: its words do not fit a page, which is all that a program is given\n", who);
        break;
    default:
        printf("%s: %s\n", who, strerror((int)-status));
        break;
    }
    return STATUS_FAILED;
}
