/* SPDX-License-Identifier: MIT */
/*
 * Reads a whole device tree, part by part: checks the bytes, then memory, harts, devices and the
 * texts.  The parts are in files of their own; what each believes and refuses is written there.
 */
#include "arch/machine.h"

#include <libfdt.h>

#include "fdt/tree.h"
#include "fdt/tree_alias.h"
#include "fdt/tree_check.h"
#include "fdt/tree_devices.h"
#include "fdt/tree_harts.h"
#include "fdt/tree_memory.h"
#include "lib/string.h"

/* The name of the machine: model, else the first of compatible. */
static void model_read(const struct tree *tree)
{
    uint32_t length;
    const uint8_t *text = tree_property(tree, 0, "model", &length);

    if (text == NULL) {
        text = tree_property(tree, 0, "compatible", &length);
    }
    if (text != NULL) {
        tree_text_copy(tree->out->model, sizeof(tree->out->model), (const char *)text, length, '?');
    }
}

/* A command line that was cut off would mean something else: it is refused. */
static status_t cmdline_read(const struct tree *tree)
{
    int chosen = fdt_path_offset(tree->fdt, "/chosen");
    struct tree_fault fault;
    const char *text;
    uint32_t ignored;

    if (chosen < 0 || tree_property(tree, chosen, "bootargs", &ignored) == NULL) {
        return OK;
    }
    text = tree_string(tree, chosen, "bootargs", MACHINE_CMDLINE_BYTES, &fault);
    if (text == NULL) {
        return tree_refuse(tree, chosen, fault, ERR_INVAL);
    }
    tree_text_copy(tree->out->cmdline, sizeof(tree->out->cmdline), text, SIZE_MAX, ' ');
    return OK;
}

status_t machine_read_tree(const void *tree, size_t max_bytes, uint64_t boot_hart,
                           struct machine *out, struct machine_problem *problem)
{
    struct tree reading = {.fdt = tree, .boot_hart = boot_hart, .out = out, .problem = problem};
    status_t status = tree_check(tree, max_bytes, problem);

    if (status != OK) {
        return status;
    }
    memset(out, 0, sizeof(*out));
    model_read(&reading);
    status = cmdline_read(&reading);
    if (status == OK) {
        status = tree_memory_read(&reading);
    }
    if (status == OK) {
        status = tree_harts_read(&reading);
    }
    return status == OK ? tree_devices_read(&reading) : status;
}
