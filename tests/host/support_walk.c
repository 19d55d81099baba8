/* SPDX-License-Identifier: MIT */
/* Accesses by the tables in memory alone. */
#include "support_walk.h"

bool walk_permits(uint64_t leaf, enum oracle_access access, enum walk_who who)
{
    uint64_t as_user = who == WALK_USER ? leaf : leaf ^ ENTRY_U;

    return entry_grants(as_user, access) && (leaf & entry_marks(access)) == entry_marks(access);
}

struct walk_result walk_access(uint64_t root_pa, unsigned levels, uint64_t va,
                               enum oracle_access access, enum walk_who who)
{
    struct walk walk = walk_from(root_pa, levels, va);
    struct walk_result result = {
        .end = walk.end,
        .page_bytes = entry_extent(walk.level),
        .entry = walk.entry,
    };

    if (walk.end == WALK_LEAF && walk_permits(walk.entry, access, who)) {
        result.allowed = true;
        result.pa = walk_pa(walk.entry, walk.level, va);
    }
    return result;
}
