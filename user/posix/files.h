/* SPDX-License-Identifier: MIT */
/* Files that are memory objects, memfd_create's; private to user/posix. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "uapi/handle.h"

#define FILES_FIRST 3  /* after the console's */
#define FILES_END   32 /* first number that no file has */

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
