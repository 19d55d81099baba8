/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the device-tree reader share: the tree being read, where the results go, and
 * how something wrong in it is said.
 *
 * The tree has passed tree_check() before anything here is used; what is left to distrust are the
 * values of properties.  A fault is what makes one node unusable; its reader decides whether that
 * ends the boot (tree_refuse) or leaves out the node (tree_note).
 */
#pragma once

#include "arch/machine.h"
#include "lib/types.h"

/* Nodes above a node, the root included. */
#define TREE_DEPTH_MAX 16U

/* Bytes of a name of a node or property, with the end. */
#define TREE_NAME_BYTES 128U

struct tree {
    const void *fdt;
    uint64_t boot_hart;
    struct machine *out;
    struct machine_problem *problem;
};

/* Why a node cannot be used: the property that is wrong or missing, and static text. */
struct tree_fault {
    const char *property;
    const char *what;
};

/* A number of cells each, as #address-cells and #size-cells of a node say for its children. */
struct tree_cells {
    unsigned address; /* 1, 2    */
    unsigned size;    /* 0, 1, 2 */
};

/* The value of a `reg` property, split into entries. */
struct tree_reg {
    const uint8_t *bytes;
    uint32_t count;
    struct tree_cells cells;
};

/* Names the node and what is wrong with it in tree->problem; returns `status`.
 * node -1: the header. */
status_t tree_refuse(const struct tree *tree, int node, struct tree_fault fault, status_t status);

/* Adds the same to the notes, if there is still room. */
void tree_note(const struct tree *tree, int node, struct tree_fault fault);

/* Fills *fault and returns ERR_INVAL. */
status_t tree_fault_set(struct tree_fault *fault, const char *property, const char *what);

/* Value of a property and its length; NULL if the node does not have it. */
const uint8_t *tree_property(const struct tree *tree, int node, const char *name,
                             uint32_t *len_bytes);

/* The property as one terminated string of at most max_bytes bytes with its end; NULL if it is
 * missing, or is no such string: then *fault is filled. */
const char *tree_string(const struct tree *tree, int node, const char *name, size_t max_bytes,
                        struct tree_fault *fault);

/* The property as a number of one or two cells.
 * Errors: ERR_NOENT it is missing; ERR_INVAL it has another length; *fault is filled in both. */
status_t tree_number(const struct tree *tree, int node, const char *name, uint64_t *value,
                     struct tree_fault *fault);

/* The same for one cell. */
status_t tree_cell(const struct tree *tree, int node, const char *name, uint32_t *value,
                   struct tree_fault *fault);

/* Value of one to two big-endian cells; 0 for none. */
uint64_t tree_cells_value(const uint8_t *bytes, unsigned cells);

/* #address-cells and #size-cells of a node, 2 and 1 where they are missing (Devicetree
 * Specification, "#address-cells and #size-cells").  ERR_INVAL: impossible numbers. */
status_t tree_cells_read(const struct tree *tree, int node, struct tree_cells *cells,
                         struct tree_fault *fault);

/* The `reg` of a node, for a parent with these cells.
 * Errors: ERR_NOENT it is missing; ERR_INVAL it is empty or has a broken entry; *fault is filled.
 */
status_t tree_reg_open(const struct tree *tree, int node, struct tree_cells cells,
                       struct tree_reg *reg, struct tree_fault *fault);

/* Entry `index` < reg->count as it stands; the size is 0 if there are no size cells. */
void tree_reg_entry(const struct tree_reg *reg, uint32_t index, uint64_t *address,
                    uint64_t *size_bytes);

/* [address, address + size_bytes), which must fit a physical address; else ERR_INVAL with
 * `property` in *fault.  An empty range is legal. */
status_t tree_range_make(uint64_t address, uint64_t size_bytes, const char *property,
                         struct pa_range *range, struct tree_fault *fault);

/* True if `status` is missing, "okay" or "ok". */
bool tree_node_is_enabled(const struct tree *tree, int node);

/* True if `device_type` is that. */
bool tree_node_has_type(const struct tree *tree, int node, const char *type);

/* True if `compatible` lists one of the names, which end with NULL. */
bool tree_node_is_one_of(const struct tree *tree, int node, const char *const *names);

/* Copies text of the tree: at most to_bytes - 1 bytes, up to its end or len_bytes; terminated.
 * Bytes outside of printing ASCII become `instead`. */
void tree_text_copy(char *to, size_t to_bytes, const char *from, size_t len_bytes, char instead);
