/* SPDX-License-Identifier: MIT */
/* Checks of what the machine is: names and versions, harts, memory, clock. */
#include "arch/arch.h"
#include "arch/machine.h"
#include "boot.h"
#include "csr.h"
#include "extable.h"
#include "hart.h"
#include "sbi.h"
#include "selftest.h"
#include "timer.h"
#include "try.h"

#define CLOCK_LOOKS      1000000U
#define CACHE_BYTES      (UINT64_C(8) << 20) /* four times what a JH7110 has */
#define CACHE_LINE_BYTES 64U

void selftest_board(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    (void)test;
    (void)arg;
    selftest_say(found, SELFTEST_FACT, "%s", machine_get()->model);
}

void selftest_firmware(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    const struct sbi_identity *id = sbi_identity();

    (void)test;
    (void)arg;
    selftest_say(found, SELFTEST_FACT, "SBI %lu.%lu, implementation %lu, version 0x%lx",
                 id->spec_version >> 24U, id->spec_version & 0xffffff, id->impl_id,
                 id->impl_version);
}

void selftest_extensions(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    (void)test;
    (void)arg;
    for (unsigned i = 0; i < SBI_EXT_COUNT; i++) {
        if (sbi_has((enum sbi_ext)i)) {
            selftest_add(found, "%s%s", found->value[0] != '\0' ? " " : "",
                         sbi_ext_name((enum sbi_ext)i));
        }
    }
}

void selftest_core(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    struct sbi_core core = sbi_core();

    (void)test;
    (void)arg;
    selftest_say(found, SELFTEST_FACT, "mvendorid 0x%lx, marchid 0x%lx, mimpid 0x%lx",
                 core.mvendorid, core.marchid, core.mimpid);
}

/* HSM, where it is there, says that the hart is started. */
static bool is_started(uint64_t id)
{
    enum sbi_hart_state state;

    return !sbi_has(SBI_EXT_HSM) ||
           (sbi_hart_get_state(id, &state) == OK && state == SBI_HART_STARTED);
}

/* What HSM says of each hart; those that run must be started. */
void selftest_harts(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    const struct machine *machine = machine_get();
    enum selftest_verdict verdict = SELFTEST_GOOD;

    (void)test;
    (void)arg;
    for (hart_idx_t i = 0; i < machine->hart_count; i++) {
        uint64_t id = machine->harts[i].hart_id;

        if (hart_mask_has(arch_harts(), i) && !is_started(id)) {
            verdict = SELFTEST_WRONG;
        }
        selftest_add(found, "%s%lu %s", i > 0 ? ", " : "", id, report_hart_state(id));
    }
    for (size_t i = 0; i < machine->skipped_id_count; i++) {
        uint64_t id = machine->skipped_ids[i];

        selftest_add(found, "; left alone %lu %s", id, report_hart_state(id));
    }
    found->verdict = verdict;
}

void selftest_memory(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    const struct machine *machine = machine_get();

    (void)test;
    (void)arg;
    for (size_t i = 0; i < machine->bank_count; i++) {
        struct pa_range bank = machine->banks[i];

        selftest_add(found, "%s0x%lx-0x%lx", i > 0 ? ", " : "", bank.start.raw, bank.end.raw - 1);
    }
}

/* Loads enough of what lies around an address to drive it out of any cache. */
static void drive_out(paddr_t address)
{
    uint64_t around = (uint64_t)(uintptr_t)arch_phys_to_virt(address);
    uint64_t value;

    for (uint64_t at = 0; at < 2 * CACHE_BYTES; at += CACHE_LINE_BYTES) {
        (void)probe_load_u64(around - CACHE_BYTES + at, &value); /* not all of it may be memory */
    }
}

/* What a load finds where a frame is seen again, beside the caches. */
static void tell_alias(const struct selftest *test, struct selftest_found *found,
                       const struct machine_alias *alias)
{
    paddr_t frame = test->frames[0];
    struct try_page page = {&test->slots[0], SELFTEST_VA, paddr_add(frame, alias->offset)};
    uint64_t value;

    if (frame.raw < alias->memory.start.raw || frame.raw >= alias->memory.end.raw) {
        return;
    }
    drive_out(frame);
    try_place(&page, PTE_W | PTE_D, 0);
    if (!probe_load_u64(page.va, &value)) {
        selftest_add(found, "a load 0x%lx above memory faults", alias->offset);
        return;
    }
    selftest_add(found, "a load 0x%lx above memory finds %s", alias->offset,
                 value == *(uint64_t *)test->bytes[0]
                     ? "the same"
                     : "something else (a cache may have the last word)");
}

/* Where memory is seen a second time, and whether the kernel keeps from there. */
void selftest_ram_alias(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    const struct machine *machine = machine_get();

    (void)arg;
    if (machine->alias_count == 0) {
        selftest_say(found, SELFTEST_FACT, "none is known of this machine");
        return;
    }
    found->verdict = SELFTEST_GOOD;
    for (size_t i = 0; i < machine->alias_count; i++) {
        const struct machine_alias *alias = &machine->aliases[i];
        uint64_t start = alias->memory.start.raw + alias->offset;
        uint64_t end = alias->memory.end.raw + alias->offset;

        tell_alias(test, found, alias);
        for (size_t bank = 0; bank < machine->bank_count; bank++) {
            if (machine->banks[bank].start.raw < end && start < machine->banks[bank].end.raw) {
                selftest_add(found, "; memory 0x%lx is one", machine->banks[bank].start.raw);
                found->verdict = SELFTEST_WRONG;
            }
        }
    }
}

/* That time goes on, and how an interrupt of it is asked for. */
void selftest_clock(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    uint64_t start = arch_time_now();
    unsigned looks = 0;

    (void)test;
    (void)arg;
    while (arch_time_now() == start && looks < CLOCK_LOOKS) {
        looks++;
    }
    selftest_say(found, looks < CLOCK_LOOKS ? SELFTEST_GOOD : SELFTEST_WRONG,
                 "%lu Hz by the tree, %s, timer by %s", machine_get()->timebase_hz,
                 looks < CLOCK_LOOKS ? "goes" : "stands still",
                 timer_source() == TIMER_STIMECMP ? "stimecmp" : "SBI");
}
