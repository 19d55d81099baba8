/* SPDX-License-Identifier: MIT */
/* What is stale, and whether it does harm: the rules that speak of translations. */
#include "machine/judge.h"

#include <stdio.h>

#include "machine/hart.h"
#include "machine/stale.h"
#include "machine/walk.h"

#define FENCE_SECTION "\"Supervisor Memory-Management Fence Instruction\""
#define SATP_SECTION  "\"Supervisor Address Translation and Protection (satp) Register\""

/* True if what the hart may do with the leaf is allowed by the tables of its root, at every address
 * that the leaf translates. */
static bool leaf_is_harmless(unsigned hart, const struct stale *stale)
{
    uint64_t end = stale->va + entry_extent(stale->level);

    for (uint64_t va = stale->va; va < end;) {
        struct walk walk = walk_from_root(oracle.harts[hart].root, va);
        unsigned level = walk.level < stale->level ? walk.level : stale->level;

        if (walk.end != WALK_LEAF ||
            !entry_is_within(stale->entry, walk_pa(stale->entry, stale->level, va), walk.entry,
                             walk_pa(walk.entry, walk.level, va))) {
            return false;
        }
        va += entry_extent(level);
    }
    return true;
}

/* A pointer does no harm if the table hangs where the hart thinks, or holds nothing. */
static bool pointer_is_harmless(unsigned hart, const struct stale *stale)
{
    const struct table *table = table_find(stale->frame);
    struct walk walk = walk_from_root(oracle.harts[hart].root, stale->va);

    if (walk.level < stale->level && walk_table(&walk, stale->level - 1U) == ram_pa(stale->frame)) {
        return true;
    }
    if (table == NULL) {
        return false;
    }
    for (unsigned i = 0; i < ENTRIES; i++) {
        if (entry_is_valid(table_slot_entry(table, i))) {
            return false;
        }
    }
    return true;
}

static bool is_harmless(unsigned hart, const struct stale *stale)
{
    if (!ram_lives(stale->frame, stale->life)) {
        return false;
    }
    return stale->is_pointer ? pointer_is_harmless(hart, stale) : leaf_is_harmless(hart, stale);
}

/* ---- operations ---- */

static void judge_gone(const struct stale *stale)
{
    for (unsigned set = stale->harts; set != 0; set &= set - 1) {
        unsigned hart = (unsigned)__builtin_ctz(set);

        /* One in the middle of a switch away is judged when that returns (judge_settled). */
        if (stale->root != ram_index(oracle.harts[hart].root) && oracle.harts[hart].op != 0) {
            continue;
        }
        if (stale_in_force(stale, hart) && !is_harmless(hart, stale)) {
            verdict_give(ORACLE_RULE_STALE_AFTER_RETURN, hart, stale,
                         "hart %u may still use %s, which hart %u took away at step %u by an "
                         "operation that has returned (" FENCE_SECTION ")",
                         hart, verdict_entry(stale->va, stale->entry), stale->writer, stale->step);
        }
    }
}

void judge_returned(uint64_t op)
{
    for (size_t i = 0; i < stale_count(); i++) {
        if (stale_at(i)->op == op) {
            judge_gone(stale_at(i));
        }
    }
}

void judge_settled(unsigned hart)
{
    const struct context_root *mixed = context_mixed(hart);
    uint32_t frame = ram_index(oracle.harts[hart].root);
    const struct ram_frame *root = oracle.harts[hart].root == 0 ? NULL : ram_frame(frame);

    if (mixed != NULL) {
        verdict_give(ORACLE_RULE_STALE_AT_SATP, hart, NULL,
                     "hart %u may still use translations of the root %#lx, which it left at step "
                     "%u under the identifier that is current (" SATP_SECTION ")",
                     hart, (unsigned long)ram_pa(mixed->frame), mixed->left);
    }
    if (root != NULL && root->zeroed != 0 &&
        hart_may_miss(hart, 0, false, root->zeroer, root->zeroed)) {
        verdict_give(ORACLE_RULE_STALE_AT_SATP, hart, NULL,
                     "hart %u walks the root %#lx, made at step %u, and has not fenced since "
                     "(" SATP_SECTION ")",
                     hart, (unsigned long)ram_pa(frame), root->zeroed);
    }
}

void oracle_op_end(unsigned hart)
{
    uint64_t op = oracle.harts[hart].op;

    oracle.harts[hart].op = 0;
    judge_settled(hart);
    if (op != 0) {
        judge_returned(op);
    }
}

void oracle_audit(void)
{
    for (unsigned hart = 0; hart < oracle.config.harts; hart++) {
        judge_settled(hart);
    }
    for (size_t i = 0; i < stale_count(); i++) {
        judge_gone(stale_at(i));
    }
}

/* ---- satp ---- */

void judge_root(unsigned hart, uint64_t root, uint32_t frame)
{
    if (frame == FRAME_NONE || ram_is_free(ram_frame(frame))) {
        verdict_give(ORACLE_RULE_FREE_TABLE, hart, NULL,
                     "hart %u writes satp with the root %#lx, whose frame is free (" SATP_SECTION
                     ")",
                     hart, (unsigned long)root);
    }
}

/* What the hart holds under the identifier that has become current. */
static void judge_entry(unsigned hart, const struct stale *stale)
{
    uint32_t root = ram_index(oracle.harts[hart].root);

    if (stale->is_global || !stale_in_force(stale, hart)) {
        return; /* global ones have been in force all the time */
    }
    if (!ram_lives(stale->frame, stale->life)) {
        verdict_give(stale->is_pointer ? ORACLE_RULE_FREE_TABLE : ORACLE_RULE_FREE_FRAME, hart,
                     stale,
                     "hart %u writes satp and may use %s, taken away at step %u, whose frame has "
                     "been freed since (" SATP_SECTION ")",
                     hart, verdict_entry(stale->va, stale->entry), stale->step);
    }
    if ((stale->root == root && state_op_is_open(stale->op)) || is_harmless(hart, stale)) {
        return;
    }
    verdict_give(ORACLE_RULE_STALE_AT_SATP, hart, stale,
                 "hart %u writes satp and may use %s, which was taken away at step %u and not "
                 "fenced (" SATP_SECTION ")",
                 hart, verdict_entry(stale->va, stale->entry), stale->step);
}

void judge_satp(unsigned hart)
{
    judge_settled(hart);
    for (size_t i = 0; stale_count_of(hart) > 0 && i < stale_count(); i++) {
        judge_entry(hart, stale_at(i));
    }
}

/* ---- stores ---- */

/* True if all that the table behind `pointer` maps lies where the leaf maps it: a hart may use
 * either then.  With `whole` it maps all of it, with all that the leaf has: rights, A and D. */
static bool is_split(uint64_t leaf, uint64_t pointer, unsigned level, bool whole)
{
    uint32_t frame = ram_index(entry_pa(pointer));

    for (unsigned i = 0; frame != FRAME_NONE && level > 0 && i < ENTRIES; i++) {
        uint64_t entry = ram_read(ram_pa(frame) + i * sizeof(uint64_t));
        uint64_t pa = entry_pa(leaf) + i * entry_extent(level - 1);
        uint64_t bits = whole ? ~entry & leaf & (ENTRY_RIGHTS | ENTRY_A | ENTRY_D) : 0;

        if (entry_is_valid(entry) ? !entry_is_leaf(entry) || entry_pa(entry) != pa || bits != 0
                                  : whole) {
            return false;
        }
    }
    return level > 0;
}

static unsigned level_of(const struct table *table, unsigned index)
{
    struct table_path path;

    if (!table_path_of(table, index, &path) || (path.top->active | path.top->left) == 0 ||
        path.depth >= oracle.config.levels) {
        return LEVEL_UNKNOWN;
    }
    return oracle.config.levels - 1 - path.depth;
}

/* Somebody may still use what was in this slot before. */
static void judge_users(const struct stale *stale, uint64_t before, uint64_t after)
{
    bool mine = stale->op == state_this()->op;

    for (unsigned set = stale->harts; set != 0; set &= set - 1) {
        unsigned hart = (unsigned)__builtin_ctz(set);
        bool harmless;

        if (!stale_in_force(stale, hart)) {
            continue;
        }
        if (mine) {
            harmless = !entry_is_valid(after) || entry_pa(after) == entry_pa(stale->entry) ||
                       (entry_is_pointer(after) && !stale->is_pointer &&
                        is_split(stale->entry, after, stale->level, false));
        } else {
            harmless =
                entry_is_leaf(before) && !stale->is_pointer &&
                entry_is_within(stale->entry, entry_pa(stale->entry), before, entry_pa(before));
        }
        if (!harmless) {
            verdict_give(ORACLE_RULE_STALE_AT_STORE, state_hart(), stale,
                         "hart %u gives a slot a new meaning while hart %u may still use %s, taken "
                         "away at step %u (" FENCE_SECTION ")",
                         state_hart(), hart, verdict_entry(stale->va, stale->entry), stale->step);
        }
    }
}

/* A valid entry may not turn into another one in place, for a hart could use either: but for a leaf
 * and a table that means the same. */
static void judge_break(uint64_t slot_pa, unsigned level, uint64_t before, uint64_t after)
{
    bool splits = entry_is_leaf(before) && entry_is_pointer(after);

    if (!entry_is_valid(before) || !entry_is_valid(after) ||
        (splits && (level == LEVEL_UNKNOWN || is_split(before, after, level, true)))) {
        return;
    }
    if (entry_pa(before) != entry_pa(after) || entry_is_leaf(before) != entry_is_leaf(after)) {
        verdict_give(ORACLE_RULE_BREAK_BEFORE_MAKE, state_hart(), NULL,
                     "hart %u changes the slot %#lx from %#lx to %#lx without an invalid entry and "
                     "a fence between (" FENCE_SECTION ")",
                     state_hart(), (unsigned long)slot_pa, (unsigned long)before,
                     (unsigned long)after);
    }
}

/* What a valid entry names is there, and can be seen as it is. */
static void judge_target(uint64_t slot_pa, uint64_t after)
{
    uint32_t index = ram_index(entry_pa(after));
    const struct ram_frame *frame = index == FRAME_NONE ? NULL : ram_frame(index);

    if (frame != NULL && ram_is_free(frame) &&
        (entry_is_pointer(after) || (after & ENTRY_U) != 0)) {
        verdict_give(ORACLE_RULE_TOUCH_FREE, state_hart(), NULL,
                     "hart %u maps the free frame %#lx in the slot %#lx", state_hart(),
                     (unsigned long)entry_pa(after), (unsigned long)slot_pa);
    }
    if (entry_is_pointer(after) && frame == NULL) {
        verdict_give(ORACLE_RULE_BAD_ENTRY, state_hart(), NULL,
                     "hart %u stores a pointer to %#lx, where there is no RAM, in the slot %#lx",
                     state_hart(), (unsigned long)entry_pa(after), (unsigned long)slot_pa);
    }
    if (entry_is_pointer(after) && frame->life >= 2 &&
        (frame->zeroed == 0 || !order_sees(&state_this()->seen, frame->zeroer, frame->zeroed))) {
        verdict_give(ORACLE_RULE_UNORDERED_TABLE, state_hart(), NULL,
                     "hart %u links the table %#lx before its first entries are surely there "
                     "(\"RVWMO\", and " FENCE_SECTION ")",
                     state_hart(), (unsigned long)entry_pa(after));
    }
}

void judge_store(struct table *table, unsigned index, uint64_t before, uint64_t after)
{
    uint64_t slot_pa = table_slot_pa(table, index);
    const char *problem;

    if (entry_is_valid(after)) {
        unsigned level = level_of(table, index);

        problem = entry_problem(after, level, oracle.config.has_svpbmt);
        if (problem != NULL) {
            verdict_give(ORACLE_RULE_BAD_ENTRY, state_hart(), NULL,
                         "hart %u stores %#lx in the slot %#lx: %s (\"Sv39: Page-Based 39-bit "
                         "Virtual-Memory System\")",
                         state_hart(), (unsigned long)after, (unsigned long)slot_pa, problem);
        }
        judge_break(slot_pa, level, before, after);
        judge_target(slot_pa, after);
    }
    for (size_t i = 0; ram_frame(table->frame)->stale_in > 0 && i < stale_count(); i++) {
        if (stale_at(i)->slot_pa == slot_pa) {
            judge_users(stale_at(i), before, after);
        }
    }
}
