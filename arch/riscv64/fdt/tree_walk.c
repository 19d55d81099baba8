/* SPDX-License-Identifier: MIT */
/*
 * The walk keeps one description of each node on the way from the root, so that neither parents nor
 * their properties are looked up again.  Invariant: bus[0 .. depth] describe the current node and
 * those above it.  A tree that passed tree_check() is at most TREE_DEPTH_MAX deep.
 */
#include "fdt/tree_walk.h"

#include <libfdt.h>

/* Entries of `ranges` that are looked at; no bus in the field has a tenth of them. */
#define RANGES_MAX 64U

void tree_walk_start(struct tree_walk *walk, const struct tree *tree)
{
    *walk = (struct tree_walk){.tree = tree, .node = -1, .depth = -1};
}

static const struct tree_bus *parent_bus(const struct tree_walk *walk)
{
    return &walk->bus[walk->depth - 1];
}

/* Bytes of one entry of `ranges`: child address, parent address, size. */
static uint32_t range_entry_bytes(struct tree_cells child, struct tree_cells parent)
{
    return (child.address + parent.address + child.size) * 4;
}

static status_t ranges_read(const struct tree_walk *walk, struct tree_bus *bus,
                            struct tree_fault *fault)
{
    uint32_t length;
    uint32_t entry_bytes = range_entry_bytes(bus->cells, parent_bus(walk)->cells);
    const uint8_t *ranges = tree_property(walk->tree, walk->node, "ranges", &length);

    if (ranges == NULL) {
        return tree_fault_set(fault, "ranges", "is missing");
    }
    if (length % entry_bytes != 0 || length / entry_bytes > RANGES_MAX) {
        return tree_fault_set(fault, "ranges", "has a length that its cells do not allow");
    }
    bus->ranges = length == 0 ? NULL : ranges;
    bus->range_count = length / entry_bytes;
    return OK;
}

/* Describes the current node as a bus.  Nodes that are none get no children to look at. */
static void bus_read(struct tree_walk *walk)
{
    static const char *const simple_bus[] = {"simple-bus", NULL};
    const struct tree *tree = walk->tree;
    struct tree_bus *bus = &walk->bus[walk->depth];
    struct tree_fault fault;
    status_t status;

    *bus = (struct tree_bus){0};
    if (walk->depth == 0) {
        bus->is_open = tree_cells_read(tree, walk->node, &bus->cells, &fault) == OK;
        return;
    }
    if (!parent_bus(walk)->is_open || !tree_node_is_one_of(tree, walk->node, simple_bus) ||
        !tree_node_is_enabled(tree, walk->node)) {
        return;
    }
    status = tree_cells_read(tree, walk->node, &bus->cells, &fault);
    if (status == OK) {
        status = ranges_read(walk, bus, &fault);
    }
    if (status != OK) {
        tree_note(tree, walk->node, fault);
    }
    bus->is_open = status == OK;
}

bool tree_walk_next(struct tree_walk *walk)
{
    walk->node = fdt_next_node(walk->tree->fdt, walk->node, &walk->depth);
    /* After the last node libfdt may have left the root: the depth is then negative. */
    if (walk->node < 0 || walk->depth < 0 || walk->depth >= (int)TREE_DEPTH_MAX) {
        return false;
    }
    bus_read(walk);
    return true;
}

bool tree_walk_is_device(const struct tree_walk *walk)
{
    return walk->depth > 0 && parent_bus(walk)->is_open;
}

/* Looks for the entry that covers all of [*address, *address + size_bytes). */
static bool translate(const struct tree_bus *bus, struct tree_cells parent, uint64_t size_bytes,
                      uint64_t *address)
{
    const uint8_t *entry = bus->ranges;
    uint32_t entry_bytes = range_entry_bytes(bus->cells, parent);

    if (entry == NULL) {
        return true;
    }
    for (uint32_t i = 0; i < bus->range_count; i++, entry += entry_bytes) {
        const uint8_t *to = entry + (size_t)bus->cells.address * 4;
        uint64_t from_address = tree_cells_value(entry, bus->cells.address);
        uint64_t to_address = tree_cells_value(to, parent.address);
        uint64_t range_bytes = tree_cells_value(to + (size_t)parent.address * 4, bus->cells.size);
        uint64_t offset = *address - from_address;

        if (*address >= from_address && offset < range_bytes &&
            size_bytes <= range_bytes - offset) {
            return checked_add(to_address, offset, address) == OK;
        }
    }
    return false;
}

status_t tree_walk_reg(const struct tree_walk *walk, uint32_t index, struct pa_range *range,
                       struct tree_fault *fault)
{
    struct tree_reg reg;
    uint64_t address;
    uint64_t size_bytes;
    status_t status;

    if (!tree_walk_is_device(walk)) {
        return tree_fault_set(fault, "reg", "is on no bus the processor reaches");
    }
    status = tree_reg_open(walk->tree, walk->node, parent_bus(walk)->cells, &reg, fault);
    if (status != OK) {
        return status;
    }
    if (index >= reg.count) {
        (void)tree_fault_set(fault, "reg", "has no such entry");
        return ERR_NOENT;
    }
    tree_reg_entry(&reg, index, &address, &size_bytes);
    if (size_bytes == 0) {
        return tree_fault_set(fault, "reg", "has an empty entry");
    }
    for (int level = walk->depth - 1; level > 0; level--) {
        if (!translate(&walk->bus[level], walk->bus[level - 1].cells, size_bytes, &address)) {
            return tree_fault_set(fault, "reg", "is not in the ranges of the buses above it");
        }
    }
    return tree_range_make(address, size_bytes, "reg", range, fault);
}
