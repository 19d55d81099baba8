/* SPDX-License-Identifier: MIT */
/* The teller of stories: reads a line, lets the machine do it, compares how the story ends. */
#include "support_story.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/oracle_effects.h"
#include "arch_host/phys_mem.h"
#include "machine/effects.h"

#define TABLES     UINT64_C(0x80400000)
#define PAGES      UINT64_C(0x80600000)
#define BLOCK      UINT64_C(0x80800000)
#define WORDS_MAX  8U
#define PLACE_PAGE 0x1000U

struct teller {
    const struct story *story;
    char *words[WORDS_MAX]; /* of the line */
    size_t count;
    unsigned hart;
    bool picks_old, picks_refusal;
    char problem[256]; /* what went otherwise than the story says */
    jmp_buf end;
    int verdict;
    char text[240];
};

static struct teller teller;
static _Atomic(uint64_t) shared_words[3];

static void complain(const char *what)
{
    if (teller.problem[0] == '\0') {
        (void)snprintf(
            teller.problem, sizeof(teller.problem), "%s (at: %s %s %s %s)", what,
            teller.count > 1 ? teller.words[1] : "", teller.count > 2 ? teller.words[2] : "",
            teller.count > 3 ? teller.words[3] : "", teller.count > 4 ? teller.words[4] : "");
    }
}

static const char *word(size_t i)
{
    return i < teller.count ? teller.words[i] : "";
}

static uint64_t number(size_t i)
{
    return strtoull(word(i), NULL, 0);
}

/* ---- names ---- */

/* Physical address of a table, page, block or device; "" and unknown names end the story. */
static uint64_t place_of(const char *name)
{
    static const char *const names[] = {"A",  "A0", "A1", "A2", "A3", "B", "B0",
                                        "B1", "B2", "B3", "K",  "S",  "T"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            return TABLES + i * PLACE_PAGE;
        }
    }
    switch (name[0]) {
    case 'F':
    case 'G':
    case 'H':
        return PAGES + (uint64_t)(name[0] - 'F') * PLACE_PAGE;
    case 'M':
        return BLOCK;
    case 'N':
        return BLOCK + 5 * (uint64_t)PLACE_PAGE;
    case 'D':
        return DEVICE_BASE;
    default:
        complain("there is no such place");
        return PAGES;
    }
}

static uint64_t value_of(const char *text)
{
    const char *flags = strchr(text, ':');
    uint64_t value = 0xd1; /* V U A D */
    char name[4] = "";

    if (text[0] == '0') {
        return 0;
    }
    if (text[0] == '=') {
        return strtoull(text + 1, NULL, 0);
    }
    if (flags == NULL) {
        return place_of(text) >> 12 << 10 | 1;
    }
    memcpy(name, text, (size_t)(flags - text) < 3 ? (size_t)(flags - text) : 3);
    for (flags++; *flags != '\0'; flags++) {
        switch (*flags) {
        case 'r':
            value |= 0x2;
            break;
        case 'w':
            value |= 0x4;
            break;
        case 'x':
            value |= 0x8;
            break;
        case 'g':
            value |= 0x20;
            break;
        case 'k':
            value &= ~UINT64_C(0x10);
            break;
        case 'n':
            value |= UINT64_C(1) << 61;
            break;
        case '!':
            value &= ~UINT64_C(0xc0);
            break;
        case '-':
            value &= ~UINT64_C(0x80);
            break;
        default:
            complain("there is no such flag");
        }
    }
    return value | place_of(name) >> 12 << 10;
}

static _Atomic(uint64_t) *slot_at(size_t i)
{
    return (_Atomic(uint64_t) *)phys_mem_pointer(place_of(word(i)) + number(i + 1) * 8);
}

static memory_order order_of(const char *name)
{
    static const struct {
        const char *name;
        memory_order order;
    } orders[] = {{"rlx", memory_order_relaxed},
                  {"acq", memory_order_acquire},
                  {"rel", memory_order_release},
                  {"ar", memory_order_acq_rel},
                  {"sc", memory_order_seq_cst}};

    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        if (strcmp(name, orders[i].name) == 0) {
            return orders[i].order;
        }
    }
    complain("there is no such order");
    return memory_order_seq_cst;
}

static _Atomic(uint64_t) *word_named(size_t i)
{
    return &shared_words[(unsigned)(word(i)[0] - 'x') % 3];
}

static enum oracle_access access_of(const char *name)
{
    return name[0] == 'r' ? ORACLE_READ : name[0] == 'w' ? ORACLE_WRITE : ORACLE_EXECUTE;
}

/* ---- what a hart does ---- */

/* The operands of a fence, from word i on. */
struct operands {
    uint64_t va, bytes;
    uint32_t asid;
};

static struct operands operands_from(size_t i)
{
    struct operands operands = {0};

    for (; i + 1 < teller.count; i += 2) {
        if (strcmp(word(i), "asid") == 0) {
            operands.asid = (uint32_t)number(i + 1);
        } else if (strcmp(word(i), "page") == 0) {
            operands.va = number(i + 1);
            operands.bytes = PLACE_PAGE;
        } else {
            operands.va = number(i);
            operands.bytes = number(i + 1);
        }
    }
    return operands;
}

static void do_satp(void)
{
    oracle_satp(place_of(word(2)), (uint32_t)number(3));
}

static void do_set(void)
{
    oracle_slot_store(slot_at(2), value_of(word(4)));
}

static void do_swap(void)
{
    (void)oracle_slot_exchange(slot_at(2), value_of(word(4)));
}

static void do_cas(void)
{
    uint64_t seen = atomic_load_explicit(slot_at(2), memory_order_relaxed);

    if (!oracle_slot_replace(slot_at(2), &seen, value_of(word(4)))) {
        complain("the exchange fails");
    }
}

static void do_get(void)
{
    teller.picks_old = strcmp(word(4), "old") == 0;
    (void)oracle_slot_load(slot_at(2));
}

static void do_is(void)
{
    if (atomic_load_explicit(slot_at(2), memory_order_relaxed) != value_of(word(4))) {
        complain("the slot holds something else");
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

    if (!oracle_rfence(number(2), operands.va, operands.bytes, operands.asid)) {
        complain("firmware refuses");
    }
}

static void do_refused(void)
{
    struct operands operands = operands_from(3);

    teller.picks_refusal = true;
    if (oracle_rfence(number(2), operands.va, operands.bytes, operands.asid)) {
        complain("firmware does not refuse");
    }
}

static void do_begin(void)
{
    oracle_op_begin(teller.hart, number(2));
}

static void do_end(void)
{
    oracle_op_end(teller.hart);
}

static uint64_t bytes_of(const char *name)
{
    return name[0] == 'M' ? 2 * MIB : PLACE_PAGE;
}

static void do_free(void)
{
    oracle_frames_freed(place_of(word(2)), bytes_of(word(2)));
}

static void do_take(void)
{
    oracle_frames_taken(place_of(word(2)), bytes_of(word(2)));
}

static void do_zero(void)
{
    oracle_frame_zeroing(place_of(word(2)));
    memset(phys_mem_pointer(place_of(word(2))), 0, PLACE_PAGE);
}

static void do_write(void)
{
    oracle_frame_written(teller.hart, place_of(word(2)));
}

static void do_order(void)
{
    oracle_order(order_of(word(2)));
}

static void do_put(void)
{
    oracle_word_store(word_named(2), number(3), order_of(word(4)));
}

static void do_add(void)
{
    (void)oracle_word_change(word_named(2), ORACLE_ADD, number(3), order_of(word(4)));
}

static void do_see(void)
{
    teller.picks_old = strcmp(word(5), "old") == 0;
    if (oracle_word_load(word_named(2), order_of(word(3))) != number(4)) {
        complain("the load gives another value");
    }
}

static void do_unseen(void)
{
    teller.picks_old = true;
    if (oracle_word_load(word_named(2), order_of(word(3))) == number(4)) {
        complain("the load gives that value");
    }
}

static void do_fence_i(void)
{
    oracle_fence_i();
}

static void do_rfence_i(void)
{
    oracle_remote_fence_i(number(2));
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
    size_t count =
        oracle_outcomes(teller.hart, number(2), access_of(word(3)), outcomes, ARRAY_LEN(outcomes));
    bool may_fault = false;
    int which = teller.count > 4 ? outcome_to(outcomes, count, place_of(word(4))) : -1;

    for (size_t i = 0; i < count; i++) {
        may_fault |= outcomes[i].faults;
    }
    if (strcmp(word(1), "maynot") == 0) {
        if (which >= 0) {
            complain("user mode may reach it");
        }
    } else if (strcmp(word(1), "mayfault") == 0 || strcmp(word(1), "nofault") == 0) {
        if (may_fault != (word(1)[0] == 'm')) {
            complain(may_fault ? "it may fault" : "it cannot fault");
        }
    } else if (which < 0) {
        complain("user mode cannot reach it");
    } else if (strcmp(word(1), "use") == 0) {
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
    {"use", do_access},
};

static void tell_line(char *line)
{
    char *rest = NULL;

    teller.count = 0;
    for (char *part = strtok_r(line, " \n", &rest); part != NULL && teller.count < WORDS_MAX;
         part = strtok_r(NULL, " \n", &rest)) {
        teller.words[teller.count++] = part;
    }
    if (teller.count == 0) {
        return;
    }
    teller.hart = (unsigned)number(0);
    teller.picks_old = false;
    teller.picks_refusal = false;
    host_hart_set(teller.hart);
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (strcmp(word(1), verbs[i].name) == 0) {
            verbs[i].act();
            return;
        }
    }
    complain("there is no such verb");
}

/* ---- a whole story ---- */

static unsigned choose(const struct oracle_step *step, unsigned count)
{
    if (step->kind == ORACLE_RFENCE) {
        bool refuses = teller.picks_refusal;

        /* The first question is which hart comes first, if there are several. */
        teller.picks_refusal = false;
        return refuses ? count - 1 : 0;
    }
    return teller.picks_old ? count - 1 : 0;
}

static void failed(const struct oracle_verdict *verdict)
{
    teller.verdict = (int)verdict->rule;
    (void)snprintf(teller.text, sizeof(teller.text), "%s", verdict->text);
    longjmp(teller.end, 1);
}

static void link_tables(const char *space, unsigned levels)
{
    char above[3] = {space[0]};
    char below[3] = {space[0]};

    for (unsigned level = levels - 1; level-- > 0;) {
        below[1] = (char)('0' + level);
        *(uint64_t *)phys_mem_pointer(place_of(above)) = value_of(below);
        above[1] = below[1];
    }
}

static void set_scene(const struct story *story)
{
    struct oracle_config config = {
        .harts = 4,
        .levels = story->levels == 0 ? 3 : story->levels,
        .asid_bits = story->asid_bits == 0          ? 9
                     : story->asid_bits == NO_ASIDS ? 0
                                                    : story->asid_bits,
        .ad = story->ad,
        .has_svpbmt = story->has_svpbmt,
    };
    static const struct oracle_driver driver = {.choose = choose, .failed = failed};

    memset(phys_mem_pointer(TABLES), 0, 16 * PLACE_PAGE);
    memset(shared_words, 0, sizeof(shared_words));
    link_tables("A", config.levels);
    link_tables("B", config.levels);
    oracle_reset(&config);
    oracle_drive(&driver);
}

static void tell(const struct story *story)
{
    char text[1024];
    char *rest = NULL;

    teller = (struct teller){.story = story, .verdict = LEGAL};
    (void)snprintf(text, sizeof(text), "%s", story->text);
    set_scene(story);
    if (setjmp(teller.end) == 0) {
        for (char *line = strtok_r(text, ";", &rest); line != NULL && teller.problem[0] == '\0';
             line = strtok_r(NULL, ";", &rest)) {
            tell_line(line);
        }
    }
    oracle_drive(NULL);
    host_hart_set(0);
}

void stories_expect(const struct story *stories, size_t count)
{
    unsigned wrong = 0;

    machine_default(16 * MIB);
    machine_start(3);
    for (size_t i = 0; i < count; i++) {
        const struct story *story = &stories[i];

        tell(story);
        if (teller.problem[0] != '\0' || teller.verdict != story->verdict) {
            wrong++;
            (void)fprintf(stderr, "%s (\"%s\"): %s%s%s\n", story->name, story->section,
                          teller.problem[0] != '\0' ? teller.problem
                          : teller.verdict == LEGAL
                              ? "no rule is broken"
                              : oracle_rule_name((enum oracle_rule)teller.verdict),
                          teller.text[0] != '\0' ? ": " : "", teller.text);
        }
    }
    cr_assert(wrong == 0, "%u of %zu stories end otherwise", wrong, count);
}
