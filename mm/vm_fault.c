/* SPDX-License-Identifier: MIT */
/* Page faults, judged by the page table alone. */
#include "mm/vm_fault.h"

#include "arch/arch.h"
#include "asid.h"
#include "lib/counter.h"
#include "mm/vm_cursor.h"

/* The last spurious fault of each hart that got a fence by address only; written by that hart. */
static struct {
    const struct vm_space *space;
    vaddr_t page;
    enum vm_access access;
} last[HART_MAX];

/* Makes this hart forget what it remembers of the page.  By address first, which covers leaf
 * entries; a hart that faults in the same way again remembers that a table was missing. */
static void forget(struct vm_space *space, vaddr_t page, enum vm_access access)
{
    hart_idx_t hart = hart_index();

    if (last[hart].space == space && last[hart].page.raw == page.raw &&
        last[hart].access == access) {
        last[hart].space = NULL;
        arch_tlb_flush_local((struct tlb_op){.asid = asid_of(space)});
        return;
    }
    last[hart].space = space;
    last[hart].page = page;
    last[hart].access = access;
    arch_tlb_flush_local((struct tlb_op){.va = page, .bytes = PAGE_SIZE, .asid = asid_of(space)});
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
    forget(space, page, access);
    counter_add(COUNTER_spurious_faults, 1);
    return VM_FAULT_RETRY;
}
