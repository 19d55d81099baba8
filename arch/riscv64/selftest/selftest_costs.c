/* SPDX-License-Identifier: MIT */
/*
 * What things cost, in cycles of this hart: the least and the mean of some rounds.  What reading
 * the counter costs is in it; its own row tells how much that is.
 */
#include "arch/machine.h"
#include "csr.h"
#include "extable.h"
#include "sbi.h"
#include "selftest.h"
#include "try.h"

#define ROUNDS      64U
#define SWEEPS      4U
#define PAGES_FIRST 16U

typedef void deed(const struct selftest *test, struct hart_mask harts);

bool selftest_cycles(uint64_t *cycles)
{
    return probe_cycle(cycles);
}

static void tell_cost(const struct selftest *test, struct selftest_found *found, deed *once,
                      struct hart_mask harts)
{
    uint64_t least = UINT64_MAX;
    uint64_t sum = 0;
    uint64_t start;

    if (!selftest_cycles(&start)) {
        selftest_say(found, SELFTEST_FACT, "not known: rdcycle traps");
        return;
    }
    once(test, harts); /* what it uses is in the caches */
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t cycles;

        start = csr_read(cycle);
        once(test, harts);
        cycles = csr_read(cycle) - start;
        sum += cycles;
        least = cycles < least ? cycles : least;
    }
    selftest_say(found, SELFTEST_FACT, "least %lu, mean %lu", least, sum / ROUNDS);
}

static void do_time(const struct selftest *test, struct hart_mask harts)
{
    (void)test;
    (void)harts;
    (void)csr_read(time);
}

static void do_cycle(const struct selftest *test, struct hart_mask harts)
{
    (void)test;
    (void)harts;
    (void)csr_read(cycle);
}

static void do_sbi(const struct selftest *test, struct hart_mask harts)
{
    (void)test;
    (void)harts;
    sbi_null();
}

static void do_address(const struct selftest *test, struct hart_mask harts)
{
    uint64_t va = SELFTEST_VA;

    (void)test;
    (void)harts;
    __asm__ volatile("sfence.vma %0, x0" ::"r"(va) : "memory");
}

static void do_all(const struct selftest *test, struct hart_mask harts)
{
    (void)test;
    (void)harts;
    try_flush();
}

static void do_fencei(const struct selftest *test, struct hart_mask harts)
{
    (void)test;
    (void)harts;
    (void)selftest_do(SELFTEST_FENCEI);
}

static void do_remote(const struct selftest *test, struct hart_mask harts)
{
    (void)test;
    /* The other checks tell whether it is refused. */
    (void)sbi_remote_sfence(harts, (vaddr_t){SELFTEST_VA}, PAGE_SIZE);
}

void selftest_cost(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    static deed *const deeds[] = {
        [SELFTEST_COST_TIME] = do_time, [SELFTEST_COST_CYCLE] = do_cycle,
        [SELFTEST_COST_SBI] = do_sbi,   [SELFTEST_COST_ADDRESS] = do_address,
        [SELFTEST_COST_ALL] = do_all,   [SELFTEST_COST_FENCEI] = do_fencei,
    };

    tell_cost(test, found, deeds[arg], (struct hart_mask){0});
}

void selftest_cost_remote(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    struct hart_mask harts = {0};
    struct hart_mask left = test->others;

    for (unsigned i = 0; i < arg && !hart_mask_is_empty(left); i++) {
        harts = hart_mask_with(harts, hart_mask_first(left));
        left = hart_mask_without(left, hart_mask_first(left));
    }
    if (hart_mask_count(harts) < arg) {
        selftest_say(found, SELFTEST_FACT, "not tried: fewer other harts");
        return;
    }
    tell_cost(test, found, do_remote, harts);
}

/* Loads of one word through so many pages, each of which maps the same frame: cycles of one. */
static uint64_t sweep(const struct selftest *test, unsigned pages)
{
    uint64_t start = 0;

    for (unsigned i = 0; i < pages; i++) {
        pte_slot_store(&test->slots[i], selftest_entry(test, 0));
    }
    try_flush();
    for (unsigned round = 0; round <= SWEEPS; round++) {
        if (round == 1) { /* the first one fills the TLB */
            start = csr_read(cycle);
        }
        for (unsigned i = 0; i < pages; i++) {
            (void)*(const volatile uint64_t *)(uintptr_t)(SELFTEST_VA + i * PAGE_SIZE);
        }
    }
    return (csr_read(cycle) - start) / SWEEPS / pages;
}

/* Where it rises, a TLB or the caches of its walker are full. */
void selftest_tlb(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    uint64_t value;

    (void)arg;
    if (!selftest_cycles(&value)) {
        selftest_say(found, SELFTEST_FACT, "not known: rdcycle traps");
        return;
    }
    for (unsigned pages = PAGES_FIRST; pages <= SELFTEST_PAGES; pages *= 2) {
        selftest_add(found, "%s%u: %lu", pages > PAGES_FIRST ? ", " : "", pages,
                     sweep(test, pages));
    }
}
