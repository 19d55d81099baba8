/* SPDX-License-Identifier: MIT */
/*
 * The device behind arch/mmio.h in a host test.  A test sets one device; accesses outside of its
 * window, misaligned ones, and any access while none is set end the program.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct mmio_device {
    volatile void *window; /* any memory: only its addresses are used, it is not accessed */
    size_t window_bytes;
    uint32_t (*read)(void *state, size_t offset, unsigned width_bytes);
    void (*write)(void *state, size_t offset, unsigned width_bytes, uint32_t value);
    void *state;
};

/* The device for all further accesses; kept by reference.  NULL: none. */
void mmio_model_set(const struct mmio_device *device);
