/* SPDX-License-Identifier: MIT */
/* Standard input and output as files 0, 1 and 2, others by files.c, and what the system is like. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "failure.h"
#include "files.h"
#include "user/console_line.h"
#include "user/vellum.h"
#include "vellum/calls.h"

#define TICKS_PER_SECOND 100

static int is_console(int file)
{
    return file >= STDIN_FILENO && file <= STDERR_FILENO;
}

/* What the console answers, as POSIX says it. */
static int console_error(long status)
{
    switch (-status) {
    case SYS_ERANGE:
        return EFAULT;
    case SYS_EACCES:
        return EBADF;
    default:
        return (int)-status;
    }
}

ssize_t read(int file, void *buffer, size_t bytes)
{
    size_t count = 0;

    if (!is_console(file)) {
        return file_read(file, buffer, bytes, NULL);
    }
    long status = user_console_line(buffer, bytes, &count);
    return status == 0 ? (ssize_t)count : failure(console_error(status));
}

ssize_t write(int file, const void *buffer, size_t bytes)
{
    size_t done = 0;

    if (!is_console(file)) {
        return file_write(file, buffer, bytes, NULL);
    }
    while (done < bytes) {
        uint64_t count = 0;
        long status =
            sys_console_write(user_console(), (uintptr_t)buffer + done, bytes - done, &count);

        if (status != 0) {
            return done != 0 ? (ssize_t)done : failure(console_error(status));
        }
        done += count;
    }
    return (ssize_t)done;
}

ssize_t pread(int file, void *buffer, size_t bytes, off_t offset)
{
    return is_console(file) ? failure(ESPIPE) : file_read(file, buffer, bytes, &offset);
}

ssize_t pwrite(int file, const void *buffer, size_t bytes, off_t offset)
{
    return is_console(file) ? failure(ESPIPE) : file_write(file, buffer, bytes, &offset);
}

int isatty(int file)
{
    if (is_console(file)) {
        return 1;
    }
    errno = file_seek(file, 0, SEEK_CUR) >= 0 ? ENOTTY : EBADF;
    return 0;
}

off_t lseek(int file, off_t offset, int whence)
{
    return is_console(file) ? failure(ESPIPE) : file_seek(file, offset, whence);
}

int close(int file)
{
    return is_console(file) ? 0 : file_close(file);
}

int open(const char *path, int flags, ...)
{
    (void)path;
    (void)flags;
    return failure(ENOSYS);
}

static long machine_pages(uint64_t (*what)(const struct machine_info *machine))
{
    struct machine_info machine;

    if (sys_machine_info(user_machine(), (uintptr_t)&machine) != 0) {
        return failure(EINVAL);
    }
    return (long)what(&machine);
}

static uint64_t pages_total(const struct machine_info *machine)
{
    return machine->total_frames;
}

static uint64_t pages_free(const struct machine_info *machine)
{
    return machine->free_frames;
}

static long harts(void)
{
    uint64_t set = 0;
    long count = 0;

    (void)sys_hart_get(NULL, &set);
    for (; set != 0; set &= set - 1) {
        count++;
    }
    return count;
}

long sysconf(int name)
{
    switch (name) {
    case _SC_PAGESIZE:
        return VM_PAGE_SIZE;
    case _SC_NPROCESSORS_CONF:
    case _SC_NPROCESSORS_ONLN:
        return harts();
    case _SC_PHYS_PAGES:
        return machine_pages(pages_total);
    case _SC_AVPHYS_PAGES:
        return machine_pages(pages_free);
    case _SC_CLK_TCK:
        return TICKS_PER_SECOND;
    case _SC_OPEN_MAX:
        return FILES_END;
    case _SC_THREAD_KEYS_MAX:
        return PTHREAD_KEYS_MAX;
    case _SC_THREAD_STACK_MIN:
        return PTHREAD_STACK_MIN;
    case _SC_THREAD_DESTRUCTOR_ITERATIONS:
        return PTHREAD_DESTRUCTOR_ITERATIONS;
    default:
        return failure(EINVAL);
    }
}
