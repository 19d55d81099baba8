/* SPDX-License-Identifier: MIT */
/*
 * What the kernel concludes from the trees that Linux has for boards.  They come with a
 * distribution's kernel package (support_board.h); what is not there is skipped, and said to be.
 *
 * They are also held against the project's own trees in tests/host/trees: what those say of a board
 * is what Linux says.
 */
#include "arch/machine.h"

#include <string.h>

#include "support_board.h"
#include "support_sensible.h"
#include "support_tree.h"

#define SPAN(first, bytes)                                                                         \
    {                                                                                              \
        .start = {first}, .end = {(first) + (bytes) }                                              \
    }

#define FD (MACHINE_ISA_F | MACHINE_ISA_D)

/* All of these boards: hart 0 is a monitor core with one context of the PLIC. */
#define HARTS_1_TO_4                                                                               \
    .harts =                                                                                       \
        {                                                                                          \
            {.hart_id = 1, .levels = 3, .isa = FD, .plic_context = 2},                             \
            {.hart_id = 2, .levels = 3, .isa = FD, .plic_context = 4},                             \
            {.hart_id = 3, .levels = 3, .isa = FD, .plic_context = 6},                             \
            {.hart_id = 4, .levels = 3, .isa = FD, .plic_context = 8},                             \
    },                                                                                             \
    .hart_count = 4, .hart_skipped = 1, .skipped_id_count = 1, .levels_cap = 3, .isa = FD

#define PLIC(count) .plic = {.base = {0xc000000}, .size_bytes = 0x4000000, .sources = (count)}

#define UART_SIFIVE(number)                                                                        \
    .uart = {.kind = MACHINE_UART_SIFIVE,                                                          \
             .base = {0x10010000},                                                                 \
             .size_bytes = 0x1000,                                                                 \
             .reg_shift = 2,                                                                       \
             .reg_io_width = 4,                                                                    \
             .irq = (number)}

#define VF2_SHARED                                                                                 \
    .bank_count = 1, .timebase_hz = 4000000, HARTS_1_TO_4, PLIC(136),                              \
    .uart = {                                                                                      \
        .kind = MACHINE_UART_16550,                                                                \
        .base = {0x10000000},                                                                      \
        .size_bytes = 0x10000,                                                                     \
        .reg_shift = 2,                                                                            \
        .reg_io_width = 4,                                                                         \
        .irq = 32,                                                                                 \
    }

#define V13B    "starfive/jh7110-starfive-visionfive-2-v1.3b.dtb"
#define ICICLE  "microchip/mpfs-icicle-kit.dtb"
#define MEMORY  "/memory@40000000"
#define MONITOR "/cpus/cpu@0"

/* The tree at hand, with room for edits. */
static _Alignas(8) char room[TREE_ROOM_BYTES];

static void *load(const glob_t *found, size_t i)
{
    cr_log_info("looking at %s", found->gl_pathv[i]);
    tree_load_file(found->gl_pathv[i], room);
    return room;
}

/* Every copy of the tree gives this machine, whichever hart it is booted on, and is refused on the
 * monitor core. */
static void expect_board(const char *file, const struct machine *want)
{
    glob_t found = board_trees_find(file);

    for (size_t i = 0; i < found.gl_pathc; i++) {
        const void *fdt = load(&found, i);

        for (size_t hart = 0; hart < want->hart_count; hart++) {
            uint64_t boot_hart = want->harts[hart].hart_id;
            struct machine got = tree_conclude(fdt, boot_hart);

            expect_facts(&got, want);
            expect_sensible(&got, boot_hart);
        }
        expect_refusal(fdt, 0, ERR_NOTSUP, MONITOR, "status");
    }
    globfree(&found);
}

/* ---- each board ---- */

Test(machine_boards, visionfive2_v1_2a)
{
    static const struct machine want = {
        .model = "StarFive VisionFive 2 v1.2A", .banks = {SPAN(0x40000000, 4 * GIB)}, VF2_SHARED};

    expect_board("starfive/jh7110-starfive-visionfive-2-v1.2a.dtb", &want);
}

Test(machine_boards, visionfive2_v1_3b)
{
    static const struct machine want = {
        .model = "StarFive VisionFive 2 v1.3B", .banks = {SPAN(0x40000000, 4 * GIB)}, VF2_SHARED};

    expect_board(V13B, &want);
}

Test(machine_boards, icicle_kit)
{
    static const struct machine want = {
        .model = "Microchip PolarFire-SoC Icicle Kit",
        .banks = {SPAN(0x80000000, 1 * GIB), SPAN(0x1040000000, 1 * GIB)},
        .bank_count = 2,
        .reserved = {{SPAN(0xbfc00000, 0x400000), MACHINE_RESERVED_NO_MAP}},
        .reserved_count = 1,
        .timebase_hz = 1000000,
        HARTS_1_TO_4,
        PLIC(186),
        .uart = {.kind = MACHINE_UART_16550,
                 .base = {0x20100000},
                 .size_bytes = 0x400,
                 .reg_shift = 2,
                 .reg_io_width = 4,
                 .irq = 91},
    };

    expect_board(ICICLE, &want);
}

Test(machine_boards, hifive_unleashed)
{
    static const struct machine want = {
        .model = "SiFive HiFive Unleashed A00",
        .banks = {SPAN(0x80000000, 8 * GIB)},
        .bank_count = 1,
        .timebase_hz = 1000000,
        HARTS_1_TO_4,
        PLIC(53),
        UART_SIFIVE(4),
    };

    expect_board("sifive/hifive-unleashed-a00.dtb", &want);
}

Test(machine_boards, hifive_unmatched)
{
    static const struct machine want = {
        .model = "SiFive HiFive Unmatched A00",
        .banks = {SPAN(0x80000000, 16 * GIB)},
        .bank_count = 1,
        .timebase_hz = 1000000,
        HARTS_1_TO_4,
        PLIC(69),
        UART_SIFIVE(39),
    };

    expect_board("sifive/hifive-unmatched-a00.dtb", &want);
}

/* ---- what firmware makes of them ---- */

static void set_memory(void *fdt, uint32_t gib)
{
    const uint32_t reg[] = {0, 0x40000000, gib >> 2, gib << 30};

    tree_set_cells(fdt, MEMORY, "reg", reg, ARRAY_LEN(reg));
}

Test(machine_boards, a_visionfive2_has_the_memory_that_u_boot_writes_into_the_tree)
{
    glob_t found = board_trees_find(V13B);
    const uint32_t sizes[] = {2, 4, 8};

    for (size_t i = 0; i < found.gl_pathc; i++) {
        for (size_t size = 0; size < ARRAY_LEN(sizes); size++) {
            void *fdt = load(&found, i);
            struct machine got;

            set_memory(fdt, sizes[size]);
            got = tree_conclude(fdt, 2);
            EXPECT_EQ(got.bank_count, 1);
            EXPECT_EQ(got.banks[0].start.raw, 0x40000000);
            EXPECT_EQ(pa_range_bytes(got.banks[0]), sizes[size] * GIB);
        }
    }
    globfree(&found);
}

/* The firmware's reservation, the kernel's words, the initrd; this tree and the initrd are listed.
 */
static void patch_as_u_boot_does(void *fdt)
{
    const uint32_t firmware[] = {0, 0x40000000, 0, 0x80000};
    const uint32_t start[] = {0, 0x46100000};
    const uint32_t end[] = {0, 0x46180123};
    int parent = fdt_add_subnode(fdt, 0, "reserved-memory");

    cr_assert(parent > 0 && fdt_add_subnode(fdt, parent, "mmode_resv0@40000000") > 0);
    tree_set_cell(fdt, "/reserved-memory", "#address-cells", 2);
    tree_set_cell(fdt, "/reserved-memory", "#size-cells", 2);
    tree_set_bytes(fdt, "/reserved-memory", "ranges", "", 0);
    tree_set_cells(fdt, "/reserved-memory/mmode_resv0@40000000", "reg", firmware, 4);
    tree_set_bytes(fdt, "/reserved-memory/mmode_resv0@40000000", "no-map", "", 0);
    tree_set_text(fdt, "/chosen", "bootargs", "paging=sv39 -- ls; test");
    tree_set_cells(fdt, "/chosen", "linux,initrd-start", start, 2);
    tree_set_cells(fdt, "/chosen", "linux,initrd-end", end, 2);
    cr_assert(fdt_add_mem_rsv(fdt, 0x46000000, 0xc000) == 0);
    cr_assert(fdt_add_mem_rsv(fdt, 0x46100000, 0x80123) == 0);
}

Test(machine_boards, older_firmware_that_calls_hart_0_a_u74_changes_nothing)
{
    glob_t found = board_trees_find(V13B);

    for (size_t i = 0; i < found.gl_pathc; i++) {
        void *fdt = load(&found, i);
        struct machine right = tree_conclude(fdt, 1);
        struct machine got;

        tree_set_text(fdt, MONITOR, "status", "okay");
        expect_refusal(fdt, 0, ERR_NOTSUP, MONITOR, "mmu-type");
        tree_set_text(fdt, MONITOR, "mmu-type", "riscv,sv39");
        got = tree_conclude(fdt, 1);
        expect_machine(&got, &right);
        expect_refusal(fdt, 0, ERR_NOTSUP, MONITOR, "reg");
    }
    globfree(&found);
}

/* ---- the project's own trees ---- */

static bool is_one_of(const char *text, const char *const *names)
{
    while (*names != NULL && strcmp(*names, text) != 0) {
        names++;
    }
    return *names != NULL;
}

/* Each region of ours is one of theirs, of the same name; those of `extra` overlap none of theirs.
 */
static void expect_regions(const struct machine *ours, const struct machine *theirs,
                           const char *const *extra)
{
    for (size_t i = 0; i < ours->io_count; i++) {
        const struct machine_io *io = &ours->io[i];
        size_t same = 0;
        size_t overlapping = 0;

        for (size_t j = 0; j < theirs->io_count; j++) {
            const struct machine_io *other = &theirs->io[j];

            same += io->range.start.raw == other->range.start.raw &&
                    io->range.end.raw == other->range.end.raw &&
                    strcmp(io->compatible, other->compatible) == 0;
            overlapping += pa_ranges_overlap(io->range, other->range);
        }
        cr_assert(overlapping == same, "%s at %#lx is another in Linux's tree", io->compatible,
                  (unsigned long)io->range.start.raw);
        cr_assert((same == 0) == is_one_of(io->compatible, extra),
                  "%s at %#lx: %zu in Linux's tree", io->compatible,
                  (unsigned long)io->range.start.raw, same);
    }
}

Test(machine_boards, our_tree_of_a_visionfive2_says_what_that_of_linux_says)
{
    /* U-Boot's own tree has the memory controller, which Linux's has not. */
    static const char *const extra[] = {"starfive,jh7110-dmc", NULL};
    glob_t found = board_trees_find(V13B);
    struct machine ours = tree_conclude(tree_load("visionfive2-4g"), 1);

    for (size_t i = 0; i < found.gl_pathc; i++) {
        void *fdt = load(&found, i);
        struct machine theirs;

        patch_as_u_boot_does(fdt);
        theirs = tree_conclude(fdt, 1);
        expect_facts(&theirs, &ours);
        expect_regions(&ours, &theirs, extra);
    }
    globfree(&found);
}

Test(machine_boards, our_tree_of_an_icicle_kit_says_what_that_of_linux_says)
{
    static const char *const extra[] = {NULL};
    glob_t found = board_trees_find(ICICLE);
    struct machine ours = tree_conclude(tree_load("icicle-kit"), 4);

    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct machine theirs = tree_conclude(load(&found, i), 4);

        expect_facts(&theirs, &ours);
        expect_regions(&ours, &theirs, extra);
    }
    globfree(&found);
}

/* ---- every board there is ---- */

/* A board that the kernel could boot on has hart 0, or hart 1 if that is a monitor core. */
static status_t read_any(const void *fdt, struct machine *machine, struct machine_problem *problem)
{
    for (uint64_t boot_hart = 0; boot_hart <= 1; boot_hart++) {
        status_t status = machine_read_tree(fdt, TREE_ROOM_BYTES, boot_hart, machine, problem);

        if (status == OK) {
            expect_sensible(machine, boot_hart);
            EXPECT_EQ(machine->note_count, 0);
        }
        if (status == OK || strcmp(problem->node, MONITOR) != 0) {
            return status;
        }
    }
    return ERR_NOTSUP;
}

Test(machine_boards, every_tree_is_read_without_a_note_or_refused_for_what_it_lacks)
{
    static const char *const lacking[] = {"device_type", "mmu-type", NULL};
    static struct machine machine;
    glob_t found = board_trees_find("*/*.dtb");

    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct machine_problem problem = {.what = ""};
        status_t status = read_any(load(&found, i), &machine, &problem);

        if (status == OK) {
            cr_log_info("  the kernel reads it");
            continue;
        }
        cr_log_info("  refused: %s %s %s", problem.node, problem.property, problem.what);
        /* Firmware is to add the memory; or the cores have no MMU. */
        cr_assert(status == ERR_NOTSUP && is_one_of(problem.property, lacking), "%s: %s %s %s %s",
                  found.gl_pathv[i], status_name(status), problem.node, problem.property,
                  problem.what);
    }
    globfree(&found);
}
