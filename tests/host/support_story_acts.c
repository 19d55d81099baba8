/* SPDX-License-Identifier: MIT */
/* What the harts of a story do: one function for each verb. */
#include <string.h>

#include "arch/oracle_effects.h"
#include "arch_host/phys_mem.h"
#include "machine/effects.h"
#include "support_story_priv.h"

static _Atomic(uint64_t) shared_words[3];

static _Atomic(uint64_t) *slot_at(size_t i)
{
    return (_Atomic(uint64_t) *)phys_mem_pointer(story_place(story_word(i)) +
                                                 story_number(i + 1) * 8);
}

static _Atomic(uint64_t) *word_named(size_t i)
{
    return &shared_words[(unsigned)(story_word(i)[0] - 'x') % 3];
}

static enum oracle_access access_of(const char *name)
{
    return name[0] == 'r' ? ORACLE_READ : name[0] == 'w' ? ORACLE_WRITE : ORACLE_EXECUTE;
}

/* The operands of a fence, from word i on. */
struct operands {
    uint64_t va, bytes;
    uint32_t asid;
};

static struct operands operands_from(size_t i)
{
    struct operands operands = {0};

    for (; i + 1 < teller.count; i += 2) {
        if (strcmp(story_word(i), "asid") == 0) {
            operands.asid = (uint32_t)story_number(i + 1);
        } else if (strcmp(story_word(i), "page") == 0) {
            operands.va = story_number(i + 1);
            operands.bytes = PAGE_SIZE;
        } else {
            operands.va = story_number(i);
            operands.bytes = story_number(i + 1);
        }
    }
    return operands;
}

static void do_satp(void)
{
    oracle_satp(story_place(story_word(2)), (uint32_t)story_number(3));
}

static void do_set(void)
{
    oracle_slot_store(slot_at(2), story_value(story_word(4)));
}

/* All slots of a table: the parts of what a leaf above it maps. */
static void do_parts(void)
{
    for (uint64_t i = 0; i < PAGE_SIZE / sizeof(uint64_t); i++) {
        _Atomic(uint64_t) *slot = phys_mem_pointer(story_place(story_word(2)) + i * sizeof(*slot));

        oracle_slot_store(slot, story_value(story_word(3)) + (i << 10));
    }
}

static void do_swap(void)
{
    (void)oracle_slot_exchange(slot_at(2), story_value(story_word(4)));
}

static void do_cas(void)
{
    uint64_t seen = atomic_load_explicit(slot_at(2), memory_order_relaxed);

    if (!oracle_slot_replace(slot_at(2), &seen, story_value(story_word(4)))) {
        story_complain("the exchange fails");
    }
}

static void do_get(void)
{
    teller.picks_old = strcmp(story_word(4), "old") == 0;
    (void)oracle_slot_load(slot_at(2));
}

static void do_is(void)
{
    if (atomic_load_explicit(slot_at(2), memory_order_relaxed) != story_value(story_word(4))) {
        story_complain("the slot holds something else");
    }
}

static void do_fence(void)
{
    struct operands operands = operands_from(2);

    oracle_sfence(operands.va, operands.bytes, operands.asid);
}

static void do_rfence(void)
{
    struct operands operands = operands_from(3);

    if (!oracle_rfence(story_number(2), operands.va, operands.bytes, operands.asid)) {
        story_complain("firmware refuses");
    }
}

static void do_refused(void)
{
    struct operands operands = operands_from(3);

    teller.picks_refusal = true;
    if (oracle_rfence(story_number(2), operands.va, operands.bytes, operands.asid)) {
        story_complain("firmware does not refuse");
    }
}

static void do_begin(void)
{
    oracle_op_begin(teller.hart, story_number(2));
}

static void do_end(void)
{
    oracle_op_end(teller.hart);
}

static uint64_t bytes_of(const char *name)
{
    return name[0] == 'M' ? 2 * MIB : PAGE_SIZE;
}

static void do_free(void)
{
    oracle_frames_freed(story_place(story_word(2)), bytes_of(story_word(2)));
}

static void do_take(void)
{
    oracle_frames_taken(story_place(story_word(2)), bytes_of(story_word(2)));
}

static void do_zero(void)
{
    oracle_frame_zeroing(story_place(story_word(2)));
    memset(phys_mem_pointer(story_place(story_word(2))), 0, PAGE_SIZE);
}

static void do_write(void)
{
    oracle_frame_written(teller.hart, story_place(story_word(2)));
}

static void do_order(void)
{
    oracle_order(story_order(story_word(2)));
}

static void do_put(void)
{
    oracle_word_store(word_named(2), story_number(3), story_order(story_word(4)));
}

static void do_add(void)
{
    (void)oracle_word_change(word_named(2), ORACLE_ADD, story_number(3),
                             story_order(story_word(4)));
}

static void do_see(void)
{
    teller.picks_old = strcmp(story_word(5), "old") == 0;
    if (oracle_word_load(word_named(2), story_order(story_word(3))) != story_number(4)) {
        story_complain("the load gives another value");
    }
}

static void do_unseen(void)
{
    teller.picks_old = true;
    if (oracle_word_load(word_named(2), story_order(story_word(3))) == story_number(4)) {
        story_complain("the load gives that value");
    }
}

static void do_fence_i(void)
{
    oracle_fence_i();
}

static void do_rfence_i(void)
{
    oracle_remote_fence_i(story_number(2));
}

static void do_audit(void)
{
    oracle_audit();
}

/* ---- what a program may do ---- */

/* Number of the outcome that reaches the place; -1: none. */
static int outcome_to(const struct oracle_outcome *outcomes, size_t count, uint64_t place)
{
    for (size_t i = 0; i < count; i++) {
        if (!outcomes[i].faults && outcomes[i].pa >> 12 == place >> 12) {
            return (int)i;
        }
    }
    return -1;
}

static void do_access(void)
{
    struct oracle_outcome outcomes[16];
    size_t count = oracle_outcomes(teller.hart, story_number(2), access_of(story_word(3)), outcomes,
                                   ARRAY_LEN(outcomes));
    bool may_fault = false;
    int which = teller.count > 4 ? outcome_to(outcomes, count, story_place(story_word(4))) : -1;

    for (size_t i = 0; i < count; i++) {
        may_fault |= outcomes[i].faults;
    }
    if (strcmp(story_word(1), "maynot") == 0) {
        if (which >= 0) {
            story_complain("user mode may reach it");
        }
    } else if (strcmp(story_word(1), "mayfault") == 0 || strcmp(story_word(1), "nofault") == 0) {
        if (may_fault != (story_word(1)[0] == 'm')) {
            story_complain(may_fault ? "it may fault" : "it cannot fault");
        }
    } else if (which < 0) {
        story_complain("user mode cannot reach it");
    } else if (strcmp(story_word(1), "use") == 0) {
        oracle_access_take((size_t)which);
    }
}

static const struct {
    const char *name;
    void (*act)(void);
} verbs[] = {
    {"satp", do_satp},         {"set", do_set},         {"swap", do_swap},
    {"cas", do_cas},           {"get", do_get},         {"is", do_is},
    {"fence", do_fence},       {"rfence", do_rfence},   {"refused", do_refused},
    {"begin", do_begin},       {"end", do_end},         {"free", do_free},
    {"take", do_take},         {"zero", do_zero},       {"write", do_write},
    {"order", do_order},       {"put", do_put},         {"add", do_add},
    {"see", do_see},           {"unseen", do_unseen},   {"fence.i", do_fence_i},
    {"rfence.i", do_rfence_i}, {"audit", do_audit},     {"may", do_access},
    {"maynot", do_access},     {"mayfault", do_access}, {"nofault", do_access},
    {"use", do_access},        {"parts", do_parts},
};

void story_words_clear(void)
{
    memset(shared_words, 0, sizeof(shared_words));
}

bool story_act(const char *verb)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (strcmp(verb, verbs[i].name) == 0) {
            verbs[i].act();
            return true;
        }
    }
    return false;
}
