/* SPDX-License-Identifier: MIT */
/*
 * mprotect.  Pages without memory get some; pages that are to have no access lose theirs, which
 * only zeroes survive.  Where all have memory it is one system call: it tells how many pages there
 * were, whatever rights they had.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#include "failure.h"
#include "mman.h"
#include "ranges.h"
#include "user/space.h"
#include "user/vellum.h"
#include "vellum/calls.h"

static int is_zero(const struct vm_range_info *piece)
{
    const uint64_t *words = (const uint64_t *)(uintptr_t)piece->start;

    for (size_t i = 0; i < piece->bytes / sizeof(*words); i++) {
        if (words[i] != 0) {
            return 0;
        }
    }
    return 1;
}

/* Takes the memory of one piece away, if there are only zeroes in it.  It is made read-only before
 * one looks, so that what is written meanwhile is not lost. */
static long piece_hide_locked(const struct vm_range_info *piece)
{
    long status = sys_vm_protect(user_self(), piece->start, piece->bytes, VM_PROT_R, NULL);

    if (status != 0) {
        return status;
    }
    if (!is_zero(piece)) {
        (void)sys_vm_protect(user_self(), piece->start, piece->bytes, piece->prot, NULL);
        return -SYS_ENOTSUP;
    }
    status = user_space_hold_locked(piece->start, piece->bytes);
    if (status == 0) {
        status = sys_vm_unmap(user_self(), piece->start, piece->bytes, NULL);
    }
    return status;
}

static long hide_locked(uint64_t start, uint64_t end)
{
    struct ranges ranges;
    struct vm_range_info piece;
    long status = mman_holes_fill_locked(start, end, 0);

    ranges_begin(&ranges, start, end);
    while (status == 0) {
        status = ranges_next(&ranges, &piece);
        if (status == 0) {
            status = piece.kind == VM_KIND_RAM ? piece_hide_locked(&piece) : -SYS_ENOTSUP;
        }
    }
    return status == -SYS_ENOENT ? 0 : status;
}

static long protect_locked(uint64_t start, uint64_t end, uint64_t prot)
{
    if (prot == 0) {
        return hide_locked(start, end);
    }
    uint64_t pages = 0;
    long status = sys_vm_protect(user_self(), start, end - start, prot, &pages);
    if (status != 0 || pages == (end - start) / VM_PAGE_SIZE) {
        return status;
    }
    /* Some have no memory: are they held?  Then they get some. */
    status = mman_holes_fill_locked(start, end, 0);
    return status == 0 ? mman_holes_fill_locked(start, end, prot) : status;
}

int mprotect(void *address, size_t bytes, int prot)
{
    uint64_t start = 0;
    uint64_t end = 0;

    if ((uintptr_t)address % VM_PAGE_SIZE != 0 || (prot & ~MMAN_PROT_ALL) != 0) {
        return failure(EINVAL);
    }
    if (!mman_range_make(address, bytes, &start, &end)) {
        return failure(ENOMEM);
    }
    if (start == end) {
        return 0;
    }
    user_space_lock();
    long status = protect_locked(start, end, mman_prot(prot));
    user_space_unlock();
    if (status == 0) {
        return 0;
    }
    if (status == -SYS_ENOTSUP || status == -SYS_EACCES) {
        return failure((int)-status);
    }
    return failure(status == -SYS_EINVAL ? EACCES : ENOMEM);
}
