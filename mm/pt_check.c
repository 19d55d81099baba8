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
#include "lib/string.h"
#include "mm/vm_cursor.h"
#include "vm_backing.h"
#include "vm_space_priv.h"

/* An entry's frame is a program's, and somebody's. */
static const char *check_frame(const struct frame *frame)
{
    if (frame == NULL || frame->type != FRAME_USER) {
        return "an entry names a frame that is no program's";
    }
    return atomic_load_explicit(&frame->refs, memory_order_relaxed) > 0
               ? NULL
               : "an entry names a free frame";
}

/* The same of a block that an entry of `level` names; a look at its first frame and its last. */
static const char *check_block(paddr_t pa, unsigned level)
{
    const char *problem = check_frame(frame_of(pa));

    if (problem == NULL && level > PTE_LEVEL_RAM_MAX) {
        return "an entry maps RAM above 1 GiB";
    }
    return problem == NULL
               ? check_frame(frame_of(paddr_add(pa, pte_level_bytes(level) - PAGE_SIZE)))
               : problem;
}

static const char *check_hidden(pte_t entry, unsigned level)
{
    return pte_kept_sw(entry) == PTE_SW_IO ? "a page of a region is hidden"
                                           : check_block(pte_kept_pa(entry), level);
}

/* The space counts the region, and all of the entry's bytes lie in it. */
static const char *check_io(struct vm_space *space, paddr_t pa, unsigned level)
{
    struct io_mem *io;
    uint64_t offset;

    return vm_space_find_iomem(space, pa, &io, &offset) == OK && io_mem_refs(io) > 0 &&
                   pa_range_bytes(io_mem_range(io)) - offset >= pte_level_bytes(level)
               ? NULL
               : "an I/O leaf whose region does not know";
}

static const char *check_leaf(struct vm_space *space, pte_t entry, unsigned level)
{
    struct pte_leaf leaf = pte_decode(entry);
    const struct frame *frame = frame_of(leaf.pa);

    if (!leaf.user || leaf.global) {
        return "a user leaf without U, or global";
    }
    if (leaf.sw == PTE_SW_IO) {
        if (frame != NULL) {
            return "an I/O leaf names RAM";
        }
        return check_io(space, leaf.pa, level);
    }
    if ((leaf.prot & VM_W) != 0 && (leaf.sw == PTE_SW_PENDING || frame == frame_zero())) {
        return "a leaf grants W that is pending, or to the frame of zeroes";
    }
    return check_block(leaf.pa, level);
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

/* What the entries of a node are. */
struct counts {
    unsigned present, large, io, hidden, marked, paged;
    uint64_t tables[PT_TABLES_WORDS];
};

static bool counts_agree(const struct pt_node *node, const struct counts *counts)
{
    return counts->present == node->present && counts->large == node->large &&
           counts->io == node->io && counts->hidden == node->hidden &&
           counts->marked == node->marked && counts->paged == node->paged && node->dying == 0 &&
           memcmp(counts->tables, node->tables, sizeof(counts->tables)) == 0;
}

/* An audit under way. */
struct audit {
    struct vm_space *space;
    vaddr_t where;               /* of the first problem                                 */
    uint64_t charge;             /* what the space should be charged for what was met yet */
    struct vm_backing_sum marks; /* what the table of objects should count for it */
};

static const char *check_node(struct audit *audit, const struct pt_node *node);

/* Counts an entry and looks at what it names. */
static const char *check_entry(struct audit *audit, const struct pt_node *node, unsigned index,
                               struct counts *counts)
{
    pte_t entry = pte_slot_load(&node->slots[index]);
    const struct pt_node *child;
    const char *problem;

    audit->where = pt_node_entry_va(node, index);
    switch (pte_kind(entry, node->level)) {
    case PTE_ABSENT:
        return NULL;
    case PTE_DYING:
        return "an entry is still dying";
    case PTE_MARK:
        counts->marked++;
        counts->paged += pte_is_paged(entry) ? 1 : 0;
        if (pte_is_paged(entry)) {
            vm_backing_sum_add(&audit->marks, pte_decode_mark(entry).slot, 1);
        }
        return NULL;
    case PTE_HIDDEN:
        counts->hidden++;
        return check_hidden(entry, node->level);
    case PTE_UNKNOWN:
        return "a reserved encoding";
    case PTE_LEAF:
        counts->present++;
        counts->large += node->level > 0 ? 1 : 0;
        counts->io += pte_sw(entry) == PTE_SW_IO ? 1 : 0;
        return check_leaf(audit->space, entry, node->level);
    case PTE_TABLE:
        counts->present++;
        counts->tables[index / 64] |= UINT64_C(1) << index % 64;
        child = pt_node_of(entry);
        problem = check_place(child, audit->space, audit->where, node->level - 1U);
        return problem == NULL ? check_node(audit, child) : problem;
    }
    return NULL;
}

/* At most PTE_LEVELS_MAX deep. */
static const char *check_node(struct audit *audit, const struct pt_node *node)
{
    unsigned end = node == audit->space->root ? PTE_ENTRIES / 2 : PTE_ENTRIES;
    struct counts counts = {0};

    for (unsigned i = 0; i < end; i++) {
        const char *problem = check_entry(audit, node, i, &counts);

        if (problem != NULL) {
            return problem;
        }
    }
    audit->charge +=
        1 + pt_node_ram_pages(node); /* by its counts, which are right or it ends here */
    audit->where = node->base;
    return counts_agree(node, &counts) ? NULL : "a node's counts and its entries disagree";
}

status_t vm_space_check(struct vm_space *space)
{
    struct va_range user = {{0}, vm_space_user_limit()};
    struct audit audit = {.space = space};
    struct vm_backing_sum backings;
    struct vm_cursor cursor;
    const char *problem;
    status_t status = vm_cursor_open(&cursor, space, user, VM_CURSOR_QUERY);

    if (status != OK) {
        return status;
    }
    audit.charge = vm_space_split_stock(space) + vm_backing_frames(space);
    problem = check_place(space->root, space, (vaddr_t){0}, arch_paging_levels() - 1);
    if (problem == NULL) {
        problem = check_node(&audit, space->root);
    }
    if (problem == NULL && audit.charge != vm_space_charged(space)) {
        problem = "what is charged for the space is not what is there";
    }
    backings = vm_backing_sum(space);
    if (problem == NULL &&
        (audit.marks.marks != backings.marks || audit.marks.weighted != backings.weighted)) {
        problem = "the table of objects does not count the marks";
    }
    vm_cursor_close(&cursor);
    if (problem != NULL) {
        log_printf("vm_space_check: %s, at or below %lx\n", problem,
                   (unsigned long)audit.where.raw);
        return ERR_INVAL;
    }
    return OK;
}
