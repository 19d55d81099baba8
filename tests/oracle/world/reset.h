/* SPDX-License-Identifier: MIT */
/* A freshly booted machine, as often as one likes, for microseconds. */
#pragma once

#include "machine/oracle.h"
#include "mm/io_mem.h"

#define RESET_REGION_PAGES 6U

/* Brings mm/ and the machine to the moment after boot in that configuration: every hart runs the
 * kernel's own table, one I/O region exists, nothing else does. */
void reset_machine(const struct oracle_config *config);

/* That region. */
struct io_mem *reset_region(void);

/* Free frames at that moment. */
uint64_t reset_free_frames(void);
