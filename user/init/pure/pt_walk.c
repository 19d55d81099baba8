/* SPDX-License-Identifier: MIT */
/* See pt_walk.h. */
#include "pt_walk.h"

#include "uapi/error.h"

static const uint64_t permissions = PT_R | PT_W | PT_X;

uint64_t pt_walk_bytes(unsigned level)
{
    return UINT64_C(1) << (PT_PAGE_SHIFT + 9 * level);
}

/* Whether an entry of that level can keep the frames that it names while nobody may access them. */
static int can_be_hidden(uint64_t rest, unsigned level)
{
    uint64_t frames = level <= PT_RAM_LEVEL_MAX ? pt_walk_bytes(level) >> PT_PAGE_SHIFT : 0;

    return (rest & ~PT_HIDDEN_BITS) == 0 && frames != 0 && (rest >> PT_HIDDEN_SHIFT) % frames == 0;
}

static enum pt_kind kind_of_invalid(uint64_t entry, unsigned level)
{
    uint64_t rest = entry & ~PT_TAG;

    switch (entry & PT_TAG) {
    case PT_TAG_RESERVED:
        return (rest & ~PT_RESERVED_BITS) == 0 && rest >> PT_PLACE_SHIFT <= PT_RAM_LEVEL_MAX
                   ? PT_RESERVED
                   : PT_OTHER;
    case PT_TAG_GUARD:
        return rest == 0 ? PT_GUARD : PT_OTHER;
    case PT_TAG_HIDDEN:
        return can_be_hidden(rest, level) ? PT_HIDDEN : PT_OTHER;
    case PT_TAG_PAGED:
        return (rest & ~PT_PAGED_BITS) == 0 ? PT_PAGED : PT_OTHER;
    case PT_TAG_SWAPPED:
        return level == 0 && (rest & ~PT_SWAPPED_BITS) == 0 ? PT_SWAPPED : PT_OTHER;
    default:
        return PT_OTHER;
    }
}

static enum pt_kind kind_of(uint64_t entry, unsigned level)
{
    if ((entry & PT_V) == 0) {
        return kind_of_invalid(entry, level);
    }
    if ((entry & permissions) != 0) {
        return PT_LEAF;
    }
    return level > 0 ? PT_NODE : PT_OTHER;
}

/* What an entry of a run has more than the one before: the frame or page after it, if it names one.
 */
static uint64_t run_step(const struct pt_record *run)
{
    uint64_t frames = pt_walk_bytes(run->level) >> PT_PAGE_SHIFT;

    if (run->kind == PT_LEAF) {
        return frames << PT_PPN_SHIFT;
    }
    if (run->kind == PT_PAGED) {
        return frames << PT_PLACE_SHIFT;
    }
    return run->kind == PT_HIDDEN ? frames << PT_HIDDEN_SHIFT : 0;
}

/* Whether an entry goes on with a run. */
static int run_goes_on(const struct pt_record *run, uint64_t entry)
{
    return entry == run->entry + run_step(run) * run->count;
}

/* Takes the run of entries of a node that begins at an index. */
static struct pt_record run_take(const uint64_t *entries, unsigned level, unsigned index,
                                 uint64_t address)
{
    struct pt_record run = {
        .address = address,
        .entry = entries[index],
        .count = 1,
        .level = (uint16_t)level,
        .kind = (uint16_t)kind_of(entries[index], level),
    };

    while (index + run.count < PT_ENTRIES && run_goes_on(&run, entries[index + run.count])) {
        run.count++;
    }
    return run;
}

/* Reads and tells a node; *is_open: whether its entries are there to be followed. */
static long node_enter(struct pt_walk *walk, struct pt_record record, int *is_open)
{
    unsigned level = record.level;
    uint64_t physical = 0;
    long status = 0;

    *is_open = 0;
    if (level >= walk->last_level) {
        status =
            walk->read(walk->read_context, record.address, level, walk->entries[level], &physical);
        *is_open = status == 0;
    }
    if (status == -SYS_ENOENT) {
        walk->missed++;
        return 0;
    }
    if (level + 1 == walk->levels) {
        record.entry = (physical >> PT_PAGE_SHIFT) << PT_PPN_SHIFT;
    }
    return status == 0 ? walk->take(walk->take_context, &record) : status;
}

/* Cuts off what lies below `from`; 0: nothing is left. */
static int run_cut(const struct pt_walk *walk, struct pt_record *run)
{
    uint64_t bytes = pt_walk_bytes(run->level);
    uint64_t skip = 0;

    if (run->kind == PT_NODE) {
        return walk->from < bytes || run->address > walk->from - bytes;
    }
    if (run->address < walk->from) {
        skip = (walk->from - run->address) / bytes;
    }
    if (skip >= run->count) {
        return 0;
    }
    run->address += skip * bytes;
    run->count -= (uint32_t)skip;
    run->entry += skip * run_step(run);
    return 1;
}

long pt_walk_run(struct pt_walk *walk)
{
    unsigned top = walk->levels - 1;
    unsigned level = top;
    unsigned index[PT_LEVELS_MAX] = {0};
    uint64_t start[PT_LEVELS_MAX] = {0};
    int is_open = 0;
    long status =
        node_enter(walk, (struct pt_record){.count = 1, .level = (uint16_t)top}, &is_open);

    while (status == 0 && is_open) {
        uint64_t address = start[level] + index[level] * pt_walk_bytes(level);

        if (index[level] == PT_ENTRIES || address >= walk->limit) {
            if (level == top) {
                break;
            }
            level++;
            continue;
        }
        struct pt_record run = run_take(walk->entries[level], level, index[level], address);

        if (run.kind == PT_NODE) {
            run.count = 1;
        }
        index[level] += run.count;
        if (run.entry == 0 || !run_cut(walk, &run)) {
            continue;
        }
        if (run.kind != PT_NODE) {
            status = walk->take(walk->take_context, &run);
            continue;
        }
        run.level = (uint16_t)(level - 1);
        int is_node_open = 0;

        status = node_enter(walk, run, &is_node_open);
        if (status == 0 && is_node_open) {
            level--;
            index[level] = 0;
            start[level] = address;
        }
    }
    return status;
}
