/* SPDX-License-Identifier: MIT */
/*
 * The part of the C library's <stdlib.h> that libfdt asks for, for a kernel that has no C library.
 * Only libfdt and the sources that include its headers see this folder. strtoul is declared
 * because fdt_overlay.c names it; that file is not built.
 */
#pragma once

#include <stddef.h>

unsigned long strtoul(const char *restrict text, char **restrict end, int base);
