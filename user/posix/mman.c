/* SPDX-License-Identifier: MIT */
/*
 * mmap and its kin.  The library's table says which addresses are held, the page table what is
 * there: memory that the first access makes, or memory.  Calls that look before they change keep
 * the table's lock.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "failure.h"
#include "files.h"
#include "ranges.h"
#include "user/space.h"
#include "user/vellum.h"
#include "vellum/calls.h"

#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)
#define FLAGS_ALL                                                                                  \
    (MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE |         \
     MAP_FIXED_NOREPLACE)

static void *map_failure(int error)
{
    errno = error;
    return MAP_FAILED;
}

/* VM_PROT_* of PROT_*; writing implies reading. */
static uint64_t vm_prot(int prot)
{
    uint64_t result = 0;

    result |= (prot & (PROT_READ | PROT_WRITE)) != 0 ? VM_PROT_R : 0;
    result |= (prot & PROT_WRITE) != 0 ? VM_PROT_W : 0;
    result |= (prot & PROT_EXEC) != 0 ? VM_PROT_X : 0;
    return result;
}

/* The pages of a range.  Nonzero: it is one, and may be empty. */
static int range_make(const void *address, size_t bytes, uint64_t *start, uint64_t *end)
{
    *start = (uintptr_t)address;
    if (*start % VM_PAGE_SIZE != 0 || __builtin_add_overflow(*start, bytes, end) ||
        __builtin_add_overflow(*end, VM_PAGE_SIZE - 1, end)) {
        return 0;
    }
    *end &= ~(VM_PAGE_SIZE - 1);
    return 1;
}

/* 0: such a mapping can be. */
static int flags_check(int prot, int flags)
{
    int kind = flags & (MAP_SHARED | MAP_PRIVATE);

    if ((prot & ~PROT_ALL) != 0 || (flags & ~FLAGS_ALL) != 0 || kind == 0 ||
        kind == (MAP_SHARED | MAP_PRIVATE)) {
        return EINVAL;
    }
    return 0;
}

/* A mapping to be made. */
struct wish {
    uint64_t start, end;
    struct user_memory memory;
    enum user_place place;
};

static long wish_map(struct wish *wish)
{
    return user_space_map(&wish->start, wish->end - wish->start, wish->memory, wish->place);
}

/* file_map's. */
static long wish_map_file(void *context, handle_t memory)
{
    struct wish *wish = context;

    wish->memory.object = memory;
    return wish_map(wish);
}

/* Memory that processes share is an object, which lives as long as one of them has it mapped. */
static long wish_map_shared(struct wish *wish)
{
    long status = sys_memory_create(wish->end - wish->start, &wish->memory.object);

    if (status == 0) {
        status = wish_map(wish);
        (void)sys_handle_close(wish->memory.object);
    }
    return status;
}

/* 0, an error negated as calls give it, or an errno. */
static long wish_grant(struct wish *wish, int flags, int file, off_t offset)
{
    if ((flags & MAP_ANONYMOUS) == 0) {
        wish->memory.offset = (uint64_t)offset;
        wish->memory.is_private = (flags & MAP_PRIVATE) != 0;
        return file >= 0 && file < FILES_FIRST
                   ? ENODEV
                   : file_map(file, offset, wish->end - wish->start, wish_map_file, wish);
    }
    return (flags & MAP_SHARED) != 0 ? wish_map_shared(wish) : wish_map(wish);
}

static enum user_place place_of(int flags)
{
    if ((flags & MAP_FIXED_NOREPLACE) != 0) {
        return USER_FRESH;
    }
    return (flags & MAP_FIXED) != 0 ? USER_REPLACE : USER_ANYWHERE;
}

void *mmap(void *address, size_t bytes, int prot, int flags, int file, off_t offset)
{
    struct wish wish = {.place = place_of(flags)};
    int error = flags_check(prot, flags);

    if (error != 0) {
        return map_failure(error);
    }
    if (wish.place == USER_ANYWHERE) { /* a hint */
        address = (void *)((uintptr_t)address & ~(VM_PAGE_SIZE - 1));
    }
    if (bytes == 0 || (uintptr_t)address % VM_PAGE_SIZE != 0) {
        return map_failure(EINVAL);
    }
    if (!range_make(address, bytes, &wish.start, &wish.end)) {
        return map_failure(ENOMEM);
    }
    wish.memory.prot = vm_prot(prot);
    wish.memory.is_there = (flags & MAP_POPULATE) != 0 && prot != PROT_NONE;
    long status = wish_grant(&wish, flags, file, offset);
    if (status > 0) {
        return map_failure((int)status);
    }
    if (status != 0) {
        return map_failure(status == -SYS_EEXIST ? EEXIST : ENOMEM);
    }
    return (void *)(uintptr_t)wish.start;
}

int munmap(void *address, size_t bytes)
{
    uint64_t start = 0;
    uint64_t end = 0;

    if (bytes == 0 || !range_make(address, bytes, &start, &end)) {
        return failure(EINVAL);
    }
    long status = user_space_unmap(start, end - start);
    if (status != 0) {
        return failure(status == -SYS_ENOMEM ? ENOMEM : EINVAL);
    }
    return 0;
}

/* Something is at each address: 0; if not, -SYS_ENOMEM.  Errors of vm_ranges. */
static long check_locked(uint64_t start, uint64_t end)
{
    struct ranges ranges;
    struct vm_range_info piece;
    long status = 0;

    if (user_space_holds_locked(start, end - start)) {
        return 0;
    }
    ranges_begin(&ranges, start, end);
    while (status == 0 && start < end) {
        status = ranges_next(&ranges, &piece);
        if (status == -SYS_ENOENT || (status == 0 && piece.start != start)) {
            return -SYS_ENOMEM;
        }
        start = piece.start + piece.bytes;
    }
    return status;
}

int mprotect(void *address, size_t bytes, int prot)
{
    uint64_t start = 0;
    uint64_t end = 0;
    uint64_t pages = 0;

    if ((uintptr_t)address % VM_PAGE_SIZE != 0 || (prot & ~PROT_ALL) != 0) {
        return failure(EINVAL);
    }
    if (!range_make(address, bytes, &start, &end)) {
        return failure(ENOMEM);
    }
    if (start == end) {
        return 0;
    }
    user_space_lock();
    long status = sys_vm_protect(user_self(), start, end - start, vm_prot(prot), &pages);
    if (status == 0 && pages < (end - start) / VM_PAGE_SIZE) {
        status = check_locked(start, end);
    }
    user_space_unlock();
    if (status == 0) {
        return 0;
    }
    return failure(status == -SYS_EINVAL || status == -SYS_EACCES ? EACCES : ENOMEM);
}

/* Gives the memory of a piece back, if it is this process's alone; the next access finds zeroes. */
static long piece_drop(const struct vm_range_info *piece)
{
    switch (piece->kind) {
    case VM_KIND_RAM:
    case VM_KIND_HIDDEN:
        if ((piece->flags & VM_STATE_PRIVATE) == 0) {
            return 0;
        }
        return sys_vm_mark(user_self(), piece->start, piece->bytes, VM_KIND_RESERVED, piece->prot,
                           VM_FLAG_REPLACE, NULL);
    case VM_KIND_IO:
        return -SYS_EINVAL;
    default:
        return 0;
    }
}

static long drop_locked(uint64_t start, uint64_t end)
{
    struct ranges ranges;
    struct vm_range_info piece;
    long status = 0;

    ranges_begin(&ranges, start, end);
    while (status == 0) {
        status = ranges_next(&ranges, &piece);
        if (status == 0) {
            status = piece_drop(&piece);
        }
    }
    return status == -SYS_ENOENT ? 0 : status;
}

int madvise(void *address, size_t bytes, int advice)
{
    uint64_t start = 0;
    uint64_t end = 0;

    if ((uintptr_t)address % VM_PAGE_SIZE != 0 || advice < MADV_NORMAL || advice > MADV_DONTNEED) {
        return failure(EINVAL);
    }
    if (!range_make(address, bytes, &start, &end)) {
        return failure(ENOMEM);
    }
    user_space_lock();
    long status = check_locked(start, end);
    if (status == 0 && advice == MADV_DONTNEED) {
        status = drop_locked(start, end);
    }
    user_space_unlock();
    if (status != 0) {
        return failure(status == -SYS_EINVAL ? EINVAL : ENOMEM);
    }
    return 0;
}

int msync(void *address, size_t bytes, int flags)
{
    uint64_t start = 0;
    uint64_t end = 0;

    if ((uintptr_t)address % VM_PAGE_SIZE != 0 ||
        (flags & ~(MS_ASYNC | MS_SYNC | MS_INVALIDATE)) != 0 ||
        (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC)) {
        return failure(EINVAL);
    }
    if (!range_make(address, bytes, &start, &end)) {
        return failure(ENOMEM);
    }
    user_space_lock();
    long status = check_locked(start, end);
    user_space_unlock();
    return status == 0 ? 0 : failure(ENOMEM);
}

int mincore(void *address, size_t bytes, unsigned char *pages)
{
    struct ranges ranges;
    struct vm_range_info piece;
    uint64_t start = 0;
    uint64_t end = 0;

    if ((uintptr_t)address % VM_PAGE_SIZE != 0) {
        return failure(EINVAL);
    }
    if (!range_make(address, bytes, &start, &end)) {
        return failure(ENOMEM);
    }
    user_space_lock();
    long status = check_locked(start, end);
    user_space_unlock();
    if (status != 0) {
        return failure(ENOMEM);
    }
    memset(pages, 0, (end - start) / VM_PAGE_SIZE);
    ranges_begin(&ranges, start, end);
    while (ranges_next(&ranges, &piece) == 0) {
        int has_memory =
            piece.kind == VM_KIND_RAM || piece.kind == VM_KIND_IO || piece.kind == VM_KIND_HIDDEN;

        memset(pages + (piece.start - start) / VM_PAGE_SIZE, has_memory,
               piece.bytes / VM_PAGE_SIZE);
    }
    return 0;
}
