/* SPDX-License-Identifier: MIT */
/* Where the running image lies in physical memory. */
#include "image.h"

static paddr_t start_pa; /* (c) */

paddr_t image_pa(void)
{
    return start_pa;
}

void image_set_pa(paddr_t start)
{
    start_pa = start;
}

struct pa_range image_range(void)
{
    return (struct pa_range){start_pa, paddr_add(start_pa, (uint64_t)(image_end - image_start))};
}
