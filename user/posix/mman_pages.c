/* SPDX-License-Identifier: MIT */
/*
 * What is done to pages that are mapped: rights, advice, and looking.  Calls that look before they
 * change keep the lock of the library's table.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "failure.h"
#include "mman_args.h"
#include "ranges.h"
#include "user/space.h"
#include "user/vellum.h"
#include "vellum/calls.h"

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
        status = ranges_check_locked(start, end);
    }
    user_space_unlock();
    if (status == 0) {
        return 0;
    }
    return failure(status == -SYS_EINVAL || status == -SYS_EACCES ? EACCES : ENOMEM);
}

/* Gives the memory of a piece back, if it is this process's alone; the next access finds zeroes, in
 * pages of the same size. */
static long piece_drop(const struct vm_range_info *piece)
{
    static const uint64_t sizes[] = {0, VM_FLAG_2M, VM_FLAG_1G};
    uint64_t size = piece->level < sizeof(sizes) / sizeof(sizes[0]) ? sizes[piece->level] : 0;

    switch (piece->kind) {
    case VM_KIND_RAM:
    case VM_KIND_HIDDEN:
        if ((piece->flags & VM_STATE_PRIVATE) == 0) {
            return 0;
        }
        return sys_vm_mark(user_self(), piece->start, piece->bytes, VM_KIND_RESERVED, piece->prot,
                           VM_FLAG_REPLACE | size, NULL);
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

    if ((uintptr_t)address % VM_PAGE_SIZE != 0 ||
        ((advice < MADV_NORMAL || advice > MADV_DONTNEED) && advice != MADV_COLLAPSE)) {
        return failure(EINVAL);
    }
    if (!range_make(address, bytes, &start, &end)) {
        return failure(ENOMEM);
    }
    user_space_lock();
    long status = ranges_check_locked(start, end);
    if (status == 0 && advice == MADV_DONTNEED) {
        status = drop_locked(start, end);
    }
    if (status == 0 && advice == MADV_COLLAPSE && start < end) {
        status = sys_vm_fold(user_self(), start, end - start, NULL);
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
    long status = ranges_check_locked(start, end);
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
    long status = ranges_check_locked(start, end);
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
