/* SPDX-License-Identifier: MIT */
/*
 * The arithmetic of the Supervisor Binary Interface, without the calls: error codes and hart masks.
 * SBI specification, "Binary Encoding", "Hart list parameter".
 */
#pragma once

#include <stdint.h>

#include "lib/hart_mask.h"
#include "lib/status.h"

/* What one call can name: bit i of mask is hart id base + i. */
struct sbi_mask {
    uint64_t mask;
    uint64_t base;
};

/* The status for an error code of the firmware; codes the specification does not have are ERR_IO.
 */
status_t sbi_status(int64_t error);

/* Takes from *harts those that one call can name and returns that call's mask.
 *
 * harts:  logical indices, not empty; repeat until it is.
 * ids:    firmware's hart id by logical index, all different.
 * The base is never all ones, which would mean every hart there is, nor is the mask empty. */
struct sbi_mask sbi_mask_take(struct hart_mask *harts, const uint64_t ids[HART_MAX]);
