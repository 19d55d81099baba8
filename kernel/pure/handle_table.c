/* SPDX-License-Identifier: MIT */
/* The table of handles: slots in chunks, a queue of free slots, generations. */
#include "kernel/handle_table.h"

#include "lib/assert.h"

#define INDEX_BITS     8U
#define GENERATION_MAX ((UINT32_C(1) << (32U - INDEX_BITS)) - 1)

_Static_assert(HANDLE_MAX == UINT32_C(1) << INDEX_BITS, "an index has 8 bits");
_Static_assert(HANDLE_MAX % HANDLE_CHUNK_SLOTS == 0, "chunks are full");

static struct handle_slot *slot_at(const struct handle_table *table, uint32_t index)
{
    return &table->chunks[index / HANDLE_CHUNK_SLOTS]->slots[index % HANDLE_CHUNK_SLOTS];
}

static void free_push(struct handle_table *table, uint32_t index)
{
    slot_at(table, index)->next_free = HANDLE_MAX;
    if (table->free_first == HANDLE_MAX) {
        table->free_first = (uint16_t)index;
    } else {
        slot_at(table, table->free_last)->next_free = (uint16_t)index;
    }
    table->free_last = (uint16_t)index;
}

void handle_table_init(struct handle_table *table)
{
    *table = (struct handle_table){.free_first = HANDLE_MAX, .free_last = HANDLE_MAX};
}

void handle_table_grow(struct handle_table *table, struct handle_chunk *chunk)
{
    ASSERT(table->chunk_count < HANDLE_CHUNKS);
    table->chunks[table->chunk_count++] = chunk;
}

/* Takes a slot to use.  Errors as handle_table_insert. */
static status_t slot_take(struct handle_table *table, uint32_t *index)
{
    if (table->touched < table->chunk_count * HANDLE_CHUNK_SLOTS) {
        *index = table->touched++;
        slot_at(table, *index)->generation = 1;
        return OK;
    }
    if (table->free_first == HANDLE_MAX) {
        return table->chunk_count < HANDLE_CHUNKS ? ERR_AGAIN : ERR_NOSPC;
    }
    *index = table->free_first;
    table->free_first = slot_at(table, *index)->next_free;
    return OK;
}

status_t handle_table_insert(struct handle_table *table, struct handle_entry entry, handle_t *out)
{
    uint32_t index;
    status_t status = slot_take(table, &index);

    if (status != OK) {
        return status;
    }
    struct handle_slot *slot = slot_at(table, index);

    table->used++;
    slot->object = entry.object;
    slot->rights = (uint16_t)entry.rights;
    *out = slot->generation << INDEX_BITS | index;
    return OK;
}

/* Index of the handle's slot, or HANDLE_MAX. */
static uint32_t handle_index(const struct handle_table *table, uint64_t handle)
{
    uint32_t index = (uint32_t)handle & (HANDLE_MAX - 1);

    if (index >= table->touched) {
        return HANDLE_MAX;
    }
    const struct handle_slot *slot = slot_at(table, index);

    return slot->object != NULL && slot->generation == handle >> INDEX_BITS ? index : HANDLE_MAX;
}

static struct handle_entry slot_entry(const struct handle_slot *slot)
{
    return (struct handle_entry){.object = slot->object, .rights = slot->rights};
}

static void slot_free(struct handle_table *table, uint32_t index)
{
    struct handle_slot *slot = slot_at(table, index);

    slot->object = NULL;
    slot->rights = 0;
    slot->generation = slot->generation == GENERATION_MAX ? 1 : slot->generation + 1;
    ASSERT(table->used > 0);
    table->used--;
    free_push(table, index);
}

status_t handle_table_find(const struct handle_table *table, uint64_t handle,
                           struct handle_entry *out)
{
    uint32_t index = handle_index(table, handle);

    if (index == HANDLE_MAX) {
        return ERR_BADF;
    }
    *out = slot_entry(slot_at(table, index));
    return OK;
}

status_t handle_table_remove(struct handle_table *table, uint64_t handle, struct handle_entry *out)
{
    uint32_t index = handle_index(table, handle);

    if (index == HANDLE_MAX) {
        return ERR_BADF;
    }
    *out = slot_entry(slot_at(table, index));
    slot_free(table, index);
    return OK;
}

status_t handle_table_remove_next(struct handle_table *table, uint32_t *place,
                                  struct handle_entry *out)
{
    for (uint32_t index = *place; index < table->touched; index++) {
        if (slot_at(table, index)->object == NULL) {
            continue;
        }
        *out = slot_entry(slot_at(table, index));
        slot_free(table, index);
        *place = index + 1;
        return OK;
    }
    *place = HANDLE_MAX;
    return ERR_NOENT;
}

status_t handle_rights_check(uint32_t have, uint64_t want)
{
    if ((want & ~(uint64_t)RIGHT_ALL) != 0) {
        return ERR_INVAL;
    }
    return (want & ~(uint64_t)have) == 0 ? OK : ERR_ACCES;
}
