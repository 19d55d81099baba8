/* SPDX-License-Identifier: MIT */
/*
 * satp and fences.  Privileged spec, "Supervisor Address Translation and Protection (satp)
 * Register" and "Supervisor Memory-Management Fence Instruction".
 */
#include "machine/hart.h"

#include <string.h>

#include "arch_host/arch_host.h"
#include "machine/effects.h"
#include "machine/judge.h"
#include "machine/order.h"
#include "machine/reach.h"

/* ---- satp ---- */

static void leave(unsigned hart, bool same_asid)
{
    struct hart *block = &oracle.harts[hart];
    struct context *context = context_make(hart, block->asid);
    struct table *table = table_find(ram_index(block->root));

    for (unsigned i = 0; i < context->root_count; i++) {
        if (context->roots[i].left == 0) {
            context->roots[i].left = oracle.step;
        }
    }
    context->left = same_asid ? 0 : oracle.step;
    if (table != NULL) {
        table->active &= (uint16_t)~state_bit(hart);
        table->left |= state_bit(hart);
    }
}

static void enter(unsigned hart, uint32_t frame, uint32_t asid)
{
    struct context *context = context_make(hart, asid);
    struct table *table = table_get(frame);
    struct context_root *root = context_root_find(context, frame);

    if (root == NULL) {
        if (context->root_count == CONTEXT_ROOTS) {
            context_root_forgotten(hart, &context->roots[0]);
            context->root_count--;
            memmove(&context->roots[0], &context->roots[1],
                    context->root_count * sizeof(context->roots[0]));
        }
        root = &context->roots[context->root_count++];
        *root = (struct context_root){.frame = frame, .life = ram_frame(frame)->life};
    }
    root->left = 0;
    root->had_entries |= table->entries > 0;
    context->left = 0;
    table->active |= state_bit(hart);
}

/* Who changed a slot last answers for all that was in it. */
static uint64_t answering_op(uint64_t slot_pa)
{
    struct order_slot_store store = {0};

    for (size_t n = 0; order_recent_slot_store(n, &store) && store.slot_pa != slot_pa; n++) {
        continue;
    }
    return store.op;
}

/* satp itself orders nothing, but arch_space_activate makes all that this hart has seen visible to
 * its walks first (arch/arch.h).  They may miss what it has not seen and no fence covers. */
static void note_unseen(unsigned hart)
{
    struct clock walked = context_now(hart)->walked;
    struct order_slot_store store;

    clock_join(&walked, &oracle.harts[hart].walked);
    clock_join(&walked, &oracle.harts[hart].seen);
    for (size_t n = 0; order_recent_slot_store(n, &store); n++) {
        struct table *table = store.slot_pa == 0 ? NULL : table_find(ram_index(store.slot_pa));

        /* What a table held before it was filled with zeroes is of another table: whoever walks to
         * the new one has seen the pointer to it, which was stored later. */
        if (table != NULL && store.step > ram_frame(table->frame)->zeroed &&
            !order_sees(&walked, store.writer, store.step)) {
            store.op = answering_op(store.slot_pa);
            reach_unseen(hart, table, (unsigned)(store.slot_pa / sizeof(uint64_t)) % ENTRIES,
                         &store);
        }
    }
}

void oracle_satp(uint64_t root, uint32_t asid)
{
    unsigned hart = state_hart();
    struct hart *block = &oracle.harts[hart];
    uint32_t frame;
    bool from_bare = block->root == 0; /* a hart that has just started: it fences next */
    bool same_asid;

    (void)state_step(ORACLE_SATP, root, true, 0);
    asid &= oracle.asid_mask;
    frame = ram_index(root);
    judge_root(hart, root, frame);
    same_asid = block->root != 0 && block->asid == asid;
    if (same_asid && block->root == root) {
        return;
    }
    (void)table_get(frame);
    if (block->root != 0) {
        leave(hart, same_asid);
    }
    block->root = root;
    block->asid = asid;
    enter(hart, frame, asid);
    note_unseen(hart);
    if (!same_asid && !from_bare) {
        judge_satp(hart);
    }
}

/* ---- fences ---- */

struct fence fence_of(uint64_t va, uint64_t bytes, uint32_t asid)
{
    return (struct fence){va, bytes, asid == 0 ? ASID_ANY : asid & oracle.asid_mask};
}

static bool fence_names(const struct fence *fence, const struct stale *stale)
{
    uint64_t extent = entry_extent(stale->level);

    if (fence->asid != ASID_ANY && (stale->is_global || stale->asid != fence->asid)) {
        return false;
    }
    if (fence->bytes == 0) {
        return true;
    }
    return !stale->is_pointer && !stale->is_split && fence->va < stale->va + extent &&
           stale->va < fence->va + fence->bytes;
}

/* What a fence drops comes back if the walker, which goes on from the root satp names, may still
 * miss the store that took it away. */
static void fence_stale(unsigned hart, const struct fence *fence, const struct clock *knows)
{
    uint32_t root = ram_index(oracle.harts[hart].root);

    for (size_t i = 0; stale_count_of(hart) > 0 && i < stale_count();) {
        const struct stale *stale = stale_at(i);
        /* From the root, or on from a table that the walk cache still has. */
        bool is_on_the_way = stale->root == root || fence->bytes != 0;
        bool may_read_again = stale_in_force(stale, hart) && is_on_the_way &&
                              !clock_covers(knows, stale->writer, stale->step);

        if (!state_has(stale->harts, hart) || !fence_names(fence, stale) || may_read_again ||
            !stale_drop(i, hart)) {
            i++;
        }
    }
}

static void fence_all(unsigned hart, const struct clock *knows)
{
    struct hart *block = &oracle.harts[hart];
    size_t kept = 0;

    clock_join(&block->walked, knows);
    for (size_t i = 0; i < block->context_count; i++) {
        context_clear(hart, &block->contexts[i]);
    }
    for (size_t i = 0; i < block->context_count; i++) {
        if (block->contexts[i].left == 0) {
            block->contexts[kept++] = block->contexts[i];
        }
    }
    block->context_count = kept;
}

void hart_fence(unsigned hart, struct fence fence, const struct clock *knows)
{
    struct hart *block = &oracle.harts[hart];
    struct clock known = *knows;

    order_add_settled(&known);
    fence_stale(hart, &fence, &known);
    if (fence.bytes != 0) {
        block->fences[block->fence_count++ % FENCES_KEPT] =
            (struct page_fence){fence.va, fence.va + fence.bytes, fence.asid, known};
    } else if (fence.asid == ASID_ANY) {
        fence_all(hart, &known);
    } else {
        struct context *context = context_make(hart, fence.asid);

        clock_join(&context->walked, &known);
        context_clear(hart, context);
    }
}

void oracle_sfence(uint64_t va, uint64_t bytes, uint32_t asid)
{
    (void)state_step(ORACLE_SFENCE, va, false, 0);
    hart_fence(state_hart(), fence_of(va, bytes, asid), &state_this()->seen);
}

bool hart_may_miss(unsigned hart, uint64_t va, bool is_leaf_slot, unsigned writer, uint32_t step)
{
    const struct hart *block = &oracle.harts[hart];
    const struct context *context = context_now(hart);

    if (clock_covers(&block->walked, writer, step) ||
        clock_covers(&context->walked, writer, step)) {
        return false;
    }
    for (unsigned i = 0; is_leaf_slot && i < FENCES_KEPT && i < block->fence_count; i++) {
        const struct page_fence *fence = &block->fences[i];

        if (va >= fence->start && va < fence->end &&
            (fence->asid == ASID_ANY || fence->asid == block->asid) &&
            clock_covers(&fence->walked, writer, step)) {
            return false;
        }
    }
    return true;
}
