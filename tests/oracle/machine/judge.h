/* SPDX-License-Identifier: MIT */
/*
 * The rules: what no order of steps may lead to, whatever the hardware does.  Each function gives
 * its verdict and does not return if the rule is broken.
 */
#pragma once

#include "machine/table.h"

/* A slot of `table` is about to go from `before` to `after`. */
void judge_store(struct table *table, unsigned index, uint64_t before, uint64_t after);

/* The frame of [a slot at] pa is touched by the kernel. */
void judge_touch(uint64_t pa);

/* The frame comes free. */
void judge_freed(uint32_t frame);

/* The frame is about to be filled with zeroes. */
void judge_zeroed(uint32_t frame);

/* satp is about to name the root. */
void judge_root(unsigned hart, uint64_t root, uint32_t frame);

/* An identifier has come into force on the hart. */
void judge_satp(unsigned hart);

/* The hart is back from the kernel, or an operation of it has returned: its satp is followed by the
 * fence it needs. */
void judge_settled(unsigned hart);

/* The operation has returned: nothing that it took away may be used. */
void judge_returned(uint64_t op);
