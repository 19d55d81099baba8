/* SPDX-License-Identifier: MIT */
/*
 * Loads and stores of device registers.  Each is one access of exactly its width, in program order
 * with every other access of this hart, to devices and to memory: what was stored to memory before
 * a register is written is visible to the device, and what is loaded from memory after a register
 * was read is newer than the register (unprivileged spec, "FENCE").  The host tests have their own
 * version of this header, which leads to a model of a device's registers.
 */
#pragma once

#include <stdint.h>

static inline uint8_t mmio_read8(const volatile void *at)
{
    uint8_t value = *(const volatile uint8_t *)at;

    __asm__ volatile("fence i, ior" ::: "memory");
    return value;
}

static inline uint16_t mmio_read16(const volatile void *at)
{
    uint16_t value = *(const volatile uint16_t *)at;

    __asm__ volatile("fence i, ior" ::: "memory");
    return value;
}

static inline uint32_t mmio_read32(const volatile void *at)
{
    uint32_t value = *(const volatile uint32_t *)at;

    __asm__ volatile("fence i, ior" ::: "memory");
    return value;
}

static inline void mmio_write8(volatile void *at, uint8_t value)
{
    __asm__ volatile("fence iorw, o" ::: "memory");
    *(volatile uint8_t *)at = value;
}

static inline void mmio_write16(volatile void *at, uint16_t value)
{
    __asm__ volatile("fence iorw, o" ::: "memory");
    *(volatile uint16_t *)at = value;
}

static inline void mmio_write32(volatile void *at, uint32_t value)
{
    __asm__ volatile("fence iorw, o" ::: "memory");
    *(volatile uint32_t *)at = value;
}
