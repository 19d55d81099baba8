/* SPDX-License-Identifier: MIT */
/* Between vm_space.c and vm_fault.c. */
#pragma once

#include "lib/hart.h"

/* The hart switches to another space: what it faulted on before counts no more, and a space that is
 * freed after the switch is not remembered. */
void vm_fault_start_anew(hart_idx_t hart);
