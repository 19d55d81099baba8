/* SPDX-License-Identifier: MIT */
/*
 * Cursors: moving what is not a whole table.
 *
 * An entry leaves its slot by an exchange, so that what hardware has set in it until then is kept,
 * and is stored in the other.  In between it is nowhere, under the locks of both.
 */
#include "lib/counter.h"
#include "mm/frame_block.h"
#include "vm_cursor_move_priv.h"
#include "vm_space_priv.h"

/* Entries of a node that go together, and what they are. */
struct run {
    unsigned level;   /* of the node; above 0: of one page      */
    unsigned slots;   /* from the position on, absent ones too */
    unsigned entries; /* those that move                       */
    unsigned present, io, hidden, marked, paged;
    uint64_t bits; /* of the present ones, together */
};

static void run_add(struct run *run, pte_t entry)
{
    run->entries++;
    if ((entry.raw & PTE_V) != 0) {
        run->present++;
        run->io += pte_sw(entry) == PTE_SW_IO ? 1 : 0;
        run->bits |= entry.raw;
    } else if (pte_is_hidden(entry)) {
        run->hidden++;
    } else {
        run->marked++;
        run->paged += pte_is_paged(entry) ? 1 : 0;
    }
}

/* What the space that has them is charged for. */
static uint64_t run_charge(const struct run *run)
{
    return (run->present - run->io + run->hidden) * frame_block_frames(run->level);
}

/* A mark that names a row of its own space's table of objects. */
static bool must_be_made_anew(const struct pass *pass, pte_t entry)
{
    return pte_is_paged(entry) && pass_is_between_spaces(pass);
}

/* The run at `source`, as far as there is room from the position of `to` on, up to max slots. */
static struct run measure_run(const struct pass *pass, const struct pt_place *source,
                              const struct pt_place *target, unsigned max)
{
    struct pte_slot *slots = &source->node->slots[source->index];
    struct pte_slot *room =
        target->node->level == 0 ? &target->node->slots[target->index] : NULL; /* NULL: anywhere */
    struct run run = {0};

    for (; run.slots < max; run.slots++) {
        pte_t entry = pte_slot_load_locked(&slots[run.slots]);

        if (pte_is_absent(entry)) {
            continue;
        }
        if (run.entries == pass->edits || must_be_made_anew(pass, entry) ||
            (room != NULL && !pte_is_absent(pte_slot_load_locked(&room[run.slots])))) {
            break;
        }
        run_add(&run, entry);
    }
    return run;
}

/* A page of a region: its references go along, the spaces count them. */
static void move_io(struct pass *pass, paddr_t pa, unsigned level)
{
    uint64_t pages = frame_block_frames(level);

    vm_space_io_add(pass->to->space, io_mem_find(pa), pages);
    vm_space_io_remove(pass->from->space, pa, pages);
}

static void node_add(struct pt_node *node, const struct run *run)
{
    node->present = (uint16_t)(node->present + run->present);
    node->large = (uint16_t)(node->large + (run->level > 0 ? run->present : 0));
    node->io = (uint16_t)(node->io + run->io);
    node->hidden = (uint16_t)(node->hidden + run->hidden);
    node->marked = (uint16_t)(node->marked + run->marked);
    node->paged = (uint16_t)(node->paged + run->paged);
}

static void node_subtract(struct pt_node *node, const struct run *run)
{
    node->present = (uint16_t)(node->present - run->present);
    node->large = (uint16_t)(node->large - (run->level > 0 ? run->present : 0));
    node->io = (uint16_t)(node->io - run->io);
    node->hidden = (uint16_t)(node->hidden - run->hidden);
    node->marked = (uint16_t)(node->marked - run->marked);
    node->paged = (uint16_t)(node->paged - run->paged);
}

/* Moves the run, for which there is room, charge and a place for counts. */
static void take_run(struct pass *pass, const struct pt_place *source,
                     const struct pt_place *target, const struct run *run)
{
    struct pte_slot *from = &source->node->slots[source->index];
    struct pte_slot *to = &target->node->slots[target->index];

    for (unsigned left = run->entries; left > 0; from++, to++) {
        pte_t entry = pte_slot_load_locked(from);

        if (pte_is_absent(entry)) {
            continue;
        }
        entry = pte_slot_exchange(from, pte_absent());
        if (run->io > 0 && pass_is_between_spaces(pass) && (entry.raw & PTE_V) != 0 &&
            pte_sw(entry) == PTE_SW_IO) {
            move_io(pass, pte_pa(entry), run->level);
        }
        pte_slot_store(to, entry);
        left--;
    }
    node_subtract(source->node, run);
    node_add(target->node, run);
    pass->from->stores += run->entries;
    pass->to->stores += run->entries;
}

/* What the space that gets it needs before the first entry of a run moves: its charge, and where it
 * counts pages of regions.  ERR_NOMEM: nothing changed. */
static status_t prepare_space(struct pass *pass, const struct run *run)
{
    if (!pass_is_between_spaces(pass)) {
        return OK;
    }
    if (run->io > 0 && vm_space_io_prepare(pass->to->space) != OK) {
        return ERR_NOMEM;
    }
    return vm_space_charge(pass->to->space, run_charge(run));
}

/* What is owed for a run, and to whom. */
static void settle_run(struct pass *pass, const struct pt_place *source, const struct run *run)
{
    struct pt_span span = {source->index, source->index + run->slots};

    if (run->present > 0) {
        vm_cursor_issue(pass->from, VM_FLUSH_PAGES, pt_node_part(source->node, span));
    }
    if (pass_is_between_spaces(pass)) {
        vm_space_release(pass->from->space, run_charge(run));
        pass->to->owed.code = pass->to->owed.code || (run->bits & PTE_X) != 0;
    }
    pass_spend(pass, run->entries);
    counter_add(COUNTER_entries_moved, run->entries);
    pass_go_on(pass, run->slots * pte_level_bytes(run->level));
}

/* Room for what lies side by side in one table on each side, from the position on, where something
 * is: *target, and *run, which is charged.  ERR_EXIST, ERR_NOMEM: nothing changed. */
static status_t make_room(struct pass *pass, const struct pt_place *source, struct pt_place *target,
                          struct run *run)
{
    struct vm_cursor *to = pass->to;
    uint64_t pages = (pass->end.raw - pass->from->va.raw) / PAGE_SIZE;
    unsigned index = pte_index(to->va, 0);
    unsigned max = PTE_ENTRIES - (source->index > index ? source->index : index);
    struct pt_pool pool = {NULL};
    status_t status;

    *target = pt_walk(to, to->va);
    if (target->kind != PTE_ABSENT) {
        return ERR_EXIST;
    }
    *run = measure_run(pass, source, target, pages < max ? (unsigned)pages : max);
    status = prepare_space(pass, run);
    if (status != OK) {
        return status;
    }
    status = pt_pool_fill(to, (struct va_range){to->va, vaddr_add(to->va, PAGE_SIZE)}, &pool);
    if (status != OK) {
        if (pass_is_between_spaces(pass)) {
            vm_space_release(to->space, run_charge(run));
        }
        return status;
    }
    *target = pt_walk_linking(to, to->va, &pool);
    return OK;
}

/* The same for a large page that holds the position.  ERR_AGAIN: it is split now, look again.  Not
 * inline: most are small. */
__attribute__((noinline)) static status_t make_room_large(struct pass *pass,
                                                          const struct pt_place *source,
                                                          struct pt_place *target, struct run *run)
{
    uint64_t charge = 0;

    *run = (struct run){.level = source->node->level, .slots = 1};
    run_add(run, source->entry);
    if (pass_is_between_spaces(pass)) {
        charge = run_charge(run);
        if (run->io > 0 && vm_space_io_prepare(pass->to->space) != OK) {
            return ERR_NOMEM;
        }
    }
    return pass_make_room(pass, source, charge, target);
}

/* Moves what begins at the position, a run or a large page; one that is split is moved next.
 * ERR_EXIST, ERR_NOMEM: no address means anything else. */
static status_t move_run(struct pass *pass, const struct pt_place *source)
{
    struct pt_place target;
    struct run run;
    status_t status = source->node->level == 0 ? make_room(pass, source, &target, &run)
                                               : make_room_large(pass, source, &target, &run);

    if (status != OK) {
        return status == ERR_AGAIN ? OK : status;
    }
    take_run(pass, source, &target, &run);
    settle_run(pass, source, &run);
    return OK;
}

/* True if marks are to be moved together: up to `end` there are more than one table holds, or they
 * cannot go as they are. */
static bool go_together(const struct pass *pass, const struct pt_place *source, vaddr_t end)
{
    return source->node->level > 0 || !pt_node_contains(source->node, (vaddr_t){end.raw - 1}) ||
           must_be_made_anew(pass, source->entry);
}

/* A mark, with those that continue it if that is worth while, a run, or a large page. */
status_t moving_take_entries(struct pass *pass, const struct pt_place *source)
{
    /* A mark that is swapped speaks for its page alone. */
    if (source->kind == PTE_MARK && pte_mark_kind(source->entry) != PTE_MARK_SWAPPED) {
        vaddr_t end = moving_marks_end(pass, source);

        if (go_together(pass, source, end)) {
            return moving_take_marks(pass, end);
        }
    }
    return move_run(pass, source);
}
