/* SPDX-License-Identifier: MIT */
/* Hands register accesses to the device a test has set. */
#include "tests/host/arch_host/mmio_model.h"

#include <stdio.h>
#include <stdlib.h>

#include "arch/mmio.h"

static const struct mmio_device *current;

void mmio_model_set(const struct mmio_device *device)
{
    current = device;
}

static size_t offset_of_access(const volatile void *at, unsigned width_bytes)
{
    uintptr_t start = current == NULL ? 0 : (uintptr_t)current->window;
    size_t offset = (size_t)((uintptr_t)at - start);

    if (current == NULL || offset % width_bytes != 0 || offset >= current->window_bytes ||
        current->window_bytes - offset < width_bytes) {
        fprintf(stderr, "no device register of %u bytes at offset %#zx\n", width_bytes, offset);
        abort();
    }
    return offset;
}

static uint32_t read_register(const volatile void *at, unsigned width_bytes)
{
    size_t offset = offset_of_access(at, width_bytes);

    return current->read(current->state, offset, width_bytes);
}

static void write_register(volatile void *at, unsigned width_bytes, uint32_t value)
{
    size_t offset = offset_of_access(at, width_bytes);

    current->write(current->state, offset, width_bytes, value);
}

uint8_t mmio_read8(const volatile void *at)
{
    return (uint8_t)read_register(at, 1);
}

uint16_t mmio_read16(const volatile void *at)
{
    return (uint16_t)read_register(at, 2);
}

uint32_t mmio_read32(const volatile void *at)
{
    return read_register(at, 4);
}

void mmio_write8(volatile void *at, uint8_t value)
{
    write_register(at, 1, value);
}

void mmio_write16(volatile void *at, uint16_t value)
{
    write_register(at, 2, value);
}

void mmio_write32(volatile void *at, uint32_t value)
{
    write_register(at, 4, value);
}
