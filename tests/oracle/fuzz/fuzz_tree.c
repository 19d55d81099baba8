/* SPDX-License-Identifier: MIT */
/* Device trees from hostile bytes: what is concluded makes sense, what is refused is named. */
#include <string.h>

#include "arch/machine.h"
#include "fuzz.h"

#define BOOT_HART 1

static void expect_text(const char *text, size_t room_bytes)
{
    fuzz_expect(memchr(text, '\0', room_bytes) != NULL);
}

static void expect_named(const struct machine_problem *problem)
{
    fuzz_expect(problem->what != NULL && problem->what[0] != '\0');
    expect_text(problem->node, sizeof(problem->node));
    expect_text(problem->property, sizeof(problem->property));
}

static void expect_memory(const struct machine *machine)
{
    uint64_t end = 0;

    fuzz_expect(machine->bank_count > 0 && machine->bank_count <= MACHINE_BANKS_MAX);
    for (size_t i = 0; i < machine->bank_count; i++) {
        fuzz_expect(i == 0 || machine->banks[i].start.raw > end);
        fuzz_expect(machine->banks[i].start.raw < machine->banks[i].end.raw);
        end = machine->banks[i].end.raw;
    }
    fuzz_expect(end <= UINT64_C(1) << 56);
    fuzz_expect(machine->io_count <= MACHINE_IO_MAX);
    for (size_t i = 0; i < machine->io_count; i++) {
        fuzz_expect(machine->io[i].range.start.raw < machine->io[i].range.end.raw);
        for (size_t j = 0; j < machine->bank_count; j++) {
            fuzz_expect(!pa_ranges_overlap(machine->banks[j], machine->io[i].range));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct machine machine;
    static struct machine_problem problem;

    memset(&problem, 0xff, sizeof(problem));
    problem.what = NULL;
    if (machine_read_tree(data, bytes, BOOT_HART, &machine, &problem) != OK) {
        expect_named(&problem);
        return 0;
    }
    expect_memory(&machine);
    fuzz_expect(machine.hart_count > 0 && machine.hart_count <= HART_MAX);
    fuzz_expect(machine_hart_by_id(&machine, BOOT_HART) >= 0);
    fuzz_expect(machine.levels_cap >= 3 && machine.levels_cap <= 5 && machine.timebase_hz > 0);
    expect_text(machine.model, sizeof(machine.model));
    expect_text(machine.cmdline, sizeof(machine.cmdline));
    for (size_t i = 0; i < machine.note_count; i++) {
        expect_named(&machine.notes[i]);
    }
    return 0;
}
