/* SPDX-License-Identifier: MIT */
/*
 * The table of files that are memory objects.  A call on one holds the table's lock, so that it
 * stays open, and then the file's own, which threads of other processes take too.
 */
#include "files.h"

#include <string.h>
#include <sys/mman.h>

#include "failure.h"
#include "user/copy.h"
#include "user/lock.h"
#include "user/space.h"
#include "user/vellum.h"
#include "vellum/calls.h"

#define NAME_MAX_BYTES 249U

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

struct file *file_enter(int file)
{
    struct file *found = file_find(file);

    if (found != NULL) {
        user_lock_acquire_shared(&found->open->lock);
    }
    return found;
}

void file_leave(struct file *file)
{
    user_lock_release_shared(&file->open->lock);
    user_files_unlock();
}

static long open_make(struct open_file **open)
{
    struct user_memory memory = {.prot = VM_PROT_R | VM_PROT_W, .is_there = 1};
    uint64_t address = 0;
    long status = sys_memory_create(VM_PAGE_SIZE, 0, &memory.object);

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
    status = sys_memory_create(0, 0, &file->memory);
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
