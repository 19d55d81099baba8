/* SPDX-License-Identifier: MIT */
/*
 * The addresses of this process: a table of what is held, beside the page table that says what is
 * mapped.  The table begins in the program's data and moves to pages of its own when it grows.
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

/* Maps zeroed pages, all or none. */
static long pages_map(uint64_t address, uint64_t bytes, uint64_t prot, uint64_t flags)
{
    uint64_t done = 0;
    long status = sys_vm_map(user_self(), address, bytes, prot, flags, &done);

    if (status != 0 && done != 0) {
        (void)sys_vm_unmap(user_self(), address, done, NULL);
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
    if (pages_map(USER_TABLE_START + space.table_bytes, more, VM_PROT_R | VM_PROT_W, 0) != 0) {
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

/* Nothing is held or mapped there: 0.  Something is: -SYS_EEXIST.  Errors of vm_find_next. */
static long free_check_locked(struct area area)
{
    if (areas_overlap(&space.held, area)) {
        return -SYS_EEXIST;
    }
    long status = sys_vm_find_next(user_self(), area.start, area.end - area.start, NULL);
    if (status == -SYS_ENOENT) {
        return 0;
    }
    return status == 0 ? -SYS_EEXIST : status;
}

/* Holds `whole` and maps `mapped` inside of it; there is room in the table. */
static long fill_locked(struct area whole, struct area mapped, uint64_t prot, uint64_t flags)
{
    long status = 0;

    if (prot != 0) {
        status = pages_map(mapped.start, mapped.end - mapped.start, prot, flags);
    }
    if (status == 0) {
        areas_add(&space.held, whole);
    }
    return status;
}

/* Where pages come in the library's part: after and before so many bytes that are only held. */
struct request {
    uint64_t below;
    uint64_t bytes;
    uint64_t behind;
    uint64_t align; /* of below's first byte */
    uint64_t prot;
};

static long anywhere_locked(const struct request *request, uint64_t *address)
{
    const struct area part = {USER_PAGES_START, USER_PAGES_END};
    uint64_t start = 0;

    if (request->bytes > USER_PAGES_END - USER_PAGES_START ||
        !areas_find_gap(&space.held, part, request->below + request->bytes + request->behind,
                        request->align, &start)) {
        return -SYS_ENOMEM;
    }
    struct area mapped = {start + request->below, start + request->below + request->bytes};
    long status =
        fill_locked((struct area){start, mapped.end + request->behind}, mapped, request->prot, 0);
    if (status == 0) {
        *address = mapped.start;
    }
    return status;
}

static long replace_locked(struct area area, uint64_t prot)
{
    long status = 0;

    if (prot == 0) {
        status = sys_vm_unmap(user_self(), area.start, area.end - area.start, NULL);
    }
    if (status == 0) {
        status = fill_locked(area, area, prot, VM_FLAG_REPLACE);
    }
    if (status == -SYS_ENOMEM) {
        (void)sys_vm_unmap(user_self(), area.start, area.end - area.start, NULL);
        areas_remove(&space.held, area);
    }
    return status;
}

static long map_locked(uint64_t *address, uint64_t bytes, uint64_t prot, enum user_place place)
{
    struct area area = {*address, *address + bytes};
    long status = table_grow_locked();

    if (status != 0) {
        return status;
    }
    if (area.end < area.start) {
        return -SYS_ERANGE;
    }
    if (place == USER_REPLACE) {
        return replace_locked(area, prot);
    }
    int is_ours = area.start >= USER_PAGES_START && area.end <= USER_FREE_END;
    if (is_ours || place == USER_FRESH) {
        status = free_check_locked(area);
        if (status == 0) {
            return fill_locked(area, area, prot, 0);
        }
        if (place == USER_FRESH) {
            return status;
        }
    }
    return anywhere_locked(&(struct request){.bytes = bytes, .align = VM_PAGE_SIZE, .prot = prot},
                           address);
}

long user_space_map(uint64_t *address, uint64_t bytes, uint64_t prot, enum user_place place)
{
    user_space_lock();
    long status = map_locked(address, bytes, prot, place);
    user_space_unlock();
    return status;
}

static long unmap_locked(struct area whole, struct area mapped)
{
    long status = table_grow_locked();

    if (status == 0) {
        status = sys_vm_unmap(user_self(), mapped.start, mapped.end - mapped.start, NULL);
    }
    if (status == 0) {
        areas_remove(&space.held, whole);
    }
    return status;
}

static long unmap(struct area whole, struct area mapped)
{
    user_space_lock();
    long status = unmap_locked(whole, mapped);
    user_space_unlock();
    return status;
}

long user_space_unmap(uint64_t address, uint64_t bytes)
{
    const struct area area = {address, address + bytes};

    return unmap(area, area);
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
        .below = VM_PAGE_SIZE,
        .bytes = bytes,
        .align = VM_PAGE_SIZE,
        .prot = VM_PROT_R | VM_PROT_W,
    };

    return anywhere_map(&request, address);
}

void user_space_unmap_guarded(uint64_t address, uint64_t bytes)
{
    (void)unmap((struct area){address - VM_PAGE_SIZE, address + bytes},
                (struct area){address, address + bytes});
}

long user_pages_map(uint64_t bytes, uint64_t prot, uint64_t *address)
{
    const struct request request = {
        .bytes = bytes,
        .behind = VM_PAGE_SIZE,
        .align = VM_PAGE_SIZE,
        .prot = prot,
    };

    if (bytes == 0 || bytes % VM_PAGE_SIZE != 0 || prot == 0) {
        return -SYS_EINVAL;
    }
    return anywhere_map(&request, address);
}

long user_space_map_aligned(uint64_t bytes, uint64_t align, uint64_t *address)
{
    return anywhere_map(
        &(struct request){.bytes = bytes, .align = align, .prot = VM_PROT_R | VM_PROT_W}, address);
}

long user_pages_unmap(uint64_t address, uint64_t bytes)
{
    return unmap((struct area){address, address + bytes + VM_PAGE_SIZE},
                 (struct area){address, address + bytes});
}

int user_space_holds_locked(uint64_t address, uint64_t bytes)
{
    return areas_cover(&space.held, (struct area){address, address + bytes});
}

long user_space_hold_locked(uint64_t address, uint64_t bytes)
{
    long status = table_grow_locked();

    if (status == 0) {
        areas_add(&space.held, (struct area){address, address + bytes});
    }
    return status;
}
