/* SPDX-License-Identifier: MIT */
/* Turns of race programs between the kernel and their pages. */
#include "harts/rounds.h"

#include "harts/tlb.h"
#include "lib/assert.h"

#define TRIES 8U

void rounds_run(const struct rounds *rounds, struct vm_space *space)
{
    kernel_enter();
    vm_space_activate(space);
    kernel_leave();
    for (unsigned round = 0; round < rounds->rounds; round++) {
        kernel_enter();
        rounds->change();
        (void)vm_space_reap();
        kernel_leave();
        for (uint64_t times = pick(rounds->accesses); times > 0; times--) {
            rounds->access(space);
        }
    }
    kernel_enter();
    vm_space_activate(NULL);
    kernel_leave();
}

enum vm_fault_result rounds_access(struct vm_space *space, vaddr_t va, enum vm_access access,
                                   struct frame_making *making, uint64_t *word, bool *done)
{
    enum vm_fault_result result = VM_FAULT_RETRY;

    *done = false;
    for (unsigned tries = 0; tries < TRIES && result != VM_FAULT_BAD && result != VM_FAULT_NOMEM;) {
        if (access == VM_ACCESS_READ ? program_load(va, word) : program_store(va, *word)) {
            *done = true;
            return VM_FAULT_RETRY;
        }
        kernel_enter();
        result = vm_space_fault_making(space, va, access, making);
        kernel_leave();
        EXPECT(result == VM_FAULT_AGAIN || making == NULL || making->wanted == 0);
        tries += result == VM_FAULT_AGAIN ? 0 : 1;
    }
    return result;
}

void rounds_end_spaces(struct vm_space *const *spaces, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        EXPECT_OK(vm_space_check(spaces[i]));
        vm_space_put(spaces[i]);
    }
}

void rounds_end_budget(struct vm_budget *budget)
{
    while (vm_space_reap()) {
        continue;
    }
    EXPECT(vm_budget_state(budget).used == 0);
    vm_budget_put(budget);
}

int rounds_main(void (*program)(const struct harts_config *config))
{
    static const struct harts_config configs[] = {{4, 3, 16}, {3, 4, 0}, {2, 5, 9}};

    return harts_for_each(configs, ARRAY_LEN(configs), program);
}
