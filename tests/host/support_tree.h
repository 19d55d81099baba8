/* SPDX-License-Identifier: MIT */
/*
 * Device trees for tests: loading those of tests/host/trees, editing them with libfdt, reading them
 * with the kernel's reader, and comparing what it concludes field by field.
 */
#pragma once

#include <libfdt.h>

#include "support.h"

/* Bytes of a tree with room for edits. */
#define TREE_ROOM_BYTES ((size_t)128 * 1024)

/* Machines as they should be: a range, and what floating point takes. */
#define SPAN(first, bytes)                                                                         \
    {                                                                                              \
        .start = {first}, .end = {(first) + (bytes) }                                              \
    }

#define FD (MACHINE_ISA_F | MACHINE_ISA_D)

/* What a PolarFire SoC shows twice. */
#define MPFS_ALIASES                                                                               \
    .aliases = {{{{0x80000000}, {0xc0000000}}, 0x40000000},                                        \
                {{{0x1000000000}, {0x1400000000}}, 0x400000000}},                                  \
    .alias_count = 2

/* And a JH7110. */
#define JH7110_ALIASES .aliases = {{{{0x40000000}, {0x240000000}}, 0x200000000}}, .alias_count = 1

/* The tree trees/NAME.dts, with room for edits; at most four in one test. */
void *tree_load(const char *name);

/* Reads a flattened tree into `room`, which has TREE_ROOM_BYTES. */
void tree_load_file(const char *path, void *room);

/* Node at a path, which must be there. */
int tree_at(const void *fdt, const char *path);

/* Edits; each must succeed.  Cells and strings replace the property or add it. */
void tree_set_cell(void *fdt, const char *path, const char *property, uint32_t cell);
void tree_set_cells(void *fdt, const char *path, const char *property, const uint32_t *cells,
                    size_t count);
void tree_set_text(void *fdt, const char *path, const char *property, const char *text);
void tree_set_bytes(void *fdt, const char *path, const char *property, const void *bytes,
                    size_t len_bytes);
void tree_drop(void *fdt, const char *path, const char *property);

/* What the kernel concludes; it must conclude something. */
struct machine tree_conclude(const void *fdt, uint64_t boot_hart);

/* The kernel must refuse with `status`, and name this node and property. */
void expect_refusal(const void *fdt, uint64_t boot_hart, status_t status, const char *node,
                    const char *property);

/* Every field of the two is the same. */
void expect_machine(const struct machine *got, const struct machine *want);

/* As expect_machine, for trees of one board from two hands: but for phandles, which are chosen anew
 * whenever a tree is made, and for I/O regions, because one tree describes more devices than
 * another. */
void expect_facts(const struct machine *got, const struct machine *want);

/* The machine has exactly this note. */
void expect_note(const struct machine *machine, const char *node, const char *property);
