/* SPDX-License-Identifier: MIT */
/*
 * The registers by the "RISC-V Platform-Level Interrupt Controller Specification": a priority a
 * source; a bit a source and context that enables it; a threshold and a claim a context.
 */
#include "plic/plic.h"

#include "arch/mmio.h"
#include "lib/assert.h"

#define WORD_BYTES   4U
#define WORD_SOURCES 32U
#define THRESHOLD    0U
#define CLAIM        4U

static void enables_set(const struct plic *plic, uint32_t only)
{
    /* Source 0 does not exist; the bits of `sources` more follow it. */
    for (uint32_t word = 0; word <= plic->sources / WORD_SOURCES; word++) {
        uint32_t bits = only / WORD_SOURCES == word ? UINT32_C(1) << only % WORD_SOURCES : 0;

        mmio_write32(plic->enables + (size_t)word * WORD_BYTES, bits & ~(word == 0 ? 1U : 0U));
    }
}

void plic_quiet(const struct plic *plic)
{
    enables_set(plic, 0);
    mmio_write32(plic->context + THRESHOLD, 0);
}

void plic_route(const struct plic *plic, uint32_t source)
{
    ASSERT(source != 0 && source <= plic->sources);
    plic_source_set(plic, source, PLIC_SOURCE_HELD);
    enables_set(plic, source);
}

void plic_source_set(const struct plic *plic, uint32_t source, enum plic_source how)
{
    mmio_write32(plic->priorities + (size_t)source * WORD_BYTES, how == PLIC_SOURCE_PASSES ? 1 : 0);
}

uint32_t plic_claim(const struct plic *plic)
{
    return mmio_read32(plic->context + CLAIM);
}

void plic_complete(const struct plic *plic, uint32_t source)
{
    mmio_write32(plic->context + CLAIM, source);
}
