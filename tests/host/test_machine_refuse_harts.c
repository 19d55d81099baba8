/* SPDX-License-Identifier: MIT */
/*
 * Trees with one thing wrong about harts or the clock: what the machine cannot do without is
 * refused by node and property; another hart that is unusable is left out and noted.
 */
#include "arch/machine.h"
#include "support_tree.h"

#define VIRT_BOOT_HART 1

Test(machine_refuse_harts, no_cpus)
{
    void *fdt = tree_load("qemu-virt");

    cr_assert(fdt_set_name(fdt, tree_at(fdt, "/cpus"), "cups") == 0);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/", "cpus");
}

Test(machine_refuse_harts, cpus_whose_ids_have_sizes)
{
    void *fdt = tree_load("qemu-virt");

    tree_drop(fdt, "/cpus", "#size-cells");
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/cpus", "#size-cells");
}

Test(machine_refuse_harts, a_boot_hart_the_tree_does_not_know)
{
    expect_refusal(tree_load("qemu-virt"), 17, ERR_INVAL, "/cpus", "reg");
}

Test(machine_refuse_harts, a_boot_hart_without_an_mmu)
{
    void *fdt = tree_load("qemu-virt");

    tree_drop(fdt, "/cpus/cpu@1", "mmu-type");
    expect_refusal(fdt, 1, ERR_NOTSUP, "/cpus/cpu@1", "mmu-type");
    tree_set_text(fdt, "/cpus/cpu@1", "mmu-type", "riscv,none");
    expect_refusal(fdt, 1, ERR_NOTSUP, "/cpus/cpu@1", "mmu-type");
}

Test(machine_refuse_harts, a_boot_hart_that_is_disabled)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_text(fdt, "/cpus/cpu@1", "status", "disabled");
    expect_refusal(fdt, 1, ERR_NOTSUP, "/cpus/cpu@1", "status");
}

Test(machine_refuse_harts, a_boot_hart_without_the_compressed_extension)
{
    void *fdt = tree_load("qemu-virt");

    tree_drop(fdt, "/cpus/cpu@1", "riscv,isa-extensions");
    tree_set_text(fdt, "/cpus/cpu@1", "riscv,isa", "rv64imafd_zicboz");
    expect_refusal(fdt, 1, ERR_NOTSUP, "/cpus/cpu@1", "riscv,isa");
}

Test(machine_refuse_harts, a_boot_hart_of_32_bits)
{
    void *fdt = tree_load("qemu-virt");

    tree_drop(fdt, "/cpus/cpu@1", "riscv,isa-extensions");
    tree_set_text(fdt, "/cpus/cpu@1", "riscv,isa", "rv32imac");
    expect_refusal(fdt, 1, ERR_NOTSUP, "/cpus/cpu@1", "riscv,isa");
}

Test(machine_refuse_harts, a_boot_hart_that_does_not_say_what_it_can_do)
{
    void *fdt = tree_load("qemu-virt");

    tree_drop(fdt, "/cpus/cpu@1", "riscv,isa-extensions");
    tree_drop(fdt, "/cpus/cpu@1", "riscv,isa");
    expect_refusal(fdt, 1, ERR_INVAL, "/cpus/cpu@1", "riscv,isa");
}

Test(machine_refuse_harts, two_harts_with_one_id)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cell(fdt, "/cpus/cpu@3", "reg", 2);
    expect_refusal(fdt, 1, ERR_INVAL, "/cpus/cpu@3", "reg");
}

Test(machine_refuse_harts, no_clock)
{
    void *fdt = tree_load("qemu-virt");

    tree_drop(fdt, "/cpus", "timebase-frequency");
    expect_refusal(fdt, 1, ERR_INVAL, "/cpus", "timebase-frequency");
}

Test(machine_refuse_harts, a_clock_that_stands_still)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cell(fdt, "/cpus", "timebase-frequency", 0);
    expect_refusal(fdt, 1, ERR_INVAL, "/cpus", "timebase-frequency");
}

Test(machine_refuse_harts, a_clock_too_slow_for_a_tick_a_millisecond)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cell(fdt, "/cpus", "timebase-frequency", 999);
    expect_refusal(fdt, 1, ERR_INVAL, "/cpus", "timebase-frequency");
    tree_set_cell(fdt, "/cpus", "timebase-frequency", 1000);
    EXPECT_EQ(tree_conclude(fdt, 1).timebase_hz, 1000);
}

/* A second's ticks times 10^9 must fit 64 bits. */
Test(machine_refuse_harts, a_clock_too_fast_to_be_turned_into_nanoseconds)
{
    static const uint8_t too_fast[8] = {0, 0, 0, 2, 0x54, 0x0b, 0xe4, 1};
    void *fdt = tree_load("qemu-virt");

    cr_assert(fdt_setprop(fdt, tree_at(fdt, "/cpus"), "timebase-frequency", too_fast, 8) == 0);
    expect_refusal(fdt, 1, ERR_INVAL, "/cpus", "timebase-frequency");
}

Test(machine_refuse_harts, another_hart_without_an_id_is_left_out_and_noted)
{
    void *fdt = tree_load("qemu-virt");
    struct machine machine;

    tree_drop(fdt, "/cpus/cpu@3", "reg");
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.hart_count, 3);
    EXPECT_EQ(machine.hart_skipped, 1);
    EXPECT_EQ(machine.skipped_id_count, 0);
    expect_note(&machine, "/cpus/cpu@3", "reg");
}

Test(machine_refuse_harts, of_too_many_harts_the_boot_hart_is_kept)
{
    void *fdt = tree_load("qemu-virt");
    struct machine machine;

    for (uint32_t id = 100; id < 120; id++) {
        int node = fdt_add_subnode(fdt, tree_at(fdt, "/cpus"),
                                   (char[]){'c', (char)('a' + id - 100), '\0'});

        cr_assert(node > 0);
        cr_assert(fdt_setprop_string(fdt, node, "device_type", "cpu") == 0);
        cr_assert(fdt_setprop_string(fdt, node, "mmu-type", "riscv,sv48") == 0);
        cr_assert(fdt_setprop_string(fdt, node, "riscv,isa", "rv64imac") == 0);
        cr_assert(fdt_setprop_u32(fdt, node, "reg", id) == 0);
    }
    /* libfdt adds nodes at the front: hart 3 is the last of all. */
    machine = tree_conclude(fdt, 3);
    EXPECT_EQ(machine.hart_count, HART_MAX);
    EXPECT_EQ(machine.hart_skipped, 24 - HART_MAX);
    EXPECT_EQ(machine.skipped_id_count, 24 - HART_MAX);
    EXPECT_EQ(machine.skipped_ids[0], 119 - (HART_MAX - 1));
    EXPECT_EQ(machine_hart_by_id(&machine, 3), HART_MAX - 1);
    EXPECT_EQ(machine_hart_by_id(&machine, 119), 0);
}
