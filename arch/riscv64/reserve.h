/* SPDX-License-Identifier: MIT */
/* Memory that is in use when the kernel starts. */
#pragma once

#include "arch/machine.h"

/* Adds to the machine's reserved ranges what the tree does not list: the image, the tree itself,
 * and the firmware's place if nobody named it.  Stops with a message if the image does not lie in
 * RAM or the initrd lies over it. */
void reserve_memory(struct machine *machine, struct pa_range tree);
