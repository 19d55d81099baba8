/* SPDX-License-Identifier: MIT */
/*
 * The boot report: everything a log from an unknown board must answer.  One fact a line, a name in
 * front; numbers that can be compared with the manuals.
 */
#include "arch/arch.h"
#include "arch/layout.h"
#include "arch/machine.h"
#include "arch/upcall.h"
#include "boot.h"
#include "console.h"
#include "image.h"
#include "lib/log.h"
#include "sbi.h"
#include "timer.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)

/* A size in the largest unit that divides it. */
static void print_bytes(uint64_t bytes)
{
    if (bytes >= MIB && bytes % MIB == 0) {
        log_printf("%lu MiB", bytes / MIB);
    } else if (bytes >= KIB) {
        log_printf("%lu KiB", (bytes + KIB - 1) / KIB);
    } else {
        log_printf("%lu bytes", bytes);
    }
}

static void print_range(const char *name, struct pa_range range)
{
    log_printf("  %-10s 0x%010lx - 0x%010lx  ", name, range.start.raw, range.end.raw);
    print_bytes(pa_range_bytes(range));
}

static void print_firmware(void)
{
    const struct sbi_identity *id = sbi_identity();
    struct sbi_core core = sbi_core();
    uint64_t major = id->spec_version >> 24;
    uint64_t minor = id->spec_version & 0xffffff;

    if (id->impl_id == 1) {
        log_printf("  firmware   OpenSBI %lu.%lu (0x%lx), SBI %lu.%lu\n", id->impl_version >> 16,
                   id->impl_version & 0xffff, id->impl_version, major, minor);
    } else {
        log_printf("  firmware   SBI implementation %lu, version 0x%lx, SBI %lu.%lu\n", id->impl_id,
                   id->impl_version, major, minor);
    }
    log_printf("  extensions");
    for (unsigned i = 0; i < SBI_EXT_COUNT; i++) {
        log_printf(" %s%s", sbi_has((enum sbi_ext)i) ? "" : "no-", sbi_ext_name((enum sbi_ext)i));
    }
    log_printf("\n  core       mvendorid 0x%lx, marchid 0x%lx, mimpid 0x%lx\n", core.mvendorid,
               core.marchid, core.mimpid);
}

static void print_clock(const struct boot_facts *facts, const struct machine *machine)
{
    log_printf("  clock      %lu Hz, timer by %s; ", machine->timebase_hz,
               timer_source() == TIMER_STIMECMP ? "stimecmp" : "SBI");
    if (facts->cycle_readable) {
        log_printf("rdtime %lu cycles, rdcycle %lu cycles\n", facts->time_cost, facts->cycle_cost);
    } else {
        log_printf("rdcycle traps\n");
    }
    if (facts->all.zero_block != 0) {
        log_printf("  zeroing    cbo.zero, %lu bytes (tree: %u)\n", facts->all.zero_block,
                   machine->cbo_block_bytes);
    } else {
        log_printf("  zeroing    stores\n");
    }
}

static const char *kind_name(enum machine_reserved_kind kind)
{
    switch (kind) {
    case MACHINE_RESERVED_TREE:
        return "reserved";
    case MACHINE_RESERVED_NO_MAP:
        return "no map";
    case MACHINE_RESERVED_FIRMWARE:
        return "firmware";
    case MACHINE_RESERVED_KERNEL:
        return "kernel";
    case MACHINE_RESERVED_FDT:
        return "tree";
    case MACHINE_RESERVED_INITRD:
        return "initrd";
    }
    return "?";
}

static void print_memory(const struct machine *machine)
{
    struct kernel_memory memory = kernel_memory();

    for (size_t i = 0; i < machine->bank_count; i++) {
        print_range("memory", machine->banks[i]);
        log_printf("\n");
    }
    for (size_t i = 0; i < machine->reserved_count; i++) {
        print_range(kind_name(machine->reserved[i].kind), machine->reserved[i].range);
        log_printf("\n");
    }
    log_printf("  free       %lu KiB of %lu KiB\n", memory.free_bytes / KIB,
               memory.total_bytes / KIB);
    if (memory.left_out_bytes > 0) {
        log_printf("  left out   %lu KiB that the direct map of this mode cannot show\n",
                   memory.left_out_bytes / KIB);
    }
}

static void print_floats(const struct machine *machine)
{
    log_printf("  floats     %s\n", machine_has_fp(machine) ? "F and D" : "none");
}

static void print_devices(const struct boot_facts *facts, const struct machine *machine)
{
    const struct machine_uart *uart = &machine->uart;

    if (console_device() == CONSOLE_UART) {
        log_printf("  console    %s at 0x%lx, stride %u, width %u\n",
                   uart->kind == MACHINE_UART_SIFIVE ? "SiFive UART" : "16550", uart->base.raw,
                   1U << uart->reg_shift, uart->reg_io_width);
    } else {
        log_printf("  console    firmware's: %s\n", facts->console_note);
    }
    if (facts->polled_note == NULL) {
        log_printf("  input      by interrupt %u, PLIC context %d of hart %u\n", uart->irq,
                   machine->harts[hart_index()].plic_context, hart_index());
    } else {
        log_printf("  input      polled: %s\n", facts->polled_note);
    }
    if (machine->plic.size_bytes != 0) {
        log_printf("  PLIC       0x%lx, %u sources, switched off for %u harts\n",
                   machine->plic.base.raw, machine->plic.sources, facts->plic_quiet);
    }
    log_printf("  devices    %zu\n", machine->io_count);
    for (size_t i = 0; i < machine->note_count; i++) {
        log_printf("  note       %s: %s: %s\n", machine->notes[i].node, machine->notes[i].property,
                   machine->notes[i].what);
    }
}

void report_print(const struct boot_facts *facts)
{
    const struct machine *machine = machine_get();

    log_printf("\nVellum on %s\n", machine->model);
    log_printf("  boot hart  id %lu, hart %u of %zu; a1 0x%lx\n", facts->hart_id, hart_index(),
               machine->hart_count, facts->tree.start.raw);
    print_range("image", image_range());
    log_printf(", linked at 0x%lx\n", (unsigned long)LAYOUT_KERNEL);
    print_firmware();
    report_print_harts(facts);
    print_clock(facts, machine);
    print_floats(machine);
    print_memory(machine);
    print_devices(facts, machine);
    log_printf("  cmdline    %s\n\n", machine->cmdline);
}
