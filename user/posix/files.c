/* SPDX-License-Identifier: MIT */
/*
 * Files that are memory objects.  What whoever has the file open shares, also by fork, its size and
 * position, is in a page that all of them map; the contents are an object of their own, which has
 * the pages up to the size and no more.
 *
 * A call holds the table's lock, so that the file stays open, and then the page's, which threads of
 * other processes take too.
 */
#include "files.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"
#include "user/copy.h"
#include "user/lock.h"
#include "user/space.h"
#include "user/vellum.h"
#include "vellum/calls.h"

#define NAME_MAX_BYTES 249U
#define SIZE_MAX_BYTES (INT64_C(1) << 48)

struct open_file {
    struct user_lock lock;
    off_t size;     /* (l) bytes */
    off_t position; /* (l)       */
};

struct file {
    handle_t memory; /* HANDLE_NONE: not open */
    struct open_file *open;
};

static struct {
    struct user_lock lock;
    struct file files[FILES_END]; /* (l) the first ones are the console's, and not used */
} table;

void user_files_lock(void)
{
    user_lock_acquire(&table.lock);
}

void user_files_unlock(void)
{
    user_lock_release(&table.lock);
}

long user_files_give(handle_t process)
{
    long status = 0;

    for (int i = FILES_FIRST; i < FILES_END && status == 0; i++) {
        handle_t theirs = HANDLE_NONE;
        handle_t *place = &table.files[i].memory;

        if (*place == HANDLE_NONE) {
            continue;
        }
        status = sys_handle_transfer(process, *place, RIGHT_ALL, &theirs);
        if (status == 0) {
            status =
                sys_vm_write(process, (uintptr_t)place, (uintptr_t)&theirs, sizeof(theirs), NULL);
        }
    }
    return status;
}

/* The open file of that number, with the table's lock; NULL: none, and not locked. */
static struct file *file_find(int file)
{
    if (file < FILES_FIRST || file >= FILES_END) {
        return NULL;
    }
    user_files_lock();
    if (table.files[file].memory == HANDLE_NONE) {
        user_files_unlock();
        return NULL;
    }
    return &table.files[file];
}

/* The same with both locks. */
static struct file *file_enter(int file)
{
    struct file *found = file_find(file);

    if (found != NULL) {
        user_lock_acquire_shared(&found->open->lock);
    }
    return found;
}

static void file_leave(struct file *file)
{
    user_lock_release_shared(&file->open->lock);
    user_files_unlock();
}

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

/* ---- making and ending ---- */

static long open_make(struct open_file **open)
{
    struct user_memory memory = {.prot = VM_PROT_R | VM_PROT_W, .is_there = 1};
    uint64_t address = 0;
    long status = sys_memory_create(VM_PAGE_SIZE, &memory.object);

    if (status == 0) {
        status = user_space_map(&address, VM_PAGE_SIZE, memory, USER_ANYWHERE);
        (void)sys_handle_close(memory.object);
    }
    *open = (struct open_file *)(uintptr_t)address;
    return status;
}

static long file_make(struct file *file)
{
    struct open_file *open = NULL;
    long status = open_make(&open);

    if (status != 0) {
        return status;
    }
    status = sys_memory_create(0, &file->memory);
    if (status != 0) {
        (void)user_space_unmap((uintptr_t)open, VM_PAGE_SIZE);
        return status;
    }
    file->open = open;
    return 0;
}

int memfd_create(const char *name, unsigned flags)
{
    int number = FILES_FIRST;

    if ((flags & ~MFD_CLOEXEC) != 0 || strnlen(name, NAME_MAX_BYTES + 1) > NAME_MAX_BYTES) {
        return failure(EINVAL);
    }
    user_files_lock();
    while (number < FILES_END && table.files[number].memory != HANDLE_NONE) {
        number++;
    }
    long status = number < FILES_END ? file_make(&table.files[number]) : -SYS_EAGAIN;
    user_files_unlock();
    if (status != 0) {
        return failure(status == -SYS_ENOMEM ? ENOMEM : EMFILE);
    }
    return number;
}

int file_close(int file)
{
    struct file *found = file_find(file);

    if (found == NULL) {
        return failure(EBADF);
    }
    (void)sys_handle_close(found->memory);
    (void)user_space_unmap((uintptr_t)found->open, VM_PAGE_SIZE);
    *found = (struct file){.memory = HANDLE_NONE};
    user_files_unlock();
    return 0;
}

/* ---- size and position ---- */

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

/* ---- contents ---- */

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
        (void)size_set(file, *at > old ? *at : old);
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
