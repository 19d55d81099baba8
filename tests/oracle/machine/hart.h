/* SPDX-License-Identifier: MIT */
/*
 * Harts: satp and fences.
 *
 * satp removes nothing.  A fence removes what its operands promise, and only what it could see
 * change: after it the walker may still read an old value that a store, not yet surely seen by the
 * fencing hart, has replaced.
 */
#pragma once

#include "machine/context.h"

/* Fences `hart`, which surely sees what `knows` covers. */
struct fence {
    uint64_t va, bytes; /* bytes 0: all addresses */
    uint32_t asid;      /* ASID_ANY: all          */
};
void hart_fence(unsigned hart, struct fence fence, const struct clock *knows);

/* The operand of a fence as hardware takes it: asid 0 means rs2 = x0. */
struct fence fence_of(uint64_t va, uint64_t bytes, uint32_t asid);

/* True if the hart may hold the absence of what that store put in the slot of `va` (a leaf slot, or
 * one above). */
bool hart_may_miss(unsigned hart, uint64_t va, bool is_leaf_slot, unsigned writer, uint32_t step);
