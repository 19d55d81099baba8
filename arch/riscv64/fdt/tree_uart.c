/* SPDX-License-Identifier: MIT */
/*
 * Finds the console.  Aliases are looked up here and must be full paths: libfdt would follow an
 * alias of an alias, for ever if they form a circle.  A UART that comes out of here has all the
 * registers its driver touches inside its window, aligned to the width of their access.
 */
#include "fdt/tree_uart.h"

#include <libfdt.h>

#include "lib/string.h"

#define PATH_BYTES             256U
#define REGISTERS_16550        8U
#define REGISTERS_BYTES_SIFIVE 0x1cU

/* Length of the part before the options, as in "serial0:115200n8". */
static size_t path_length(const char *path)
{
    const char *colon = strchr(path, ':');

    return colon == NULL ? strlen(path) : (size_t)(colon - path);
}

/* The full path an alias stands for, or NULL. */
static const char *alias_path(const struct tree *tree, const char *alias, size_t len_bytes)
{
    int aliases = fdt_path_offset(tree->fdt, "/aliases");
    const char *path;
    int length = 0;

    if (aliases < 0) {
        return NULL;
    }
    path = fdt_getprop_namelen(tree->fdt, aliases, alias, (int)len_bytes, &length);
    if (path == NULL || length <= 0 || path[0] != '/' || path[length - 1] != '\0' ||
        strlen(path) >= PATH_BYTES) {
        return NULL;
    }
    return path;
}

int tree_uart_stdout(const struct tree *tree)
{
    struct tree_fault fault = {"stdout-path", "names no node"};
    int chosen = fdt_path_offset(tree->fdt, "/chosen");
    const char *path;
    size_t len_bytes;
    uint32_t ignored;
    int node = -1;

    if (chosen < 0 || tree_property(tree, chosen, "stdout-path", &ignored) == NULL) {
        return -1;
    }
    path = tree_string(tree, chosen, "stdout-path", PATH_BYTES, &fault);
    if (path != NULL) {
        len_bytes = path_length(path);
        if (path[0] != '/') {
            path = alias_path(tree, path, len_bytes);
            len_bytes = path == NULL ? 0 : path_length(path);
        }
    }
    if (path != NULL) {
        node = fdt_path_offset_namelen(tree->fdt, path, (int)len_bytes);
    }
    if (node < 0) {
        tree_note(tree, chosen, fault);
    }
    return node < 0 ? -1 : node;
}

static enum machine_uart_kind kind_of_node(const struct tree *tree, int node)
{
    static const char *const like_16550[] = {
        "ns16550a", "ns16550", "snps,dw-apb-uart", "starfive,jh7110-uart", NULL,
    };
    static const char *const like_sifive[] = {"sifive,uart0", NULL};

    if (tree_node_is_one_of(tree, node, like_16550)) {
        return MACHINE_UART_16550;
    }
    return tree_node_is_one_of(tree, node, like_sifive) ? MACHINE_UART_SIFIVE : MACHINE_UART_NONE;
}

/* Stride and width of a 16550, checked against the window. */
static status_t layout_read(const struct tree_walk *walk, struct machine_uart *uart,
                            struct tree_fault *fault)
{
    uint32_t shift = 0;
    uint32_t width = 1;
    status_t status = tree_cell(walk->tree, walk->node, "reg-shift", &shift, fault);

    if (status == ERR_INVAL || shift > 3) {
        return tree_fault_set(fault, "reg-shift", "is not a number from 0 to 3");
    }
    status = tree_cell(walk->tree, walk->node, "reg-io-width", &width, fault);
    if (status == ERR_INVAL || (width != 1 && width != 2 && width != 4)) {
        return tree_fault_set(fault, "reg-io-width", "is not 1, 2 or 4");
    }
    if (width > 1U << shift) {
        return tree_fault_set(fault, "reg-io-width", "is more than the registers are apart");
    }
    uart->reg_shift = shift;
    uart->reg_io_width = width;
    return OK;
}

/* First interrupt of the node, 0 if there is none. */
static uint32_t first_interrupt(const struct tree *tree, int node)
{
    uint32_t length;
    const uint8_t *cells = tree_property(tree, node, "interrupts", &length);

    if (cells != NULL && length >= 4) {
        return (uint32_t)tree_cells_value(cells, 1);
    }
    cells = tree_property(tree, node, "interrupts-extended", &length);
    return cells != NULL && length >= 8 ? (uint32_t)tree_cells_value(cells + 4, 1) : 0;
}

status_t tree_uart_read(const struct tree_walk *walk, struct machine_uart *uart,
                        struct tree_fault *fault)
{
    struct machine_uart read = {.kind = kind_of_node(walk->tree, walk->node)};
    struct pa_range range;
    uint64_t needed_bytes = REGISTERS_BYTES_SIFIVE;

    if (read.kind == MACHINE_UART_NONE) {
        (void)tree_fault_set(fault, "compatible", "is no UART the kernel knows");
        return ERR_NOENT;
    }
    if (!tree_node_is_enabled(walk->tree, walk->node)) {
        (void)tree_fault_set(fault, "status", "is not okay");
        return ERR_NOENT;
    }
    if (tree_walk_reg(walk, 0, &range, fault) != OK) {
        return ERR_INVAL;
    }
    if (read.kind == MACHINE_UART_SIFIVE) {
        read.reg_shift = 2;
        read.reg_io_width = 4;
    } else if (layout_read(walk, &read, fault) != OK) {
        return ERR_INVAL;
    } else {
        needed_bytes = (uint64_t)REGISTERS_16550 << read.reg_shift;
    }
    if (pa_range_bytes(range) < needed_bytes || !is_aligned(range.start.raw, read.reg_io_width)) {
        return tree_fault_set(fault, "reg", "is too small or not aligned");
    }
    read.base = range.start;
    read.size_bytes = pa_range_bytes(range);
    read.irq = first_interrupt(walk->tree, walk->node);
    *uart = read;
    return OK;
}
