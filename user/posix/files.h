/* SPDX-License-Identifier: MIT */
/* Files that are memory objects, memfd_create's; private to user/posix. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "uapi/handle.h"
#include "user/lock.h"

#define FILES_FIRST 3  /* after the console's */
#define FILES_END   32 /* first number that no file has */

/* What all share who have a file open, in a page that all of them map; fork makes more of them. */
struct open_file {
    struct user_lock lock;
    off_t size;     /* (l) bytes */
    off_t position; /* (l)       */
};

/* An open file.  The object has the pages up to the size, and no more. */
struct file {
    handle_t memory; /* HANDLE_NONE: not open */
    struct open_file *open;
};

/* The open file of that number, with its locks, until file_leave.  NULL: there is none. */
struct file *file_enter(int file);
void file_leave(struct file *file);

/* Reads or writes at *at, which moves on, or if `at` is NULL at the file's own position.
 * Return -1 and errno: EBADF, EINVAL (a position below 0), EFAULT, ENOMEM, EFBIG, ENOSPC. */
ssize_t file_read(int file, void *buffer, size_t bytes, off_t *at);
ssize_t file_write(int file, const void *buffer, size_t bytes, off_t *at);

/* As lseek and close.  -1 and errno: EBADF, EINVAL. */
off_t file_seek(int file, off_t offset, int whence);
int file_close(int file);

/* Calls map(context, memory) for a file that has all of these pages; the file stays open meanwhile.
 * Returns its result or, positive, EBADF, EINVAL (no page's offset), ENXIO (the file ends before).
 */
long file_map(int file, off_t offset, uint64_t bytes, long (*map)(void *context, handle_t memory),
              void *context);
