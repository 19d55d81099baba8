/* SPDX-License-Identifier: MIT */
/*
 * What harts may still hold though memory says otherwise: leaves and pointers that were in slots,
 * each with the harts that may have read them and not fenced since.
 *
 * What memory says now needs no entry here: whatever a hart can walk to, it may hold.
 */
#pragma once

#include "machine/order.h"
#include "machine/table.h"

struct stale {
    uint64_t va; /* first address it translates */
    uint64_t entry;
    uint64_t slot_pa;
    uint64_t op;   /* that took it out, or made it harmful   */
    uint32_t root; /* frame of the root under which it was read */
    uint32_t asid;
    uint32_t step;  /* of the store that took it out          */
    uint32_t frame; /* that it names; FRAME_NONE: a device    */
    uint32_t life;  /* of that frame                          */
    uint16_t harts;
    uint8_t level; /* of the slot */
    uint8_t writer;
    bool is_pointer, is_global;
    bool is_split; /* a pointer took the leaf's place: no fence of addresses is enough */
};

void stale_reset(void);

size_t stale_count(void);
struct stale *stale_at(size_t i);

/* How many entries this hart may hold. */
unsigned stale_count_of(unsigned hart);

/* The hart cannot hold the i-th any more.  True if the entry is gone, and another has its place. */
bool stale_drop(size_t i, unsigned hart);

/* True if the hart, as it stands, may use the entry: it is of its identifier, or global. */
bool stale_in_force(const struct stale *stale, unsigned hart);

/* Adds an entry for its harts; one that is there already becomes as new. */
void stale_add(const struct stale *new);

/* The operation that changes a slot answers for all that harts may hold of it. */
void stale_take_over(uint64_t slot_pa);

/* A pointer takes the place of the leaf in the slot. */
void stale_split(uint64_t slot_pa);

/* Who changes a part of a leaf that was split, the path's slot, answers for it. */
void stale_take_over_split(const struct table_path *path);

/* One that takes a table out answers for what they may hold below the slot of the path. */
void stale_take_over_below(const struct table_path *path);
