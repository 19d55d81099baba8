/* SPDX-License-Identifier: MIT */
/* The devices: console, interrupt controller, and the I/O regions user programs may be given. */
#pragma once

#include "fdt/tree.h"

/* Fills uart, plic and io.  Memory, reservations and harts have been read.
 * What is wrong with a device is noted; the only error is ERR_INVAL for more interrupt controllers
 * than can be kept away from user programs. */
status_t tree_devices_read(const struct tree *tree);
