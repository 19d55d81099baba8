/* SPDX-License-Identifier: MIT */
/*
 * Tables: every frame that slots were stored in, where it hangs, and when each slot changed.
 *
 * A table has one place: the slot whose pointer last named it.  Its topmost ancestor is a root, or
 * a table that was taken out of its tree.  Walk caches may still hold the place that a table had
 * before it was taken out, or moved (stale.c).
 */
#pragma once

#include "machine/ram.h"

struct table {
    uint32_t frame;
    uint32_t parent;             /* 1 + number of the table above, 0: none                     */
    uint16_t index;              /* of the slot above                                          */
    uint16_t leaves;             /* user leaves in it                                          */
    uint16_t tables;             /* pointers in it                                             */
    uint16_t entries;            /* valid entries, of the lower half only                      */
    uint16_t active;             /* harts whose satp names it                                  */
    uint16_t left;               /* harts that left it and may hold what it led to             */
    uint32_t changed[ENTRIES];   /* step, 0: not known                                */
    uint32_t next[ENTRIES];      /* 1 + number of the next slot that names that frame */
    uint32_t code[ENTRIES];      /* step at which what it names became executable   */
    uint32_t code_seen[ENTRIES]; /* write of its contents that the mapper had seen  */
    uint8_t changer[ENTRIES];
    bool was_absent[ENTRIES]; /* what the last change replaced was not valid */
};

/* The way from the top down to a slot. */
struct table_path {
    struct table *top;
    unsigned depth;                   /* tables above the one that holds the slot */
    unsigned index[LEVELS_MAX];       /* [0]: of the slot itself; [depth]: in the top */
    uint32_t frame[LEVELS_MAX];       /* of the tables, likewise */
    uint32_t newest_from[LEVELS_MAX]; /* step of the last change from that table on, likewise */
    uint32_t newest;                  /* the same from the top, the slot included */
    bool is_global;                   /* a pointer on the way has G               */
};

void table_reset(void);

/* The table in that frame; makes one of what is in memory.  NULL: there is no RAM. */
struct table *table_get(uint32_t frame);

/* The table in that frame, NULL if none is known. */
struct table *table_find(uint32_t frame);

/* The frame is no table any more. */
void table_forget(uint32_t frame);

/* A slot has changed: keeps the books. */
void table_slot_changed(struct table *table, unsigned index, uint64_t before, uint64_t after);

/* False: it is deeper than any tree. */
bool table_path_of(const struct table *table, unsigned index, struct table_path *path);

/* First address that the slot of a path translates, if the one of the table at `depth` is `base`
 * and its level `level`, and the level of the slot.  False: the tree is deeper than that. */
bool table_path_place(const struct table_path *path, unsigned depth, uint64_t base, unsigned level,
                      uint64_t *va, unsigned *slot_level);

/* Goes through the slots whose user leaves name a frame: first with NULL. */
struct table_slot {
    struct table *table;
    unsigned index;
};
bool table_next_naming(uint32_t frame, struct table_slot *slot);

static inline uint64_t table_slot_pa(const struct table *table, unsigned index)
{
    return ram_pa(table->frame) + (uint64_t)index * sizeof(uint64_t);
}

static inline uint64_t table_slot_entry(const struct table *table, unsigned index)
{
    return ram_read(table_slot_pa(table, index));
}
