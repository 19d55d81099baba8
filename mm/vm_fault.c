/* SPDX-License-Identifier: MIT */
/* Page faults, judged by the page table alone. */
#include "mm/vm_fault.h"

#include "arch/arch.h"
#include "asid.h"
#include "lib/counter.h"
#include "lib/log.h"
#include "mm/vm_cursor.h"
#include "space_word.h"
#include "vm_fault_priv.h"

/* The last fault of each hart that the page table did not explain, and how often it came in a row:
 * the same access to the same page, which leads to the same place, and nothing of the space was
 * flushed in between.  Written by that hart only. */
static struct spurious {
    struct vm_space *space; /* NULL: none since the last switch */
    uint64_t generation;
    vaddr_t page;
    paddr_t pa;
    enum vm_access access;
    unsigned times;
} last[HART_MAX];

static bool is_same(const struct spurious *a, const struct spurious *b)
{
    return a->space == b->space && a->generation == b->generation && a->page.raw == b->page.raw &&
           a->pa.raw == b->pa.raw && a->access == b->access;
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

enum vm_fault_result vm_space_fault(struct vm_space *space, vaddr_t va, enum vm_access access)
{
    vaddr_t page = {align_down(va.raw, PAGE_SIZE)};
    struct vm_cursor cursor;
    struct vm_slot slot;
    bool allowed;

    if (va.raw >= vm_space_user_limit().raw ||
        vm_cursor_open(&cursor, space, (struct va_range){page, vaddr_add(page, PAGE_SIZE)},
                       VM_CURSOR_QUERY) != OK) {
        return VM_FAULT_BAD;
    }
    allowed = vm_cursor_query(&cursor, &slot) == OK && slot.item.kind != VM_ITEM_ABSENT &&
              (slot.item.prop.prot & needed(access)) != 0;
    vm_cursor_close(&cursor);
    if (!allowed) {
        return VM_FAULT_BAD;
    }
    /* The entry permits it: this hart had cached the absence, or fewer rights. */
    counter_add(COUNTER_spurious_faults, 1);
    if (!forget((struct spurious){.space = space,
                                  .generation = space_word_generation(space),
                                  .page = page,
                                  .pa = slot.item.pa,
                                  .access = access})) {
        log_printf("hart %u faults at 0x%lx though the entry permits it, after two fences\n",
                   hart_index(), va.raw);
        return VM_FAULT_BAD;
    }
    return VM_FAULT_RETRY;
}
