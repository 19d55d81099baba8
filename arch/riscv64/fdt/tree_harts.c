/* SPDX-License-Identifier: MIT */
/*
 * Which harts are usable is told by several signs at once, because trees in the field are wrong in
 * each: an enabled node of a cpu with an mmu-type, that lists what the kernel is compiled for. Hart
 * 0 of a JH7110 is refused by number: there is firmware that describes it as one of the others.
 * Hart ids are sparse; the order is the tree's.
 */
#include "fdt/tree_harts.h"

#include <libfdt.h>

#include "fdt/tree_isa.h"
#include "lib/string.h"

/* A millisecond is at least one tick, and a second in ticks times 10^9 fits 64 bits. */
#define TIMEBASE_MIN_HZ UINT64_C(1000)
#define TIMEBASE_MAX_HZ UINT64_C(10000000000)

static const char *const jh7110[] = {"starfive,jh7110", NULL};
static const char *const monitor_first[] = {
    "starfive,jh7110",
    "sifive,fu540-c000",
    "sifive,hifive-unleashed-a00",
    "microchip,mpfs",
    "sifive,fu740-c000",
    "sifive,hifive-unmatched-a00",
    NULL,
};

bool tree_harts_start_with_monitor(const struct tree *tree)
{
    return tree_node_is_one_of(tree, 0, monitor_first);
}

/* Unknown types are refused: the kernel would not know what lies below them. */
static status_t mmu_type_read(const struct tree *tree, int node, unsigned *levels,
                              struct tree_fault *fault)
{
    static const char *const types[] = {"riscv,sv39", "riscv,sv48", "riscv,sv57"};
    const char *type = tree_string(tree, node, "mmu-type", TREE_NAME_BYTES, fault);

    if (type == NULL) {
        return ERR_NOTSUP;
    }
    for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(type, types[i]) == 0) {
            *levels = i + 3;
            return OK;
        }
    }
    (void)tree_fault_set(fault, "mmu-type", "is not Sv39, Sv48 or Sv57");
    return ERR_NOTSUP;
}

/* The phandle of the hart's own interrupt controller, 0 if it has none. */
static uint32_t intc_phandle(const struct tree *tree, int cpu)
{
    static const char *const intc[] = {"riscv,cpu-intc", NULL};
    int node;

    fdt_for_each_subnode(node, tree->fdt, cpu)
    {
        if (tree_node_is_one_of(tree, node, intc)) {
            return fdt_get_phandle(tree->fdt, node);
        }
    }
    return 0;
}

/* Everything but the id.  ERR_INVAL: malformed; ERR_NOTSUP: not one the kernel uses. */
static status_t hart_read(const struct tree *tree, int node, struct machine_hart *hart,
                          struct tree_fault *fault)
{
    status_t status;

    if (!tree_node_is_enabled(tree, node)) {
        (void)tree_fault_set(fault, "status", "is not okay");
        return ERR_NOTSUP;
    }
    status = mmu_type_read(tree, node, &hart->levels, fault);
    if (status != OK) {
        return status;
    }
    if (hart->hart_id == 0 && tree_node_is_one_of(tree, 0, jh7110)) {
        (void)tree_fault_set(fault, "reg", "is hart 0, a monitor core on a JH7110");
        return ERR_NOTSUP;
    }
    hart->intc_phandle = intc_phandle(tree, node);
    hart->plic_context = -1;
    return tree_isa_read(tree, node, &hart->isa, fault);
}

/* The block size all harts so far agree on; 0 as soon as they do not. */
static void cbo_block_merge(const struct tree *tree, int node, struct machine *machine)
{
    struct tree_fault ignored;
    uint32_t bytes = 0;

    if (tree_cell(tree, node, "riscv,cboz-block-size", &bytes, &ignored) != OK ||
        (bytes & (bytes - 1)) != 0 || bytes < 8 || bytes > PAGE_SIZE) {
        bytes = 0;
    }
    if (machine->hart_count == 1) {
        machine->cbo_block_bytes = bytes;
    } else if (machine->cbo_block_bytes != bytes) {
        machine->cbo_block_bytes = 0;
    }
}

static status_t timebase_read(const struct tree *tree, int node, struct tree_fault *fault)
{
    uint64_t hz = 0;
    status_t status = tree_number(tree, node, "timebase-frequency", &hz, fault);

    if (status == OK && (hz < TIMEBASE_MIN_HZ || hz > TIMEBASE_MAX_HZ)) {
        return tree_fault_set(fault, "timebase-frequency", "is an impossible frequency");
    }
    if (status == OK) {
        tree->out->timebase_hz = hz;
    }
    return status;
}

/* Counts a hart that is left alone. */
static void hart_skip(struct machine *machine, uint64_t hart_id)
{
    machine->hart_skipped++;
    if (machine->skipped_id_count < HART_MAX) {
        machine->skipped_ids[machine->skipped_id_count++] = hart_id;
    }
}

/* A usable hart; the last place is kept for the boot hart. */
static status_t hart_add(const struct tree *tree, int node, const struct machine_hart *hart)
{
    struct machine *machine = tree->out;
    bool is_boot_hart = hart->hart_id == tree->boot_hart;
    bool has_boot_hart = machine_hart_by_id(machine, tree->boot_hart) >= 0;

    if (machine_hart_by_id(machine, hart->hart_id) >= 0) {
        return tree_refuse(tree, node, (struct tree_fault){"reg", "is the id of two harts"},
                           ERR_INVAL);
    }
    if (machine->hart_count == HART_MAX - (is_boot_hart || has_boot_hart ? 0U : 1U)) {
        hart_skip(machine, hart->hart_id);
        tree_note(tree, node, (struct tree_fault){"reg", "is one hart more than the kernel uses"});
        return OK;
    }
    machine->harts[machine->hart_count] = *hart;
    machine->hart_count++;
    if (machine->hart_count == 1) {
        machine->levels_cap = hart->levels;
        machine->isa = hart->isa;
    }
    machine->levels_cap = hart->levels < machine->levels_cap ? hart->levels : machine->levels_cap;
    machine->isa &= hart->isa;
    cbo_block_merge(tree, node, machine);
    return OK;
}

static status_t cpu_node_read(const struct tree *tree, int node, struct tree_cells cells)
{
    struct machine_hart hart = {0};
    struct tree_fault fault;
    struct tree_reg reg;
    uint64_t no_size;

    if (tree_reg_open(tree, node, cells, &reg, &fault) != OK) {
        tree->out->hart_skipped++;
        tree_note(tree, node, fault);
        return OK;
    }
    tree_reg_entry(&reg, 0, &hart.hart_id, &no_size);

    status_t status = hart_read(tree, node, &hart, &fault);

    if (status != OK && hart.hart_id == tree->boot_hart) {
        return tree_refuse(tree, node, fault, status);
    }
    if (status != OK) {
        hart_skip(tree->out, hart.hart_id);
        if (status == ERR_INVAL) {
            tree_note(tree, node, fault);
        }
        return OK;
    }
    if (tree->out->timebase_hz == 0 && hart.hart_id == tree->boot_hart &&
        timebase_read(tree, node, &fault) == ERR_INVAL) {
        return tree_refuse(tree, node, fault, ERR_INVAL);
    }
    return hart_add(tree, node, &hart);
}

static status_t cpus_read(const struct tree *tree, int cpus)
{
    struct tree_fault fault;
    struct tree_cells cells = {0};
    int node;

    if (tree_cells_read(tree, cpus, &cells, &fault) != OK) {
        return tree_refuse(tree, cpus, fault, ERR_INVAL);
    }
    if (cells.size != 0) {
        return tree_refuse(tree, cpus, (struct tree_fault){"#size-cells", "is not 0"}, ERR_INVAL);
    }
    if (timebase_read(tree, cpus, &fault) == ERR_INVAL) {
        return tree_refuse(tree, cpus, fault, ERR_INVAL);
    }
    fdt_for_each_subnode(node, tree->fdt, cpus)
    {
        status_t status = OK;

        if (tree_node_has_type(tree, node, "cpu")) {
            status = cpu_node_read(tree, node, cells);
        }
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

status_t tree_harts_read(const struct tree *tree)
{
    struct tree_fault fault = {"cpus", "is missing"};
    int cpus = fdt_path_offset(tree->fdt, "/cpus");
    status_t status;

    if (cpus < 0) {
        return tree_refuse(tree, 0, fault, ERR_INVAL);
    }
    status = cpus_read(tree, cpus);
    if (status != OK) {
        return status;
    }
    if (machine_hart_by_id(tree->out, tree->boot_hart) < 0) {
        fault = (struct tree_fault){"reg", "names the boot hart in no node"};
        return tree_refuse(tree, cpus, fault, ERR_INVAL);
    }
    if (tree->out->timebase_hz == 0) {
        fault = (struct tree_fault){"timebase-frequency", "is missing"};
        return tree_refuse(tree, cpus, fault, ERR_INVAL);
    }
    return OK;
}
