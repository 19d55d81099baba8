/* SPDX-License-Identifier: MIT */
/*
 * Handles of processes.  A handle is one reference on its object; a handle to another process is
 * one of its holders as well.
 */
#include "kernel/handle.h"

#include "kernel/process.h"
#include "mm/slab.h"

static struct slab_cache chunk_cache =
    SLAB_CACHE_INIT(chunk_cache, "handle_chunk", sizeof(struct handle_chunk));

static bool entry_is_holder(const struct process *owner, const struct object *object)
{
    return object->type == HANDLE_PROCESS && object != &owner->object;
}

static void entry_hold(struct process *owner, struct object *object)
{
    if (entry_is_holder(owner, object)) {
        process_hold(LIST_ENTRY(object, struct process, object));
    } else {
        object_get(object);
    }
}

static void entry_release(struct process *owner, struct object *object)
{
    if (entry_is_holder(owner, object)) {
        process_release(LIST_ENTRY(object, struct process, object));
    } else {
        object_put(object);
    }
}

/* Puts an entry in, with a chunk more if it takes one.  The lock is held. */
static status_t insert_locked(struct handle_table *table, struct handle_entry entry, handle_t *out)
{
    status_t status = handle_table_insert(table, entry, out);

    if (status != ERR_AGAIN) {
        return status;
    }
    struct handle_chunk *chunk = slab_alloc(&chunk_cache);

    if (chunk == NULL) {
        return ERR_NOMEM;
    }
    handle_table_grow(table, chunk);
    return handle_table_insert(table, entry, out);
}

void handle_chunks_free(struct process *owner)
{
    for (unsigned i = 0; i < owner->handles.chunk_count; i++) {
        slab_free(&chunk_cache, owner->handles.chunks[i]);
    }
}

status_t handle_insert(struct process *owner, struct handle_entry entry, handle_t *out)
{
    entry_hold(owner, entry.object);
    spinlock_acquire(&owner->handles_lock);
    /* Looked at under the lock: the reaper empties the table after the process has ended. */
    status_t status = process_has_ended(owner) ? ERR_SRCH : OK;

    if (status == OK) {
        status = insert_locked(&owner->handles, entry, out);
    }
    spinlock_release(&owner->handles_lock);
    if (status != OK) {
        entry_release(owner, entry.object);
    }
    return status;
}

status_t handle_find(struct process *owner, uint64_t handle, struct handle_entry *out)
{
    spinlock_acquire(&owner->handles_lock);
    status_t status = handle_table_find(&owner->handles, handle, out);

    if (status == OK) {
        object_get(out->object);
    }
    spinlock_release(&owner->handles_lock);
    return status;
}

status_t handle_get(struct process *owner, uint64_t handle, enum handle_type type, uint32_t rights,
                    struct object **out)
{
    struct handle_entry entry;
    status_t status = handle_find(owner, handle, &entry);

    if (status != OK) {
        return status;
    }
    if (entry.object->type != type) {
        status = ERR_BADF;
    } else if ((entry.rights & rights) != rights) {
        status = ERR_ACCES;
    }
    if (status != OK) {
        object_put(entry.object);
        return status;
    }
    *out = entry.object;
    return OK;
}

status_t handle_check(struct process *owner, uint64_t handle, enum handle_type type,
                      uint32_t rights)
{
    struct object *object;
    status_t status = handle_get(owner, handle, type, rights, &object);

    if (status == OK) {
        object_put(object);
    }
    return status;
}

status_t handle_close(struct process *owner, uint64_t handle)
{
    struct handle_entry entry;

    spinlock_acquire(&owner->handles_lock);
    status_t status = handle_table_remove(&owner->handles, handle, &entry);

    spinlock_release(&owner->handles_lock);
    if (status == OK) {
        entry_release(owner, entry.object);
    }
    return status;
}

void handle_take_back(struct process *owner, handle_t handle, const struct object *object)
{
    struct handle_entry entry;

    spinlock_acquire(&owner->handles_lock);
    bool is_there = handle_table_find(&owner->handles, handle, &entry) == OK &&
                    entry.object == object &&
                    handle_table_remove(&owner->handles, handle, &entry) == OK;

    spinlock_release(&owner->handles_lock);
    if (is_there) {
        entry_release(owner, entry.object);
    }
}

bool handle_close_some(struct process *owner, uint32_t *place, unsigned max)
{
    for (unsigned i = 0; i < max; i++) {
        struct handle_entry entry;

        spinlock_acquire(&owner->handles_lock);
        status_t status = handle_table_remove_next(&owner->handles, place, &entry);

        spinlock_release(&owner->handles_lock);
        if (status != OK) {
            return false;
        }
        entry_release(owner, entry.object);
    }
    return true;
}
