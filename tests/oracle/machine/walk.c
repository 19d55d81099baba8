/* SPDX-License-Identifier: MIT */
/* The walker; the numbered comments are the steps of the specification. */
#include "machine/walk.h"

#include "machine/ram.h"

struct walk walk_from_table(uint64_t table_pa, unsigned level, uint64_t va)
{
    struct walk walk = {.end = WALK_RESERVED, .first_level = level, .level = level};
    uint64_t a = table_pa; /* step 1 */

    for (;;) {
        walk.level = level;
        walk.slots[level] = a + entry_index(va, level) * sizeof(uint64_t); /* step 2 */
        if (ram_index(a) == FRAME_NONE) {
            walk.end = WALK_NO_RAM;
            return walk;
        }
        walk.entry = ram_read(walk.slots[level]);
        if (!entry_is_valid(walk.entry)) { /* step 3 */
            walk.end = WALK_INVALID;
            return walk;
        }
        if (entry_problem(walk.entry, level, oracle.config.has_svpbmt) != NULL) {
            return walk;
        }
        if (entry_is_leaf(walk.entry)) { /* step 4 */
            walk.end = WALK_LEAF;
            return walk;
        }
        a = entry_pa(walk.entry);
        level--;
    }
}

struct walk walk_from(uint64_t root_pa, unsigned levels, uint64_t va)
{
    unsigned top = TABLE_SHIFT + INDEX_BITS * levels - 1;
    uint64_t above = va >> top; /* the bit that all higher ones copy */

    if (above != 0 && above != (~UINT64_C(0)) >> top) {
        return (struct walk){
            .end = WALK_NOT_CANONICAL, .first_level = levels - 1, .level = levels - 1};
    }
    return walk_from_table(root_pa, levels - 1, va);
}
