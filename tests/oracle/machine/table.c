/* SPDX-License-Identifier: MIT */
/*
 * Books on tables.  Records come from chunks that are never given back, and are used again.
 *
 * Slots whose user leaves name a frame form a list through the tables (`next`), headed in the
 * frame's record: so what may lead to a frame is known at once when it comes free.
 */
#include "machine/table.h"

#include <stdlib.h>
#include <string.h>

#include "arch_host/arch_host.h"

#define CHUNK      64U
#define CHUNKS_MAX 4096U

static struct {
    struct table *chunks[CHUNKS_MAX];
    uint32_t count; /* ever used since the reset */
    uint32_t unused_count;
    uint32_t unused[CHUNK * CHUNKS_MAX];
} tables;

static struct table *table_at(uint32_t number)
{
    return &tables.chunks[number / CHUNK][number % CHUNK];
}

void table_reset(void)
{
    tables.count = 0;
    tables.unused_count = 0;
}

static uint32_t number_take(void)
{
    uint32_t number;

    if (tables.unused_count > 0) {
        return tables.unused[--tables.unused_count];
    }
    number = tables.count++;
    if (number / CHUNK == CHUNKS_MAX) {
        host_fail("oracle: too many tables");
    }
    if (tables.chunks[number / CHUNK] == NULL) {
        tables.chunks[number / CHUNK] = calloc(CHUNK, sizeof(struct table));
        if (tables.chunks[number / CHUNK] == NULL) {
            host_fail("oracle: no memory for tables");
        }
    }
    return number;
}

struct table *table_find(uint32_t frame)
{
    uint32_t number = frame == FRAME_NONE ? 0 : ram_frame(frame)->table;

    return number == 0 ? NULL : table_at(number - 1);
}

static uint32_t number_of(const struct table *table)
{
    return ram_frame(table->frame)->table - 1;
}

/* ---- which slots name a frame ---- */

/* The frame that a user leaf names; FRAME_NONE: it is none, or a device. */
static uint32_t named_frame(uint64_t entry)
{
    return entry_is_leaf(entry) && (entry & ENTRY_U) != 0 ? ram_index(entry_pa(entry)) : FRAME_NONE;
}

static void name_add(struct table *table, unsigned index, uint32_t frame)
{
    struct ram_frame *record = ram_frame(frame);

    table->next[index] = record->names;
    record->names = 1 + number_of(table) * ENTRIES + index;
    table->leaves++;
}

static void name_remove(struct table *table, unsigned index, uint32_t frame)
{
    uint32_t self = 1 + number_of(table) * ENTRIES + index;
    uint32_t *link = &ram_frame(frame)->names;

    while (*link != 0 && *link != self) {
        link = &table_at((*link - 1) / ENTRIES)->next[(*link - 1) % ENTRIES];
    }
    if (*link == self) {
        *link = table->next[index];
        table->leaves--;
    }
}

bool table_next_naming(uint32_t frame, struct table_slot *slot)
{
    uint32_t link = slot->table == NULL ? ram_frame(frame)->names : slot->table->next[slot->index];

    if (link == 0) {
        return false;
    }
    slot->table = table_at((link - 1) / ENTRIES);
    slot->index = (link - 1) % ENTRIES;
    return true;
}

/* ---- life of a table ---- */

static void entry_added(struct table *table, unsigned index, uint64_t entry)
{
    uint32_t frame = named_frame(entry);
    struct table *child;

    if (!entry_is_valid(entry)) {
        return;
    }
    table->entries = (uint16_t)(table->entries + (index < ENTRIES / 2 ? 1 : 0));
    if (frame != FRAME_NONE) {
        name_add(table, index, frame);
    }
    if (entry_is_pointer(entry)) {
        child = table_get(ram_index(entry_pa(entry)));
        table->tables++;
        if (child != NULL && child != table) {
            child->parent = 1 + number_of(table);
            child->index = (uint16_t)index;
        }
    }
}

static void entry_removed(struct table *table, unsigned index, uint64_t entry)
{
    uint32_t frame = named_frame(entry);
    struct table *child;

    if (!entry_is_valid(entry)) {
        return;
    }
    table->entries = (uint16_t)(table->entries - (index < ENTRIES / 2 ? 1 : 0));
    if (frame != FRAME_NONE) {
        name_remove(table, index, frame);
    }
    if (entry_is_pointer(entry)) {
        child = table_find(ram_index(entry_pa(entry)));
        table->tables--;
        if (child != NULL && child->parent == 1 + number_of(table) && child->index == index) {
            child->parent = 0;
        }
    }
}

/* At most as deep as what hangs below the frame in memory. */
struct table *table_get(uint32_t frame)
{
    struct table *table = table_find(frame);
    uint32_t number;

    if (table != NULL || frame == FRAME_NONE) {
        return table;
    }
    number = number_take();
    table = table_at(number);
    memset(table, 0, sizeof(*table));
    table->frame = frame;
    ram_frame(frame)->table = number + 1;
    for (unsigned i = 0; i < ENTRIES; i++) {
        uint64_t entry = table_slot_entry(table, i);

        if (entry_is_valid(entry) && entry_problem(entry, LEVEL_UNKNOWN, true) == NULL) {
            entry_added(table, i, entry);
        }
    }
    return table;
}

void table_forget(uint32_t frame)
{
    struct table *table = table_find(frame);

    if (table == NULL) {
        return;
    }
    for (unsigned i = 0; i < ENTRIES && table->leaves + table->tables > 0; i++) {
        uint64_t entry = table_slot_entry(table, i);

        if (entry_problem(entry, LEVEL_UNKNOWN, true) == NULL) {
            entry_removed(table, i, entry);
        }
    }
    tables.unused[tables.unused_count++] = number_of(table);
    ram_frame(frame)->table = 0;
}

void table_slot_changed(struct table *table, unsigned index, uint64_t before, uint64_t after)
{
    if (before != after) {
        entry_removed(table, index, before);
        entry_added(table, index, after);
    }
    if (entry_is_leaf(after) && (after & ENTRY_X) != 0 &&
        (!entry_is_leaf(before) || (before & ENTRY_X) == 0 ||
         entry_pa(before) != entry_pa(after))) {
        table->code[index] = oracle.step;
    }
    table->changed[index] = oracle.step;
    table->changer[index] = (uint8_t)state_hart();
    table->was_absent[index] = !entry_is_valid(before);
}

/* ---- where a table hangs ---- */

bool table_path_of(const struct table *table, unsigned index, struct table_path *path)
{
    *path = (struct table_path){.newest = table->changed[index], .index = {index}};
    path->frame[0] = table->frame;
    path->newest_from[0] = path->newest;
    while (table->parent != 0) {
        const struct table *above = table_at(table->parent - 1);

        if (++path->depth == LEVELS_MAX) {
            return false;
        }
        path->index[path->depth] = table->index;
        if (above->changed[table->index] > path->newest) {
            path->newest = above->changed[table->index];
        }
        path->is_global |= (table_slot_entry(above, table->index) & ENTRY_G) != 0;
        path->frame[path->depth] = above->frame;
        path->newest_from[path->depth] = path->newest;
        table = above;
    }
    path->top = table_find(table->frame);
    return true;
}

bool table_path_place(const struct table_path *path, unsigned depth, uint64_t base, unsigned level,
                      uint64_t *va, unsigned *slot_level)
{
    if (depth > level) {
        return false;
    }
    *slot_level = level - depth;
    *va = base;
    for (unsigned i = 0; i <= depth; i++) {
        *va += (uint64_t)path->index[i] << (TABLE_SHIFT + INDEX_BITS * (*slot_level + i));
    }
    return true;
}
