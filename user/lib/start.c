/* SPDX-License-Identifier: MIT */
/*
 * From the first instruction to main() and on to the end of the process.  The start information is
 * kept as a copy in the program's data: the library reads only that one, so that a forked child
 * can be given its own handles by writing there.
 */
#include "user/vellum.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launch.h"
#include "user/copy.h"
#include "user/lock.h"
#include "vellum/calls.h"

/* System calls speak the C library's error numbers. */
_Static_assert(SYS_EPERM == EPERM && SYS_ENOENT == ENOENT && SYS_ESRCH == ESRCH);
_Static_assert(SYS_EIO == EIO && SYS_E2BIG == E2BIG && SYS_ENOEXEC == ENOEXEC);
_Static_assert(SYS_EBADF == EBADF && SYS_EAGAIN == EAGAIN && SYS_ENOMEM == ENOMEM);
_Static_assert(SYS_EACCES == EACCES && SYS_EFAULT == EFAULT && SYS_EBUSY == EBUSY);
_Static_assert(SYS_EEXIST == EEXIST && SYS_EINVAL == EINVAL && SYS_ENOSPC == ENOSPC);
_Static_assert(SYS_ERANGE == ERANGE && SYS_EDEADLK == EDEADLK && SYS_ENOSYS == ENOSYS);
_Static_assert(SYS_ETIMEDOUT == ETIMEDOUT && SYS_ENOTSUP == ENOTSUP);

/* The user range of Sv39, which every machine has. */
#define LIMIT_SMALLEST (UINT64_C(1) << 38)

int main(int argc, char **argv);

/* picolibc's: what atexit() was told, if the program uses it; and functions of the linker script.
 */
__attribute__((weak)) void __call_exitprocs(int status, void *unused);
void __libc_fini_array(void);

/* From the linker script: the functions to call before main. */
extern void (*const __init_array_start[])(void);
extern void (*const __init_array_end[])(void);

static struct start_info info_own;
static _Atomic(uint64_t) leaver; /* the thread that exits; 0: none yet */

const struct start_info *user_info(void)
{
    return &info_own;
}

struct start_info *user_info_own(void)
{
    return &info_own;
}

handle_t user_self(void)
{
    return info_own.self;
}

handle_t user_console(void)
{
    return info_own.console;
}

handle_t user_machine(void)
{
    return info_own.machine;
}

uint64_t user_limit(void)
{
    struct machine_info machine;

    if (sys_machine_info(info_own.machine, (uintptr_t)&machine) != 0) {
        return LIMIT_SMALLEST;
    }
    return machine.user_limit;
}

void user_start(const struct start_info *info)
{
    if (info->magic != START_MAGIC || info->bytes < sizeof(info_own)) {
        (void)sys_process_exit(EXIT_FAILURE);
    }
    info_own = *info;
    for (void (*const *init)(void) = __init_array_start; init < __init_array_end; init++) {
        (*init)();
    }
    exit(main((int)info_own.argc, (char **)(uintptr_t)info_own.argv));
}

void user_exit_copied(void)
{
    atomic_store_explicit(&leaver, 0, memory_order_relaxed);
}

/* The C library's own exit, but for one thread: the first to call it runs what atexit() was told;
 * any other waits for the end of the process. */
void exit(int status)
{
    static const uint32_t never = 0;
    uint64_t was = 0;

    /* Relaxed: nothing is handed over but the number. */
    while (!atomic_compare_exchange_strong_explicit(&leaver, &was, user_thread_id(),
                                                    memory_order_relaxed, memory_order_relaxed) &&
           was != user_thread_id()) {
        (void)sys_futex_wait((uintptr_t)&never, never, WAIT_FOREVER, 0);
        was = 0;
    }
    if (__call_exitprocs != NULL) {
        __call_exitprocs(status, NULL);
    }
    __libc_fini_array();
    (void)fflush(stdout);
    _exit(status);
}

void _exit(int status)
{
    for (;;) {
        (void)sys_process_exit((uint64_t)(int64_t)status);
    }
}
