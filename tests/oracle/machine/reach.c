/* SPDX-License-Identifier: MIT */
/*
 * Who may hold what a slot held.
 *
 * An old value of a slot goes to the harts that could have read it: those that may walk to its
 * table now, and those that left the space (or hold a pointer to a table that was detached or
 * moved) when the value and all pointers on the way to it were there already.  Privileged spec,
 * "Supervisor Memory-Management Fence Instruction": any translation that was valid since the last
 * fence may be used.
 */
#include "machine/reach.h"

#include "machine/hart.h"

/* What is the same for all who may hold the old value. */
static struct stale stale_of(struct table *table, unsigned index, uint64_t entry)
{
    struct stale stale = {
        .entry = entry,
        .slot_pa = table_slot_pa(table, index),
        .op = state_this()->op,
        .step = oracle.step,
        .frame = ram_index(entry_pa(entry)),
        .writer = (uint8_t)state_hart(),
        .is_pointer = entry_is_pointer(entry),
        .is_global = (entry & ENTRY_G) != 0,
    };

    stale.life = stale.frame == FRAME_NONE ? 0 : ram_frame(stale.frame)->life;
    return stale;
}

/* Adds it for one root and identifier, unless that place is of the kernel's half.  The table at
 * `depth` of the path is at `base`, and of `level`. */
static void add_placed(struct stale stale, const struct table_path *path, unsigned depth,
                       uint64_t base, unsigned level)
{
    unsigned slot_level;

    if (!table_path_place(path, depth, base, level, &stale.va, &slot_level)) {
        return;
    }
    if (stale.va >> (TABLE_SHIFT + INDEX_BITS * oracle.config.levels - 1) != 0) {
        return;
    }
    stale.level = (uint8_t)slot_level;
    if (entry_problem(stale.entry, slot_level, oracle.config.has_svpbmt) == NULL) {
        stale.is_global |= path->is_global;
        stale_add(&stale);
    }
}

/* Harts that run the root now, one entry for each identifier among them. */
static void add_active(struct stale stale, const struct table_path *path)
{
    unsigned rest = path->top->active;

    stale.root = path->top->frame;
    while (rest != 0) {
        stale.asid = oracle.harts[__builtin_ctz(rest)].asid;
        stale.harts = 0;
        for (unsigned set = rest; set != 0; set &= set - 1) {
            unsigned hart = (unsigned)__builtin_ctz(set);

            if (oracle.harts[hart].asid == stale.asid) {
                stale.harts |= state_bit(hart);
            }
        }
        rest &= ~(unsigned)stale.harts;
        add_placed(stale, path, path->depth, 0, oracle.config.levels - 1);
    }
}

/* Harts that have left the root: what was there when they did.  One whose identifier is current
 * again, for another root, may go on below the root by its walk cache. */
static void add_left(struct stale stale, const struct table_path *path)
{
    stale.root = path->top->frame;
    for (unsigned set = path->top->left; set != 0; set &= set - 1) {
        unsigned hart = (unsigned)__builtin_ctz(set);
        const struct hart *block = &oracle.harts[hart];

        for (size_t i = 0; i < block->context_count; i++) {
            struct context *context = &block->contexts[i];
            const struct context_root *root = context_root_find(context, path->top->frame);
            bool goes_on;

            if (root == NULL || root->left == 0) {
                continue;
            }
            goes_on = context->left == 0 && path->depth > 0;
            if (goes_on || path->newest <= root->left) {
                stale.asid = context->asid;
                stale.harts = state_bit(hart);
                add_placed(stale, path, path->depth, 0, oracle.config.levels - 1);
            }
        }
    }
}

/* Harts that may still hold a pointer to the table at `depth`, which was detached, or moved. */
static void add_below_pointer(struct stale stale, const struct table_path *path, unsigned depth)
{
    size_t count = stale_count();
    uint32_t frame = path->frame[depth];

    if (ram_frame(frame)->stale_of == 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct stale above = *stale_at(i);

        if (!above.is_pointer || above.frame != frame || !ram_lives(above.frame, above.life)) {
            continue;
        }
        stale.asid = above.asid;
        stale.root = above.root;
        stale.is_global = above.is_global || (stale.entry & ENTRY_G) != 0;
        stale.harts = 0;
        for (unsigned set = above.harts; set != 0; set &= set - 1) {
            unsigned hart = (unsigned)__builtin_ctz(set);
            uint32_t left = context_left(hart, above.asid);

            if (left == 0 || path->newest_from[depth] <= left) {
                stale.harts |= state_bit(hart);
            }
        }
        if (stale.harts != 0) {
            add_placed(stale, path, depth, above.va, above.level - 1U);
        }
    }
}

/* True if walkers notice the difference. */
static bool differs(uint64_t before, uint64_t after)
{
    uint64_t ignored = ENTRY_RSW | (after & (ENTRY_A | ENTRY_D));

    return ((before ^ after) & ~ignored) != 0;
}

void reach_slot_changes(struct table *table, unsigned index, uint64_t before, uint64_t after)
{
    struct table_path path;
    struct stale stale;

    if (ram_frame(table->frame)->stale_in > 0) {
        stale_take_over(table_slot_pa(table, index));
        if (entry_is_leaf(before) && entry_is_pointer(after)) {
            stale_split(table_slot_pa(table, index));
        }
    }
    if (!entry_is_valid(before) || !differs(before, after) || !table_path_of(table, index, &path)) {
        return;
    }
    if (entry_is_pointer(before)) {
        stale_take_over_below(&path);
    }
    stale_take_over_split(&path);
    stale = stale_of(table, index, before);
    stale.is_split = entry_is_leaf(before) && entry_is_pointer(after);
    add_active(stale, &path);
    add_left(stale, &path);
    for (unsigned depth = 0; depth <= path.depth; depth++) {
        add_below_pointer(stale, &path, depth);
    }
}

void reach_unseen(unsigned hart, struct table *table, unsigned index,
                  const struct order_slot_store *store)
{
    struct table_path path;
    struct stale stale = stale_of(table, index, store->before);
    uint64_t va;
    unsigned level;

    if (!entry_is_valid(store->before) || !table_path_of(table, index, &path) ||
        !state_has(path.top->active, hart) ||
        !table_path_place(&path, path.depth, 0, oracle.config.levels - 1, &va, &level) ||
        !hart_may_miss(hart, va, entry_is_leaf(store->before), store->writer, store->step)) {
        return;
    }
    stale.op = store->op;
    stale.step = store->step;
    stale.writer = (uint8_t)store->writer;
    stale.root = path.top->frame;
    stale.asid = oracle.harts[hart].asid;
    stale.harts = state_bit(hart);
    add_placed(stale, &path, path.depth, 0, oracle.config.levels - 1);
}

/* Harts that may still use a pointer to a table that was detached, or moved. */
static uint16_t pointer_holders(uint32_t frame)
{
    uint16_t harts = 0;

    for (size_t i = 0; ram_frame(frame)->stale_of > 0 && i < stale_count(); i++) {
        const struct stale *stale = stale_at(i);

        for (unsigned set = stale->harts; stale->frame == frame && stale->is_pointer &&
                                          ram_lives(stale->frame, stale->life) && set != 0;
             set &= set - 1) {
            if (stale_in_force(stale, (unsigned)__builtin_ctz(set))) {
                harts |= (uint16_t)(1U << __builtin_ctz(set));
            }
        }
    }
    return harts;
}

uint16_t reach_walkers(const struct table_path *path)
{
    uint16_t harts = path->top->active;

    for (unsigned set = path->top->left; set != 0; set &= set - 1) {
        unsigned hart = (unsigned)__builtin_ctz(set);
        struct context *context = context_now(hart);
        const struct context_root *root =
            context == NULL ? NULL : context_root_find(context, path->top->frame);

        if (root != NULL && root->left != 0 && root->had_entries) {
            harts |= state_bit(hart);
        }
    }
    for (unsigned depth = 0; depth <= path->depth; depth++) {
        harts |= pointer_holders(path->frame[depth]);
    }
    return harts;
}

static bool has_pointer(uint32_t frame, unsigned level)
{
    for (size_t i = 0; i < stale_count() && ram_frame(frame)->stale_of > 0; i++) {
        const struct stale *stale = stale_at(i);

        if (stale->frame == frame && stale->is_pointer && stale->level == level &&
            ram_lives(stale->frame, stale->life)) {
            return true;
        }
    }
    return false;
}

bool reach_has_pointer(const struct table_path *path, unsigned level)
{
    bool has = false;

    for (unsigned depth = 0; depth <= path->depth; depth++) {
        has |= has_pointer(path->frame[depth], level + depth + 1);
    }
    return has;
}
