/* SPDX-License-Identifier: MIT */
/*
 * Reading cpio archives of the "newc" format ("070701"), as initrds are.
 *
 * Pure: no allocation, no I/O; works on the archive in memory, which is hostile.  Used by the
 * kernel (to find init), by init (to find programs), and by the host tests.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct cpio_file {
    const char *name;    /* in the archive, NUL-terminated      */
    const uint8_t *data; /* in the archive                      */
    size_t bytes;
    uint32_t mode; /* POSIX st_mode                       */
};

enum cpio_result {
    CPIO_OK,
    CPIO_END,     /* the trailer, or nothing but zeroes to the end */
    CPIO_DAMAGED, /* not newc, or a size or name leaves the archive */
};

/* The entry at *offset (0 first), which is then the offset of the next.  *file is written on
 * CPIO_OK only; *offset is not changed otherwise. */
enum cpio_result cpio_next(const void *archive, size_t archive_bytes, size_t *offset,
                           struct cpio_file *file);

/* The regular file of that name; a leading "./" in the archive does not count.  CPIO_END: none. */
enum cpio_result cpio_find(const void *archive, size_t archive_bytes, const char *name,
                           struct cpio_file *file);
