/* SPDX-License-Identifier: MIT */
/*
 * The rules that speak of frames: a free frame is touched by nobody and reached by no translation,
 * and a table is whole before a walker can find it.
 */
#include "machine/judge.h"

#include "machine/hart.h"
#include "machine/reach.h"

#define WALK_SECTION "\"Virtual Address Translation Process\""

void judge_touch(uint64_t pa)
{
    uint32_t index = ram_index(pa);

    if (index != FRAME_NONE && ram_is_free(ram_frame(index))) {
        verdict_give(ORACLE_RULE_TOUCH_FREE, state_hart(), NULL,
                     "hart %u touches %#lx, which lies in a free frame", state_hart(),
                     (unsigned long)pa);
    }
}

/* The first of a set of harts. */
static unsigned first_of(uint16_t harts)
{
    return (unsigned)__builtin_ctz(harts);
}

/* Harts that may walk to the slot and find the leaf in it; 0 if the leaf is not of `level`. */
static uint16_t slot_walkers(const struct table_slot *slot, unsigned level)
{
    struct table_path path;
    unsigned top = oracle.config.levels - 1;

    if (!table_path_of(slot->table, slot->index, &path)) {
        return 0;
    }
    if ((path.top->active | path.top->left) == 0) {
        /* A detached table, or one that moved to where nobody is: what is in it has the level that
         * the pointers to it say. */
        return reach_has_pointer(&path, level) ? reach_walkers(&path) : 0;
    }
    return path.depth > top || top - path.depth == level ? reach_walkers(&path) : 0;
}

/* No leaf in memory that names the frame at pa, or a superpage of `level` around it, may be found.
 */
static void judge_named(uint32_t frame, unsigned level)
{
    uint64_t first = ram_pa(frame) & ~(entry_extent(level) - 1);
    uint32_t named = ram_index(first);
    struct table_slot slot = {0};

    if (named == FRAME_NONE || (level > 0 && named == frame)) {
        return;
    }
    while (table_next_naming(named, &slot)) {
        uint16_t harts = slot_walkers(&slot, level);

        if (harts != 0) {
            verdict_give(ORACLE_RULE_FREE_FRAME, first_of(harts), NULL,
                         "hart %u frees the frame %#lx while hart %u may find it by the entry %#lx "
                         "in the slot %#lx (" WALK_SECTION ")",
                         state_hart(), (unsigned long)ram_pa(frame), first_of(harts),
                         (unsigned long)table_slot_entry(slot.table, slot.index),
                         (unsigned long)table_slot_pa(slot.table, slot.index));
        }
    }
}

static void judge_stale_names(uint32_t frame)
{
    uint64_t pa = ram_pa(frame);

    for (size_t i = 0; i < stale_count(); i++) {
        const struct stale *stale = stale_at(i);
        uint64_t bytes = stale->is_pointer ? TABLE_BYTES : entry_extent(stale->level);

        if (pa - entry_pa(stale->entry) >= bytes) {
            continue;
        }
        for (unsigned set = stale->harts; set != 0; set &= set - 1) {
            unsigned hart = (unsigned)__builtin_ctz(set);

            if (stale_in_force(stale, hart)) {
                verdict_give(stale->is_pointer ? ORACLE_RULE_FREE_TABLE : ORACLE_RULE_FREE_FRAME,
                             hart, stale,
                             "hart %u frees the frame %#lx while hart %u may still use %s, taken "
                             "away at step %u (" WALK_SECTION ")",
                             state_hart(), (unsigned long)pa, hart,
                             verdict_entry(stale->va, stale->entry), stale->step);
            }
        }
    }
}

/* Harts that may walk the table in the frame. */
static uint16_t table_walkers(uint32_t frame)
{
    const struct table *table = table_find(frame);
    struct table_path path;

    return table != NULL && table_path_of(table, 0, &path) ? reach_walkers(&path) : 0;
}

void judge_freed(uint32_t frame)
{
    uint16_t harts = table_walkers(frame);

    if (harts != 0) {
        verdict_give(ORACLE_RULE_FREE_TABLE, first_of(harts), NULL,
                     "hart %u frees the table %#lx while hart %u may walk it (" WALK_SECTION ")",
                     state_hart(), (unsigned long)ram_pa(frame), first_of(harts));
    }
    judge_named(frame, 0);
    judge_named(frame, 1);
    judge_named(frame, 2);
    if (stale_count() > 0) {
        judge_stale_names(frame);
    }
}

void judge_zeroed(uint32_t frame)
{
    uint16_t harts = table_walkers(frame);

    if (harts != 0) {
        verdict_give(ORACLE_RULE_UNORDERED_TABLE, first_of(harts), NULL,
                     "hart %u fills the table %#lx with zeroes while hart %u may walk "
                     "it (" WALK_SECTION ")",
                     state_hart(), (unsigned long)ram_pa(frame), first_of(harts));
    }
}
