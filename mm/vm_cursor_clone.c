/* SPDX-License-Identifier: MIT */
/*
 * Cursors: cloning, copy on write.
 *
 *   from                                       to
 *   private, W     becomes pending, no W       pending           both name the frame; who writes
 *   pending        stays                       pending           first gets a frame of its own
 *   private        stays                       private             (vm_cursor_touch.c)
 *   shared RAM     stays                       shared RAM
 *   hidden         stays                       hidden
 *   mark           stays                       the same mark
 *   I/O            stays                       nothing
 *
 * Large pages are cloned by one entry where both sides are aligned alike, else they are split first
 * (vm_cursor_pass.c).  What is taken from `from`, the permission to store at once, is flushed when
 * it is closed.  The charge for the clone is taken here, so that no write to it fails for budget
 * later.
 */
#include "cursor_pass.h"
#include "lib/counter.h"
#include "mm/frame_block.h"
#include "vm_space_priv.h"

static inline bool holds_ram(pte_t entry)
{
    return pte_is_plain_page(entry) || pte_is_hidden(entry) ||
           (pte_kind(entry, 0) == PTE_LEAF && pte_sw(entry) != PTE_SW_IO);
}

/* Entries from `first` on, in a node of level 0, that hold a frame of RAM: `max` at most. */
static unsigned count_pages(const struct pt_node *node, unsigned first, unsigned max)
{
    struct pte_slot *from = &node->slots[first];
    struct pte_slot *end = from + (max < PTE_ENTRIES - first ? max : PTE_ENTRIES - first);
    struct pte_slot *slot = from;

    while (slot < end && holds_ram(pte_slot_load_locked(slot))) {
        slot++;
    }
    return (unsigned)(slot - from);
}

/* Absent ones. */
static unsigned count_absent(const struct pt_node *node, unsigned first, unsigned max)
{
    struct pte_slot *from = &node->slots[first];
    struct pte_slot *end = from + (max < PTE_ENTRIES - first ? max : PTE_ENTRIES - first);
    struct pte_slot *slot = from;

    while (slot < end && pte_is_absent(pte_slot_load_locked(slot))) {
        slot++;
    }
    return (unsigned)(slot - from);
}

/* What a private page says that grants W, and the bits in which it differs from one whose write is
 * pending. */
#define PRIVATE_W     (PTE_W | (uint64_t)PTE_SW_PRIVATE << PTE_RSW_SHIFT)
#define PENDING_FLIPS (PTE_W | (uint64_t)(PTE_SW_PRIVATE ^ PTE_SW_PENDING) << PTE_RSW_SHIFT)

static inline bool is_private_w(pte_t entry)
{
    return (entry.raw & (PTE_W | PTE_RSW_MASK)) == PRIVATE_W;
}

/* Takes W from a private page; the write is pending from now on.  What hardware sets in the entry
 * meanwhile is kept. */
static inline pte_t make_pending(struct pte_slot *slot)
{
    return (pte_t){pte_slot_flip(slot, PENDING_FLIPS).raw ^ PENDING_FLIPS};
}

/* What was cloned of a run of pages. */
struct cloned {
    unsigned hidden;
    const struct pte_slot *tightened, *tightened_end; /* of the source; NULL: none lost W */
    uint64_t bits;                                    /* of any */
};

static inline void clone_entry(struct pte_slot *from, struct pte_slot *to, struct cloned *cloned)
{
    pte_t entry = pte_slot_load_locked(from);

    if ((entry.raw & PTE_V) == 0) {
        frame_get(frame_of(pte_kept_pa(entry)));
        pte_slot_store(to, entry);
        cloned->hidden++;
        return;
    }
    frame_get(frame_of(pte_pa(entry)));
    if (is_private_w(entry)) {
        entry = make_pending(from);
        cloned->tightened = cloned->tightened != NULL ? cloned->tightened : from;
        cloned->tightened_end = from + 1;
    }
    cloned->bits |= entry.raw;
    pte_slot_store(to, entry);
}

/* Clones `count` pages, whose room and charge are there. */
static void clone_run(struct pass *pass, const struct pt_place *source, struct pt_place target,
                      unsigned count)
{
    struct pte_slot *slots = source->node->slots;
    struct pte_slot *from = &slots[source->index];
    struct pte_slot *to = &target.node->slots[target.index];
    struct cloned cloned = {0};

    for (const struct pte_slot *end = from + count; from < end; from++, to++) {
        clone_entry(from, to, &cloned);
    }
    target.node->present = (uint16_t)(target.node->present + count - cloned.hidden);
    target.node->hidden = (uint16_t)(target.node->hidden + cloned.hidden);
    pass->to->stores += count;
    pass->to->owed.code = pass->to->owed.code || (cloned.bits & PTE_X) != 0;
    if (cloned.tightened != NULL) {
        struct pt_span span = {(unsigned)(cloned.tightened - slots),
                               (unsigned)(cloned.tightened_end - slots)};

        pass->from->stores += span.end - span.first;
        vm_cursor_issue(pass->from, VM_FLUSH_PAGES, pt_node_part(source->node, span));
    }
    counter_add(COUNTER_pages_cloned, count);
}

/* Pages side by side, in one table on each side.  ERR_EXIST, ERR_NOMEM: nothing changed. */
static status_t clone_pages(struct pass *pass, const struct pt_place *source)
{
    struct vm_cursor *to = pass->to;
    uint64_t pages = (pass->end.raw - pass->from->va.raw) / PAGE_SIZE;
    unsigned max = pages < pass->edits ? (unsigned)pages : pass->edits;
    unsigned count = count_pages(source->node, source->index, max);
    struct pt_place target = pt_walk(to, to->va);
    struct pt_pool pool = {NULL};
    status_t status;

    if (target.kind != PTE_ABSENT) {
        return ERR_EXIST;
    }
    if (target.node->level == 0) {
        count = count_absent(target.node, target.index, count);
    } else if (count > PTE_ENTRIES - pte_index(to->va, 0)) {
        count = PTE_ENTRIES - pte_index(to->va, 0);
    }
    status = vm_space_charge(to->space, count);
    if (status != OK) {
        return status;
    }
    status =
        pt_pool_fill(to, (struct va_range){to->va, vaddr_add(to->va, count * PAGE_SIZE)}, &pool);
    if (status != OK) {
        vm_space_release(to->space, count);
        return status;
    }
    clone_run(pass, source, pt_walk_linking(to, to->va, &pool), count);
    pass_go_on(pass, count * PAGE_SIZE);
    pass_spend(pass, count);
    return OK;
}

/* Clones the large page at `source`, whose room and charge are there. */
static void clone_whole(struct pass *pass, const struct pt_place *source,
                        const struct pt_place *target)
{
    struct pte_slot *slot = &source->node->slots[source->index];
    pte_t entry = pte_slot_load_locked(slot);
    struct pt_node *node = target->node;

    if ((entry.raw & PTE_V) == 0) {
        frame_block_get(frame_of(pte_kept_pa(entry)), node->level);
        node->hidden++;
    } else {
        frame_block_get(frame_of(pte_pa(entry)), node->level);
        node->present++;
        node->large++;
    }
    if ((entry.raw & PTE_V) != 0 && is_private_w(entry)) {
        entry = make_pending(slot);
        pass->from->stores++;
        vm_cursor_issue(pass->from, VM_FLUSH_PAGES, pt_place_range(source));
    }
    pte_slot_store(&node->slots[target->index], entry);
    pass->to->stores++;
    pass->to->owed.code = pass->to->owed.code || (entry.raw & (PTE_V | PTE_X)) == (PTE_V | PTE_X);
}

/* A large page that holds the position, as one entry, or it is split and what comes of it is looked
 * at next.  ERR_EXIST, ERR_NOMEM: no address means anything else.  Not inline: most are small. */
__attribute__((noinline)) static status_t clone_large(struct pass *pass,
                                                      const struct pt_place *source)
{
    uint64_t frames = frame_block_frames(source->node->level);
    struct pt_place target;
    status_t status = pass_make_room(pass, source, frames, &target);

    if (status != OK) {
        return status == ERR_AGAIN ? OK : status;
    }
    clone_whole(pass, source, &target);
    pass_go_on(pass, frames * PAGE_SIZE);
    pass_spend(pass, 1);
    counter_add(COUNTER_pages_cloned, frames);
    return OK;
}

static status_t clone_mark(struct pass *pass, uint64_t bytes)
{
    struct vm_mark mark = cursor_mark_there(pass->from);
    uint64_t stores = pass->to->stores;
    vaddr_t start = pass->to->va;
    struct vm_removed removed;
    status_t status =
        vm_cursor_mark(pass->to, bytes, mark, VM_MAP_EXCLUSIVE, pass->edits, &removed);

    pass->from->va = vaddr_add(pass->from->va, pass->to->va.raw - start.raw);
    pass_spend(pass, pass->to->stores - stores + 1);
    return status;
}

/* Where the marks end that begin with a place, lie in its node and before `limit`, and say together
 * what one mark of their size would say.  A swapped one has a name of its own. */
static vaddr_t marks_end(const struct pt_place *first, vaddr_t limit)
{
    struct pt_node *node = first->node;
    uint64_t pages = pt_node_entry_bytes(node) / PAGE_SIZE;
    vaddr_t start = pt_node_entry_va(node, first->index);
    unsigned last = pt_node_span(node, (struct va_range){start, limit}).end;
    unsigned end = first->index + 1;

    while (end < last && pte_mark_kind(first->entry) != PTE_MARK_SWAPPED &&
           pte_slot_load_locked(&node->slots[end]).raw ==
               pte_mark_at(first->entry, (end - first->index) * pages).raw) {
        end++;
    }
    return pt_node_entry_va(node, end).raw < limit.raw ? pt_node_entry_va(node, end) : limit;
}

/* The next entry that is used, or as many like it as are side by side. */
static status_t clone_some(struct pass *pass)
{
    struct pt_place source;
    struct va_range extent;

    if (!pt_find_used(pass->from, (struct va_range){pass->from->va, pass->end}, &source)) {
        pass_go_on(pass, pass->end.raw - pass->from->va.raw);
        return OK;
    }
    extent = pt_place_range(&source);
    if (extent.start.raw > pass->from->va.raw) {
        pass_go_on(pass, extent.start.raw - pass->from->va.raw); /* nothing is there */
    }
    if (source.kind == PTE_MARK) {
        uint64_t end = marks_end(&source, pass->end).raw;

        return clone_mark(pass, end - pass->from->va.raw);
    }
    if (source.kind == PTE_LEAF && pte_sw(source.entry) == PTE_SW_IO) {
        uint64_t end = extent.end.raw < pass->end.raw ? extent.end.raw : pass->end.raw;

        pass_go_on(pass, end - pass->from->va.raw);
        pass_spend(pass, 1); /* so that looking is bounded, too */
        return OK;
    }
    return source.node->level == 0 ? clone_pages(pass, &source) : clone_large(pass, &source);
}

status_t vm_cursor_clone(struct vm_cursor *from, struct vm_cursor *to, uint64_t len_bytes,
                         unsigned max_edits)
{
    struct pass pass = {.from = from, .to = to, .edits = max_edits};
    status_t status = pass_begin(&pass, len_bytes, PASS_TWO_SPACES);

    return status == OK ? pass_run(&pass, clone_some) : status;
}
