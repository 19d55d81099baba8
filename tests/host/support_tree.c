/* SPDX-License-Identifier: MIT */
/* Device trees for tests: see support_tree.h. */
#include "support_tree.h"

#include <stdio.h>
#include <string.h>

#define ROOMS 4U

void tree_load_file(const char *path, void *room)
{
    static char file[TREE_ROOM_BYTES / 2];
    FILE *stream = fopen(path, "rb");
    size_t len_bytes;

    cr_assert(stream != NULL, "cannot open %s", path);
    len_bytes = fread(file, 1, sizeof(file), stream);
    (void)fclose(stream);
    cr_assert(len_bytes > 0 && len_bytes < sizeof(file), "%s is empty, or large", path);
    cr_assert(fdt_open_into(file, room, (int)TREE_ROOM_BYTES) == 0, "%s is no tree", path);
}

void *tree_load(const char *name)
{
    static _Alignas(8) char rooms[ROOMS][TREE_ROOM_BYTES];
    static unsigned used;
    char path[1024];

    cr_assert(used < ROOMS);
    (void)snprintf(path, sizeof(path), "%s/%s.dtb", VELLUM_TREES, name);
    tree_load_file(path, rooms[used]);
    return rooms[used++];
}

int tree_at(const void *fdt, const char *path)
{
    int node = fdt_path_offset(fdt, path);

    cr_assert(node >= 0, "the tree has no node %s", path);
    return node;
}

void tree_set_bytes(void *fdt, const char *path, const char *property, const void *bytes,
                    size_t len_bytes)
{
    cr_assert(fdt_setprop(fdt, tree_at(fdt, path), property, bytes, (int)len_bytes) == 0);
}

void tree_set_cells(void *fdt, const char *path, const char *property, const uint32_t *cells,
                    size_t count)
{
    uint32_t big[128];

    cr_assert(count <= ARRAY_LEN(big));
    for (size_t i = 0; i < count; i++) {
        big[i] = cpu_to_fdt32(cells[i]);
    }
    tree_set_bytes(fdt, path, property, big, count * sizeof(big[0]));
}

void tree_set_cell(void *fdt, const char *path, const char *property, uint32_t cell)
{
    tree_set_cells(fdt, path, property, &cell, 1);
}

void tree_set_text(void *fdt, const char *path, const char *property, const char *text)
{
    tree_set_bytes(fdt, path, property, text, strlen(text) + 1);
}

void tree_drop(void *fdt, const char *path, const char *property)
{
    cr_assert(fdt_delprop(fdt, tree_at(fdt, path), property) == 0, "%s has no %s", path, property);
}

struct machine tree_conclude(const void *fdt, uint64_t boot_hart)
{
    struct machine machine;
    struct machine_problem problem = {.what = "nothing"};
    status_t status = machine_read_tree(fdt, TREE_ROOM_BYTES, boot_hart, &machine, &problem);

    cr_assert(status == OK, "refused with %s: %s %s %s", status_name(status), problem.node,
              problem.property, problem.what);
    return machine;
}

void expect_refusal(const void *fdt, uint64_t boot_hart, status_t status, const char *node,
                    const char *property)
{
    static struct machine machine;
    struct machine_problem problem = {0};
    status_t got = machine_read_tree(fdt, TREE_ROOM_BYTES, boot_hart, &machine, &problem);

    cr_assert(got == status, "%s, not %s (%s %s %s)", status_name(got), status_name(status),
              problem.node, problem.property, problem.what == NULL ? "" : problem.what);
    cr_assert(strcmp(problem.node, node) == 0, "node is '%s', not '%s'", problem.node, node);
    cr_assert(strcmp(problem.property, property) == 0, "property is '%s', not '%s' (%s)",
              problem.property, property, problem.what);
    cr_assert(problem.what != NULL && problem.what[0] != '\0');
}

static void expect_range(const char *what, size_t i, struct pa_range got, struct pa_range want)
{
    cr_assert(got.start.raw == want.start.raw && got.end.raw == want.end.raw,
              "%s %zu is [%#lx, %#lx), not [%#lx, %#lx)", what, i, (unsigned long)got.start.raw,
              (unsigned long)got.end.raw, (unsigned long)want.start.raw,
              (unsigned long)want.end.raw);
}

static void expect_text(const char *what, const char *got, const char *want)
{
    cr_assert(strcmp(got, want) == 0, "%s is '%s', not '%s'", what, got, want);
}

static void expect_memory(const struct machine *got, const struct machine *want)
{
    EXPECT_EQ(got->bank_count, want->bank_count);
    for (size_t i = 0; i < want->bank_count; i++) {
        expect_range("bank", i, got->banks[i], want->banks[i]);
    }
    EXPECT_EQ(got->reserved_count, want->reserved_count);
    for (size_t i = 0; i < want->reserved_count; i++) {
        expect_range("reserved", i, got->reserved[i].range, want->reserved[i].range);
        EXPECT_EQ(got->reserved[i].kind, want->reserved[i].kind);
    }
    expect_range("initrd", 0, got->initrd, want->initrd);
}

static void expect_harts(const struct machine *got, const struct machine *want)
{
    EXPECT_EQ(got->hart_count, want->hart_count);
    for (size_t i = 0; i < want->hart_count; i++) {
        EXPECT_EQ(got->harts[i].hart_id, want->harts[i].hart_id);
        EXPECT_EQ(got->harts[i].levels, want->harts[i].levels);
        EXPECT_EQ(got->harts[i].isa, want->harts[i].isa);
        EXPECT_EQ(got->harts[i].plic_context, want->harts[i].plic_context);
    }
    EXPECT_EQ(got->hart_skipped, want->hart_skipped);
    EXPECT_EQ(got->skipped_id_count, want->skipped_id_count);
    for (size_t i = 0; i < want->skipped_id_count; i++) {
        EXPECT_EQ(got->skipped_ids[i], want->skipped_ids[i]);
    }
    EXPECT_EQ(got->timebase_hz, want->timebase_hz);
    EXPECT_EQ(got->alias_count, want->alias_count);
    for (size_t i = 0; i < want->alias_count; i++) {
        EXPECT_EQ(got->aliases[i].memory.start.raw, want->aliases[i].memory.start.raw);
        EXPECT_EQ(got->aliases[i].memory.end.raw, want->aliases[i].memory.end.raw);
        EXPECT_EQ(got->aliases[i].offset, want->aliases[i].offset);
    }
    EXPECT_EQ(got->levels_cap, want->levels_cap);
    EXPECT_EQ(got->isa, want->isa);
    EXPECT_EQ(got->cbo_block_bytes, want->cbo_block_bytes);
}

static void expect_core_devices(const struct machine *got, const struct machine *want)
{
    EXPECT_EQ(got->uart.kind, want->uart.kind);
    EXPECT_EQ(got->uart.base.raw, want->uart.base.raw);
    EXPECT_EQ(got->uart.size_bytes, want->uart.size_bytes);
    EXPECT_EQ(got->uart.reg_shift, want->uart.reg_shift);
    EXPECT_EQ(got->uart.reg_io_width, want->uart.reg_io_width);
    EXPECT_EQ(got->uart.irq, want->uart.irq);
    EXPECT_EQ(got->plic.base.raw, want->plic.base.raw);
    EXPECT_EQ(got->plic.size_bytes, want->plic.size_bytes);
    EXPECT_EQ(got->plic.sources, want->plic.sources);
}

static void expect_phandles_and_io(const struct machine *got, const struct machine *want)
{
    for (size_t i = 0; i < want->hart_count; i++) {
        EXPECT_EQ(got->harts[i].intc_phandle, want->harts[i].intc_phandle);
    }
    for (size_t i = 0; i < got->io_count && i < want->io_count; i++) {
        expect_text("compatible", got->io[i].compatible, want->io[i].compatible);
        expect_range("I/O region", i, got->io[i].range, want->io[i].range);
    }
    EXPECT_EQ(got->io_count, want->io_count);
}

void expect_facts(const struct machine *got, const struct machine *want)
{
    expect_text("model", got->model, want->model);
    expect_text("cmdline", got->cmdline, want->cmdline);
    expect_memory(got, want);
    expect_harts(got, want);
    expect_core_devices(got, want);
    for (size_t i = 0; i < got->note_count && i < want->note_count; i++) {
        expect_text("note's node", got->notes[i].node, want->notes[i].node);
        expect_text("note's property", got->notes[i].property, want->notes[i].property);
    }
    EXPECT_EQ(got->note_count, want->note_count);
}

void expect_machine(const struct machine *got, const struct machine *want)
{
    expect_facts(got, want);
    expect_phandles_and_io(got, want);
}

void expect_note(const struct machine *machine, const char *node, const char *property)
{
    EXPECT_EQ(machine->note_count, 1);
    expect_text("note's node", machine->notes[0].node, node);
    expect_text("note's property", machine->notes[0].property, property);
    cr_assert(machine->notes[0].what != NULL);
}
