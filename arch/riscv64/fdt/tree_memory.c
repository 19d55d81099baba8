/* SPDX-License-Identifier: MIT */
/*
 * What of the physical address space is RAM, and what of that is spoken for.
 *
 * RAM is told by device_type, never by the name of a node: there are memory controllers too.  A
 * wrong entry here ends the boot, because guessing would hand out memory that is not there or that
 * belongs to the firmware.  Invariant: banks are sorted, disjoint and do not touch each other.
 */
#include "fdt/tree_memory.h"

#include <libfdt.h>

#include "fdt/tree_alias.h"
#include "lib/string.h"

/* Reservations the boot code adds itself: firmware, kernel, tree, and some to spare. */
#define RESERVED_SPARE 8U

static status_t refuse(const struct tree *tree, int node, const char *property, const char *what)
{
    return tree_refuse(tree, node, (struct tree_fault){property, what}, ERR_INVAL);
}

/* Puts a range among the banks; those it touches become one with it. */
static status_t bank_add(const struct tree *tree, struct pa_range range,
                         enum machine_reserved_kind kind)
{
    struct machine *machine = tree->out;
    struct pa_range *banks = machine->banks;
    size_t count = machine->bank_count;
    size_t first = 0;
    size_t next;

    (void)kind; /* banks are all alike */
    while (first < count && banks[first].end.raw < range.start.raw) {
        first++;
    }
    for (next = first; next < count && banks[next].start.raw <= range.end.raw; next++) {
        if (banks[next].start.raw < range.start.raw) {
            range.start = banks[next].start;
        }
        if (banks[next].end.raw > range.end.raw) {
            range.end = banks[next].end;
        }
    }
    if (first == next && count == MACHINE_BANKS_MAX) {
        return ERR_NOSPC;
    }
    memmove(&banks[first + 1], &banks[next], (count - next) * sizeof(banks[0]));
    banks[first] = range;
    machine->bank_count = count + 1 - (next - first);
    return OK;
}

/* What to do with each range of a node's `reg`. */
struct range_use {
    status_t (*add)(const struct tree *tree, struct pa_range range,
                    enum machine_reserved_kind kind);
    enum machine_reserved_kind kind; /* of a reserved one */
    const char *too_many;
};

/* Adds every range of an open `reg`; empty ones are noted and passed over. */
static status_t ranges_add(const struct tree *tree, int node, const struct tree_reg *reg,
                           struct range_use use)
{
    for (uint32_t i = 0; i < reg->count; i++) {
        struct tree_fault fault;
        struct pa_range range;
        uint64_t address;
        uint64_t size_bytes;

        tree_reg_entry(reg, i, &address, &size_bytes);
        if (tree_range_make(address, size_bytes, "reg", &range, &fault) != OK) {
            return tree_refuse(tree, node, fault, ERR_INVAL);
        }
        if (size_bytes == 0) {
            tree_note(tree, node, (struct tree_fault){"reg", "has an empty entry"});
        } else if (use.add(tree, range, use.kind) != OK) {
            return refuse(tree, node, "reg", use.too_many);
        }
    }
    return OK;
}

static status_t memory_node_read(const struct tree *tree, int node, struct tree_cells cells)
{
    struct tree_fault fault;
    struct tree_reg reg;

    if (tree_reg_open(tree, node, cells, &reg, &fault) != OK) {
        return tree_refuse(tree, node, fault, ERR_INVAL);
    }
    return ranges_add(
        tree, node, &reg,
        (struct range_use){.add = bank_add, .too_many = "is one memory bank too many"});
}

/* Rounds the banks to whole pages inwards; those without one vanish. */
static void banks_round(struct machine *machine)
{
    size_t kept = 0;

    for (size_t i = 0; i < machine->bank_count; i++) {
        uint64_t start = align_up(machine->banks[i].start.raw, PAGE_SIZE);
        uint64_t end = align_down(machine->banks[i].end.raw, PAGE_SIZE);

        if (start < end) {
            machine->banks[kept++] = (struct pa_range){.start = {start}, .end = {end}};
        }
    }
    memset(&machine->banks[kept], 0, (machine->bank_count - kept) * sizeof(machine->banks[0]));
    machine->bank_count = kept;
}

static status_t banks_read(const struct tree *tree)
{
    struct tree_fault fault = {"device_type", "is memory in no enabled node"};
    struct tree_cells cells;
    int node;

    if (tree_cells_read(tree, 0, &cells, &fault) != OK) {
        return tree_refuse(tree, 0, fault, ERR_INVAL);
    }
    fdt_for_each_subnode(node, tree->fdt, 0)
    {
        status_t status;

        if (!tree_node_has_type(tree, node, "memory") || !tree_node_is_enabled(tree, node)) {
            continue;
        }
        status = memory_node_read(tree, node, cells);
        if (status != OK) {
            return status;
        }
    }
    banks_round(tree->out);
    return tree->out->bank_count > 0 ? OK : tree_refuse(tree, 0, fault, ERR_NOTSUP);
}

static status_t reserve(const struct tree *tree, struct pa_range range,
                        enum machine_reserved_kind kind)
{
    if (tree->out->reserved_count + RESERVED_SPARE >= MACHINE_RESERVED_MAX) {
        return ERR_NOSPC;
    }
    return machine_reserve(tree->out, range, kind);
}

/* A child without `reg` asks for memory anywhere: nothing of ours is in its way. */
static status_t reserved_node_read(const struct tree *tree, int node, struct tree_cells cells)
{
    struct tree_fault fault;
    struct tree_reg reg;
    uint32_t length;
    enum machine_reserved_kind kind = MACHINE_RESERVED_TREE;
    status_t status = tree_reg_open(tree, node, cells, &reg, &fault);

    if (status == ERR_NOENT) {
        return OK;
    }
    if (status != OK) {
        return tree_refuse(tree, node, fault, ERR_INVAL);
    }
    if (tree_property(tree, node, "no-map", &length) != NULL) {
        kind = MACHINE_RESERVED_NO_MAP;
    }
    return ranges_add(tree, node, &reg,
                      (struct range_use){.add = reserve,
                                         .kind = kind,
                                         .too_many = "is one reserved range too many"});
}

static status_t reserved_nodes_read(const struct tree *tree)
{
    struct tree_fault fault;
    struct tree_cells cells;
    int parent = fdt_path_offset(tree->fdt, "/reserved-memory");
    int node;

    if (parent < 0) {
        return OK;
    }
    if (tree_cells_read(tree, parent, &cells, &fault) != OK) {
        return tree_refuse(tree, parent, fault, ERR_INVAL);
    }
    fdt_for_each_subnode(node, tree->fdt, parent)
    {
        status_t status = OK;

        if (tree_node_is_enabled(tree, node)) {
            status = reserved_node_read(tree, node, cells);
        }
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

static status_t reserve_list_read(const struct tree *tree)
{
    int count = fdt_num_mem_rsv(tree->fdt);

    for (int i = 0; i < count; i++) {
        struct tree_fault fault = {"off_mem_rsvmap", "names one reserved range too many"};
        struct pa_range range;
        uint64_t address;
        uint64_t size_bytes;
        status_t status = ERR_INVAL;

        if (fdt_get_mem_rsv(tree->fdt, i, &address, &size_bytes) == 0) {
            status = tree_range_make(address, size_bytes, "off_mem_rsvmap", &range, &fault);
        }
        if (status == OK) {
            status = reserve(tree, range, MACHINE_RESERVED_TREE);
        }
        if (status != OK) {
            return tree_refuse(tree, -1, fault, ERR_INVAL);
        }
    }
    return OK;
}

/* Rounds outwards; the range fits a physical address, so this cannot wrap. */
static struct pa_range whole_pages(struct pa_range range)
{
    return (struct pa_range){
        .start = {align_down(range.start.raw, PAGE_SIZE)},
        .end = {align_up(range.end.raw, PAGE_SIZE)},
    };
}

/* Why the kernel could not read all of the range, or NULL if it can.  Memory is mapped or left out
 * by whole pages. */
static const char *initrd_obstacle(const struct machine *machine, struct pa_range range)
{
    bool is_in_bank = false;

    for (size_t i = 0; i < machine->bank_count; i++) {
        is_in_bank = is_in_bank || (machine->banks[i].start.raw <= range.start.raw &&
                                    range.end.raw <= machine->banks[i].end.raw);
    }
    if (!is_in_bank) {
        return "is not in memory";
    }
    for (size_t i = 0; i < machine->reserved_count; i++) {
        if (machine->reserved[i].kind == MACHINE_RESERVED_NO_MAP &&
            pa_ranges_overlap(whole_pages(machine->reserved[i].range), whole_pages(range))) {
            return "is in a reserved range that must not be mapped";
        }
    }
    return NULL;
}

static status_t initrd_read(const struct tree *tree)
{
    struct tree_fault fault;
    struct pa_range range = {0};
    const char *obstacle;
    int chosen = fdt_path_offset(tree->fdt, "/chosen");
    status_t has_start;
    status_t has_end;

    if (chosen < 0) {
        return OK;
    }
    has_start = tree_number(tree, chosen, "linux,initrd-start", &range.start.raw, &fault);
    if (has_start == ERR_INVAL) {
        return tree_refuse(tree, chosen, fault, ERR_INVAL);
    }
    has_end = tree_number(tree, chosen, "linux,initrd-end", &range.end.raw, &fault);
    if (has_start == ERR_NOENT && has_end == ERR_NOENT) {
        return OK;
    }
    if (has_end != OK) {
        return tree_refuse(tree, chosen, fault, ERR_INVAL);
    }
    if (has_start != OK) {
        return refuse(tree, chosen, "linux,initrd-start", "is missing");
    }
    if (range.start.raw > range.end.raw) {
        return refuse(tree, chosen, "linux,initrd-end", "lies before the start");
    }
    if (range.start.raw == range.end.raw) {
        return OK;
    }
    obstacle = initrd_obstacle(tree->out, range);
    if (obstacle != NULL) {
        return refuse(tree, chosen, "linux,initrd-start", obstacle);
    }
    tree->out->initrd = range;
    return machine_reserve(tree->out, range, MACHINE_RESERVED_INITRD);
}

status_t tree_memory_read(const struct tree *tree)
{
    status_t status = banks_read(tree);

    if (status == OK) {
        tree_alias_read(tree);
        status = reserved_nodes_read(tree);
    }
    if (status == OK) {
        status = reserve_list_read(tree);
    }
    return status == OK ? initrd_read(tree) : status;
}
