/* SPDX-License-Identifier: MIT */
/* The order in which one hart may lock nodes of several cursors; pt_lock.c tells why. */
#pragma once

#include "pt_node.h"

#define PT_ORDER_OPEN_MAX 4U /* cursors, or pairs of them, that one hart has open */

/* True if this hart may wait for the node at `base` in that tree: it comes after all it holds. */
bool pt_order_allows(const struct pt_node *root, vaddr_t base);

/* True if it holds some. */
bool pt_order_holds_any(void);

/* True if this hart can open no more. */
bool pt_order_is_full(void);

/* This hart holds nodes for addresses up to `end` in that tree; and has let go of them. */
void pt_order_enter(const struct pt_node *root, vaddr_t end);
void pt_order_leave(const struct pt_node *root, vaddr_t end);
