/* SPDX-License-Identifier: MIT */
/* What holds for every machine that the kernel concludes from a tree: see support_sensible.h. */
#include "support_sensible.h"

#include <string.h>

#include "support.h"

static bool ends_within(const char *text, size_t room_bytes)
{
    return memchr(text, '\0', room_bytes) != NULL;
}

void expect_named(const struct machine_problem *problem)
{
    cr_assert(problem->what != NULL && problem->what[0] != '\0');
    cr_assert(problem->node[0] == '/' || strcmp(problem->node, "header") == 0);
    cr_assert(ends_within(problem->node, sizeof(problem->node)));
    cr_assert(ends_within(problem->property, sizeof(problem->property)));
}

static bool is_in_a_bank(const struct machine *machine, struct pa_range range)
{
    for (size_t i = 0; i < machine->bank_count; i++) {
        if (machine->banks[i].start.raw <= range.start.raw &&
            range.end.raw <= machine->banks[i].end.raw) {
            return true;
        }
    }
    return false;
}

static void expect_sensible_memory(const struct machine *machine)
{
    uint64_t end = 0;

    cr_assert(machine->bank_count > 0 && machine->bank_count <= MACHINE_BANKS_MAX);
    for (size_t i = 0; i < machine->bank_count; i++) {
        struct pa_range bank = machine->banks[i];

        cr_assert(i == 0 || bank.start.raw > end);
        cr_assert(bank.start.raw < bank.end.raw && bank.end.raw <= UINT64_C(1) << 56);
        cr_assert(is_aligned(bank.start.raw | bank.end.raw, PAGE_SIZE));
        end = bank.end.raw;
    }
    cr_assert(machine->reserved_count < MACHINE_RESERVED_MAX);
    for (size_t i = 0; i < machine->reserved_count; i++) {
        struct pa_range range = machine->reserved[i].range;

        cr_assert(range.start.raw < range.end.raw);
    }
    cr_assert(machine->initrd.start.raw == machine->initrd.end.raw ||
              is_in_a_bank(machine, machine->initrd));
}

static void expect_sensible_regions(const struct machine *machine)
{
    cr_assert(machine->io_count <= MACHINE_IO_MAX);
    for (size_t i = 0; i < machine->io_count; i++) {
        struct pa_range range = machine->io[i].range;

        cr_assert(range.start.raw < range.end.raw);
        cr_assert(is_aligned(range.start.raw | range.end.raw, PAGE_SIZE));
        cr_assert(ends_within(machine->io[i].compatible, MACHINE_TEXT_BYTES));
        for (size_t j = 0; j < machine->bank_count; j++) {
            cr_assert(!pa_ranges_overlap(machine->banks[j], range));
        }
        for (size_t j = 0; j < machine->reserved_count; j++) {
            cr_assert(!pa_ranges_overlap(machine->reserved[j].range, range));
        }
        for (size_t j = 0; j < i; j++) {
            cr_assert(!pa_ranges_overlap(machine->io[j].range, range));
        }
    }
}

void expect_sensible(const struct machine *machine, uint64_t boot_hart)
{
    expect_sensible_memory(machine);
    expect_sensible_regions(machine);
    cr_assert(machine->hart_count > 0 && machine->hart_count <= HART_MAX);
    cr_assert(machine_hart_by_id(machine, boot_hart) >= 0);
    cr_assert(machine->levels_cap >= 3 && machine->levels_cap <= 5);
    cr_assert(machine->timebase_hz > 0);
    cr_assert(ends_within(machine->model, sizeof(machine->model)));
    cr_assert(ends_within(machine->cmdline, sizeof(machine->cmdline)));
    cr_assert(machine->note_count <= MACHINE_NOTES_MAX);
    for (size_t i = 0; i < machine->note_count; i++) {
        expect_named(&machine->notes[i]);
    }
}
