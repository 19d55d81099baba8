/* SPDX-License-Identifier: MIT */
/* The table of accesses that may fault (user_copy.S): ranges of code, each with its way out. */
#include "extable.h"

#include "lib/types.h"

struct extable_entry {
    uint64_t start, end; /* code, [start, end) */
    uint64_t fixup;      /* where to go on     */
    uint64_t user_only;  /* 1: forgives only faults at addresses of the user half */
};

_Static_assert(sizeof(struct extable_entry) == 32, "user_copy.S writes four words");

extern const struct extable_entry extable_start[], extable_end[];

uint64_t extable_fixup(uint64_t pc, uint64_t va)
{
    for (const struct extable_entry *entry = extable_start; entry < extable_end; entry++) {
        if (pc >= entry->start && pc < entry->end) {
            bool is_user = (int64_t)va >= 0;

            return entry->user_only == 0 || is_user ? entry->fixup : 0;
        }
    }
    return 0;
}
