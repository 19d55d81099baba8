/* SPDX-License-Identifier: MIT */
/*
 * The kernel's boot, from where machine, console and mm are up: regions of the devices, the
 * kernel's own objects, the first program, and then nothing but handlers.
 */
#include "arch/arch.h"
#include "arch/machine.h"
#include "arch/upcall.h"
#include "kernel/console.h"
#include "kernel/init_start.h"
#include "kernel/reaper.h"
#include "kernel/sched.h"
#include "kernel/selftest.h"
#include "lib/log.h"
#include "mm/io_mem.h"

static _Noreturn void give_up(const char *what, status_t status)
{
    log_printf("vellum: cannot start: %s (%s)\n", what, status_name(status));
    arch_power_off(1);
}

/* Keeps a device of the kernel's own from programs. */
static void device_keep(paddr_t base, uint64_t size_bytes)
{
    struct pa_range range = {{align_down(base.raw, PAGE_SIZE)},
                             {align_up(base.raw + size_bytes, PAGE_SIZE)}};

    if (size_bytes == 0) {
        return;
    }
    status_t status = io_mem_forbid(range);

    if (status != OK) {
        give_up("a device cannot be kept from programs", status);
    }
}

/* Makes a region of each device that is left.  One that overlaps RAM, another one or a device of
 * the kernel is left out: the tree may say anything. */
static void regions_make(const struct machine *machine)
{
    size_t count = 0;

    for (size_t i = 0; i < machine->io_count; i++) {
        const struct machine_io *io = &machine->io[i];
        struct io_mem *made;
        status_t status = io_mem_create(io->range, io->compatible, &made);

        if (status == OK) {
            count++;
        } else if (status == ERR_NOMEM) {
            give_up("the table of I/O regions cannot be made", status);
        }
    }
    log_printf("vellum: %zu I/O regions for programs\n", count);
}

_Noreturn void kernel_main(void)
{
    const struct machine *machine = machine_get();
    const char *what = "";

    sched_init();
    console_init();
    device_keep(machine->plic.base, machine->plic.size_bytes);
    device_keep(machine->uart.base, machine->uart.size_bytes);
    regions_make(machine);
    (void)arch_harts_start();
    if (machine_cmdline_has(machine, "selftest")) {
        selftest_print();
    }
    log_printf("vellum: init starts\n"); /* first: another hart may run it and write a prompt */
    status_t status = init_start(&what);

    if (status != OK) {
        give_up(what, status);
    }
    arch_run();
}

_Noreturn void kernel_hart_main(void)
{
    arch_run();
}
