/* SPDX-License-Identifier: MIT */
/* The check of a whole flattened tree that makes libfdt and the rest of the reader safe to use. */
#pragma once

#include "arch/machine.h"

/* Checks the header, the list of reserved memory and every token of the structure.
 *
 * After OK: the tree lies within max_bytes, has one root, is at most TREE_DEPTH_MAX deep, its names
 * are shorter than TREE_NAME_BYTES and terminated, values lie inside the structure, properties come
 * before children, and the list of reserved memory ends.
 * Errors:  ERR_INVAL; *problem names the field of the header, or the node and property.
 * Work:    in proportion to the bytes of the tree, whatever they say. */
status_t tree_check(const void *fdt, size_t max_bytes, struct machine_problem *problem);
