/* SPDX-License-Identifier: MIT */
/*
 * The addresses of this process: a table of what is held, for finding what is not, beside the page
 * table that says what is there.  Whatever is held is mapped or marked, unless the program unmapped
 * it by itself.  The table begins in the program's data and moves to pages of its own when it
 * grows.
 */
#include "user/space.h"

#include <string.h>

#include "pure/areas.h"
#include "user/lock.h"
#include "user/vellum.h"
#include "vellum/calls.h"

#define FIRST_ROOM 32U
#define TABLE_MAX  (USER_TABLE_END - USER_TABLE_START)

static struct area first_list[FIRST_ROOM];

static struct {
    struct user_lock lock;
    struct areas held;    /* (l) */
    uint64_t table_bytes; /* (l) mapped from USER_TABLE_START on */
} space = {.held = {.list = first_list, .room = FIRST_ROOM}};

void user_space_lock(void)
{
    user_lock_acquire(&space.lock);
}

void user_space_unlock(void)
{
    user_lock_release(&space.lock);
}

uint64_t user_memory_page(const struct user_memory *memory)
{
    if ((memory->pages & VM_FLAG_1G) != 0) {
        return UINT64_C(1) << 30;
    }
    return (memory->pages & VM_FLAG_2M) != 0 ? UINT64_C(1) << 21 : VM_PAGE_SIZE;
}

/* Pages of an object in all of the area, or none. */
static long object_map(struct area area, struct user_memory memory, uint64_t flags)
{
    uint64_t next = area.start;

    flags |= memory.is_there ? VM_FLAG_NOW : 0;
    flags |= memory.is_private ? VM_FLAG_PRIVATE : 0;
    long status = sys_memory_map(user_self(), area.start, area.end - area.start, memory.prot, flags,
                                 memory.object, memory.offset, &next);

    if (status != 0 && next != area.start) {
        (void)sys_vm_unmap(user_self(), area.start, next - area.start, NULL);
    }
    return status;
}

/* Memory in all of the area, or none. */
static long pages_make(struct area area, struct user_memory memory, uint64_t flags)
{
    uint64_t bytes = area.end - area.start;
    uint64_t done = 0;

    if (memory.object != HANDLE_NONE) {
        return object_map(area, memory, flags);
    }
    flags |= memory.pages;
    long status = memory.is_there
                      ? sys_vm_map(user_self(), area.start, bytes, memory.prot, flags, &done)
                      : sys_vm_mark(user_self(), area.start, bytes, VM_KIND_RESERVED, memory.prot,
                                    flags, &done);

    if (status != 0 && done != 0) {
        (void)sys_vm_unmap(user_self(), area.start, done, NULL);
    }
    return status;
}

/* Makes room for two more areas. */
static long table_grow_locked(void)
{
    if (space.held.room - space.held.count >= 2) {
        return 0;
    }
    if (space.table_bytes == TABLE_MAX) {
        return -SYS_ENOMEM;
    }
    /* Doubling: the first time the list moves, later it only gets longer. */
    uint64_t more = space.table_bytes == 0 ? VM_PAGE_SIZE : space.table_bytes;
    uint64_t start = USER_TABLE_START + space.table_bytes;
    const struct user_memory memory = {.prot = VM_PROT_R | VM_PROT_W, .is_there = 1};
    if (pages_make((struct area){start, start + more}, memory, 0) != 0) {
        return -SYS_ENOMEM;
    }
    if (space.table_bytes == 0) {
        struct area *list = (struct area *)(uintptr_t)USER_TABLE_START;

        memcpy(list, first_list, sizeof(first_list));
        space.held.list = list;
    }
    space.table_bytes += more;
    space.held.room = space.table_bytes / sizeof(struct area);
    return 0;
}

/* Holds an area, with memory; there is room in the table. */
static long hold_locked(struct area area, struct user_memory memory, uint64_t flags)
{
    long status = pages_make(area, memory, flags);

    if (status == 0) {
        areas_add(&space.held, area);
    }
    return status;
}

enum guard {
    GUARD_NONE,
    GUARD_BELOW, /* a page before the memory */
    GUARD_BEHIND,
};

/* Memory at a place in the library's part, and a guard that is held with it. */
struct request {
    uint64_t bytes;
    uint64_t align; /* without a guard */
    struct user_memory memory;
    enum guard guard;
};

static long anywhere_locked(const struct request *request, uint64_t *address)
{
    const struct area part = {USER_PAGES_START, USER_PAGES_END};
    uint64_t guard_bytes = request->guard == GUARD_NONE ? 0 : VM_PAGE_SIZE;
    uint64_t start = 0;

    if (request->bytes > USER_PAGES_END - USER_PAGES_START ||
        !areas_find_gap(&space.held, part, request->bytes + guard_bytes, request->align, &start)) {
        return -SYS_ENOMEM;
    }
    uint64_t first = request->guard == GUARD_BELOW ? start + guard_bytes : start;
    uint64_t guard = request->guard == GUARD_BELOW ? start : start + request->bytes;
    const struct area pages = {first, first + request->bytes};
    long status = pages_make(pages, request->memory, 0);
    if (status != 0) {
        return status;
    }
    if (guard_bytes != 0) {
        status = sys_vm_mark(user_self(), guard, guard_bytes, VM_KIND_GUARD, VM_PROT_NONE, 0, NULL);
    }
    if (status != 0) {
        (void)sys_vm_unmap(user_self(), pages.start, request->bytes, NULL);
        return status;
    }
    areas_add(&space.held, (struct area){start, start + request->bytes + guard_bytes});
    *address = pages.start;
    return 0;
}

static long replace_locked(struct area area, struct user_memory memory)
{
    long status = hold_locked(area, memory, VM_FLAG_REPLACE);

    if (status == -SYS_ENOMEM) {
        (void)sys_vm_unmap(user_self(), area.start, area.end - area.start, NULL);
        areas_remove(&space.held, area);
    }
    return status;
}

long user_space_map_locked(uint64_t *address, uint64_t bytes, struct user_memory memory,
                           enum user_place place)
{
    const struct area area = {*address, *address + bytes};
    const struct request request = {
        .bytes = bytes, .align = user_memory_page(&memory), .memory = memory};
    long status = table_grow_locked();

    if (status != 0) {
        return status;
    }
    if (area.end < area.start) {
        return -SYS_ERANGE;
    }
    if (place == USER_REPLACE) {
        return replace_locked(area, memory);
    }
    int is_ours = area.start >= USER_PAGES_START && area.end <= USER_FREE_END;
    if (is_ours || place == USER_FRESH) {
        /* The kernel refuses what the program has put there by itself. */
        status = areas_overlap(&space.held, area) ? -SYS_EEXIST : hold_locked(area, memory, 0);
        if (status != -SYS_EEXIST || place == USER_FRESH) {
            return status;
        }
    }
    return anywhere_locked(&request, address);
}

long user_space_map(uint64_t *address, uint64_t bytes, struct user_memory memory,
                    enum user_place place)
{
    user_space_lock();
    long status = user_space_map_locked(address, bytes, memory, place);
    user_space_unlock();
    return status;
}

long user_space_unmap_locked(uint64_t address, uint64_t bytes)
{
    const struct area area = {address, address + bytes};
    long status = table_grow_locked();

    if (status == 0) {
        status = sys_vm_unmap(user_self(), area.start, area.end - area.start, NULL);
    }
    if (status == 0) {
        areas_remove(&space.held, area);
    }
    return status;
}

long user_space_unmap(uint64_t address, uint64_t bytes)
{
    user_space_lock();
    long status = user_space_unmap_locked(address, bytes);
    user_space_unlock();
    return status;
}

static long anywhere_map(const struct request *request, uint64_t *address)
{
    user_space_lock();
    long status = table_grow_locked();
    if (status == 0) {
        status = anywhere_locked(request, address);
    }
    user_space_unlock();
    return status;
}

long user_space_map_guarded(uint64_t bytes, uint64_t *address)
{
    const struct request request = {
        .bytes = bytes,
        .align = VM_PAGE_SIZE,
        .memory = {.prot = VM_PROT_R | VM_PROT_W},
        .guard = GUARD_BELOW,
    };

    return anywhere_map(&request, address);
}

void user_space_unmap_guarded(uint64_t address, uint64_t bytes)
{
    (void)user_space_unmap(address - VM_PAGE_SIZE, bytes + VM_PAGE_SIZE);
}

long user_pages_map(uint64_t bytes, uint64_t prot, uint64_t *address)
{
    const struct request request = {
        .bytes = bytes,
        .align = VM_PAGE_SIZE,
        .memory = {.prot = prot, .is_there = 1},
        .guard = GUARD_BEHIND,
    };

    if (bytes == 0 || bytes % VM_PAGE_SIZE != 0) {
        return -SYS_EINVAL;
    }
    return anywhere_map(&request, address);
}

long user_space_map_aligned(uint64_t bytes, uint64_t align, uint64_t *address)
{
    return anywhere_map(&(struct request){.bytes = bytes,
                                          .align = align,
                                          .memory = {.prot = VM_PROT_R | VM_PROT_W}},
                        address);
}

long user_pages_unmap(uint64_t address, uint64_t bytes)
{
    return user_space_unmap(address, bytes + VM_PAGE_SIZE);
}

int user_space_holds_locked(uint64_t address, uint64_t bytes)
{
    return areas_cover(&space.held, (struct area){address, address + bytes});
}

void user_space_forget_locked(uint64_t address, uint64_t bytes)
{
    areas_remove(&space.held, (struct area){address, address + bytes});
}
