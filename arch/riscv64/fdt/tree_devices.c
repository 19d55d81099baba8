/* SPDX-License-Identifier: MIT */
/*
 * Two walks: the first finds the console and the interrupt controllers, the second makes an I/O
 * region of every other device's registers.
 *
 * Invariant: an I/O region, rounded outwards to pages, overlaps no RAM, no reservation, no
 * interrupt controller and no other region; so a program that holds one can disturb nothing but its
 * device.
 */
#include "fdt/tree_devices.h"

#include "fdt/tree_plic.h"
#include "fdt/tree_uart.h"
#include "fdt/tree_walk.h"

#define CONTROLLERS_MAX  64U
#define REGIONS_PER_NODE 16U

/* Interrupt controllers and the machine-mode devices beside them: a program that reached one could
 * stop the kernel. */
static const char *const controller_names[] = {
    "sifive,plic-1.0.0",
    "riscv,plic0",
    "thead,c900-plic",
    "sifive,clint0",
    "riscv,clint0",
    "thead,c900-clint",
    "riscv,aclint-mswi",
    "riscv,aclint-sswi",
    "riscv,aclint-mtimer",
    "thead,c900-aclint-mswi",
    "thead,c900-aclint-mtimer",
    "thead,c900-aclint-sswi",
    "riscv,aplic",
    "riscv,imsics",
    NULL,
};
static const char *const plic_names[] = {"sifive,plic-1.0.0", "riscv,plic0", NULL};

struct devices {
    const struct tree *tree;
    struct pa_range controllers[CONTROLLERS_MAX]; /* page aligned */
    size_t controller_count;
    int stdout_node; /* -1: none */
    bool has_stdout; /* uart is the one stdout-path names */
};

/* Rounds outwards; the range fits a physical address, so this cannot wrap. */
static struct pa_range whole_pages(struct pa_range range)
{
    return (struct pa_range){
        .start = {align_down(range.start.raw, PAGE_SIZE)},
        .end = {align_up(range.end.raw, PAGE_SIZE)},
    };
}

static status_t controller_add(struct devices *devices, const struct tree_walk *walk)
{
    const struct tree *tree = walk->tree;
    struct tree_fault fault = {"reg", "is one interrupt controller too many"};
    struct pa_range range;
    status_t status = OK;

    for (uint32_t i = 0; status == OK; i++) {
        status = tree_walk_reg(walk, i, &range, &fault);
        if (status == OK && devices->controller_count == CONTROLLERS_MAX) {
            return tree_refuse(tree, walk->node, fault, ERR_INVAL);
        }
        if (status == OK) {
            devices->controllers[devices->controller_count++] = whole_pages(range);
        }
    }
    if (status == ERR_INVAL) {
        tree_note(tree, walk->node, fault);
    }
    if (tree->out->plic.size_bytes == 0 && status != ERR_INVAL &&
        tree_node_is_one_of(tree, walk->node, plic_names) &&
        tree_node_is_enabled(tree, walk->node) && tree_plic_read(walk, &fault) != OK) {
        tree_note(tree, walk->node, fault);
    }
    return OK;
}

/* The console is the node stdout-path names, else the first that can be one. */
static void console_try(struct devices *devices, const struct tree_walk *walk)
{
    struct machine *machine = walk->tree->out;
    bool is_stdout = walk->node == devices->stdout_node;
    struct machine_uart uart;
    struct tree_fault fault;
    status_t status;

    if (devices->has_stdout || (!is_stdout && machine->uart.kind != MACHINE_UART_NONE)) {
        return;
    }
    status = tree_uart_read(walk, &uart, &fault);
    if (status == OK) {
        machine->uart = uart;
        devices->has_stdout = is_stdout;
    } else if (is_stdout || status == ERR_INVAL) {
        tree_note(walk->tree, walk->node, fault);
    }
}

static status_t first_walk(struct devices *devices)
{
    struct tree_walk walk;
    status_t status = OK;

    tree_walk_start(&walk, devices->tree);
    while (status == OK && tree_walk_next(&walk)) {
        if (tree_node_is_one_of(walk.tree, walk.node, controller_names)) {
            status = controller_add(devices, &walk);
        } else {
            console_try(devices, &walk);
        }
    }
    return status;
}

static bool region_is_free(const struct devices *devices, struct pa_range range)
{
    const struct machine *machine = devices->tree->out;
    bool is_taken = false;

    for (size_t i = 0; i < machine->bank_count; i++) {
        is_taken = is_taken || pa_ranges_overlap(machine->banks[i], range);
    }
    for (size_t i = 0; i < machine->reserved_count; i++) {
        is_taken = is_taken || pa_ranges_overlap(machine->reserved[i].range, range);
    }
    for (size_t i = 0; i < devices->controller_count; i++) {
        is_taken = is_taken || pa_ranges_overlap(devices->controllers[i], range);
    }
    for (size_t i = 0; i < machine->io_count; i++) {
        is_taken = is_taken || pa_ranges_overlap(machine->io[i].range, range);
    }
    return !is_taken;
}

/* ERR_NOSPC: the table is full.  A range something else has is left out in silence. */
static status_t region_add(const struct devices *devices, const struct tree_walk *walk,
                           struct pa_range range)
{
    struct machine *machine = walk->tree->out;
    struct machine_io *io;
    uint32_t length;
    const uint8_t *name;

    if (!region_is_free(devices, range)) {
        return OK;
    }
    if (machine->io_count == MACHINE_IO_MAX) {
        return ERR_NOSPC;
    }
    io = &machine->io[machine->io_count++];
    io->range = range;
    name = tree_property(walk->tree, walk->node, "compatible", &length);
    tree_text_copy(io->compatible, sizeof(io->compatible), (const char *)name, length, '?');
    return OK;
}

static bool is_io_device(const struct tree_walk *walk)
{
    uint32_t length;

    return tree_walk_is_device(walk) && tree_node_is_enabled(walk->tree, walk->node) &&
           tree_property(walk->tree, walk->node, "reg", &length) != NULL &&
           tree_property(walk->tree, walk->node, "compatible", &length) != NULL && length > 0 &&
           !tree_node_has_type(walk->tree, walk->node, "memory") &&
           !tree_node_is_one_of(walk->tree, walk->node, controller_names);
}

/* The regions of one device.  ERR_NOSPC: the table is full. */
static status_t regions_add(const struct devices *devices, const struct tree_walk *walk)
{
    struct tree_fault fault = {"reg", "is one I/O region more than the kernel keeps"};
    status_t status = OK;

    for (uint32_t i = 0; status == OK && i < REGIONS_PER_NODE; i++) {
        struct pa_range range;

        status = tree_walk_reg(walk, i, &range, &fault);
        if (status == OK) {
            status = region_add(devices, walk, whole_pages(range));
        }
    }
    if (status == ERR_INVAL || status == ERR_NOSPC) {
        tree_note(walk->tree, walk->node, fault);
    }
    return status == ERR_NOSPC ? ERR_NOSPC : OK;
}

static void second_walk(const struct devices *devices)
{
    struct tree_walk walk;
    status_t status = OK;

    tree_walk_start(&walk, devices->tree);
    while (status == OK && tree_walk_next(&walk)) {
        if (is_io_device(&walk)) {
            status = regions_add(devices, &walk);
        }
    }
}

status_t tree_devices_read(const struct tree *tree)
{
    struct devices devices = {.tree = tree, .stdout_node = tree_uart_stdout(tree)};
    status_t status = first_walk(&devices);

    if (status == OK) {
        second_walk(&devices);
    }
    return status;
}
