/* SPDX-License-Identifier: MIT */
/* Blocks full of zeroes, made in pieces. */
#include "lib/assert.h"
#include "mm/frame_block.h"

void frame_making_want(struct frame_making *making, unsigned level, struct vm_budget *payer)
{
    (void)making;
    (void)level;
    (void)payer;
}

status_t frame_making_step(struct frame_making *making)
{
    (void)making;
    return ERR_NOMEM;
}

bool frame_making_is_ready(const struct frame_making *making, unsigned level,
                           const struct vm_budget *payer)
{
    (void)making;
    (void)level;
    (void)payer;
    return false;
}

struct frame *frame_making_take(struct frame_making *making)
{
    ASSERT(making->block != NULL);
    return making->block;
}

void frame_making_drop(struct frame_making *making)
{
    *making = (struct frame_making){0};
}
