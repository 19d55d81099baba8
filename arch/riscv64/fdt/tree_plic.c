/* SPDX-License-Identifier: MIT */
/*
 * A PLIC numbers its contexts in the order of interrupts-extended: pairs of a hart's interrupt
 * controller and the interrupt raised there, 9 for the supervisor's ("RISC-V Platform-Level
 * Interrupt Controller Specification").  Machines with a monitor core leave out contexts, so the
 * number cannot be computed from the hart id in general.
 */
#include "fdt/tree_plic.h"

#include "fdt/tree_harts.h"
#include "plic/plic.h"

#define SUPERVISOR_EXTERNAL 9U
#define SOURCES_MAX         1023U

static bool context_fits(const struct machine_plic *plic, uint64_t context)
{
    return PLIC_CONTEXT(context + 1) <= plic->size_bytes;
}

static void contexts_read(const struct tree_walk *walk, const struct machine_plic *plic)
{
    struct machine *machine = walk->tree->out;
    uint32_t length;
    const uint8_t *pairs = tree_property(walk->tree, walk->node, "interrupts-extended", &length);

    for (uint32_t context = 0; pairs != NULL && context < length / 8; context++) {
        uint32_t phandle = (uint32_t)tree_cells_value(pairs + (size_t)context * 8, 1);
        uint64_t interrupt = tree_cells_value(pairs + (size_t)context * 8 + 4, 1);

        if (interrupt != SUPERVISOR_EXTERNAL || phandle == 0 || !context_fits(plic, context)) {
            continue;
        }
        for (size_t i = 0; i < machine->hart_count; i++) {
            struct machine_hart *hart = &machine->harts[i];

            if (hart->intc_phandle == phandle && hart->plic_context < 0) {
                hart->plic_context = (int32_t)context;
            }
        }
    }
}

/* Where hart 0 has one context and all others two: some trees' phandles lead nowhere. */
static void contexts_guess(const struct tree *tree, const struct machine_plic *plic)
{
    for (size_t i = 0; i < tree->out->hart_count; i++) {
        struct machine_hart *hart = &tree->out->harts[i];

        if (hart->plic_context < 0 && hart->hart_id > 0 && hart->hart_id < SOURCES_MAX &&
            context_fits(plic, 2 * hart->hart_id)) {
            hart->plic_context = (int32_t)(2 * hart->hart_id);
        }
    }
}

status_t tree_plic_read(const struct tree_walk *walk, struct tree_fault *fault)
{
    const struct tree *tree = walk->tree;
    struct machine_plic plic = {0};
    struct pa_range range;

    if (tree_walk_reg(walk, 0, &range, fault) != OK ||
        tree_cell(tree, walk->node, "riscv,ndev", &plic.sources, fault) != OK) {
        return ERR_INVAL;
    }
    if (plic.sources == 0 || plic.sources > SOURCES_MAX) {
        return tree_fault_set(fault, "riscv,ndev", "is not a number from 1 to 1023");
    }
    plic.base = range.start;
    plic.size_bytes = pa_range_bytes(range);
    if (!is_aligned(plic.base.raw, PAGE_SIZE) || !context_fits(&plic, 0)) {
        return tree_fault_set(fault, "reg", "is too small or not aligned");
    }
    tree->out->plic = plic;
    contexts_read(walk, &plic);
    if (tree_harts_start_with_monitor(tree)) {
        contexts_guess(tree, &plic);
    }
    return OK;
}
