/* SPDX-License-Identifier: MIT */
/*
 * Trees with one thing wrong about a device: it is left out and noted, and the machine does without
 * it, or with another.
 */
#include <string.h>

#include "arch/machine.h"
#include "support_tree.h"

#define VIRT_BOOT_HART 1

Test(machine_refuse_devices, a_console_with_an_impossible_width_is_left_out_and_noted)
{
    void *fdt = tree_load("qemu-virt");
    struct machine machine;

    tree_set_cell(fdt, "/soc/serial@10000000", "reg-io-width", 3);
    machine = tree_conclude(fdt, VIRT_BOOT_HART);
    EXPECT_EQ(machine.uart.kind, MACHINE_UART_NONE);
    expect_note(&machine, "/soc/serial@10000000", "reg-io-width");
}

Test(machine_refuse_devices, a_console_whose_window_is_smaller_than_its_registers)
{
    void *fdt = tree_load("visionfive2-2g");
    struct machine machine;

    tree_set_cells(fdt, "/soc/serial@10000000", "reg", (uint32_t[]){0, 0x10000000, 0, 16}, 4);
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.uart.kind, MACHINE_UART_NONE);
    expect_note(&machine, "/soc/serial@10000000", "reg");
}

Test(machine_refuse_devices, a_malformed_console_gives_way_to_the_next_uart)
{
    void *fdt = tree_load("sifive-u");
    struct machine machine;

    tree_set_cells(fdt, "/soc/serial@10010000", "reg", (uint32_t[]){0, 0x10010000, 0, 16}, 4);
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.uart.kind, MACHINE_UART_SIFIVE);
    EXPECT_EQ(machine.uart.base.raw, 0x10011000);
    expect_note(&machine, "/soc/serial@10010000", "reg");
}

Test(machine_refuse_devices, without_stdout_path_the_first_known_uart_is_the_console)
{
    void *fdt = tree_load("icicle-kit");
    struct machine machine;

    tree_drop(fdt, "/chosen", "stdout-path");
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.uart.base.raw, 0x20100000);
    EXPECT_EQ(machine.note_count, 0);
}

Test(machine_refuse_devices, stdout_path_may_name_a_later_uart)
{
    void *fdt = tree_load("sifive-u");
    struct machine machine;

    tree_set_text(fdt, "/chosen", "stdout-path", "serial1:115200");
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.uart.base.raw, 0x10011000);
    EXPECT_EQ(machine.uart.irq, 5);
}

Test(machine_refuse_devices, an_alias_that_leads_to_itself_is_noted)
{
    void *fdt = tree_load("icicle-kit");
    struct machine machine;

    tree_set_text(fdt, "/aliases", "serial1", "serial1");
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.uart.base.raw, 0x20100000);
    expect_note(&machine, "/chosen", "stdout-path");
}

Test(machine_refuse_devices, a_stdout_path_to_a_disabled_uart_is_noted)
{
    void *fdt = tree_load("icicle-kit");
    struct machine machine;

    tree_set_text(fdt, "/chosen", "stdout-path", "serial0");
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.uart.base.raw, 0x20100000);
    expect_note(&machine, "/soc/serial@20000000", "status");
}

Test(machine_refuse_devices, a_huge_stdout_path_is_noted)
{
    void *fdt = tree_load("qemu-virt");
    char path[5000];
    struct machine machine;

    memset(path, '/', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    tree_set_text(fdt, "/chosen", "stdout-path", path);
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.uart.base.raw, 0x10000000);
    expect_note(&machine, "/chosen", "stdout-path");
}

Test(machine_refuse_devices, a_plic_that_does_not_say_its_sources_is_left_out_and_noted)
{
    void *fdt = tree_load("qemu-virt");
    struct machine machine;

    tree_drop(fdt, "/soc/plic@c000000", "riscv,ndev");
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.plic.size_bytes, 0);
    EXPECT_EQ(machine.harts[0].plic_context, -1);
    expect_note(&machine, "/soc/plic@c000000", "riscv,ndev");
}

Test(machine_refuse_devices, a_context_beyond_the_window_of_the_plic_is_not_believed)
{
    void *fdt = tree_load("qemu-virt");
    struct machine machine;

    tree_set_cells(fdt, "/soc/plic@c000000", "reg", (uint32_t[]){0, 0xc000000, 0, 0x204000}, 4);
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.harts[0].plic_context, 1);
    EXPECT_EQ(machine.harts[1].plic_context, 3);
    EXPECT_EQ(machine.harts[2].plic_context, -1);
}

Test(machine_refuse_devices, a_device_that_hides_an_interrupt_controller_is_no_io_region)
{
    void *fdt = tree_load("qemu-virt");
    struct machine machine;

    tree_set_cells(fdt, "/soc/rtc@101000", "reg", (uint32_t[]){0, 0x0200f000, 0, 0x2000}, 4);
    machine = tree_conclude(fdt, 1);
    for (size_t i = 0; i < machine.io_count; i++) {
        cr_assert(strcmp(machine.io[i].compatible, "google,goldfish-rtc") != 0);
    }
}

Test(machine_refuse_devices, more_io_regions_than_the_kernel_keeps_are_noted)
{
    void *fdt = tree_load("qemu-virt");
    struct machine machine;

    for (uint32_t i = 0; i < 100; i++) {
        int node = fdt_add_subnode(fdt, tree_at(fdt, "/soc"),
                                   (char[]){'d', (char)('a' + i / 10), (char)('a' + i % 10), 0});
        uint32_t reg[] = {cpu_to_fdt32(8), cpu_to_fdt32(i << 12), 0, cpu_to_fdt32(1)};

        cr_assert(fdt_setprop(fdt, node, "reg", reg, sizeof(reg)) == 0);
        cr_assert(fdt_setprop_string(fdt, node, "compatible", "example,many") == 0);
    }
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.io_count, MACHINE_IO_MAX);
    EXPECT_EQ(machine.note_count, 1);
    cr_assert(strcmp(machine.notes[0].property, "reg") == 0);
}

Test(machine_refuse_devices, harts_that_disagree_on_the_block_size_have_none)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cell(fdt, "/cpus/cpu@2", "riscv,cboz-block-size", 128);
    EXPECT_EQ(tree_conclude(fdt, 1).cbo_block_bytes, 0);
}
