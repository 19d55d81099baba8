/* SPDX-License-Identifier: MIT */
/* Device registers on the host: every access goes to the model a test has set (mmio_model.h). */
#pragma once

#include <stdint.h>

uint8_t mmio_read8(const volatile void *at);
uint16_t mmio_read16(const volatile void *at);
uint32_t mmio_read32(const volatile void *at);
void mmio_write8(volatile void *at, uint8_t value);
void mmio_write16(volatile void *at, uint16_t value);
void mmio_write32(volatile void *at, uint32_t value);
