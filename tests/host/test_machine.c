/* SPDX-License-Identifier: MIT */
/*
 * What the kernel concludes from the trees of real machines, in full: every field of the machine
 * description is compared.  The trees are in tests/host/trees; test_machine_boards.c has those that
 * come with Linux.
 */
#include "arch/machine.h"

#include "support_tree.h"

/* ---- VisionFive 2 ---- */

#define VF2_HARTS                                                                                  \
    .harts =                                                                                       \
        {                                                                                          \
            {.hart_id = 1, .levels = 3, .isa = FD, .intc_phandle = 11, .plic_context = 2},         \
            {.hart_id = 2, .levels = 3, .isa = FD, .intc_phandle = 12, .plic_context = 4},         \
            {.hart_id = 3, .levels = 3, .isa = FD, .intc_phandle = 13, .plic_context = 6},         \
            {.hart_id = 4, .levels = 3, .isa = FD, .intc_phandle = 14, .plic_context = 8},         \
    },                                                                                             \
    .hart_count = 4, .hart_skipped = 1, .skipped_id_count = 1, .timebase_hz = 4000000,             \
    .levels_cap = 3, .isa = FD, JH7110_ALIASES

#define VF2_DEVICES                                                                                \
    .uart = {.kind = MACHINE_UART_16550,                                                           \
             .base = {0x10000000},                                                                 \
             .size_bytes = 0x10000,                                                                \
             .reg_shift = 2,                                                                       \
             .reg_io_width = 4,                                                                    \
             .irq = 32},                                                                           \
    .plic = {.base = {0xc000000}, .size_bytes = 0x4000000, .sources = 136},                        \
    .io =                                                                                          \
        {                                                                                          \
            {SPAN(0x15700000, 0x10000), "starfive,jh7110-dmc"},                                    \
            {SPAN(0x13000000, 0x10000), "starfive,jh7110-dmc"},                                    \
            {SPAN(0x2010000, 0x4000), "starfive,jh7110-ccache"},                                   \
            {SPAN(0x10000000, 0x10000), "starfive,jh7110-uart"},                                   \
            {SPAN(0x12050000, 0x10000), "snps,designware-i2c"},                                    \
            {SPAN(0x13010000, 0x10000), "starfive,jh7110-qspi"},                                   \
            {SPAN(0x21000000, 0x400000), "starfive,jh7110-qspi"},                                  \
            {SPAN(0x13020000, 0x10000), "starfive,jh7110-syscrg"},                                 \
            {SPAN(0x13030000, 0x1000), "starfive,jh7110-sys-syscon"},                              \
            {SPAN(0x13040000, 0x10000), "starfive,jh7110-sys-pinctrl"},                            \
            {SPAN(0x13070000, 0x10000), "starfive,jh7110-wdt"},                                    \
            {SPAN(0x1600c000, 0x4000), "starfive,jh7110-trng"},                                    \
            {SPAN(0x16010000, 0x10000), "starfive,jh7110-mmc"},                                    \
            {SPAN(0x16020000, 0x10000), "starfive,jh7110-mmc"},                                    \
            {SPAN(0x17030000, 0x10000), "starfive,jh7110-pmu"},                                    \
    },                                                                                             \
    .io_count = 15

#define VF2_MODEL .model = "StarFive VisionFive 2 v1.3B"

Test(machine, visionfive2_with_2_gib)
{
    static const struct machine want = {
        VF2_MODEL, .banks = {SPAN(0x40000000, 2 * GIB)}, .bank_count = 1, VF2_HARTS, VF2_DEVICES,
    };
    struct machine got = tree_conclude(tree_load("visionfive2-2g"), 3);

    expect_machine(&got, &want);
}

Test(machine, visionfive2_with_4_gib_reservations_and_an_initrd)
{
    static const struct machine want = {
        VF2_MODEL,
        .cmdline = "paging=sv39 -- ls; test",
        .banks = {SPAN(0x40000000, 4 * GIB)},
        .bank_count = 1,
        .reserved = {{SPAN(0x40000000, 0x80000), MACHINE_RESERVED_NO_MAP},
                     {SPAN(0x46000000, 0xc000), MACHINE_RESERVED_TREE},
                     {SPAN(0x46100000, 0x80123), MACHINE_RESERVED_TREE},
                     {SPAN(0x46100000, 0x80123), MACHINE_RESERVED_INITRD}},
        .reserved_count = 4,
        .initrd = SPAN(0x46100000, 0x80123),
        VF2_HARTS,
        VF2_DEVICES,
    };
    struct machine got = tree_conclude(tree_load("visionfive2-4g"), 1);

    expect_machine(&got, &want);
}

Test(machine, visionfive2_with_8_gib_and_the_vendors_buffers)
{
    static const struct machine want = {
        VF2_MODEL,
        .banks = {SPAN(0x40000000, 8 * GIB)},
        .bank_count = 1,
        .reserved = {{SPAN(0x6ce00000, 0x1600000), MACHINE_RESERVED_TREE},
                     {SPAN(0x69c00000, 0x1ffffff), MACHINE_RESERVED_NO_MAP},
                     {SPAN(0x6e400000, 0x1000), MACHINE_RESERVED_NO_MAP}},
        .reserved_count = 3,
        VF2_HARTS,
        VF2_DEVICES,
    };
    struct machine got = tree_conclude(tree_load("visionfive2-8g"), 4);

    expect_machine(&got, &want);
}

Test(machine, visionfive2_whose_firmware_calls_hart_0_a_u74)
{
    static const struct machine want = {
        VF2_MODEL,   .banks = {SPAN(0x40000000, 4 * GIB)}, .bank_count = 1,
        VF2_HARTS, /* the contexts of harts 3 and 4 are guessed: their phandles lead nowhere */
        VF2_DEVICES,
    };
    struct machine got = tree_conclude(tree_load("visionfive2-wrong-hart0"), 2);

    expect_machine(&got, &want);
}

Test(machine, a_jh7110_is_not_booted_on_hart_0_whatever_the_tree_says)
{
    expect_refusal(tree_load("visionfive2-wrong-hart0"), 0, ERR_NOTSUP, "/cpus/cpu@0", "reg");
}

/* ---- the others ---- */

Test(machine, sifive_u_leaves_the_e51_alone)
{
    static const struct machine want = {
        .model = "SiFive HiFive Unleashed A00",
        .banks = {SPAN(0x80000000, 2 * GIB)},
        .bank_count = 1,
        .reserved = {{SPAN(0x80000000, 0x40000), MACHINE_RESERVED_NO_MAP},
                     {SPAN(0x80040000, 0x20000), MACHINE_RESERVED_NO_MAP}},
        .reserved_count = 2,
        .harts = {{.hart_id = 1, .levels = 4, .isa = FD, .intc_phandle = 21, .plic_context = 2},
                  {.hart_id = 2, .levels = 4, .isa = FD, .intc_phandle = 22, .plic_context = 4},
                  {.hart_id = 3, .levels = 4, .isa = FD, .intc_phandle = 23, .plic_context = 6},
                  {.hart_id = 4, .levels = 4, .isa = FD, .intc_phandle = 24, .plic_context = 8}},
        .hart_count = 4,
        .hart_skipped = 1,
        .skipped_id_count = 1, /* hart 0 */
        .timebase_hz = 1000000,
        .levels_cap = 4,
        .isa = FD,
        .uart = {.kind = MACHINE_UART_SIFIVE,
                 .base = {0x10010000},
                 .size_bytes = 0x1000,
                 .reg_shift = 2,
                 .reg_io_width = 4,
                 .irq = 4},
        .plic = {.base = {0xc000000}, .size_bytes = 0x4000000, .sources = 53},
        .io = {{SPAN(0x10010000, 0x1000), "sifive,uart0"},
               {SPAN(0x10011000, 0x1000), "sifive,uart0"},
               {SPAN(0x10021000, 0x1000), "sifive,pwm0"},
               {SPAN(0x10090000, 0x2000), "sifive,fu540-c000-gem"},
               {SPAN(0x100a0000, 0x1000), "sifive,fu540-c000-gem"},
               {SPAN(0x2010000, 0x1000), "sifive,fu540-c000-ccache"},
               {SPAN(0x3000000, 0x100000), "sifive,fu540-c000-pdma"},
               {SPAN(0x10060000, 0x1000), "sifive,gpio0"},
               {SPAN(0x10000000, 0x1000), "sifive,fu540-c000-prci"}},
        .io_count = 9,
    };
    struct machine got = tree_conclude(tree_load("sifive-u"), 2);

    expect_machine(&got, &want);
}

Test(machine, icicle_kit_has_two_banks_and_its_console_on_the_second_uart)
{
    static const struct machine want = {
        .model = "Microchip PolarFire-SoC Icicle Kit",
        .banks = {SPAN(0x80000000, 1 * GIB), SPAN(0x1040000000, 1 * GIB)},
        .bank_count = 2,
        .reserved = {{SPAN(0xbfc00000, 0x400000), MACHINE_RESERVED_NO_MAP}},
        .reserved_count = 1,
        .harts = {{.hart_id = 1, .levels = 3, .isa = FD, .intc_phandle = 31, .plic_context = 2},
                  {.hart_id = 2, .levels = 3, .isa = FD, .intc_phandle = 32, .plic_context = 4},
                  {.hart_id = 3, .levels = 3, .isa = FD, .intc_phandle = 33, .plic_context = 6},
                  {.hart_id = 4, .levels = 3, .isa = FD, .intc_phandle = 34, .plic_context = 8}},
        .hart_count = 4,
        .hart_skipped = 1,
        .skipped_id_count = 1, /* hart 0 */
        .timebase_hz = 1000000,
        MPFS_ALIASES,
        .levels_cap = 3,
        .isa = FD,
        .uart = {.kind = MACHINE_UART_16550,
                 .base = {0x20100000},
                 .size_bytes = 0x400,
                 .reg_shift = 2,
                 .reg_io_width = 4,
                 .irq = 91},
        .plic = {.base = {0xc000000}, .size_bytes = 0x4000000, .sources = 186},
        .io = {{SPAN(0x2010000, 0x1000), "microchip,mpfs-ccache"},
               {SPAN(0x20002000, 0x1000), "microchip,mpfs-clkcfg"},
               {SPAN(0x3e001000, 0x1000), "microchip,mpfs-clkcfg"},
               {SPAN(0x20100000, 0x1000), "ns16550a"},
               {SPAN(0x20102000, 0x1000), "ns16550a"},
               {SPAN(0x20124000, 0x1000), "microchip,mpfs-rtc"}},
        .io_count = 6,
    };
    struct machine got = tree_conclude(tree_load("icicle-kit"), 4);

    expect_machine(&got, &want);
}

#define VIRT_ISA                                                                                   \
    (FD | MACHINE_ISA_SSTC | MACHINE_ISA_SVADU | MACHINE_ISA_SVVPTC | MACHINE_ISA_ZICBOZ |         \
     MACHINE_ISA_ZICBOM)

Test(machine, qemu_virt_has_sv57_and_a_uart_with_neighbouring_registers)
{
    static const struct machine want = {
        .model = "riscv-virtio,qemu",
        .cmdline = "paging=sv48",
        .banks = {SPAN(0x80000000, 2 * GIB)},
        .bank_count = 1,
        .reserved = {{SPAN(0x80000000, 0x80000), MACHINE_RESERVED_NO_MAP},
                     {SPAN(0x88200000, 0x80000), MACHINE_RESERVED_INITRD}},
        .reserved_count = 2,
        .initrd = SPAN(0x88200000, 0x80000),
        .harts = {{0, .levels = 5, .isa = VIRT_ISA, .intc_phandle = 2, .plic_context = 1},
                  {1, .levels = 5, .isa = VIRT_ISA, .intc_phandle = 4, .plic_context = 3},
                  {2, .levels = 5, .isa = VIRT_ISA, .intc_phandle = 6, .plic_context = 5},
                  {3, .levels = 5, .isa = VIRT_ISA, .intc_phandle = 8, .plic_context = 7}},
        .hart_count = 4,
        .timebase_hz = 10000000,
        .levels_cap = 5,
        .isa = VIRT_ISA,
        .cbo_block_bytes = 64,
        .uart = {.kind = MACHINE_UART_16550,
                 .base = {0x10000000},
                 .size_bytes = 0x100,
                 .reg_shift = 0,
                 .reg_io_width = 1,
                 .irq = 10},
        .plic = {.base = {0xc000000}, .size_bytes = 0x600000, .sources = 95},
        .io = {{SPAN(0x10100000, 0x1000), "qemu,fw-cfg-mmio"},
               {SPAN(0x20000000, 0x2000000), "cfi-flash"},
               {SPAN(0x22000000, 0x2000000), "cfi-flash"},
               {SPAN(0x101000, 0x1000), "google,goldfish-rtc"},
               {SPAN(0x10000000, 0x1000), "ns16550a"},
               {SPAN(0x100000, 0x1000), "sifive,test1"},
               {SPAN(0x10008000, 0x1000), "virtio,mmio"},
               {SPAN(0x10007000, 0x1000), "virtio,mmio"},
               {SPAN(0x10006000, 0x1000), "virtio,mmio"},
               {SPAN(0x10005000, 0x1000), "virtio,mmio"},
               {SPAN(0x10004000, 0x1000), "virtio,mmio"},
               {SPAN(0x10003000, 0x1000), "virtio,mmio"},
               {SPAN(0x10002000, 0x1000), "virtio,mmio"},
               {SPAN(0x10001000, 0x1000), "virtio,mmio"},
               {SPAN(0x30000000, 0x10000000), "pci-host-ecam-generic"}},
        .io_count = 15,
    };
    struct machine got = tree_conclude(tree_load("qemu-virt"), 0);

    expect_machine(&got, &want);
}

Test(machine, sparse_ids_scattered_memory_and_translating_buses)
{
    static const struct machine want = {
        .model = "example,sparse",
        .banks = {SPAN(0x100000, 0x2000), SPAN(0x201000, 0x1000), SPAN(0x200000000, 0x60000000)},
        .bank_count = 3,
        .reserved = {{SPAN(0x200500000, 0x123), MACHINE_RESERVED_TREE},
                     {SPAN(0x210000000, 0x100000), MACHINE_RESERVED_NO_MAP},
                     {SPAN(0xf0300000, 0x1000), MACHINE_RESERVED_NO_MAP},
                     {SPAN(0x100000, 0x800), MACHINE_RESERVED_TREE},
                     {SPAN(0x200000000, 0x200000), MACHINE_RESERVED_TREE}},
        .reserved_count = 5,
        .harts = {{.hart_id = 0x100000003,
                   .levels = 5,
                   .isa = MACHINE_ISA_SVINVAL | MACHINE_ISA_SVPBMT | MACHINE_ISA_ZICBOZ |
                          MACHINE_ISA_SSTC,
                   .plic_context = -1},
                  {.hart_id = 0x10,
                   .levels = 4,
                   .isa = FD | MACHINE_ISA_SVPBMT | MACHINE_ISA_SVINVAL | MACHINE_ISA_ZICBOZ,
                   .plic_context = -1},
                  {.hart_id = 0x7f,
                   .levels = 5,
                   .isa = MACHINE_ISA_SVPBMT | MACHINE_ISA_SVINVAL | MACHINE_ISA_SVNAPOT,
                   .plic_context = -1}},
        .hart_count = 3,
        .hart_skipped = 2,
        .skipped_ids = {0x4, 0x11},
        .skipped_id_count = 2,
        .timebase_hz = 24000000,
        .levels_cap = 4,
        .isa = MACHINE_ISA_SVPBMT | MACHINE_ISA_SVINVAL,
        .uart = {.kind = MACHINE_UART_16550,
                 .base = {0xf0100040},
                 .size_bytes = 0x20,
                 .reg_shift = 1,
                 .reg_io_width = 2,
                 .irq = 77},
        .io = {{SPAN(0xe0000000, 0x2000), "example,timer"},
               {SPAN(0xf0100000, 0x1000), "ns16550"},
               {SPAN(0xe0006000, 0x1000), "example,i2c"}},
        .io_count = 3,
        .notes = {{.node = "/memory@2", .property = "reg"},
                  {.node = "/bus@f0000000/lost@500000", .property = "reg"},
                  {.node = "/bus@f0000000/across@ff000", .property = "reg"}},
        .note_count = 3,
    };
    struct machine got = tree_conclude(tree_load("sparse"), 0x7f);

    expect_machine(&got, &want);
}
