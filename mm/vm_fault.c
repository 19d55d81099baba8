/* SPDX-License-Identifier: MIT */
/*
 * Page faults, judged by the page table alone.
 *
 * A fault that the entry explains is the program's.  One that it does not explain is this hart's:
 * it remembers less than the entry grants, or it leaves the A and D bits to the kernel and one is
 * clear.  The bits are set as hardware would, and what the hart remembers of the page goes.
 * Privileged spec, "Virtual Address Translation Process", steps 7 and 9.
 */
#include "mm/vm_fault.h"

#include "arch/arch.h"
#include "asid.h"
#include "cursor_priv.h"
#include "lib/counter.h"
#include "lib/log.h"
#include "space_word.h"
#include "vm_fault_priv.h"

/* The last fault of each hart that the page table did not explain, and how often it came in a row:
 * the same access to the same page, by the same entry, and nothing of the space was flushed in
 * between.  The program counter is not part of it: another thread that faults there shows as well
 * that the fence was not enough.  Written by that hart only. */
static struct spurious {
    struct vm_space *space; /* NULL: none since the last switch */
    uint64_t generation;
    vaddr_t page;
    pte_t entry;
    enum vm_access access;
    unsigned times;
} last[HART_MAX];

static bool is_same(const struct spurious *a, const struct spurious *b)
{
    return a->space == b->space && a->generation == b->generation && a->page.raw == b->page.raw &&
           a->entry.raw == b->entry.raw && a->access == b->access;
}

/* Makes this hart forget what it remembers of the page.  By address first, which covers leaf
 * entries; a hart that faults in the same way again remembers that a table was missing.  False: it
 * has forgotten everything and faults all the same. */
static bool forget(struct spurious fault)
{
    struct spurious *record = &last[hart_index()];
    struct tlb_op op = {.asid = asid_of(fault.space)};

    fault.times = is_same(record, &fault) ? record->times + 1 : 1;
    *record = fault;
    if (fault.times > 2) {
        record->space = NULL;
        return false;
    }
    if (fault.times == 1) {
        op.va = fault.page;
        op.bytes = PAGE_SIZE;
    }
    arch_tlb_flush_local(op);
    return true;
}

void vm_fault_start_anew(hart_idx_t hart)
{
    last[hart].space = NULL;
}

static enum vm_prot needed(enum vm_access access)
{
    switch (access) {
    case VM_ACCESS_READ:
        return VM_R;
    case VM_ACCESS_WRITE:
        return VM_W;
    case VM_ACCESS_EXECUTE:
        return VM_X;
    }
    return VM_RWX;
}

/* Sets A, and D for a write, unless they are: what hardware does atomically is done atomically.
 * Returns the entry as it is then.  Grants more, so it owes no flush to other harts. */
static pte_t mark_used(const struct pt_place *place, enum vm_access access)
{
    uint64_t bits = PTE_A | (access == VM_ACCESS_WRITE ? PTE_D : 0);
    pte_t seen = place->entry;

    while ((seen.raw & bits) != bits) {
        pte_t used = {seen.raw | bits};

        if (pte_slot_replace(&place->node->slots[place->index], &seen, used)) {
            counter_add(COUNTER_entry_stores, 1);
            return used;
        }
    }
    return seen;
}

/* The entry of the page, marked as used, if it permits the access. */
static bool find_entry(struct vm_space *space, vaddr_t page, enum vm_access access, pte_t *entry)
{
    struct va_range range = {page, vaddr_add(page, PAGE_SIZE)};
    struct vm_cursor cursor;
    struct pt_place place;
    bool allowed;

    if (vm_cursor_open(&cursor, space, range, VM_CURSOR_QUERY) != OK) {
        return false;
    }
    place = pt_look(&cursor, page);
    allowed = place.kind == PTE_LEAF && (pte_prot(place.entry) & needed(access)) != 0;
    if (allowed) {
        *entry = mark_used(&place, access);
    }
    vm_cursor_close(&cursor);
    return allowed;
}

enum vm_fault_result vm_space_fault(struct vm_space *space, vaddr_t va, enum vm_access access)
{
    struct spurious fault = {
        .space = space, .page = {align_down(va.raw, PAGE_SIZE)}, .access = access};

    if (va.raw >= vm_space_user_limit().raw ||
        !find_entry(space, fault.page, access, &fault.entry)) {
        return VM_FAULT_BAD;
    }
    counter_add(COUNTER_spurious_faults, 1);
    fault.generation = space_word_generation(space);
    if (!forget(fault)) {
        log_printf("hart %u faults at 0x%lx though the entry permits it, after two fences\n",
                   hart_index(), va.raw);
        return VM_FAULT_BAD;
    }
    return VM_FAULT_RETRY;
}
