/* SPDX-License-Identifier: MIT */
/* Size, position and contents of files that are memory objects. */
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"
#include "files.h"
#include "user/vellum.h"
#include "vellum/calls.h"

#define SIZE_MAX_BYTES (INT64_C(1) << 48)

static uint64_t page_ceil(off_t bytes)
{
    return ((uint64_t)bytes + VM_PAGE_SIZE - 1) & ~(VM_PAGE_SIZE - 1);
}

static int error_of(long status)
{
    switch (-status) {
    case SYS_ENOMEM:
        return ENOSPC;
    case SYS_ERANGE:
        return EFAULT; /* the buffer: the file is long enough */
    default:
        return (int)-status;
    }
}

/* Zeroes behind the end, which are to be read if the file grows again. */
static long tail_clear(const struct file *file, off_t size)
{
    static const char zeroes[256];
    uint64_t end = page_ceil(size);
    long status = 0;

    for (uint64_t at = (uint64_t)size; at < end && status == 0; at += sizeof(zeroes)) {
        uint64_t bytes = end - at < sizeof(zeroes) ? end - at : sizeof(zeroes);

        status = sys_memory_write(file->memory, at, (uintptr_t)zeroes, bytes, NULL);
    }
    return status;
}

static long size_set(const struct file *file, off_t size)
{
    uint64_t had = page_ceil(file->open->size);
    long status = 0;

    if (page_ceil(size) != had) {
        status = sys_memory_resize(file->memory, page_ceil(size));
    }
    if (status != 0) { /* some may have been cut off */
        (void)sys_memory_resize(file->memory, had);
        return status;
    }
    status = size < file->open->size ? tail_clear(file, size) : 0;
    file->open->size = size;
    return status;
}

int ftruncate(int file, off_t length)
{
    struct file *found = file_enter(file);

    if (found == NULL) {
        return failure(file >= 0 && file < FILES_FIRST ? EINVAL : EBADF);
    }
    long status = length < 0 ? -SYS_EINVAL : 0;
    if (status == 0) {
        status = length > SIZE_MAX_BYTES ? -SYS_ERANGE : size_set(found, length);
    }
    file_leave(found);
    if (status != 0) {
        return failure(status == -SYS_ERANGE ? EFBIG : error_of(status));
    }
    return 0;
}

int fstat(int file, struct stat *state)
{
    struct file *found = file_enter(file);

    *state = (struct stat){.st_mode = S_IFREG | 0600, .st_nlink = 1};
    if (found != NULL) {
        state->st_size = found->open->size;
        file_leave(found);
        return 0;
    }
    state->st_mode = S_IFCHR | 0600;
    return file >= 0 && file < FILES_FIRST ? 0 : failure(EBADF);
}

off_t file_seek(int file, off_t offset, int whence)
{
    struct file *found = file_enter(file);
    off_t place = 0;

    if (found == NULL) {
        return failure(EBADF);
    }
    if (whence != SEEK_SET) {
        place = whence == SEEK_END ? found->open->size : found->open->position;
    }
    int is_right = (whence == SEEK_SET || whence == SEEK_CUR || whence == SEEK_END) &&
                   !__builtin_add_overflow(place, offset, &place) && place >= 0;
    if (is_right) {
        found->open->position = place;
    }
    file_leave(found);
    return is_right ? place : failure(EINVAL);
}

static ssize_t read_at(const struct file *file, void *buffer, size_t bytes, off_t *at)
{
    uint64_t done = 0;
    off_t rest = *at < file->open->size ? file->open->size - *at : 0;

    bytes = bytes < (uint64_t)rest ? bytes : (uint64_t)rest;
    long status = sys_memory_read(file->memory, (uint64_t)*at, (uintptr_t)buffer, bytes, &done);
    *at += (off_t)done;
    return status == 0 || done != 0 ? (ssize_t)done : failure(error_of(status));
}

static ssize_t write_at(const struct file *file, const void *buffer, size_t bytes, off_t *at)
{
    uint64_t done = 0;
    off_t old = file->open->size;
    off_t end = 0;
    long status = 0;

    if (__builtin_add_overflow(*at, bytes, &end) || end > SIZE_MAX_BYTES) {
        return failure(EFBIG);
    }
    if (bytes != 0 && end > old) {
        status = size_set(file, end);
    }
    if (status == 0) {
        status = sys_memory_write(file->memory, (uint64_t)*at, (uintptr_t)buffer, bytes, &done);
    }
    *at += (off_t)done;
    if (file->open->size > old && file->open->size > *at) { /* not all of it was written */
        (void)size_set(file, done != 0 && *at > old ? *at : old);
    }
    return status == 0 || done != 0 ? (ssize_t)done : failure(error_of(status));
}

ssize_t file_read(int file, void *buffer, size_t bytes, off_t *at)
{
    struct file *found = file_enter(file);
    ssize_t count = -1;

    if (found == NULL) {
        return failure(EBADF);
    }
    off_t *place = at != NULL ? at : &found->open->position;
    count = *place < 0 ? failure(EINVAL) : read_at(found, buffer, bytes, place);
    file_leave(found);
    return count;
}

ssize_t file_write(int file, const void *buffer, size_t bytes, off_t *at)
{
    struct file *found = file_enter(file);
    ssize_t count = -1;

    if (found == NULL) {
        return failure(EBADF);
    }
    off_t *place = at != NULL ? at : &found->open->position;
    count = *place < 0 ? failure(EINVAL) : write_at(found, buffer, bytes, place);
    file_leave(found);
    return count;
}

long file_map(int file, off_t offset, uint64_t bytes, long (*map)(void *context, handle_t memory),
              void *context)
{
    struct file *found = file_enter(file);
    long status = 0;

    if (found == NULL) {
        return EBADF;
    }
    if (offset < 0 || (uint64_t)offset % VM_PAGE_SIZE != 0) {
        status = EINVAL;
    } else if (bytes > page_ceil(found->open->size) ||
               (uint64_t)offset > page_ceil(found->open->size) - bytes) {
        status = ENXIO;
    } else {
        status = map(context, found->memory);
    }
    file_leave(found);
    return status;
}
