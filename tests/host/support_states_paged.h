/* SPDX-License-Identifier: MIT */
/*
 * The flat reference of pages of memory objects in two spaces (test_states_paged.c): what some
 * pages mean and hold, what the pages of the objects hold, and the comparison with what mm says.
 */
#pragma once

#include "support_paged.h"

#define PROBES     96U
#define VALUES     8192U
#define AREA_START (3 * GIB)
#define AREA_END   (5 * GIB)

/* A page of an object that has a frame, and its first word. */
struct value {
    const struct mem_object *object;
    uint64_t page, word;
};

/* What a page should be. */
struct probe {
    enum vm_item_kind kind;
    enum vm_prot prot;
    enum vm_share share;
    struct mem_object *object; /* paged */
    uint64_t page;
    struct value *value; /* RAM, hidden: whose frame it shows; NULL: one of its own */
    uint64_t word;       /* of that one */
};

struct states {
    struct world world;
    struct vm_space *spaces[2];
    struct mem_object *objects[2];
    uint64_t at[PROBES];
    struct probe probes[2][PROBES];
    struct value values[VALUES];
    unsigned count, failures, refusals, passed; /* passed: used pages, from space to space */
    uint64_t seed;
};

extern struct states states;

/* Boots, makes the spaces and the objects, and chooses the pages that are watched. */
void states_begin(unsigned levels);

/* A number below `sides`; a range of some pages. */
uint64_t states_dice(uint64_t sides);
struct va_range states_range(void);

/* True if the i-th page lies in the range; if a page should have a frame. */
bool states_lie_in(unsigned i, struct va_range range);
bool states_has_frame(const struct probe *probe);

/* What a page of an object should hold, or NULL: it has no frame.  made: it has one from now on. */
struct value *states_value(const struct mem_object *object, uint64_t page);
struct value *states_value_made(const struct mem_object *object, uint64_t page);

/* Fails the test unless the slot of the i-th page is what the probe says, all pages are, and the
 * objects hold what they should. */
void states_compare_item(const struct vm_slot *slot, unsigned i, const struct probe *probe);
void states_compare(void);
void states_compare_objects(void);
