/* SPDX-License-Identifier: MIT */
/*
 * Whether fences do what they are for: an entry is changed to map another frame, a fence is made,
 * and what the hart then loads or fetches tells which entry it used.  The same without a fence
 * shows that the experiment sees a stale entry where there is one.
 *
 * Erratum CIP-1200 of SiFive's cores: the instruction TLB may keep an entry through a fence that is
 * not global.
 */
#include "arch/arch.h"
#include "arch/machine.h"
#include "csr.h"
#include "lib/string.h"
#include "mmu.h"
#include "pure/selftest_tries.h"
#include "sbi.h"
#include "selftest.h"
#include "try.h"

#define TRIES_MIN       4U
#define TRIES_MAX       1000U
#define HELPERS_MAX     3U
#define SECOND_PARTS    16U /* the tries on one hart take that part of a second, or the least */
#define CASE_PLACE(arg) ((arg) >> 8U)
#define CASE_WAY(arg)   ((arg) >> 4U & 0xfU)
#define CASE_DEED(arg)  ((enum selftest_deed)((arg)&0xfU))

/* One experiment: what is changed in try `made`, and how the change is made known. */
struct trial {
    struct selftest *test;
    unsigned arg;
    void (*change)(struct selftest *test, unsigned made);
    status_t (*announce)(const struct selftest *test, unsigned arg, struct hart_mask helper);
    struct hart_mask helper;
};

static uint64_t act(const struct trial *trial, enum selftest_deed deed)
{
    return CASE_PLACE(trial->arg) == SELFTEST_THERE ? selftest_help(deed) : selftest_do(deed);
}

/* Everything as after a fence of everything, and the hart has used the entry and the code. */
static void settle(const struct trial *trial)
{
    (void)act(trial, SELFTEST_FLUSH);
    (void)act(trial, SELFTEST_FENCEI);
    (void)act(trial, CASE_DEED(trial->arg));
}

static void run_tries(const struct trial *trial, struct selftest_tries *tries)
{
    uint64_t ticks = machine_get()->timebase_hz / SECOND_PARTS;
    uint64_t deadline = arch_time_now() + ticks;
    unsigned made = 0;

    trial->change(trial->test, made);
    settle(trial);
    while (made < TRIES_MIN || (made < TRIES_MAX && arch_time_now() < deadline)) {
        made++;
        trial->change(trial->test, made);
        if (trial->announce(trial->test, trial->arg, trial->helper) != OK) {
            tries->refused++;
        }
        if (act(trial, CASE_DEED(trial->arg)) != made % SELFTEST_FRAMES) {
            tries->stale++;
            settle(trial);
        }
    }
    tries->made += made;
}

/* Runs a trial here, or on up to HELPERS_MAX of the others in turn; false: none came. */
static bool run_trial(struct trial *trial, struct selftest_tries *tries)
{
    struct hart_mask left = trial->test->others;
    unsigned helpers = 0;

    if (CASE_PLACE(trial->arg) == SELFTEST_HERE) {
        run_tries(trial, tries);
        return true;
    }
    for (; !hart_mask_is_empty(left) && helpers < HELPERS_MAX;
         left = hart_mask_without(left, hart_mask_first(left))) {
        if (!selftest_help_begin(trial->test, hart_mask_first(left))) {
            trial->test->others = hart_mask_without(trial->test->others, hart_mask_first(left));
            continue; /* one that does not come is not asked again in this check */
        }
        trial->helper = hart_mask_with((struct hart_mask){0}, hart_mask_first(left));
        run_tries(trial, tries);
        (void)selftest_help(SELFTEST_LEAVE);
        helpers++;
    }
    return helpers > 0;
}

/* Without a fence nothing is promised; and where the kernel makes global fences only, it does not
 * make others. */
static enum selftest_use use_of(unsigned arg)
{
    if (CASE_WAY(arg) == SELFTEST_NONE) {
        return SELFTEST_NOT_USED;
    }
    return CASE_WAY(arg) == SELFTEST_ALL || !mmu_has_global_fences() ? SELFTEST_USED
                                                                     : SELFTEST_NOT_USED;
}

static void tell_refused(struct selftest_found *found, struct selftest_tries tries)
{
    if (tries.refused > 0) {
        selftest_add(found, "; the firmware refused %u", tries.refused);
    }
}

static void tell_trial(struct selftest_found *found, struct trial *trial)
{
    struct selftest_tries tries = {0};

    if (!run_trial(trial, &tries)) {
        selftest_say(found, SELFTEST_FACT, "not tried: no other hart");
        return;
    }
    selftest_say(found, selftest_tries_verdict(tries, use_of(trial->arg)),
                 "stale in %u of %u tries", tries.stale, tries.made);
    tell_refused(found, tries);
}

static void change_entry(struct selftest *test, unsigned made)
{
    pte_slot_store(&test->slots[0], selftest_entry(test, made % SELFTEST_FRAMES));
}

static void change_global_entry(struct selftest *test, unsigned made)
{
    pte_t entry = selftest_entry(test, made % SELFTEST_FRAMES);

    entry.raw |= PTE_G;
    pte_slot_store(&test->slots[0], entry);
}

static void fence_here(const struct selftest *test, unsigned way)
{
    uint64_t va = SELFTEST_VA;
    uint64_t asid = test->asid;

    __asm__ volatile("fence rw, rw" ::: "memory");
    if (way == SELFTEST_ADDRESS) {
        __asm__ volatile("sfence.vma %0, x0" ::"r"(va) : "memory");
    } else if (way == SELFTEST_ASID) {
        __asm__ volatile("sfence.vma %0, %1" ::"r"(va), "r"(asid) : "memory");
    } else if (way == SELFTEST_ALL) {
        try_flush();
    }
}

static status_t fence_entry(const struct selftest *test, unsigned arg, struct hart_mask helper)
{
    vaddr_t va = {SELFTEST_VA};

    if (CASE_PLACE(arg) == SELFTEST_HERE || CASE_WAY(arg) == SELFTEST_NONE) {
        fence_here(test, CASE_WAY(arg));
        return OK;
    }
    __asm__ volatile("fence rw, rw" ::: "memory");
    switch (CASE_WAY(arg)) {
    case SELFTEST_ADDRESS:
        return sbi_remote_sfence(helper, va, PAGE_SIZE);
    case SELFTEST_ASID:
        return sbi_remote_sfence_asid(helper, va, PAGE_SIZE, test->asid);
    default:
        return sbi_remote_sfence(helper, va, 0);
    }
}

void selftest_fences(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    struct trial trial = {test, arg, change_entry, fence_entry, {0}};

    tell_trial(found, &trial);
}

void selftest_cip_1200(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    static const unsigned cases[] = {
        SELFTEST_CASE(HERE, ADDRESS, FETCH),
        SELFTEST_CASE(HERE, ASID, FETCH),
        SELFTEST_CASE(THERE, ADDRESS, FETCH),
        SELFTEST_CASE(THERE, ASID, FETCH),
    };
    struct selftest_tries tries = {0};

    (void)arg;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct trial trial = {test, cases[i], change_entry, fence_entry, {0}};

        (void)run_trial(&trial, &tries);
    }
    found->verdict = selftest_tries_verdict(tries, use_of(cases[0]));
    if (tries.stale == 0) {
        selftest_add(found, "not observed in %u tries", tries.made);
    } else {
        selftest_add(found, "seen: stale in %u of %u tries", tries.stale, tries.made);
    }
    tell_refused(found, tries);
}

/* A fence that names an identifier spares global entries, or need not. */
static status_t fence_identifier(const struct selftest *test, unsigned arg, struct hart_mask helper)
{
    uint64_t asid = test->asid;

    (void)arg;
    (void)helper;
    __asm__ volatile("fence rw, rw\n"
                     "sfence.vma x0, %0" ::"r"(asid)
                     : "memory");
    return OK;
}

void selftest_global(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    struct trial trial = {
        test, SELFTEST_CASE(HERE, NONE, LOAD), change_global_entry, fence_identifier, {0}};
    struct selftest_tries tries = {0};

    (void)arg;
    (void)run_trial(&trial, &tries);
    selftest_say(found, SELFTEST_FACT, "kept in %u of %u tries", tries.stale, tries.made);
}

/* The page shows one frame, whose code changes. */
static void change_code(struct selftest *test, unsigned made)
{
    pte_slot_store(&test->slots[0], selftest_entry(test, 0));
    selftest_fill(test, 0, made % SELFTEST_FRAMES);
}

static status_t fence_code(const struct selftest *test, unsigned arg, struct hart_mask helper)
{
    (void)test;
    __asm__ volatile("fence rw, rw" ::: "memory");
    if (CASE_WAY(arg) == SELFTEST_NONE) {
        return OK;
    }
    if (CASE_PLACE(arg) == SELFTEST_HERE) {
        (void)selftest_do(SELFTEST_FENCEI);
        return OK;
    }
    return sbi_remote_fence_i(helper);
}

void selftest_code(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    struct trial trial = {test, arg, change_code, fence_code, {0}};

    tell_trial(found, &trial);
}
