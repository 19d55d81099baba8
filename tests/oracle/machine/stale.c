/* SPDX-License-Identifier: MIT */
/* The list of what is stale: dense, in no order. */
#include "machine/stale.h"

#include <stdlib.h>
#include <string.h>

#include "arch_host/arch_host.h"

static struct {
    struct stale *at;
    size_t count, room;
    unsigned held[HARTS];
    unsigned split; /* how many of them were split */
} list;

void stale_reset(void)
{
    list.count = 0;
    memset(list.held, 0, sizeof(list.held));
    list.split = 0;
}

size_t stale_count(void)
{
    return list.count;
}

struct stale *stale_at(size_t i)
{
    return &list.at[i];
}

unsigned stale_count_of(unsigned hart)
{
    return list.held[hart];
}

bool stale_in_force(const struct stale *stale, unsigned hart)
{
    const struct hart *block = &oracle.harts[hart];

    return state_has(stale->harts, hart) && block->root != 0 &&
           (stale->is_global || stale->asid == block->asid);
}

static void count_harts(uint16_t harts, int by)
{
    for (unsigned set = harts; set != 0; set &= set - 1) {
        list.held[__builtin_ctz(set)] += (unsigned)by;
    }
}

static void count_frames(const struct stale *stale, int by)
{
    ram_frame(ram_index(stale->slot_pa))->stale_in += (uint32_t)by;
    if (stale->frame != FRAME_NONE) {
        ram_frame(stale->frame)->stale_of += (uint32_t)by;
    }
}

bool stale_drop(size_t i, unsigned hart)
{
    struct stale *stale = &list.at[i];

    stale->harts &= (uint16_t)~state_bit(hart);
    list.held[hart]--;
    if (stale->harts != 0) {
        return false;
    }
    count_frames(stale, -1);
    list.split -= stale->is_split ? 1 : 0;
    list.at[i] = list.at[--list.count];
    return true;
}

static bool is_same(const struct stale *a, const struct stale *b)
{
    return a->slot_pa == b->slot_pa && a->asid == b->asid && a->root == b->root &&
           a->entry == b->entry && a->va == b->va && a->life == b->life;
}

void stale_add(const struct stale *new)
{
    if (ram_frame(ram_index(new->slot_pa))->stale_in > 0) {
        for (size_t i = 0; i < list.count; i++) {
            struct stale *old = &list.at[i];

            if (is_same(old, new)) {
                count_harts((uint16_t)(new->harts & ~old->harts), 1);
                old->harts |= new->harts;
                old->op = new->op;
                old->step = new->step;
                old->writer = new->writer;
                list.split += new->is_split && !old->is_split ? 1 : 0;
                old->is_split |= new->is_split;
                return;
            }
        }
    }
    if (list.count == list.room) {
        list.room = list.room * 2 + 256;
        list.at = realloc(list.at, list.room * sizeof(*list.at));
        if (list.at == NULL) {
            host_fail("oracle: no memory for what is stale");
        }
    }
    list.at[list.count++] = *new;
    count_harts(new->harts, 1);
    count_frames(new, 1);
    list.split += new->is_split ? 1 : 0;
}

void stale_take_over(uint64_t slot_pa)
{
    for (size_t i = 0; i < list.count; i++) {
        if (list.at[i].slot_pa == slot_pa) {
            list.at[i].op = state_this()->op;
        }
    }
}

void stale_take_over_below(const struct table_path *path)
{
    uint64_t va;
    unsigned level;

    if (!table_path_place(path, path->depth, 0, oracle.config.levels - 1, &va, &level)) {
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        if (list.at[i].root == path->top->frame && list.at[i].level < level &&
            list.at[i].va - va < entry_extent(level)) {
            list.at[i].op = state_this()->op;
        }
    }
}

void stale_split(uint64_t slot_pa)
{
    for (size_t i = 0; i < list.count; i++) {
        struct stale *stale = &list.at[i];

        if (stale->slot_pa == slot_pa && !stale->is_pointer && !stale->is_split) {
            stale->is_split = true;
            list.split++;
        }
    }
}

void stale_take_over_split(const struct table_path *path)
{
    uint64_t va;
    unsigned level;

    if (list.split == 0 ||
        !table_path_place(path, path->depth, 0, oracle.config.levels - 1, &va, &level)) {
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        struct stale *stale = &list.at[i];

        if (stale->is_split && stale->root == path->top->frame && stale->level > level &&
            va - stale->va < entry_extent(stale->level)) {
            stale->op = state_this()->op;
        }
    }
}
