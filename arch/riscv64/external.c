/* SPDX-License-Identifier: MIT */
/*
 * The way of the console's interrupt: UART, interrupt controller, boot hart, kernel.
 *
 * Whether it arrives depends on what the device tree says of three devices.  So it is tried at
 * boot, with the interrupt of an empty transmitter; if this hart does not feel it, input is polled.
 */
#include "external.h"

#include "arch/arch.h"
#include "arch/upcall.h"
#include "console.h"
#include "csr.h"
#include "hart.h"
#include "lib/string.h"
#include "plic/plic.h"

/* How long the interrupt that is tried is waited for, as parts of a second: 20 ms.  A byte that
 * firmware or the boot report left takes 87 us. */
#define TRY_PARTS 50U

static struct plic plic; /* (c) after external_start */

/* 0: it does not arrive, or no more.  After external_start the kernel serialises who uses it. */
static uint32_t console_source;

/* The registers of that many bytes at an offset, or NULL. */
static volatile uint8_t *registers_at(const struct machine *machine, uint64_t offset,
                                      uint64_t bytes)
{
    paddr_t start = paddr_add(machine->plic.base, offset);
    volatile void *registers;
    status_t status =
        kernel_map_device((struct pa_range){start, paddr_add(start, bytes)}, &registers);

    return status == OK ? registers : NULL;
}

/* False: it could not be mapped. */
static bool context_map(const struct machine *machine, uint64_t context, struct plic *out)
{
    *out = (struct plic){
        .enables = registers_at(machine, PLIC_ENABLES(context), PLIC_ENABLES_BYTES),
        .context = registers_at(machine, PLIC_CONTEXT(context), PLIC_CONTEXT_BYTES),
        .sources = machine->plic.sources,
    };
    return out->enables != NULL && out->context != NULL;
}

unsigned external_quiet(const struct machine *machine)
{
    unsigned quiet = 0;

    for (size_t i = 0; i < machine->hart_count && machine->plic.size_bytes != 0; i++) {
        int32_t context = machine->harts[i].plic_context;
        struct plic of_hart;

        if (context >= 0 && context_map(machine, (uint64_t)context, &of_hart)) {
            plic_quiet(&of_hart);
            quiet++;
        }
    }
    return quiet;
}

/* Ends whatever the source has sent; bounded, should the device go on for ever. */
static void drain(uint32_t source)
{
    for (unsigned i = 0; i < 4 && plic_claim(&plic) == source; i++) {
        plic_complete(&plic, source);
    }
}

/* Tries the way with the transmitter's interrupt; nothing is sent.  A claim alone would also find
 * what the controller raises at another hart, or in another mode of this one. */
static bool arrives(const struct machine *machine, uint32_t source)
{
    uint64_t end = arch_time_now() + machine->timebase_hz / TRY_PARTS;
    uint32_t claimed = 0;

    plic_source_set(&plic, source, PLIC_SOURCE_PASSES);
    console_interrupt_set(UART_INTERRUPT_ROOM);
    while (claimed == 0 && arch_time_now() < end) {
        claimed = (csr_read(sip) & SIE_EXTERNAL) != 0 ? plic_claim(&plic) : 0;
    }
    console_interrupt_set(UART_INTERRUPT_NONE);
    if (claimed != 0) {
        console_interrupt_end();
        plic_complete(&plic, claimed);
    }
    drain(source);
    plic_source_set(&plic, source, PLIC_SOURCE_HELD);
    return claimed == source;
}

/* `input=polled` on the command line. */
static bool is_declined(const struct machine *machine)
{
    char value[MACHINE_TEXT_BYTES];

    return machine_cmdline_value(machine, "input", value, sizeof(value)) &&
           strcmp(value, "polled") == 0;
}

const char *external_start(const struct machine *machine)
{
    int32_t context = machine->harts[hart_index()].plic_context;
    uint32_t source = machine->uart.irq;

    if (is_declined(machine)) {
        return "input=polled on the command line";
    }
    if (console_device() != CONSOLE_UART) {
        return "the firmware's console has no interrupt";
    }
    if (context < 0) {
        return "the boot hart has no interrupt controller";
    }
    if (source == 0 || source > machine->plic.sources) {
        return "the tree names no interrupt of the UART";
    }
    if (!context_map(machine, (uint64_t)context, &plic)) {
        return "the interrupt controller could not be mapped";
    }
    plic.priorities = registers_at(machine, PLIC_PRIORITIES, PLIC_PRIORITIES_BYTES);
    if (plic.priorities == NULL) {
        return "the interrupt controller could not be mapped";
    }
    plic_route(&plic, source);
    if (!arrives(machine, source)) {
        plic_quiet(&plic);
        return "the UART's interrupt does not arrive";
    }
    console_source = source;
    console_interrupt_set(UART_INTERRUPT_INPUT);
    csr_set(sie, SIE_EXTERNAL);
    return NULL;
}

void external_interrupt(void)
{
    uint32_t source = plic_claim(&plic);

    /* Also if there is none to claim: it is the kernel that finds out when nothing ever comes. */
    console_interrupt_end();
    kernel_console_input();
    if (source != 0) {
        plic_complete(&plic, source);
    }
}

status_t arch_console_tell(enum arch_console_tell how)
{
    if (console_source == 0) {
        return ERR_NOTSUP;
    }
    plic_source_set(&plic, console_source,
                    how == ARCH_CONSOLE_TELL ? PLIC_SOURCE_PASSES : PLIC_SOURCE_HELD);
    return OK;
}

void arch_console_tell_no_more(void)
{
    csr_clear(sie, SIE_EXTERNAL);
    plic_quiet(&plic);
    console_source = 0;
}
