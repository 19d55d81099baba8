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

    fdt_set_totalsize(fdt, (uint32_t)TREE_ROOM_BYTES + 1);
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
