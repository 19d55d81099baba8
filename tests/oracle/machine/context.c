/* SPDX-License-Identifier: MIT */
/* Contexts: lists of roots by identifier, one list of contexts for each hart. */
#include "machine/context.h"

#include <stdlib.h>
#include <string.h>

#include "arch_host/arch_host.h"
#include "machine/table.h"

struct context_root *context_root_find(struct context *context, uint32_t frame)
{
    for (unsigned i = 0; i < context->root_count; i++) {
        struct context_root *root = &context->roots[i];

        if (root->frame == frame && ram_lives(frame, root->life)) {
            return root;
        }
    }
    return NULL;
}

struct context *context_of(unsigned hart, uint32_t asid)
{
    struct hart *block = &oracle.harts[hart];

    for (size_t i = 0; i < block->context_count; i++) {
        if (block->contexts[i].asid == asid) {
            return &block->contexts[i];
        }
    }
    return NULL;
}

struct context *context_now(unsigned hart)
{
    const struct hart *block = &oracle.harts[hart];

    return block->root == 0 ? NULL : context_of(hart, block->asid);
}

uint32_t context_left(unsigned hart, uint32_t asid)
{
    const struct context *context = context_of(hart, asid);

    return context == NULL ? 1 : context->left;
}

struct context *context_make(unsigned hart, uint32_t asid)
{
    struct hart *block = &oracle.harts[hart];
    struct context *context = context_of(hart, asid);

    if (context != NULL) {
        return context;
    }
    if (block->context_count == block->context_room) {
        block->context_room = block->context_room * 2 + 16;
        block->contexts = realloc(block->contexts, block->context_room * sizeof(*block->contexts));
        if (block->contexts == NULL) {
            host_fail("oracle: no memory for contexts");
        }
    }
    context = &block->contexts[block->context_count++];
    memset(context, 0, sizeof(*context));
    context->asid = asid;
    context->left = 1; /* not current */
    return context;
}

void context_root_forgotten(unsigned hart, const struct context_root *root)
{
    struct hart *block = &oracle.harts[hart];
    struct table *table = ram_lives(root->frame, root->life) ? table_find(root->frame) : NULL;

    if (table == NULL || root->left == 0) {
        return;
    }
    table->left &= (uint16_t)~state_bit(hart);
    for (size_t i = 0; i < block->context_count; i++) {
        const struct context_root *other = context_root_find(&block->contexts[i], root->frame);

        if (other != NULL && other != root && other->left != 0) {
            table->left |= state_bit(hart);
        }
    }
}

void context_clear(unsigned hart, struct context *context)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < context->root_count; i++) {
        struct context_root *root = &context->roots[i];

        if (root->left == 0) {
            const struct table *table = table_find(root->frame);

            root->had_entries = table != NULL && table->entries > 0;
            context->roots[kept++] = *root;
        } else {
            context_root_forgotten(hart, root);
            root->frame = FRAME_NONE;
        }
    }
    context->root_count = kept;
}

void context_root_filled(uint32_t frame)
{
    const struct table *table = table_find(frame);

    for (unsigned set = table->active; set != 0; set &= set - 1) {
        struct context *context = context_now((unsigned)__builtin_ctz(set));

        context_root_find(context, frame)->had_entries = true;
    }
}

const struct context_root *context_mixed(unsigned hart)
{
    const struct context *context = context_now(hart);

    for (unsigned i = 0; context != NULL && i < context->root_count; i++) {
        if (context->roots[i].left != 0 && context->roots[i].had_entries) {
            return &context->roots[i];
        }
    }
    return NULL;
}
