/* SPDX-License-Identifier: MIT */
/*
 * What the kernel concludes from the trees that Linux has for boards.  They come with a
 * distribution's kernel package (support_board.h); what is not there is skipped, and said to be.
 */
#include "arch/machine.h"

#include <string.h>

#include "support_board.h"
#include "support_sensible.h"
#include "support_tree.h"

#define ICICLE "microchip/mpfs-icicle-kit.dtb"

/* ---- each board ---- */

Test(machine_boards, visionfive2_v1_2a)
{
    static const struct machine want = {
        .model = "StarFive VisionFive 2 v1.2A", .banks = {SPAN(0x40000000, 4 * GIB)}, VF2_SHARED};

    expect_board("starfive/jh7110-starfive-visionfive-2-v1.2a.dtb", &want, "status");
}

Test(machine_boards, visionfive2_v1_3b)
{
    static const struct machine want = {
        .model = "StarFive VisionFive 2 v1.3B", .banks = {SPAN(0x40000000, 4 * GIB)}, VF2_SHARED};

    expect_board("starfive/jh7110-starfive-visionfive-2-v1.3b.dtb", &want, "status");
}

Test(machine_boards, icicle_kit)
{
    static const struct machine want = {
        .model = "Microchip PolarFire-SoC Icicle Kit",
        MPFS_ALIASES,
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

    expect_board(ICICLE, &want, "status");
}

Test(machine_boards, hifive_unleashed)
{
    static const struct machine want = {HIFIVE_UNLEASHED};

    expect_board("sifive/hifive-unleashed-a00.dtb", &want, "status");
}

Test(machine_boards, hifive_unmatched)
{
    static const struct machine want = {HIFIVE_UNMATCHED};

    expect_board("sifive/hifive-unmatched-a00.dtb", &want, "status");
}

Test(machine_boards, our_tree_of_an_icicle_kit_says_what_that_of_linux_says)
{
    static const char *const extra[] = {NULL};
    glob_t found = board_trees_find(ICICLE);
    struct machine ours = tree_conclude(tree_load("icicle-kit"), 4);

    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct machine theirs = tree_conclude(board_tree_load(&found, i), 4);

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
    static struct machine machine;
    glob_t found = board_trees_find("*/*.dtb");

    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct machine_problem problem = {.what = ""};
        status_t status = read_any(board_tree_load(&found, i), &machine, &problem);

        if (status == OK) {
            cr_log_info("  the kernel reads it");
            continue;
        }
        cr_log_info("  refused: %s %s %s", problem.node, problem.property, problem.what);
        EXPECT_EQ(status, ERR_NOTSUP);
        /* Firmware is to add the memory; or the cores have no MMU. */
        cr_assert(strcmp(problem.property, "device_type") == 0 ||
                  strcmp(problem.property, "mmu-type") == 0);
    }
    globfree(&found);
}
