/* SPDX-License-Identifier: MIT */
/*
 * fork.  The child is a clone that begins in a function of its own, below the frames of the caller;
 * from there it jumps to where the caller was.
 */
#include <setjmp.h>
#include <stdint.h>
#include <unistd.h>

#include "children.h"
#include "failure.h"
#include "user/vellum.h"

_Noreturn static int resume(void *where)
{
    longjmp(*(jmp_buf *)where, 1);
}

pid_t fork(void)
{
    jmp_buf where;
    pid_t pid = 0;

    if (setjmp(where) != 0) {
        return 0; /* the child */
    }
    long status = child_fork(resume, &where, &pid);

    if (status != 0) {
        return failure(status == -SYS_ENOSPC ? EAGAIN : (int)-status);
    }
    return pid;
}
