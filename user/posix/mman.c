/* SPDX-License-Identifier: MIT */
/*
 * mmap and munmap.  The library's table says which addresses are held, the page table what is
 * there: memory that the first access makes, or memory, of this process alone or of an object.
 */
#include <errno.h>
#include <sys/mman.h>

#include "failure.h"
#include "files.h"
#include "mman_args.h"
#include "user/space.h"
#include "user/vellum.h"
#include "vellum/calls.h"

#define FLAGS_ALL                                                                                  \
    (MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE |         \
     MAP_FIXED_NOREPLACE | MAP_HUGETLB | MAP_HUGE_MASK << MAP_HUGE_SHIFT)

static void *map_failure(int error)
{
    errno = error;
    return MAP_FAILED;
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

/* 0: pages of the size that is asked for can be; *pages is what the calls take. */
static int huge_check(int flags, uint64_t *pages)
{
    int size = flags & MAP_HUGE_MASK << MAP_HUGE_SHIFT;

    *pages = 0;
    if ((flags & MAP_HUGETLB) == 0) {
        return size == 0 ? 0 : EINVAL;
    }
    if ((flags & MAP_ANONYMOUS) == 0 ||
        (size != 0 && size != MAP_HUGE_2MB && size != MAP_HUGE_1GB) ||
        (size == MAP_HUGE_1GB && (flags & MAP_SHARED) != 0)) {
        return EINVAL;
    }
    *pages = size == MAP_HUGE_1GB ? VM_FLAG_1G : VM_FLAG_2M;
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
    long status =
        sys_memory_create(wish->end - wish->start, wish->memory.pages, &wish->memory.object);

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

    if (error == 0) {
        error = huge_check(flags, &wish.memory.pages);
    }
    if (error != 0) {
        return map_failure(error);
    }
    uint64_t page_bytes = user_memory_page(&wish.memory);

    if (wish.place == USER_ANYWHERE) { /* a hint */
        address = (void *)((uintptr_t)address & ~(page_bytes - 1));
    }
    if (bytes == 0 || (uintptr_t)address % page_bytes != 0) {
        return map_failure(EINVAL);
    }
    if (!range_make_of(address, bytes, page_bytes, &wish.start, &wish.end)) {
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
