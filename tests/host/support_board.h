/* SPDX-License-Identifier: MIT */
/*
 * Device trees of boards as Linux has them, which a distribution's kernel package brings.  They are
 * no part of this project: they may be there or not.
 */
#pragma once

#include <glob.h>

/* Paths of the trees whose names match, like "starfive/jh7110-*.dtb": those that scripts/setup has
 * fetched (build/tools/board-trees), and those of installed kernel packages of Debian.  With
 * VELLUM_BOARD_TREES in the environment, those below that directory instead.
 *
 * If there are none the test ends here, and counts as skipped.  The caller frees with globfree. */
glob_t board_trees_find(const char *pattern);
