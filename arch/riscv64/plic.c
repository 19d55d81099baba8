/* SPDX-License-Identifier: MIT */
/*
 * The registers of one context, by the "RISC-V Platform-Level Interrupt Controller Specification":
 * a bit a source that enables it, and a threshold.  At handover both hold anything.
 */
#include "plic.h"

#include "arch/mmio.h"
#include "arch/upcall.h"

#define ENABLES         UINT64_C(0x2000)
#define ENABLES_STRIDE  UINT64_C(0x80)
#define CONTEXTS        UINT64_C(0x200000)
#define CONTEXTS_STRIDE UINT64_C(0x1000)
#define WORD_BYTES      4U
#define WORD_SOURCES    32U

/* The registers of that many bytes at an offset, or NULL. */
static volatile uint8_t *registers_at(const struct machine_plic *plic, uint64_t offset,
                                      uint64_t bytes)
{
    paddr_t start = paddr_add(plic->base, offset);
    volatile void *registers;
    status_t status =
        kernel_map_device((struct pa_range){start, paddr_add(start, bytes)}, &registers);

    return status == OK ? registers : NULL;
}

static bool context_quiet(const struct machine_plic *plic, uint64_t context)
{
    volatile uint8_t *enables =
        registers_at(plic, ENABLES + context * ENABLES_STRIDE, ENABLES_STRIDE);
    volatile uint8_t *threshold =
        registers_at(plic, CONTEXTS + context * CONTEXTS_STRIDE, WORD_BYTES);

    if (enables == NULL || threshold == NULL) {
        return false;
    }
    /* Source 0 does not exist; the bits of `sources` more follow it. */
    for (uint32_t word = 0; word <= plic->sources / WORD_SOURCES; word++) {
        mmio_write32(enables + word * WORD_BYTES, 0);
    }
    mmio_write32(threshold, 0);
    return true;
}

unsigned plic_quiet(const struct machine *machine)
{
    unsigned quiet = 0;

    for (size_t i = 0; i < machine->hart_count && machine->plic.size_bytes != 0; i++) {
        int32_t context = machine->harts[i].plic_context;

        if (context >= 0 && context_quiet(&machine->plic, (uint64_t)context)) {
            quiet++;
        }
    }
    return quiet;
}
