/* SPDX-License-Identifier: MIT */
/*
 * A table of handles: numbers to objects and rights.  Pure; the owner locks, allocates chunks when
 * they are asked for, and counts references (kernel/handle.h).
 *
 * A handle is the slot's index in its low 8 bits and the slot's generation above.  The generation
 * is never 0, so no handle is; it changes when the slot is freed, so that a stale number is refused
 * until 2^24 - 1 others have used the slot.  Slots that were never used come first, then those that
 * were freed: they form a queue, and the one that has rested longest is used next.
 */
#pragma once

#include "lib/types.h"
#include "uapi/handle.h"

struct object;

#define HANDLE_CHUNK_SLOTS 32U
#define HANDLE_CHUNKS      (HANDLE_MAX / HANDLE_CHUNK_SLOTS)

struct handle_slot {
    struct object *object; /* NULL: free                         */
    uint32_t generation;   /* 1 .. 2^24 - 1                      */
    uint16_t rights;       /* of the handle                      */
    uint16_t next_free;    /* index, or HANDLE_MAX: the last one */
};

_Static_assert(sizeof(struct handle_slot) == 16, "a handle takes 16 bytes");

struct handle_chunk {
    struct handle_slot slots[HANDLE_CHUNK_SLOTS];
};

struct handle_table {
    struct handle_chunk *chunks[HANDLE_CHUNKS]; /* the first ones; the others are NULL */
    uint16_t chunk_count;
    uint16_t touched;    /* slots below this were used at some time */
    uint16_t free_first; /* HANDLE_MAX: none of those is free       */
    uint16_t free_last;
    uint16_t used;
};

/* What a handle says. */
struct handle_entry {
    struct object *object;
    uint32_t rights;
};

/* Makes the table empty, without chunks. */
void handle_table_init(struct handle_table *table);

/* Gives the table a chunk more, zeroed.  It has less than HANDLE_CHUNKS. */
void handle_table_grow(struct handle_table *table, struct handle_chunk *chunk);

/* Puts an object in.
 * Errors: ERR_AGAIN the table wants a chunk more
 *         ERR_NOSPC HANDLE_MAX handles are in use.     Nothing changed. */
status_t handle_table_insert(struct handle_table *table, struct handle_entry entry, handle_t *out);

/* What the handle says.  The number is as a program gave it, 64 bits.  ERR_BADF: no such handle. */
status_t handle_table_find(const struct handle_table *table, uint64_t handle,
                           struct handle_entry *out);

/* Frees the handle and tells what it was.  ERR_BADF: no such handle. */
status_t handle_table_remove(struct handle_table *table, uint64_t handle, struct handle_entry *out);

/* Frees the first handle at slot index *place or after; *place is then the index after it.
 * ERR_NOENT: there is none; *place is HANDLE_MAX.  For emptying a table in pieces. */
status_t handle_table_remove_next(struct handle_table *table, uint32_t *place,
                                  struct handle_entry *out);

/* Checks the rights a program wants for a copy of a handle that has `have`.
 * ERR_INVAL: bits that are no right; ERR_ACCES: not a subset of what it has. */
status_t handle_rights_check(uint32_t have, uint64_t want);
