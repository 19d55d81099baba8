/* SPDX-License-Identifier: MIT */
/*
 * Memory in use at start.  Trees that come from firmware list the firmware's own place; trees
 * loaded from a disk do not, or list that of another version, and touching it is an access fault.
 * Firmware lives at the start of RAM, in front of the image, so the first 2 MiB there are left
 * alone whatever the tree says.
 */
#include "reserve.h"

#include "image.h"
#include "lib/log.h"
#include "power.h"

#define FIRMWARE_BYTES (UINT64_C(2) << 20)

static void add(struct machine *machine, struct pa_range range, enum machine_reserved_kind kind)
{
    if (machine_reserve(machine, range, kind) != OK) {
        log_printf("device tree: /reserved-memory: more than %u ranges\n", MACHINE_RESERVED_MAX);
        power_fail();
    }
}

static const struct pa_range *bank_with(const struct machine *machine, struct pa_range range)
{
    for (size_t i = 0; i < machine->bank_count; i++) {
        const struct pa_range *bank = &machine->banks[i];

        if (range.start.raw >= bank->start.raw && range.end.raw <= bank->end.raw) {
            return bank;
        }
    }
    return NULL;
}

static void reserve_firmware(struct machine *machine, paddr_t bank_start)
{
    struct pa_range range = {bank_start, paddr_add(bank_start, FIRMWARE_BYTES)};

    if (range.end.raw > image_pa().raw) {
        range.end = image_pa();
    }
    if (range.start.raw >= range.end.raw) {
        return;
    }
    if (pa_ranges_overlap(machine->initrd, range)) {
        log_printf("device tree: /chosen: linux,initrd-start: lies over the firmware\n");
        power_fail();
    }
    add(machine, range, MACHINE_RESERVED_FIRMWARE);
}

void reserve_memory(struct machine *machine, struct pa_range tree)
{
    struct pa_range image = image_range();
    const struct pa_range *bank = bank_with(machine, image);

    if (bank == NULL) {
        log_printf("device tree: /memory: reg: the kernel at 0x%lx to 0x%lx lies outside of it\n",
                   image.start.raw, image.end.raw);
        power_fail();
    }
    if (pa_ranges_overlap(machine->initrd, image)) {
        log_printf("device tree: /chosen: linux,initrd-start: lies over the kernel\n");
        power_fail();
    }
    reserve_firmware(machine, bank->start);
    add(machine, image, MACHINE_RESERVED_KERNEL);
    add(machine, tree, MACHINE_RESERVED_FDT);
}
