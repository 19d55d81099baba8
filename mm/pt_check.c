/* SPDX-License-Identifier: MIT */
/*
 * The audit of one address space: does every node say what its entries say?
 *
 * A cursor on the whole user range locks every node, so the walk sees the tree at rest whatever
 * other harts do.  It shares the codec with the code it checks; the independent judgement is the
 * host tests'.
 */
#include "arch/arch.h"
#include "lib/log.h"
#include "mm/vm_cursor.h"
#include "vm_space_priv.h"

static const char *check_leaf(struct vm_space *space, pte_t entry)
{
    struct pte_leaf leaf = pte_decode(entry);
    const struct frame *frame = frame_of(leaf.pa);
    struct io_mem *io;
    uint64_t offset;

    if (!leaf.user || leaf.global) {
        return "a user leaf without U, or global";
    }
    if (leaf.sw == PTE_SW_IO) {
        if (frame != NULL) {
            return "an I/O leaf names RAM";
        }
        return vm_space_find_iomem(space, leaf.pa, &io, &offset) == OK && io_mem_refs(io) > 0
                   ? NULL
                   : "an I/O leaf whose region does not know";
    }
    if (frame == NULL || frame->type != FRAME_USER) {
        return "a leaf names a frame that is no program's";
    }
    return atomic_load_explicit(&frame->refs, memory_order_relaxed) > 0
               ? NULL
               : "a leaf names a free frame";
}

static const char *check_place(const struct pt_node *node, const struct vm_space *space,
                               vaddr_t base, unsigned level)
{
    if (node->frame->type != FRAME_TABLE || node->frame->node != node) {
        return "a node and its frame disagree";
    }
    if (node->is_stray) {
        return "a linked node is stray";
    }
    if (!spinlock_is_mine(&node->lock)) {
        return "a node inside a cursor's range is not locked by it";
    }
    return node->space == space && node->base.raw == base.raw && node->level == level
               ? NULL
               : "a node is not where its record says";
}

/* At most PTE_LEVELS_MAX deep.  *where: the address of the first problem.  *charge: grows by what
 * the space should be charged for it. */
static const char *check_node(struct vm_space *space, const struct pt_node *node, vaddr_t *where,
                              uint64_t *charge)
{
    unsigned end = node == space->root ? PTE_ENTRIES / 2 : PTE_ENTRIES;
    unsigned present = 0;
    unsigned io = 0;
    unsigned hidden = 0;
    unsigned marked = 0;

    *where = node->base;
    for (unsigned i = 0; i < end; i++) {
        pte_t entry = pte_slot_load(&node->slots[i]);
        vaddr_t va = pt_node_entry_va(node, i);
        const struct pt_node *child;
        const char *problem = NULL;

        switch (pte_kind(entry, node->level)) {
        case PTE_ABSENT:
            continue;
        case PTE_DYING:
            problem = "an entry is still dying";
            break;
        case PTE_MARK:
            marked++;
            continue;
        case PTE_HIDDEN:
            hidden++;
            continue;
        case PTE_UNKNOWN:
            problem = "a reserved encoding";
            break;
        case PTE_LEAF:
            problem = check_leaf(space, entry);
            io += pte_sw(entry) == PTE_SW_IO ? 1 : 0;
            break;
        case PTE_TABLE:
            child = pt_node_of(entry);
            problem = check_place(child, space, va, node->level - 1U);
            if (problem == NULL) {
                problem = check_node(space, child, &va, charge);
            }
            break;
        }
        if (problem != NULL) {
            *where = va;
            return problem;
        }
        present++;
    }
    *charge += 1 + hidden + (node->level == 0 ? present - io : 0);
    return present == node->present && io == node->io && hidden == node->hidden &&
                   marked == node->marked && node->dying == 0
               ? NULL
               : "a node's counts and its entries disagree";
}

status_t vm_space_check(struct vm_space *space)
{
    struct va_range user = {{0}, vm_space_user_limit()};
    vaddr_t where = {0};
    struct vm_cursor cursor;
    uint64_t charge = vm_space_split_stock(space);
    const char *problem;
    status_t status = vm_cursor_open(&cursor, space, user, VM_CURSOR_QUERY);

    if (status != OK) {
        return status;
    }
    problem = check_place(space->root, space, (vaddr_t){0}, arch_paging_levels() - 1);
    if (problem == NULL) {
        problem = check_node(space, space->root, &where, &charge);
    }
    if (problem == NULL && charge != vm_space_charged(space)) {
        problem = "what is charged for the space is not what is there";
    }
    vm_cursor_close(&cursor);
    if (problem != NULL) {
        log_printf("vm_space_check: %s, at or below %lx\n", problem, (unsigned long)where.raw);
        return ERR_INVAL;
    }
    return OK;
}
