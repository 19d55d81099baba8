/* SPDX-License-Identifier: MIT */
/* Which paging mode to run in, from what the hart takes, the tree allows and the user asks. */
#pragma once

#include <stdbool.h>

enum paging_wish {
    PAGING_WISH_NONE,    /* nothing was asked                                 */
    PAGING_WISH_GRANTED, /* the mode asked for                                */
    PAGING_WISH_UNKNOWN, /* not the name of a mode: as if nothing was asked   */
    PAGING_WISH_REFUSED, /* not possible here: the nearest below, else above  */
};

struct paging_choice {
    unsigned levels; /* 3, 4 or 5; 0 if no mode is possible */
    enum paging_wish wish;
};

/* accepted: bit n set if the harts take a table of n levels (3, 4, 5).
 * tree_cap: the most levels the tree allows.
 * wish:     "sv39", "sv48", "sv57", anything else, or NULL for none. */
struct paging_choice paging_choose(unsigned accepted, unsigned tree_cap, const char *wish);

/* "Sv39" for 3 and so on. */
const char *paging_mode_name(unsigned levels);
