/* SPDX-License-Identifier: MIT */
/*
 * mremap: pages go from one place to another by vm_move.  The new place is reserved as a whole
 * first, so that what is added is there and nobody else gets it; then the beginning makes way for
 * the pages.
 */
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>

#include "mman_args.h"
#include "ranges.h"
#include "user/space.h"
#include "user/vellum.h"
#include "vellum/calls.h"

/* What one page table maps: longer mappings keep their place in it, and their tables move whole. */
#define TABLE_BYTES (512 * VM_PAGE_SIZE)

struct remap {
    uint64_t start, old_bytes; /* the mapping                       */
    uint64_t new_bytes;        /* as it is to be                    */
    uint64_t place;            /* MREMAP_FIXED; then where it is    */
    int flags;
    struct user_memory added;
};

static uint64_t kept_bytes(const struct remap *remap)
{
    return remap->old_bytes < remap->new_bytes ? remap->old_bytes : remap->new_bytes;
}

static int overlaps(const struct remap *remap)
{
    return remap->place < remap->start + remap->old_bytes &&
           remap->start < remap->place + remap->new_bytes;
}

/* The rights of what is added: those of the last page.  ENOTSUP: more of that cannot be had. */
static int added_decide(struct remap *remap)
{
    uint64_t end = remap->start + remap->old_bytes;
    struct ranges ranges;
    struct vm_range_info last;

    ranges_begin(&ranges, end - VM_PAGE_SIZE, end);
    if (ranges_next(&ranges, &last) != 0) {
        return EFAULT;
    }
    remap->added.prot = last.prot;
    return (last.flags & VM_STATE_PRIVATE) != 0 && last.kind != VM_KIND_PAGED ? 0 : ENOTSUP;
}

/* Reserves the place that MREMAP_FIXED names, or any. */
static int place_reserve_locked(struct remap *remap)
{
    int is_fixed = (remap->flags & MREMAP_FIXED) != 0;
    int is_long = !is_fixed && kept_bytes(remap) >= TABLE_BYTES;
    uint64_t spare = is_long ? TABLE_BYTES : 0;
    uint64_t skew = 0;

    if (!is_fixed) {
        remap->place = 0;
    }
    long status = user_space_map_locked(&remap->place, remap->new_bytes + spare, remap->added,
                                        is_fixed ? USER_REPLACE : USER_ANYWHERE);
    if (status != 0) {
        return status == -SYS_ERANGE ? EINVAL : ENOMEM;
    }
    if (is_long) { /* the same place in a table as before */
        skew = (remap->start - remap->place) % TABLE_BYTES;
        if (skew != 0) {
            status = user_space_unmap_locked(remap->place, skew);
        }
        if (status == 0) {
            status = user_space_unmap_locked(remap->place + skew + remap->new_bytes, spare - skew);
        }
    }
    if (status != 0) {
        (void)user_space_unmap_locked(remap->place, remap->new_bytes + spare);
        return ENOMEM;
    }
    remap->place += skew;
    return 0;
}

/* Moves what is kept to a place of its own.  An error: it is where it was. */
static int move_locked(struct remap *remap)
{
    uint64_t bytes = kept_bytes(remap);
    uint64_t done = 0;
    int error = place_reserve_locked(remap);

    if (error != 0) {
        return error;
    }
    long status = sys_vm_unmap(user_self(), remap->place, bytes, NULL);
    if (status == 0) {
        status = sys_vm_move(user_self(), user_self(), remap->start, bytes, remap->place, &done);
    }
    if (status != 0) {
        if (done != 0) {
            (void)sys_vm_move(user_self(), user_self(), remap->place, done, remap->start, NULL);
        }
        (void)user_space_unmap_locked(remap->place, remap->new_bytes);
        return ENOMEM;
    }
    user_space_forget_locked(remap->start, bytes);
    return 0;
}

/* Takes away what is too much.  Nonzero: an error. */
static int shrink_locked(struct remap *remap)
{
    uint64_t kept = kept_bytes(remap);

    if (remap->old_bytes > kept &&
        user_space_unmap_locked(remap->start + kept, remap->old_bytes - kept) != 0) {
        return ENOMEM;
    }
    remap->old_bytes = kept;
    return 0;
}

/* Adds what is missing behind the mapping, if nothing is there. */
static int grow_locked(const struct remap *remap)
{
    uint64_t end = remap->start + remap->old_bytes;
    uint64_t limit = end <= USER_PAGES_END ? USER_PAGES_END : USER_FREE_END;

    if (remap->start < USER_PAGES_START || remap->new_bytes > limit - remap->start) {
        return ENOMEM;
    }
    return user_space_map_locked(&end, remap->new_bytes - remap->old_bytes, remap->added,
                                 USER_FRESH) == 0
               ? 0
               : ENOMEM;
}

static int remap_locked(struct remap *remap)
{
    int is_longer = remap->new_bytes > remap->old_bytes;
    int error =
        ranges_check_locked(remap->start, remap->start + remap->old_bytes) != 0 ? EFAULT : 0;

    if (error == 0 && is_longer) {
        error = added_decide(remap);
    }
    if (error == 0) {
        error = shrink_locked(remap);
    }
    if (error != 0 || (remap->flags & MREMAP_FIXED) != 0) {
        return error != 0 ? error : move_locked(remap);
    }
    remap->place = remap->start;
    if (!is_longer || grow_locked(remap) == 0) {
        return 0;
    }
    return (remap->flags & MREMAP_MAYMOVE) != 0 ? move_locked(remap) : ENOMEM;
}

/* The lengths in pages.  EINVAL: none, or no range. */
static int remap_decode(struct remap *remap, const void *address, size_t old_bytes,
                        size_t new_bytes)
{
    uint64_t end = 0;
    uint64_t new_end = 0;

    if (old_bytes == 0 || new_bytes == 0 ||
        (remap->flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED)) != 0 || remap->flags == MREMAP_FIXED ||
        !range_make(address, old_bytes, &remap->start, &end)) {
        return EINVAL;
    }
    remap->old_bytes = end - remap->start;
    if ((remap->flags & MREMAP_FIXED) == 0) {
        remap->new_bytes = (new_bytes + VM_PAGE_SIZE - 1) & ~(VM_PAGE_SIZE - 1);
        return remap->new_bytes == 0 ? ENOMEM : 0;
    }
    if (!range_make((const void *)(uintptr_t)remap->place, new_bytes, &remap->place, &new_end)) {
        return EINVAL;
    }
    remap->new_bytes = new_end - remap->place;
    return overlaps(remap) ? EINVAL : 0;
}

void *mremap(void *address, size_t old_bytes, size_t new_bytes, int flags, ...)
{
    struct remap remap = {.flags = flags};
    va_list arguments;

    if ((flags & MREMAP_FIXED) != 0) {
        va_start(arguments, flags);
        remap.place = (uintptr_t)va_arg(arguments, void *);
        va_end(arguments);
    }
    int error = remap_decode(&remap, address, old_bytes, new_bytes);
    if (error == 0) {
        user_space_lock();
        error = remap_locked(&remap);
        user_space_unlock();
    }
    if (error != 0) {
        errno = error;
        return MAP_FAILED;
    }
    return (void *)(uintptr_t)remap.place;
}
