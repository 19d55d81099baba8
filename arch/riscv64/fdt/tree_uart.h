/* SPDX-License-Identifier: MIT */
/* The console UART: which node it is, and how its registers lie. */
#pragma once

#include "fdt/tree_walk.h"

/* Node that /chosen/stdout-path names, by path or alias, or -1; a path that leads nowhere is
 * noted. */
int tree_uart_stdout(const struct tree *tree);

/* Reads the walk's node as a UART.
 * Errors: ERR_NOENT it is none the kernel knows, or it is not enabled; ERR_INVAL it is malformed;
 *         *fault is filled in both. */
status_t tree_uart_read(const struct tree_walk *walk, struct machine_uart *uart,
                        struct tree_fault *fault);
