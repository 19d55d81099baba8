/* SPDX-License-Identifier: MIT */
/*
 * Harts: satp, the contexts a hart may hold something of, and fences.
 *
 * A context is an identifier and the roots that the hart walked under it since the last fence that
 * covers it.  satp removes nothing.  A fence removes what its operands promise, and only what it
 * could see change: after it the walker may still read an old value that a store, not yet surely
 * seen by the fencing hart, has replaced.
 */
#pragma once

#include "machine/state.h"

/* The root in the context, NULL if the hart holds nothing of it there. */
const struct context_root *context_root_find(const struct context *context, uint32_t frame);

/* The context that is current on the hart, NULL if satp is bare. */
const struct context *hart_context(unsigned hart);

/* The context of an identifier, NULL if the hart holds nothing under it. */
const struct context *hart_context_of(unsigned hart, uint32_t asid);

/* Step at which the hart left the identifier; 0: it is current. */
uint32_t hart_left(unsigned hart, uint32_t asid);

/* The first valid entry went into a root's user half: whoever runs it may hold something now. */
void hart_root_filled(uint32_t frame);

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

/* Roots of other spaces that the hart may still walk under its identifier: satp was changed and not
 * followed by a fence. */
const struct context_root *hart_mixed(unsigned hart);
