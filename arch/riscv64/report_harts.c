/* SPDX-License-Identifier: MIT */
/*
 * The part of the boot report about harts: which there are, what became of each, what they can do,
 * and in what one differs from the boot hart.
 */
#include "arch/machine.h"
#include "arch/pte.h"
#include "boot.h"
#include "harts.h"
#include "lib/log.h"
#include "sbi.h"

const char *report_hart_state(uint64_t hart_id)
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
                   report_hart_state(machine->skipped_ids[i]));
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

static void print_updates(const char *name, const struct hart_facts *facts)
{
    static const char *const noadhw[] = {
        [BOOT_NOADHW_NOT_ASKED] = "",
        [BOOT_NOADHW_DONE] = "; noadhw: switched off",
        [BOOT_NOADHW_REFUSED] = "; noadhw: the firmware cannot switch it off",
    };

    log_printf("%sload with A clear: %s; store with D clear: %s%s\n", name,
               try_update_name(facts->accessed), try_update_name(facts->dirty),
               noadhw[facts->noadhw]);
}

static bool is_same(const struct hart_facts *a, const struct hart_facts *b)
{
    return a->accepted == b->accepted && a->asid_bits == b->asid_bits &&
           a->accessed == b->accessed && a->dirty == b->dirty && a->noadhw == b->noadhw &&
           a->fences == b->fences && a->has_svpbmt == b->has_svpbmt &&
           a->has_stimecmp == b->has_stimecmp && a->zero_block == b->zero_block;
}

/* What another hart does differently from the boot hart. */
static void print_differences(const struct hart_facts *own, const struct machine *machine)
{
    for (hart_idx_t i = 0; i < machine->hart_count; i++) {
        const struct harts_report *report = harts_report(i);
        const struct hart_facts *facts = &report->facts;

        if (report->outcome != HARTS_CAME || is_same(facts, own)) {
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

void report_print_harts(const struct boot_facts *facts)
{
    const struct machine *machine = machine_get();

    print_harts(machine);
    print_paging(facts, machine);
}
