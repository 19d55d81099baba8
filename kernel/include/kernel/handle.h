/* SPDX-License-Identifier: MIT */
/* The handles of a process: its table under its lock, and the references that handles are. */
#pragma once

#include "kernel/handle_table.h"
#include "kernel/object.h"
#include "lib/types.h"

struct process;

/* Gives the process a handle to the object; takes references of its own.
 * Errors: ERR_NOMEM no room for more handles
 *         ERR_NOSPC it has HANDLE_MAX handles
 *         ERR_SRCH  it has ended.              Nothing changed. */
status_t handle_insert(struct process *owner, struct handle_entry entry, handle_t *out);

/* What a handle says, with a reference on the object.  `handle` is as the program gave it.
 * Errors: ERR_BADF. */
status_t handle_find(struct process *owner, uint64_t handle, struct handle_entry *out);

/* The object of a handle that must be of one type and have all of `rights`, with a reference.
 * Errors: ERR_BADF no such handle, or of another type; ERR_ACCES a right is missing. */
status_t handle_get(struct process *owner, uint64_t handle, enum handle_type type, uint32_t rights,
                    struct object **out);

/* Checks that there is a handle of that type with all of `rights`, and no more: for the objects
 * that always are.  Errors: as handle_get. */
status_t handle_check(struct process *owner, uint64_t handle, enum handle_type type,
                      uint32_t rights);

/* Gives a handle up.  Errors: ERR_BADF.  Context: no lock. */
status_t handle_close(struct process *owner, uint64_t handle);

/* Gives up a handle that was just inserted, unless another thread of the process has already closed
 * it; the number may be another object's by then, which stays.  Context: no lock. */
void handle_take_back(struct process *owner, handle_t handle, const struct object *object);

/* Gives the memory of an empty table back: of a process that is destroyed. */
void handle_chunks_free(struct process *owner);

/* Gives up to `max` handles up, from slot *place on.  True if there may be more.  The reaper's. */
bool handle_close_some(struct process *owner, uint32_t *place, unsigned max);
