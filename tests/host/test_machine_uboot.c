/* SPDX-License-Identifier: MIT */
/*
 * What the kernel concludes from trees as U-Boot hands them on: those that it has for itself, which
 * is what the kernel gets if no other is named, and Linux's, with what U-Boot changes.  The trees
 * come in packages of a distribution (support_board.h); what is not there is skipped, and said so.
 *
 * The project's own tree of the VisionFive 2 is held against both.
 */
#include "arch/machine.h"

#include "support_board.h"
#include "support_tree.h"

#define LINUX_V13B "starfive/jh7110-starfive-visionfive-2-v1.3b.dtb"
#define UBOOT_V13B "u-boot/visionfive2.dtb"
#define MEMORY     "/memory@40000000"

/* ---- U-Boot's own: hart 0 is "okay" there, but has no MMU ---- */

Test(machine_uboot, visionfive2)
{
    static const struct machine want = {
        .model = "starfive,visionfive-2-v1.3b", .banks = {SPAN(0x40000000, 8 * GIB)}, VF2_SHARED};

    expect_board(UBOOT_V13B, &want, "mmu-type");
}

Test(machine_uboot, hifive_unleashed)
{
    static const struct machine want = {HIFIVE_UNLEASHED};

    expect_board("u-boot/hifive-unleashed.dtb", &want, "mmu-type");
}

Test(machine_uboot, hifive_unmatched)
{
    static const struct machine want = {HIFIVE_UNMATCHED};

    expect_board("u-boot/hifive-unmatched.dtb", &want, "mmu-type");
}

/* ---- what U-Boot changes ---- */

static void set_memory(void *fdt, uint32_t gib)
{
    const uint32_t reg[] = {0, 0x40000000, gib >> 2, gib << 30};

    tree_set_cells(fdt, MEMORY, "reg", reg, ARRAY_LEN(reg));
}

Test(machine_uboot, a_visionfive2_has_the_memory_that_u_boot_writes_into_the_tree)
{
    glob_t found = board_trees_find(LINUX_V13B);
    const uint32_t sizes[] = {2, 4, 8};

    for (size_t i = 0; i < found.gl_pathc; i++) {
        for (size_t size = 0; size < ARRAY_LEN(sizes); size++) {
            void *fdt = board_tree_load(&found, i);
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

/* The board's name and memory, the firmware's reservation, the kernel's words, the initrd; the tree
 * and the initrd are in the list of what is reserved. */
static void patch_as_u_boot_does(void *fdt)
{
    const uint32_t firmware[] = {0, 0x40000000, 0, 0x80000};
    const uint32_t start[] = {0, 0x46100000};
    const uint32_t end[] = {0, 0x46180123};
    int parent;

    tree_set_text(fdt, "/", "model", "StarFive VisionFive 2 v1.3B");
    set_memory(fdt, 4);
    parent = fdt_add_subnode(fdt, 0, "reserved-memory");
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

Test(machine_uboot, older_firmware_that_calls_hart_0_a_u74_changes_nothing)
{
    glob_t found = board_trees_find(LINUX_V13B);

    for (size_t i = 0; i < found.gl_pathc; i++) {
        void *fdt = board_tree_load(&found, i);
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

/* ---- the project's own tree ---- */

/* It says what another tree of the board says, once U-Boot has changed that, but for `extra`. */
static void expect_ours_is_like(const char *file, const char *const *extra)
{
    glob_t found = board_trees_find(file);
    struct machine ours = tree_conclude(tree_load("visionfive2-4g"), 1);

    for (size_t i = 0; i < found.gl_pathc; i++) {
        void *fdt = board_tree_load(&found, i);
        struct machine theirs;

        patch_as_u_boot_does(fdt);
        theirs = tree_conclude(fdt, 1);
        expect_facts(&theirs, &ours);
        expect_regions(&ours, &theirs, extra);
    }
    globfree(&found);
}

Test(machine_uboot, our_tree_of_a_visionfive2_says_what_that_of_u_boot_says)
{
    static const char *const extra[] = {NULL};

    expect_ours_is_like(UBOOT_V13B, extra);
}

Test(machine_uboot, our_tree_of_a_visionfive2_says_what_that_of_linux_says)
{
    static const char *const extra[] = {"starfive,jh7110-dmc", NULL}; /* U-Boot's alone has it */

    expect_ours_is_like(LINUX_V13B, extra);
}
