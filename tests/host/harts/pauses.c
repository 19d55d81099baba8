/* SPDX-License-Identifier: MIT */
/*
 * Pauses between the steps of mm/.  The race programs are linked with --wrap (CMakeLists.txt), so a
 * call of one of these functions from another object comes here first:
 *
 *   spinlock_acquire      between a descent and its lock
 *   pt_node_of            between two steps of a descent
 *   space_word_dispatch   between a changed entry and the word
 *   asid_of               between the word and the identifier
 *   (fences: tlb.c)       between the word and each fence, and from fence to release
 *   reclaim_park          between a flush and the list of detached tables
 *   arch_quiescence_count between the snapshot's reads
 *   pt_node_destroy       before a table is freed
 *   space_word_join, space_word_leave, asid_settle, (satp: tlb.c)
 *                         between the steps of a switch
 *
 * A loop that waits gives the processor away: there are more harts than processors.
 */
#include <sched.h>

#include "arch/arch.h"
#include "harts/harts.h"
#include "harts/wrap.h"
#include "mm/asid.h"
#include "mm/reclaim.h"
#include "mm/space_word.h"

void pause_maybe(void)
{
    if (pick(16) == 0) {
        (void)sched_yield();
    }
}

void relax(void) WRAP_OF(hart_relax);
void relax(void)
{
    if (pick(4) == 0) {
        (void)sched_yield();
    }
}

/* `name`(parameters), called with (arguments), after a pause. */
#define PAUSE_BEFORE(type, name, parameters, arguments)                                            \
    type real_##name parameters REAL_OF(name);                                                     \
    type pause_##name parameters WRAP_OF(name);                                                    \
    type pause_##name parameters                                                                   \
    {                                                                                              \
        pause_maybe();                                                                             \
        return real_##name arguments;                                                              \
    }

#define PAUSE_BEFORE_VOID(name, parameters, arguments)                                             \
    void real_##name parameters REAL_OF(name);                                                     \
    void pause_##name parameters WRAP_OF(name);                                                    \
    void pause_##name parameters                                                                   \
    {                                                                                              \
        pause_maybe();                                                                             \
        real_##name arguments;                                                                     \
    }

PAUSE_BEFORE_VOID(spinlock_acquire, (struct spinlock * lock), (lock))
PAUSE_BEFORE(struct pt_node *, pt_node_of, (pte_t table), (table))
PAUSE_BEFORE(struct hart_mask, space_word_dispatch, (struct vm_space * space), (space))
PAUSE_BEFORE(asid_t, asid_of, (struct vm_space * space), (space))
PAUSE_BEFORE_VOID(reclaim_park, (struct pt_node * node), (node))
PAUSE_BEFORE(uint64_t, arch_quiescence_count, (hart_idx_t hart), (hart))
PAUSE_BEFORE_VOID(pt_node_destroy, (struct pt_node * node), (node))
PAUSE_BEFORE(struct missed, space_word_join, (struct vm_space * space, hart_idx_t hart),
             (space, hart))
PAUSE_BEFORE_VOID(space_word_leave, (struct vm_space * space, hart_idx_t hart), (space, hart))
PAUSE_BEFORE_VOID(asid_settle, (hart_idx_t hart, struct vm_space *space), (hart, space))
