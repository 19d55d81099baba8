/* SPDX-License-Identifier: MIT */
/*
 * Memory that a machine shows a second time: a tree that names both views as memory would have each
 * page handed out twice, so the second view is left out, and noted.
 */
#include "arch/machine.h"

#include "support_tree.h"

#define VF2    "visionfive2-4g"
#define ICICLE "icicle-kit"
#define BANK   "/memory@40000000"

/* What is left of these banks, each an address and a size of two cells. */
static struct machine with_banks(const char *tree, const char *node, const uint32_t *cells,
                                 size_t count)
{
    void *fdt = tree_load(tree);

    tree_set_cells(fdt, node, "reg", cells, count);
    return tree_conclude(fdt, 1);
}

static void expect_bank(const struct machine *machine, size_t i, uint64_t start, uint64_t end)
{
    EXPECT_EQ(machine->banks[i].start.raw, start);
    EXPECT_EQ(machine->banks[i].end.raw, end);
}

Test(machine_alias, a_bank_that_goes_on_into_its_own_second_view_is_cut)
{
    struct machine machine = with_banks(VF2, BANK, (uint32_t[]){0, 0x40000000, 4, 0}, 4);

    EXPECT_EQ(machine.bank_count, 1);
    expect_bank(&machine, 0, 0x40000000, 0x240000000);
    EXPECT_EQ(machine.note_count, 1);
}

Test(machine_alias, a_bank_that_is_a_second_view_is_left_out)
{
    struct machine machine =
        with_banks(VF2, BANK, (uint32_t[]){0, 0x40000000, 1, 0, 2, 0x40000000, 0, 0x40000000}, 8);

    EXPECT_EQ(machine.bank_count, 1);
    expect_bank(&machine, 0, 0x40000000, 0x140000000);
    EXPECT_EQ(machine.note_count, 1);
}

Test(machine_alias, part_of_a_second_view_goes_with_what_lies_behind_it)
{
    struct machine machine =
        with_banks(VF2, BANK, (uint32_t[]){0, 0x40000000, 0, 0x40000000, 2, 0, 0, 0x80000000}, 8);

    EXPECT_EQ(machine.bank_count, 2);
    expect_bank(&machine, 0, 0x40000000, 0x80000000);
    expect_bank(&machine, 1, 0x200000000, 0x240000000);
    EXPECT_EQ(machine.note_count, 1);
}

Test(machine_alias, a_second_view_alone_stays)
{
    struct machine machine = with_banks(
        VF2, BANK, (uint32_t[]){0, 0x40000000, 0, 0x40000000, 2, 0x80000000, 0, 0x40000000}, 8);

    EXPECT_EQ(machine.bank_count, 2);
    expect_bank(&machine, 1, 0x280000000, 0x2c0000000);
    EXPECT_EQ(machine.note_count, 0);
}

Test(machine_alias, of_two_views_that_touch_the_lower_stays)
{
    struct machine machine =
        with_banks(ICICLE, "/memory@80000000", (uint32_t[]){0, 0x80000000, 0, 0x80000000}, 4);

    EXPECT_EQ(machine.bank_count, 2);
    expect_bank(&machine, 0, 0x80000000, 0xc0000000);
    EXPECT_EQ(machine.note_count, 1);
}
