/* SPDX-License-Identifier: MIT */
/* The platform-level interrupt controller and each hart's S-mode context in it. */
#pragma once

#include "fdt/tree_walk.h"

/* Reads the walk's node, a PLIC, into plic and into plic_context of the harts, which have been
 * read. Errors: ERR_INVAL it is malformed; *fault is filled, nothing else changed. */
status_t tree_plic_read(const struct tree_walk *walk, struct tree_fault *fault);
