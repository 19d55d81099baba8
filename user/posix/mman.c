/* SPDX-License-Identifier: MIT */
/*
 * mmap and its kin, but mprotect.  The library's table says which addresses are held, the page
 * table which have memory; PROT_NONE is an address that is held and has none.  Calls that look
 * before they change keep the table's lock.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "failure.h"
#include "mman.h"
#include "ranges.h"
#include "user/space.h"
#include "user/vellum.h"
#include "vellum/calls.h"

#define FLAGS_ALL                                                                                  \
    (MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE)

static void *map_failure(int error)
{
    errno = error;
    return MAP_FAILED;
}

uint64_t mman_prot(int prot)
{
    uint64_t result = 0;

    result |= (prot & (PROT_READ | PROT_WRITE)) != 0 ? VM_PROT_R : 0;
    result |= (prot & PROT_WRITE) != 0 ? VM_PROT_W : 0;
    result |= (prot & PROT_EXEC) != 0 ? VM_PROT_X : 0;
    return result;
}

int mman_range_make(const void *address, size_t bytes, uint64_t *start, uint64_t *end)
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

    if ((prot & ~MMAN_PROT_ALL) != 0 || (flags & ~FLAGS_ALL) != 0 || kind == 0 ||
        kind == (MAP_SHARED | MAP_PRIVATE)) {
        return EINVAL;
    }
    if (kind == MAP_SHARED) {
        return ENOTSUP;
    }
    return (flags & MAP_ANONYMOUS) == 0 ? ENODEV : 0;
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
    uint64_t start = 0;
    uint64_t end = 0;
    enum user_place place = place_of(flags);
    int error = flags_check(prot, flags);

    (void)file;
    (void)offset;
    if (error != 0) {
        return map_failure(error);
    }
    if (place == USER_ANYWHERE) { /* a hint */
        address = (void *)((uintptr_t)address & ~(VM_PAGE_SIZE - 1));
    }
    if (bytes == 0 || (uintptr_t)address % VM_PAGE_SIZE != 0) {
        return map_failure(EINVAL);
    }
    if (!mman_range_make(address, bytes, &start, &end)) {
        return map_failure(ENOMEM);
    }
    long status = user_space_map(&start, end - start, mman_prot(prot), place);
    if (status != 0) {
        return map_failure(status == -SYS_EEXIST ? EEXIST : ENOMEM);
    }
    return (void *)(uintptr_t)start;
}

int munmap(void *address, size_t bytes)
{
    uint64_t start = 0;
    uint64_t end = 0;

    if (bytes == 0 || !mman_range_make(address, bytes, &start, &end)) {
        return failure(EINVAL);
    }
    long status = user_space_unmap(start, end - start);
    if (status != 0) {
        return failure(status == -SYS_ENOMEM ? ENOMEM : EINVAL);
    }
    return 0;
}

long mman_holes_fill_locked(uint64_t start, uint64_t end, uint64_t prot)
{
    struct ranges ranges;
    struct vm_range_info piece;
    long status = 0;

    ranges_begin(&ranges, start, end);
    while (status == 0 && start < end) {
        uint64_t hole_end = end;

        status = ranges_next(&ranges, &piece);
        if (status == 0) {
            hole_end = piece.start;
        } else if (status != -SYS_ENOENT) {
            return status;
        }
        if (start < hole_end) {
            if (!user_space_holds_locked(start, hole_end - start)) {
                return -SYS_ENOMEM;
            }
            long mapped =
                prot == 0 ? 0 : sys_vm_map(user_self(), start, hole_end - start, prot, 0, NULL);
            if (mapped != 0) {
                return mapped;
            }
        }
        start = status == 0 ? piece.start + piece.bytes : end;
    }
    return 0;
}

/* Writable pages are written; others get fresh memory with the same permissions. */
static long piece_zero(const struct vm_range_info *piece)
{
    if (piece->kind != VM_KIND_RAM) {
        return -SYS_EINVAL;
    }
    if ((piece->prot & VM_PROT_W) != 0) {
        memset((void *)(uintptr_t)piece->start, 0, piece->bytes);
        return 0;
    }
    return sys_vm_map(user_self(), piece->start, piece->bytes, piece->prot, VM_FLAG_REPLACE, NULL);
}

static long zero_locked(uint64_t start, uint64_t end)
{
    struct ranges ranges;
    struct vm_range_info piece;
    long status = 0;

    ranges_begin(&ranges, start, end);
    while (status == 0) {
        status = ranges_next(&ranges, &piece);
        if (status == 0) {
            status = piece_zero(&piece);
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
    if (!mman_range_make(address, bytes, &start, &end)) {
        return failure(ENOMEM);
    }
    user_space_lock();
    long status = mman_holes_fill_locked(start, end, 0);
    if (status == 0 && advice == MADV_DONTNEED) {
        status = zero_locked(start, end);
    }
    user_space_unlock();
    if (status != 0) {
        return failure(status == -SYS_EINVAL ? EINVAL : ENOMEM);
    }
    return 0;
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
    if (!mman_range_make(address, bytes, &start, &end)) {
        return failure(ENOMEM);
    }
    user_space_lock();
    long status = mman_holes_fill_locked(start, end, 0);
    user_space_unlock();
    if (status != 0) {
        return failure(ENOMEM);
    }
    memset(pages, 0, (end - start) / VM_PAGE_SIZE);
    ranges_begin(&ranges, start, end);
    while (ranges_next(&ranges, &piece) == 0) {
        memset(pages + (piece.start - start) / VM_PAGE_SIZE, 1, piece.bytes / VM_PAGE_SIZE);
    }
    return 0;
}
