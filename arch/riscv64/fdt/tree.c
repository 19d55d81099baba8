/* SPDX-License-Identifier: MIT */
/*
 * Properties of a checked tree as numbers, strings and ranges, and the naming of what is wrong.
 * Nothing is believed about the length of a value or about an end inside it.
 */
#include "fdt/tree.h"

#include <libfdt.h>

#include "arch/pte.h"
#include "lib/string.h"

void tree_text_copy(char *to, size_t to_bytes, const char *from, size_t len_bytes, char instead)
{
    size_t at = 0;

    while (at + 1 < to_bytes && at < len_bytes && from[at] != '\0') {
        bool prints = from[at] >= ' ' && from[at] <= '~';

        to[at] = instead;
        if (prints) {
            to[at] = from[at];
        }
        at++;
    }
    to[at] = '\0';
}

static void problem_fill(const struct tree *tree, int node, struct tree_fault fault,
                         struct machine_problem *problem)
{
    char path[sizeof(problem->node)] = "header";

    /* A path that does not fit gives way to the node's own name. */
    if (node >= 0 && fdt_get_path(tree->fdt, node, path, (int)sizeof(path)) != 0) {
        const char *name = fdt_get_name(tree->fdt, node, NULL);

        tree_text_copy(path, sizeof(path), name == NULL ? "?" : name, sizeof(path), '?');
    }
    tree_text_copy(problem->node, sizeof(problem->node), path, sizeof(path), '?');
    tree_text_copy(problem->property, sizeof(problem->property), fault.property,
                   sizeof(problem->property), '?');
    problem->what = fault.what;
}

status_t tree_refuse(const struct tree *tree, int node, struct tree_fault fault, status_t status)
{
    problem_fill(tree, node, fault, tree->problem);
    return status;
}

void tree_note(const struct tree *tree, int node, struct tree_fault fault)
{
    struct machine *out = tree->out;

    /* Finding a path walks the tree: not for notes nobody will see. */
    if (out->note_count < MACHINE_NOTES_MAX) {
        problem_fill(tree, node, fault, &out->notes[out->note_count]);
        out->note_count++;
    }
}

status_t tree_fault_set(struct tree_fault *fault, const char *property, const char *what)
{
    *fault = (struct tree_fault){.property = property, .what = what};
    return ERR_INVAL;
}

const uint8_t *tree_property(const struct tree *tree, int node, const char *name,
                             uint32_t *len_bytes)
{
    int length = 0;
    const uint8_t *value = fdt_getprop(tree->fdt, node, name, &length);

    *len_bytes = value == NULL || length < 0 ? 0 : (uint32_t)length;
    return value;
}

const char *tree_string(const struct tree *tree, int node, const char *name, size_t max_bytes,
                        struct tree_fault *fault)
{
    uint32_t length;
    const uint8_t *value = tree_property(tree, node, name, &length);
    const char *text = (const char *)value;

    if (value == NULL) {
        (void)tree_fault_set(fault, name, "is missing");
        return NULL;
    }
    if (length == 0 || text[length - 1] != '\0') {
        (void)tree_fault_set(fault, name, "is not a terminated string");
        return NULL;
    }
    if (strnlen(text, length) >= max_bytes) {
        (void)tree_fault_set(fault, name, "is too long");
        return NULL;
    }
    return text;
}

uint64_t tree_cells_value(const uint8_t *bytes, unsigned cells)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < cells * 4; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

/* A property that is a number of at most max_cells cells; what is said if it is not. */
struct number {
    const char *name;
    unsigned max_cells;
    const char *wrong;
};

static status_t number_read(const struct tree *tree, int node, struct number number,
                            uint64_t *value, struct tree_fault *fault)
{
    uint32_t length;
    const uint8_t *bytes = tree_property(tree, node, number.name, &length);

    if (bytes == NULL) {
        (void)tree_fault_set(fault, number.name, "is missing");
        return ERR_NOENT;
    }
    if ((length != 4 && length != 8) || length / 4 > number.max_cells) {
        return tree_fault_set(fault, number.name, number.wrong);
    }
    *value = tree_cells_value(bytes, length / 4);
    return OK;
}

status_t tree_number(const struct tree *tree, int node, const char *name, uint64_t *value,
                     struct tree_fault *fault)
{
    struct number number = {name, 2, "is not a number of 32 or 64 bits"};

    return number_read(tree, node, number, value, fault);
}

status_t tree_cell(const struct tree *tree, int node, const char *name, uint32_t *value,
                   struct tree_fault *fault)
{
    struct number number = {name, 1, "is not a number of 32 bits"};
    uint64_t wide = 0;
    status_t status = number_read(tree, node, number, &wide, fault);

    if (status == OK) {
        *value = (uint32_t)wide;
    }
    return status;
}

/* The number of cells in a property; without the property *count stays. */
static status_t cell_count(const struct tree *tree, int node, const char *name, uint32_t *count,
                           struct tree_fault *fault)
{
    status_t status = tree_cell(tree, node, name, count, fault);

    if (status == ERR_NOENT) {
        return OK;
    }
    if (status == OK && *count > 2) {
        return tree_fault_set(fault, name, "is an impossible number of cells");
    }
    return status;
}

status_t tree_cells_read(const struct tree *tree, int node, struct tree_cells *cells,
                         struct tree_fault *fault)
{
    uint32_t address = 2; /* the defaults of the specification */
    uint32_t size = 1;
    status_t status = cell_count(tree, node, "#address-cells", &address, fault);

    if (status == OK) {
        status = cell_count(tree, node, "#size-cells", &size, fault);
    }
    if (status != OK) {
        return status;
    }
    if (address == 0) {
        return tree_fault_set(fault, "#address-cells", "is an impossible number of cells");
    }
    *cells = (struct tree_cells){.address = address, .size = size};
    return OK;
}

status_t tree_reg_open(const struct tree *tree, int node, struct tree_cells cells,
                       struct tree_reg *reg, struct tree_fault *fault)
{
    uint32_t length;
    uint32_t entry_bytes = (cells.address + cells.size) * 4;
    const uint8_t *bytes = tree_property(tree, node, "reg", &length);

    if (bytes == NULL) {
        (void)tree_fault_set(fault, "reg", "is missing");
        return ERR_NOENT;
    }
    if (length == 0 || length % entry_bytes != 0) {
        return tree_fault_set(fault, "reg", "has a length that its parent's cells do not allow");
    }
    *reg = (struct tree_reg){.bytes = bytes, .count = length / entry_bytes, .cells = cells};
    return OK;
}

void tree_reg_entry(const struct tree_reg *reg, uint32_t index, uint64_t *address,
                    uint64_t *size_bytes)
{
    size_t entry_bytes = (size_t)(reg->cells.address + reg->cells.size) * 4;
    const uint8_t *entry = reg->bytes + index * entry_bytes;

    *address = tree_cells_value(entry, reg->cells.address);
    *size_bytes = tree_cells_value(entry + (size_t)reg->cells.address * 4, reg->cells.size);
}

status_t tree_range_make(uint64_t address, uint64_t size_bytes, const char *property,
                         struct pa_range *range, struct tree_fault *fault)
{
    uint64_t end;

    if (checked_add(address, size_bytes, &end) != OK || end > UINT64_C(1) << PTE_PA_BITS) {
        return tree_fault_set(fault, property, "goes beyond the physical address space");
    }
    *range = (struct pa_range){.start = {address}, .end = {end}};
    return OK;
}

bool tree_node_is_enabled(const struct tree *tree, int node)
{
    struct tree_fault ignored;
    uint32_t length;
    const char *text;

    if (tree_property(tree, node, "status", &length) == NULL) {
        return true;
    }
    text = tree_string(tree, node, "status", TREE_NAME_BYTES, &ignored);
    return text != NULL && (strcmp(text, "okay") == 0 || strcmp(text, "ok") == 0);
}

bool tree_node_has_type(const struct tree *tree, int node, const char *type)
{
    struct tree_fault ignored;
    const char *text = tree_string(tree, node, "device_type", TREE_NAME_BYTES, &ignored);

    return text != NULL && strcmp(text, type) == 0;
}

bool tree_node_is_one_of(const struct tree *tree, int node, const char *const *names)
{
    uint32_t length;
    const uint8_t *value = tree_property(tree, node, "compatible", &length);

    if (value == NULL) {
        return false;
    }
    for (; *names != NULL; names++) {
        if (fdt_stringlist_contains((const char *)value, (int)length, *names) != 0) {
            return true;
        }
    }
    return false;
}
