/* SPDX-License-Identifier: MIT */
/*
 * The boot hart's way from the first table to the kernel: firmware, device tree, reserved memory,
 * what the harts can do, paging mode, mm, stack, console, report.  Readable from top to bottom.
 *
 * Whatever firmware or the tree get wrong ends in boot_stop: one line that says what, and off.
 */
#include "boot.h"

#include "arch/arch.h"
#include "arch/layout.h"
#include "arch/machine.h"
#include "arch/upcall.h"
#include "boot_map.h"
#include "console.h"
#include "csr.h"
#include "extable.h"
#include "external.h"
#include "hart.h"
#include "harts.h"
#include "image.h"
#include "lib/assert.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mmu.h"
#include "power.h"
#include "reserve.h"
#include "sbi.h"
#include "timer.h"
#include "trap.h"

#define TREE_MAGIC      0xd00dfeedU
#define TREE_ALIGN      8U
#define TREE_PAGE_BYTES (UINT64_C(2) << 20)
#define ASID_DIGITS     2U
#define GIGABYTE        (UINT64_C(1) << 30)

/* (c) once mm_init has been called. */
static struct machine machine;
static struct boot_facts facts;

const struct machine *machine_get(void)
{
    return &machine;
}

static _Noreturn void boot_stop(const char *why)
{
    log_printf("vellum: cannot start: %s\n", why);
    power_fail();
}

static _Noreturn void tree_stop(const struct machine_problem *problem)
{
    log_printf("device tree: %s: %s: %s\n", problem->node, problem->property, problem->what);
    power_fail();
}

/* Makes all of the tree visible at LAYOUT_FIXMAP; returns where it begins there. */
static const void *map_tree(uint64_t tree_pa)
{
    uint64_t offset = tree_pa % TREE_PAGE_BYTES;
    uint64_t va = LAYOUT_FIXMAP + offset;
    uint64_t head;

    if (!is_aligned(tree_pa, TREE_ALIGN) || tree_pa >> PTE_PA_BITS != 0 ||
        !probe_load_u64(va, &head) || __builtin_bswap32((uint32_t)head) != TREE_MAGIC) {
        log_printf("device tree: a1 = 0x%lx: no device tree is there\n", tree_pa);
        power_fail();
    }

    uint64_t total_bytes = __builtin_bswap32((uint32_t)(head >> 32));

    if (total_bytes > LAYOUT_FIXMAP_BYTES - offset) {
        boot_stop("the device tree is larger than 2 MiB");
    }
    if (offset + total_bytes > TREE_PAGE_BYTES) {
        boot_map_second_tree_page(tree_pa);
        __asm__ volatile("sfence.vma" ::: "memory");
    }
    facts.tree = (struct pa_range){{tree_pa}, {tree_pa + total_bytes}};
    return (const void *)(uintptr_t)va;
}

static void read_tree(uint64_t tree_pa, uint64_t hart_id)
{
    static struct machine_problem problem;
    const void *tree = map_tree(tree_pa);

    if (machine_read_tree(tree, pa_range_bytes(facts.tree), hart_id, &machine, &problem) != OK) {
        tree_stop(&problem);
    }
}

/* RAM as far as the early window shows it. */
static void map_early_direct(void)
{
    paddr_t base = {align_down(machine.banks[0].start.raw, GIGABYTE)};

    for (size_t i = 0; i < machine.bank_count; i++) {
        struct pa_range bank = machine.banks[i];

        for (uint64_t pa = align_down(bank.start.raw, GIGABYTE);
             pa < bank.end.raw && pa - base.raw < LAYOUT_EARLY_DIRECT_BYTES; pa += GIGABYTE) {
            boot_map_direct(base, (paddr_t){pa});
        }
    }
    __asm__ volatile("sfence.vma" ::: "memory");
    mmu_set_direct(LAYOUT_EARLY_DIRECT, base);
}

static void choose_paging(void)
{
    char wish[MACHINE_TEXT_BYTES];
    bool has_wish = machine_cmdline_value(&machine, "paging", wish, sizeof(wish));

    facts.paging = paging_choose(facts.all.accepted, machine.levels_cap, has_wish ? wish : NULL);
    if (facts.paging.levels == 0) {
        boot_stop("the device tree rules out every paging mode that satp takes");
    }
    switch (facts.paging.wish) {
    case PAGING_WISH_UNKNOWN:
        log_printf("paging=%s: not a mode (sv39, sv48, sv57); taking %s\n", wish,
                   paging_mode_name(facts.paging.levels));
        break;
    case PAGING_WISH_REFUSED:
        log_printf("paging=%s: not possible here; taking %s\n", wish,
                   paging_mode_name(facts.paging.levels));
        break;
    case PAGING_WISH_NONE:
    case PAGING_WISH_GRANTED:
        break;
    }
    mmu_set_levels(facts.paging.levels);
}

/* How many digits a text begins with. */
static size_t digits_of(const char *text)
{
    size_t count = 0;

    while (text[count] >= '0' && text[count] <= '9') {
        count++;
    }
    return count;
}

/* asid=N on the command line lowers the width of identifiers; anything else leaves it. */
static void choose_asids(void)
{
    char value[MACHINE_TEXT_BYTES];
    unsigned wish = 0;

    facts.asid_bits_used = facts.all.asid_bits;
    if (machine_cmdline_value(&machine, "asid", value, sizeof(value))) {
        size_t digits = digits_of(value);

        if (digits == 0 || digits > ASID_DIGITS || value[digits] != '\0') {
            log_printf("asid=%s: not a number of bits; taking all\n", value);
            digits = 0;
            wish = facts.all.asid_bits;
        }
        for (size_t i = 0; i < digits; i++) {
            wish = wish * 10 + (unsigned)(value[i] - '0');
        }
        facts.asid_bits_used = wish < facts.all.asid_bits ? wish : facts.all.asid_bits;
    }
    mmu_set_asid_bits(facts.asid_bits_used);
}

/* A word that nobody reads may be a misspelt one. */
static void tell_unknown_words(void)
{
    char word[MACHINE_TEXT_BYTES];

    for (size_t i = 0; machine_cmdline_unknown(&machine, i, word, sizeof(word)); i++) {
        log_printf("%s: no word of the kernel's command line; ignored\n", word);
    }
}

static void choose_fences(void)
{
    char value[MACHINE_TEXT_BYTES];

    if (facts.all.fences == BOOT_FENCES_CIP_1200) {
        facts.global_why = "erratum CIP-1200";
    } else if (facts.all.fences == BOOT_FENCES_UNTRIED) {
        facts.global_why = "address fences are not tried on this core";
    } else if (machine_cmdline_value(&machine, "fence", value, sizeof(value)) &&
               strcmp(value, "global") == 0) {
        facts.global_why = "fence=global on the command line";
    }
    if (facts.global_why != NULL) {
        mmu_set_global_fences();
    }
}

static void choose_timer(void)
{
    if (timer_choose(facts.all.has_stimecmp) != OK) {
        boot_stop("there is no timer: neither SBI TIME nor an Sstc that all harts have");
    }
    timer_start_hart();
}

/* What every hart can do; afterwards the harts that came wait for arch_harts_start. */
static void examine_harts(void)
{
    boot_probe_costs(&facts);
    boot_probe_hart(&facts.own);
    facts.all = facts.own;
    choose_timer(); /* for the wait for the others */
    harts_gather(&facts.all);
}

static void decide(void)
{
    mmu_set_svpbmt(facts.all.has_svpbmt);
    mmu_set_zero_block(facts.all.zero_block);
    tell_unknown_words();
    choose_asids();
    choose_timer();
    choose_fences();
    choose_paging();
}

static void start_memory(void)
{
    uint64_t text_end = (uint64_t)(uintptr_t)image_text_end;
    uint64_t rodata_end = (uint64_t)(uintptr_t)image_rodata_end;
    struct image_parts parts = {
        .start = image_pa(),
        .text_bytes = text_end - LAYOUT_KERNEL,
        .rodata_bytes = rodata_end - text_end,
        .data_bytes = (uint64_t)(uintptr_t)image_end - rodata_end,
    };
    status_t status = kernel_start_memory(&machine, &parts, mmu_activate);

    if (status != OK) {
        log_printf("memory: %s\n", status_name(status));
        boot_stop("memory management did not come up");
    }
}

/* The tree's UART, if there is one and it answers; else the firmware's console stays. */
static void start_console(void)
{
    const struct machine_uart *uart = &machine.uart;
    struct pa_range range = {uart->base, paddr_add(uart->base, uart->size_bytes)};
    volatile void *registers;

    if (uart->kind == MACHINE_UART_NONE) {
        facts.console_note = "the tree names no UART";
    } else if (kernel_map_device(range, &registers) != OK) {
        facts.console_note = "the UART could not be mapped";
    } else if (console_use_uart(uart, registers) != OK) {
        facts.console_note = "the UART does not answer";
    }
}

/* On the hart's own stack, in the final tables. */
static void boot_finish(void)
{
    start_console();
    facts.plic_quiet = external_quiet(&machine);
    facts.polled_note = external_start(&machine);
    report_print(&facts);
    kernel_main();
}

static void become_boot_hart(uint64_t hart_id)
{
    int index = machine_hart_by_id(&machine, hart_id);
    struct hart *block;

    ASSERT(index >= 0); /* machine_read_tree refuses a tree without the boot hart */
    block = hart_prepare((hart_idx_t)index, hart_id);
    hart_become(block);
    hart_set_stack((uint64_t)(uintptr_t)boot_stack_low, (uint64_t)(uintptr_t)boot_stack_top);
    hart_quiescence_enter();
    hart_set_started(block);
}

_Noreturn void boot_main(uint64_t hart_id, uint64_t tree_pa, uint64_t image_start_pa)
{
    image_set_pa((paddr_t){image_start_pa});
    hart_become(hart_prepare(0, hart_id)); /* until the tree gives it an index */
    hart_set_stack((uint64_t)(uintptr_t)boot_stack_low, (uint64_t)(uintptr_t)boot_stack_top);
    csr_write(stvec, (uintptr_t)trap_entry);
    facts.hart_id = hart_id;
    if (sbi_init() != OK) {
        boot_stop("the firmware has no SBI BASE extension (SBI 0.2 or later is needed)");
    }
    read_tree(tree_pa, hart_id);
    become_boot_hart(hart_id);
    hart_counters_allow();
    map_early_direct();
    reserve_memory(&machine, facts.tree);
    examine_harts();
    decide();
    start_memory();
    hart_take_stack(boot_finish);
}
