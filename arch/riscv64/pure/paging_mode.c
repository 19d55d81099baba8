/* SPDX-License-Identifier: MIT */
/* The choice of the paging mode.  Neither the probe nor the tree is enough alone: firmware trees
 * name modes the hart lacks, and emulators take modes that the tree rules out. */
#include "pure/paging_mode.h"

#include <stddef.h>

#include "lib/string.h"

#define LEVELS_MIN 3U
#define LEVELS_MAX 5U

static const char *const names[] = {"Sv39", "Sv48", "Sv57"};
static const char *const wishes[] = {"sv39", "sv48", "sv57"};

const char *paging_mode_name(unsigned levels)
{
    return levels >= LEVELS_MIN && levels <= LEVELS_MAX ? names[levels - LEVELS_MIN] : "Bare";
}

/* The largest possible mode of at most `most` levels, or 0. */
static unsigned largest(unsigned possible, unsigned most)
{
    for (unsigned levels = most; levels >= LEVELS_MIN; levels--) {
        if ((possible >> levels & 1U) != 0) {
            return levels;
        }
    }
    return 0;
}

static unsigned smallest(unsigned possible)
{
    for (unsigned levels = LEVELS_MIN; levels <= LEVELS_MAX; levels++) {
        if ((possible >> levels & 1U) != 0) {
            return levels;
        }
    }
    return 0;
}

static unsigned wish_levels(const char *wish)
{
    for (unsigned i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        if (strcmp(wish, wishes[i]) == 0) {
            return LEVELS_MIN + i;
        }
    }
    return 0;
}

struct paging_choice paging_choose(unsigned accepted, unsigned tree_cap, const char *wish)
{
    unsigned cap = tree_cap < LEVELS_MAX ? tree_cap : LEVELS_MAX;
    unsigned possible = accepted & ((1U << (cap + 1)) - 1);
    unsigned asked = wish != NULL ? wish_levels(wish) : 0;
    unsigned levels = largest(possible, asked != 0 ? asked : LEVELS_MAX);

    if (levels == 0) {
        levels = smallest(possible);
    }
    if (wish == NULL) {
        return (struct paging_choice){levels, PAGING_WISH_NONE};
    }
    if (asked == 0) {
        return (struct paging_choice){levels, PAGING_WISH_UNKNOWN};
    }
    return (struct paging_choice){levels,
                                  levels == asked ? PAGING_WISH_GRANTED : PAGING_WISH_REFUSED};
}
