/* SPDX-License-Identifier: MIT */
/*
 * Another hart that helps: it enters the table of the self-test and does one thing after another as
 * it is told, until it is let go.
 *
 *   the tester                        the helper
 *   satp, asked = index + 1   ---->   takes a software interrupt, and the request: asked = TAKEN
 *   deed, orders + 1          ---->   does it
 *                             <----   answer, done = orders
 *   LEAVE, orders + 1         ---->   its own table, asked = 0, done = orders
 *
 * Both wait with interrupts off.  The tester holds no lock, and a hart that takes an interrupt
 * holds none, so nobody waits for either but by wanting it to run something.
 * tests/spin/help.pml has the protocol.
 */
#include <stdatomic.h>

#include "arch/arch.h"
#include "arch/machine.h"
#include "arch/shared.h"
#include "csr.h"
#include "hart.h"
#include "selftest.h"
#include "try.h"

#define PATIENCE_S 3U
#define TAKEN      UINT64_MAX

static struct {
    struct shared asked;     /* 1 + index of the hart that is to help, TAKEN, or 0: nobody      */
    struct shared orders;    /* how many were given                                             */
    struct shared done;      /* how many were carried out                                       */
    uint64_t satp;           /* (c) while somebody is asked                                     */
    uint64_t answer;         /* the helper's until `done` says so                               */
    enum selftest_deed deed; /* the tester's until `orders` says so                          */
} help;

typedef uint64_t page_code(void);

static uint64_t load_page(void)
{
    const volatile uint64_t *page = (const volatile uint64_t *)(uintptr_t)SELFTEST_VA;

    return *page >> SELFTEST_NUMBER_SHIFT & SELFTEST_NUMBER_MASK;
}

uint64_t selftest_do(enum selftest_deed deed)
{
    switch (deed) {
    case SELFTEST_LOAD:
        return load_page();
    case SELFTEST_FETCH:
        return ((page_code *)(uintptr_t)SELFTEST_VA)();
    case SELFTEST_FLUSH:
        try_flush();
        return 0;
    case SELFTEST_FENCEI:
        __asm__ volatile("fence.i" ::: "memory");
        return 0;
    case SELFTEST_LEAVE:
        break;
    }
    return 0;
}

bool selftest_help_begin(const struct selftest *test, hart_idx_t hart)
{
    uint64_t deadline = arch_time_now() + machine_get()->timebase_hz * PATIENCE_S;
    uint64_t asked = (uint64_t)hart + 1;

    help.satp = test->satp;
    /* Release: whoever sees the request sees satp; pairs with the acquire of who takes it. */
    shared_store(&help.asked, asked, memory_order_release);
    arch_ipi_send(hart_mask_with((struct hart_mask){0}, hart));
    /* Acquire: pairs with its exchange.  What it does before it obeys, it does before any order. */
    while (shared_load(&help.asked, memory_order_acquire) != TAKEN) {
        hart_relax();
        if (arch_time_now() >= deadline) {
            return !shared_compare_exchange(&help.asked, &asked, 0, memory_order_acq_rel);
        }
    }
    return true;
}

uint64_t selftest_help(enum selftest_deed deed)
{
    uint64_t order = shared_load(&help.orders, memory_order_relaxed) + 1; /* ours alone */

    help.deed = deed;
    /* Entries and code first, then the order; pairs with the acquire in obey. */
    shared_fence(memory_order_seq_cst);
    shared_store(&help.orders, order, memory_order_release);
    /* Acquire: pairs with the release behind the answer. */
    while (shared_load(&help.done, memory_order_acquire) != order) {
        hart_relax();
    }
    return help.answer;
}

/* Waits for the order behind `last` and carries it out; false if it was the last one. */
static bool obey(uint64_t last)
{
    enum selftest_deed deed;

    /* Acquire: the deed and what it is about; pairs with the release in selftest_help. */
    while (shared_load(&help.orders, memory_order_acquire) == last) {
        hart_relax();
    }
    deed = help.deed;
    if (deed == SELFTEST_LEAVE) {
        return false;
    }
    help.answer = selftest_do(deed);
    /* Release: the answer; pairs with the acquire in selftest_help. */
    shared_store(&help.done, last + 1, memory_order_release);
    return true;
}

void selftest_help_if_asked(void)
{
    uint64_t asked = (uint64_t)hart_index() + 1;
    uint64_t last;
    uint64_t before;

    /* Relaxed: a look; the interrupt's fence has made it current.  The exchange decides: it
     * acquires satp from selftest_help_begin, which gives no order before it has seen it. */
    if (shared_load(&help.asked, memory_order_relaxed) != asked ||
        !shared_compare_exchange(&help.asked, &asked, TAKEN, memory_order_acq_rel)) {
        return;
    }
    last = shared_load(&help.done, memory_order_relaxed); /* all that were ever given */
    before = selftest_table_enter(help.satp);
    (void)selftest_do(SELFTEST_FENCEI);
    while (obey(last)) {
        last++;
    }
    (void)selftest_table_enter(before);
    /* Relaxed, then release: nobody is asked again before the tester has seen that it is done. */
    shared_store(&help.asked, 0, memory_order_relaxed);
    shared_store(&help.done, last + 1, memory_order_release);
}
