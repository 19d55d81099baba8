/* SPDX-License-Identifier: MIT */
/*
 * Trees with one thing wrong: what the machine cannot do without is refused by node and property;
 * what makes only a device or another hart unusable is left out and noted.
 */
#include <string.h>

#include "arch/machine.h"
#include "support_tree.h"

#define VIRT_BOOT_HART 1

/* ---- the tree as a whole ---- */

Test(machine_refuse, a_tree_that_does_not_lie_at_a_multiple_of_8_bytes)
{
    char *fdt = tree_load("qemu-virt");

    memmove(fdt + 4, fdt, fdt_totalsize(fdt));
    expect_refusal(fdt + 4, VIRT_BOOT_HART, ERR_INVAL, "header", "magic");
}

Test(machine_refuse, no_tree_at_all)
{
    expect_refusal(NULL, VIRT_BOOT_HART, ERR_INVAL, "header", "magic");
}

Test(machine_refuse, a_wrong_magic_number)
{
    void *fdt = tree_load("qemu-virt");

    fdt_set_magic(fdt, FDT_MAGIC + 1);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "header", "magic");
}

Test(machine_refuse, a_version_from_the_future_that_says_it_is_not_compatible)
{
    void *fdt = tree_load("qemu-virt");

    fdt_set_last_comp_version(fdt, 18);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "header", "version");
}

Test(machine_refuse, a_size_beyond_the_memory_the_tree_was_found_in)
{
    void *fdt = tree_load("qemu-virt");

    fdt_set_totalsize(fdt, 64 * 1024 + 1);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "header", "totalsize");
}

Test(machine_refuse, a_list_of_reserved_memory_without_an_end)
{
    void *fdt = tree_load("qemu-virt");

    fdt_set_off_mem_rsvmap(fdt, fdt_totalsize(fdt) - 8);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "header", "off_mem_rsvmap");
}

Test(machine_refuse, a_property_longer_than_the_tree_is_named)
{
    char *fdt = tree_load("qemu-virt");
    int length;
    struct fdt_property *property =
        fdt_get_property_w(fdt, tree_at(fdt, "/cpus/cpu@2"), "mmu-type", &length);

    property->len = cpu_to_fdt32(0xfffffff4); /* the step over it would lead back to itself */
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/cpus/cpu@2", "mmu-type");
}

Test(machine_refuse, nodes_nested_deeper_than_any_machine_has_them)
{
    void *fdt = tree_load("qemu-virt");
    int node = 0;

    for (int depth = 0; depth < 16; depth++) {
        node = fdt_add_subnode(fdt, node, "n");
        cr_assert(node > 0);
    }
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/n/n/n/n/n/n/n/n/n/n/n/n/n/n/n", "");
}

Test(machine_refuse, a_name_of_a_node_that_fills_the_screen)
{
    void *fdt = tree_load("qemu-virt");
    char name[4096];

    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    cr_assert(fdt_add_subnode(fdt, tree_at(fdt, "/soc"), name) > 0);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/soc", "");
}

Test(machine_refuse, names_that_would_write_on_the_console_arrive_as_question_marks)
{
    void *fdt = tree_load("qemu-virt");
    int node = fdt_add_subnode(fdt, 0, "\x1b[2Jmemory");

    cr_assert(node > 0);
    cr_assert(fdt_setprop_string(fdt, node, "device_type", "memory") == 0);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/?[2Jmemory", "reg");
}

/* ---- memory ---- */

Test(machine_refuse, no_memory_node)
{
    void *fdt = tree_load("qemu-virt");

    tree_drop(fdt, "/memory@80000000", "device_type");
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_NOTSUP, "/", "device_type");
}

Test(machine_refuse, a_memory_node_without_reg)
{
    void *fdt = tree_load("qemu-virt");

    tree_drop(fdt, "/memory@80000000", "reg");
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/memory@80000000", "reg");
}

Test(machine_refuse, memory_in_a_broken_number_of_cells)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cells(fdt, "/memory@80000000", "reg", (uint32_t[]){0, 0x80000000, 1}, 3);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/memory@80000000", "reg");
}

Test(machine_refuse, memory_that_runs_over_the_end_of_64_bits)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cells(fdt, "/memory@80000000", "reg", (uint32_t[]){0, 0x80000000, ~0U, ~0U}, 4);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/memory@80000000", "reg");
}

Test(machine_refuse, memory_above_56_bits_of_physical_address)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cells(fdt, "/memory@80000000", "reg", (uint32_t[]){0x1000000, 0, 0, 0x1000}, 4);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/memory@80000000", "reg");
}

Test(machine_refuse, memory_that_is_all_empty_entries)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cells(fdt, "/memory@80000000", "reg", (uint32_t[]){0, 0x80000000, 0, 0}, 4);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_NOTSUP, "/", "device_type");
}

Test(machine_refuse, more_memory_banks_than_the_kernel_keeps)
{
    void *fdt = tree_load("qemu-virt");
    uint32_t reg[17 * 4] = {0};

    for (uint32_t i = 0; i < 17; i++) {
        reg[i * 4 + 1] = 0x80000000 + i * 0x20000;
        reg[i * 4 + 3] = 0x10000;
    }
    tree_set_cells(fdt, "/memory@80000000", "reg", reg, ARRAY_LEN(reg));
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/memory@80000000", "reg");
}

Test(machine_refuse, impossible_numbers_of_cells)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cell(fdt, "/", "#address-cells", 3);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/", "#address-cells");
    tree_set_cell(fdt, "/", "#address-cells", 0);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/", "#address-cells");
    tree_set_cell(fdt, "/", "#address-cells", 2);
    tree_set_cell(fdt, "/", "#size-cells", 0xffffffff);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/", "#size-cells");
    tree_set_cells(fdt, "/", "#size-cells", (uint32_t[]){0, 2}, 2);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/", "#size-cells");
}

/* ---- reservations and the initrd ---- */

Test(machine_refuse, a_reservation_that_cannot_be_read)
{
    void *fdt = tree_load("qemu-virt");
    const char *node = "/reserved-memory/mmode_resv0@80000000";

    tree_set_cells(fdt, node, "reg", (uint32_t[]){0, 0x80000000, 0}, 3);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, node, "reg");
    tree_set_cells(fdt, node, "reg", (uint32_t[]){~0U, 0x80000000, ~0U, 0}, 4);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, node, "reg");
}

Test(machine_refuse, more_reservations_than_the_kernel_keeps)
{
    void *fdt = tree_load("qemu-virt");

    for (uint64_t i = 0; i < 64; i++) {
        cr_assert(fdt_add_mem_rsv(fdt, 0x90000000 + i * 0x10000, 0x1000) == 0);
    }
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "header", "off_mem_rsvmap");
}

Test(machine_refuse, a_reservation_of_the_header_that_runs_over_the_end)
{
    void *fdt = tree_load("qemu-virt");

    cr_assert(fdt_add_mem_rsv(fdt, UINT64_MAX - 0xfff, 0x2000) == 0);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "header", "off_mem_rsvmap");
}

Test(machine_refuse, an_initrd_with_only_one_end)
{
    void *fdt = tree_load("qemu-virt");

    tree_drop(fdt, "/chosen", "linux,initrd-end");
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/chosen", "linux,initrd-end");
    tree_set_cell(fdt, "/chosen", "linux,initrd-end", 0x88280000);
    tree_drop(fdt, "/chosen", "linux,initrd-start");
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/chosen", "linux,initrd-start");
}

Test(machine_refuse, an_initrd_that_ends_before_it_starts)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cell(fdt, "/chosen", "linux,initrd-end", 0x88000000);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/chosen", "linux,initrd-end");
}

Test(machine_refuse, an_initrd_outside_of_memory)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cell(fdt, "/chosen", "linux,initrd-start", 0x1000);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/chosen", "linux,initrd-start");
}

Test(machine_refuse, an_initrd_in_memory_of_the_firmware)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cell(fdt, "/chosen", "linux,initrd-start", 0x8007f000);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/chosen", "linux,initrd-start");
}

Test(machine_refuse, an_initrd_without_an_end)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cells(fdt, "/chosen", "linux,initrd-end", (uint32_t[]){UINT32_MAX, UINT32_MAX}, 2);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/chosen", "linux,initrd-start");
}

/* 0x80000000 up to a byte of the page where the initrd begins. */
Test(machine_refuse, an_initrd_that_shares_a_page_with_memory_of_the_firmware)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cells(fdt, "/reserved-memory/mmode_resv0@80000000", "reg",
                   (uint32_t[]){0, 0x80000000, 0, 0x80001}, 4);
    tree_set_cell(fdt, "/chosen", "linux,initrd-start", 0x80080800);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/chosen", "linux,initrd-start");
}

Test(machine_refuse, an_initrd_address_of_three_cells)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cells(fdt, "/chosen", "linux,initrd-start", (uint32_t[]){0, 0, 0x88200000}, 3);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/chosen", "linux,initrd-start");
}

Test(machine_refuse, an_empty_initrd_is_none)
{
    void *fdt = tree_load("qemu-virt");
    struct machine machine;

    tree_set_cell(fdt, "/chosen", "linux,initrd-end", 0x88200000);
    machine = tree_conclude(fdt, VIRT_BOOT_HART);
    EXPECT_EQ(pa_range_bytes(machine.initrd), 0);
    EXPECT_EQ(machine.reserved_count, 1);
}

Test(machine_refuse, a_command_line_that_is_too_long_is_not_cut_off)
{
    void *fdt = tree_load("qemu-virt");
    char text[MACHINE_CMDLINE_BYTES + 1];

    memset(text, 'x', sizeof(text));
    text[MACHINE_CMDLINE_BYTES] = '\0';
    tree_set_text(fdt, "/chosen", "bootargs", text);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/chosen", "bootargs");
    text[MACHINE_CMDLINE_BYTES - 1] = '\0';
    tree_set_text(fdt, "/chosen", "bootargs", text);
    (void)tree_conclude(fdt, VIRT_BOOT_HART);
}

Test(machine_refuse, a_command_line_without_an_end)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_bytes(fdt, "/chosen", "bootargs", "quiet", 5);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/chosen", "bootargs");
}

/* ---- harts ---- */

Test(machine_refuse, no_cpus)
{
    void *fdt = tree_load("qemu-virt");

    cr_assert(fdt_set_name(fdt, tree_at(fdt, "/cpus"), "cups") == 0);
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/", "cpus");
}

Test(machine_refuse, cpus_whose_ids_have_sizes)
{
    void *fdt = tree_load("qemu-virt");

    tree_drop(fdt, "/cpus", "#size-cells");
    expect_refusal(fdt, VIRT_BOOT_HART, ERR_INVAL, "/cpus", "#size-cells");
}

Test(machine_refuse, a_boot_hart_the_tree_does_not_know)
{
    expect_refusal(tree_load("qemu-virt"), 17, ERR_INVAL, "/cpus", "reg");
}

Test(machine_refuse, a_boot_hart_without_an_mmu)
{
    void *fdt = tree_load("qemu-virt");

    tree_drop(fdt, "/cpus/cpu@1", "mmu-type");
    expect_refusal(fdt, 1, ERR_NOTSUP, "/cpus/cpu@1", "mmu-type");
    tree_set_text(fdt, "/cpus/cpu@1", "mmu-type", "riscv,none");
    expect_refusal(fdt, 1, ERR_NOTSUP, "/cpus/cpu@1", "mmu-type");
}

Test(machine_refuse, a_boot_hart_that_is_disabled)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_text(fdt, "/cpus/cpu@1", "status", "disabled");
    expect_refusal(fdt, 1, ERR_NOTSUP, "/cpus/cpu@1", "status");
}

Test(machine_refuse, a_boot_hart_without_the_compressed_extension)
{
    void *fdt = tree_load("qemu-virt");

    tree_drop(fdt, "/cpus/cpu@1", "riscv,isa-extensions");
    tree_set_text(fdt, "/cpus/cpu@1", "riscv,isa", "rv64imafd_zicboz");
    expect_refusal(fdt, 1, ERR_NOTSUP, "/cpus/cpu@1", "riscv,isa");
}

Test(machine_refuse, a_boot_hart_of_32_bits)
{
    void *fdt = tree_load("qemu-virt");

    tree_drop(fdt, "/cpus/cpu@1", "riscv,isa-extensions");
    tree_set_text(fdt, "/cpus/cpu@1", "riscv,isa", "rv32imac");
    expect_refusal(fdt, 1, ERR_NOTSUP, "/cpus/cpu@1", "riscv,isa");
}

Test(machine_refuse, a_boot_hart_that_does_not_say_what_it_can_do)
{
    void *fdt = tree_load("qemu-virt");

    tree_drop(fdt, "/cpus/cpu@1", "riscv,isa-extensions");
    tree_drop(fdt, "/cpus/cpu@1", "riscv,isa");
    expect_refusal(fdt, 1, ERR_INVAL, "/cpus/cpu@1", "riscv,isa");
}

Test(machine_refuse, two_harts_with_one_id)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cell(fdt, "/cpus/cpu@3", "reg", 2);
    expect_refusal(fdt, 1, ERR_INVAL, "/cpus/cpu@3", "reg");
}

Test(machine_refuse, no_clock)
{
    void *fdt = tree_load("qemu-virt");

    tree_drop(fdt, "/cpus", "timebase-frequency");
    expect_refusal(fdt, 1, ERR_INVAL, "/cpus", "timebase-frequency");
}

Test(machine_refuse, a_clock_that_stands_still)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cell(fdt, "/cpus", "timebase-frequency", 0);
    expect_refusal(fdt, 1, ERR_INVAL, "/cpus", "timebase-frequency");
}

Test(machine_refuse, a_clock_too_slow_for_a_tick_a_millisecond)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cell(fdt, "/cpus", "timebase-frequency", 999);
    expect_refusal(fdt, 1, ERR_INVAL, "/cpus", "timebase-frequency");
    tree_set_cell(fdt, "/cpus", "timebase-frequency", 1000);
    EXPECT_EQ(tree_conclude(fdt, 1).timebase_hz, 1000);
}

/* A second's ticks times 10^9 must fit 64 bits. */
Test(machine_refuse, a_clock_too_fast_to_be_turned_into_nanoseconds)
{
    static const uint8_t too_fast[8] = {0, 0, 0, 2, 0x54, 0x0b, 0xe4, 1};
    void *fdt = tree_load("qemu-virt");

    cr_assert(fdt_setprop(fdt, tree_at(fdt, "/cpus"), "timebase-frequency", too_fast, 8) == 0);
    expect_refusal(fdt, 1, ERR_INVAL, "/cpus", "timebase-frequency");
}

Test(machine_refuse, another_hart_without_an_id_is_left_out_and_noted)
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

Test(machine_refuse, of_too_many_harts_the_boot_hart_is_kept)
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

/* ---- devices ---- */

Test(machine_refuse, a_console_with_an_impossible_width_is_left_out_and_noted)
{
    void *fdt = tree_load("qemu-virt");
    struct machine machine;

    tree_set_cell(fdt, "/soc/serial@10000000", "reg-io-width", 3);
    machine = tree_conclude(fdt, VIRT_BOOT_HART);
    EXPECT_EQ(machine.uart.kind, MACHINE_UART_NONE);
    expect_note(&machine, "/soc/serial@10000000", "reg-io-width");
}

Test(machine_refuse, a_console_whose_window_is_smaller_than_its_registers)
{
    void *fdt = tree_load("visionfive2-2g");
    struct machine machine;

    tree_set_cells(fdt, "/soc/serial@10000000", "reg", (uint32_t[]){0, 0x10000000, 0, 16}, 4);
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.uart.kind, MACHINE_UART_NONE);
    expect_note(&machine, "/soc/serial@10000000", "reg");
}

Test(machine_refuse, a_malformed_console_gives_way_to_the_next_uart)
{
    void *fdt = tree_load("sifive-u");
    struct machine machine;

    tree_set_cells(fdt, "/soc/serial@10010000", "reg", (uint32_t[]){0, 0x10010000, 0, 16}, 4);
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.uart.kind, MACHINE_UART_SIFIVE);
    EXPECT_EQ(machine.uart.base.raw, 0x10011000);
    expect_note(&machine, "/soc/serial@10010000", "reg");
}

Test(machine_refuse, without_stdout_path_the_first_known_uart_is_the_console)
{
    void *fdt = tree_load("icicle-kit");
    struct machine machine;

    tree_drop(fdt, "/chosen", "stdout-path");
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.uart.base.raw, 0x20100000);
    EXPECT_EQ(machine.note_count, 0);
}

Test(machine_refuse, stdout_path_may_name_a_later_uart)
{
    void *fdt = tree_load("sifive-u");
    struct machine machine;

    tree_set_text(fdt, "/chosen", "stdout-path", "serial1:115200");
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.uart.base.raw, 0x10011000);
    EXPECT_EQ(machine.uart.irq, 5);
}

Test(machine_refuse, an_alias_that_leads_to_itself_is_noted)
{
    void *fdt = tree_load("icicle-kit");
    struct machine machine;

    tree_set_text(fdt, "/aliases", "serial1", "serial1");
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.uart.base.raw, 0x20100000);
    expect_note(&machine, "/chosen", "stdout-path");
}

Test(machine_refuse, a_stdout_path_to_a_disabled_uart_is_noted)
{
    void *fdt = tree_load("icicle-kit");
    struct machine machine;

    tree_set_text(fdt, "/chosen", "stdout-path", "serial0");
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.uart.base.raw, 0x20100000);
    expect_note(&machine, "/soc/serial@20000000", "status");
}

Test(machine_refuse, a_huge_stdout_path_is_noted)
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

Test(machine_refuse, a_plic_that_does_not_say_its_sources_is_left_out_and_noted)
{
    void *fdt = tree_load("qemu-virt");
    struct machine machine;

    tree_drop(fdt, "/soc/plic@c000000", "riscv,ndev");
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.plic.size_bytes, 0);
    EXPECT_EQ(machine.harts[0].plic_context, -1);
    expect_note(&machine, "/soc/plic@c000000", "riscv,ndev");
}

Test(machine_refuse, a_context_beyond_the_window_of_the_plic_is_not_believed)
{
    void *fdt = tree_load("qemu-virt");
    struct machine machine;

    tree_set_cells(fdt, "/soc/plic@c000000", "reg", (uint32_t[]){0, 0xc000000, 0, 0x204000}, 4);
    machine = tree_conclude(fdt, 1);
    EXPECT_EQ(machine.harts[0].plic_context, 1);
    EXPECT_EQ(machine.harts[1].plic_context, 3);
    EXPECT_EQ(machine.harts[2].plic_context, -1);
}

Test(machine_refuse, a_device_that_hides_an_interrupt_controller_is_no_io_region)
{
    void *fdt = tree_load("qemu-virt");
    struct machine machine;

    tree_set_cells(fdt, "/soc/rtc@101000", "reg", (uint32_t[]){0, 0x0200f000, 0, 0x2000}, 4);
    machine = tree_conclude(fdt, 1);
    for (size_t i = 0; i < machine.io_count; i++) {
        cr_assert(strcmp(machine.io[i].compatible, "google,goldfish-rtc") != 0);
    }
}

Test(machine_refuse, more_io_regions_than_the_kernel_keeps_are_noted)
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

Test(machine_refuse, harts_that_disagree_on_the_block_size_have_none)
{
    void *fdt = tree_load("qemu-virt");

    tree_set_cell(fdt, "/cpus/cpu@2", "riscv,cboz-block-size", 128);
    EXPECT_EQ(tree_conclude(fdt, 1).cbo_block_bytes, 0);
}
