/* SPDX-License-Identifier: MIT */
/*
 * Contexts: what a hart may hold something of.  A context is an identifier and the roots that the
 * hart walked under it since the last fence that covers it.
 */
#pragma once

#include "machine/state.h"

/* The root in the context, NULL if the hart holds nothing of it there. */
struct context_root *context_root_find(struct context *context, uint32_t frame);

/* The context that is current on the hart, NULL if satp is bare. */
struct context *context_now(unsigned hart);

/* The context of an identifier, NULL if the hart holds nothing under it. */
struct context *context_of(unsigned hart, uint32_t asid);

/* Step at which the hart left the identifier; 0: it is current. */
uint32_t context_left(unsigned hart, uint32_t asid);

/* The first valid entry went into a root's user half: whoever runs it may hold something now. */
void context_root_filled(uint32_t frame);

/* Roots of other spaces that the hart may still walk under its identifier: satp was changed and not
 * followed by a fence. */
const struct context_root *context_mixed(unsigned hart);

/* The context of an identifier; makes one that is not current if there is none. */
struct context *context_make(unsigned hart, uint32_t asid);

/* Forgets all roots but the one satp names. */
void context_clear(unsigned hart, struct context *context);

/* The root's table need not note this hart any more, unless another context does. */
void context_root_forgotten(unsigned hart, const struct context_root *root);
