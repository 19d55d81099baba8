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
#include "harts.h"
#include "image.h"
#include "lib/log.h"
#include "lib/string.h"
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

static const char *state_name(uint64_t hart_id)
{
    static const char *const names[] = {
        "started",   "stopped",         "start pending",  "stop pending",
        "suspended", "suspend pending", "resume pending",
    };
    enum sbi_hart_state state;
    status_t status = sbi_hart_get_state(hart_id, &state);

    if (status != OK) {
        return status_name(status);
    }
    return (size_t)state < ARRAY_LEN(names) ? names[state] : "unknown state";
}

static void print_isa(uint32_t isa)
{
    static const char *const names[] = {"Sstc",   "Svpbmt", "Svinval", "Svnapot", "Svadu", "Svade",
                                        "Svvptc", "Zicboz", "Zicbom",  "F",       "D"};

    log_printf("  isa       ");
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        if ((isa >> i & 1) != 0) {
            log_printf(" %s", names[i]);
        }
    }
    log_printf("\n");
}

static void print_outcome(const struct harts_report *report)
{
    switch (report->outcome) {
    case HARTS_BOOT:
        log_printf("boot hart\n");
        break;
    case HARTS_CAME:
        log_printf("started\n");
        break;
    case HARTS_ALONE:
        log_printf("left out: the firmware has no HSM, IPI or RFENCE\n");
        break;
    case HARTS_REFUSED:
        log_printf("left out: the firmware does not start it (%s)\n", status_name(report->refusal));
        break;
    case HARTS_SILENT:
        log_printf("left out: started, but did not come\n");
        break;
    }
}

static void print_harts(const struct machine *machine)
{
    print_isa(machine->isa);
    for (size_t i = 0; i < machine->hart_count; i++) {
        const struct machine_hart *hart = &machine->harts[i];

        log_printf("  hart %-2zu    id %lu, tree %s, PLIC context %d, ", i, hart->hart_id,
                   paging_mode_name(hart->levels), hart->plic_context);
        print_outcome(harts_report((hart_idx_t)i));
    }
    for (size_t i = 0; i < machine->skipped_id_count; i++) {
        log_printf("  left alone id %lu, %s\n", machine->skipped_ids[i],
                   state_name(machine->skipped_ids[i]));
    }
    if (machine->hart_skipped > machine->skipped_id_count) {
        log_printf("  left alone %zu more harts\n",
                   machine->hart_skipped - machine->skipped_id_count);
    }
}

static void print_modes(unsigned accepted)
{
    log_printf("satp takes");
    for (unsigned levels = 3; levels <= PTE_LEVELS_MAX; levels++) {
        if ((accepted >> levels & 1) != 0) {
            log_printf(" %s", paging_mode_name(levels));
        }
    }
}

static const char *update_name(enum boot_update update)
{
    switch (update) {
    case BOOT_UPDATE_HARDWARE:
        return "set by hardware";
    case BOOT_UPDATE_FAULT:
        return "page fault";
    case BOOT_UPDATE_NEVER:
        return "ignored";
    }
    return "?";
}

static void print_updates(const char *name, const struct hart_facts *facts)
{
    static const char *const noadhw[] = {
        [BOOT_NOADHW_NOT_ASKED] = "",
        [BOOT_NOADHW_DONE] = "; noadhw: switched off",
        [BOOT_NOADHW_REFUSED] = "; noadhw: the firmware cannot switch it off",
    };

    log_printf("%sload with A clear: %s; store with D clear: %s%s\n", name,
               update_name(facts->accessed), update_name(facts->dirty), noadhw[facts->noadhw]);
}

/* What another hart does differently from the boot hart. */
static void print_differences(const struct hart_facts *own, const struct machine *machine)
{
    for (hart_idx_t i = 0; i < machine->hart_count; i++) {
        const struct harts_report *report = harts_report(i);
        const struct hart_facts *facts = &report->facts;

        if (report->outcome != HARTS_CAME || memcmp(facts, own, sizeof(*own)) == 0) {
            continue;
        }
        log_printf("  hart %-2u    differs: ", i);
        print_modes(facts->accepted);
        log_printf(", %u bits of ASID, Svpbmt %s, stimecmp %s, cbo.zero %lu bytes",
                   facts->asid_bits, facts->has_svpbmt ? "works" : "no",
                   facts->has_stimecmp ? "works" : "no", facts->zero_block);
        print_updates(", ", facts);
    }
}

static void print_paging(const struct boot_facts *facts, const struct machine *machine)
{
    static const char *const whys[] = {
        [PAGING_WISH_NONE] = "the largest possible",
        [PAGING_WISH_GRANTED] = "as asked by paging=",
        [PAGING_WISH_UNKNOWN] = "paging= names no mode",
        [PAGING_WISH_REFUSED] = "what paging= asks for is not possible",
    };

    log_printf("  paging     %s, %s; ", paging_mode_name(facts->paging.levels),
               whys[facts->paging.wish]);
    print_modes(facts->all.accepted);
    log_printf(", the tree allows %s\n", paging_mode_name(machine->levels_cap));
    log_printf("  ASIDs      %u bits, %u used\n", facts->all.asid_bits, facts->asid_bits_used);
    print_updates("  A and D    ", &facts->own);
    log_printf("  types      Svpbmt %s\n", facts->all.has_svpbmt ? "works" : "no");
    log_printf("  fences     CIP-1200 %s; %s%s\n",
               facts->all.fences == BOOT_FENCES_CIP_1200 ? "affected" : "not affected",
               facts->global_why != NULL ? "all global: " : "by address",
               facts->global_why != NULL ? facts->global_why : "");
    print_differences(&facts->own, machine);
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
    print_harts(machine);
    print_paging(facts, machine);
    print_clock(facts, machine);
    print_memory(machine);
    print_devices(facts, machine);
    log_printf("  cmdline    %s\n\n", machine->cmdline);
}
