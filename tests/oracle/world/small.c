/* SPDX-License-Identifier: MIT */
/*
 * Small worlds, searched to the end: two harts, two pages, programs of one or two operations each,
 * every interleaving of their steps and every outcome of every access.
 *
 * Both pages lie in space 0, which both harts run at first; space 1 is empty.  What they are at
 * first goes by the alphabet (small.h), and so do the letters that make sense.  The programs are
 * all pairs of the letters of one alphabet, and pairs of words of two.
 */
#include <string.h>

#include "world/ops.h"
#include "world/search.h"
#include "world/small.h"

struct letter {
    const char *name;
    void (*function)(const struct op *op);
    struct world_op op;
    unsigned alphabets; /* one bit each */
};

#define WHOLE    255 /* arg[1]: a cursor that is not bounded */
#define MAPPED   (1U << SMALL_MAPPED)
#define READ     (1U << SMALL_READ)
#define WRITE    (1U << SMALL_WRITE)
#define CLONE    (1U << SMALL_CLONE)
#define CLONED   (1U << SMALL_CLONED)
#define MOVE     (1U << SMALL_MOVE)
#define PAGED    (1U << SMALL_PAGED)
#define LARGE    (1U << SMALL_LARGE)
#define SPLIT    (1U << SMALL_SPLIT)
#define RESERVED (READ | WRITE)
#define SHARED   252 /* arg[1] of a mapping of an object, from its page 0 */

static const struct letter letters[] = {
    {"unmap",
     op_unmap,
     {.page = 0, .arg = {0, WHOLE}},
     MAPPED | RESERVED | CLONE | CLONED | MOVE | PAGED | LARGE | SPLIT},
    {"unmap-table",
     op_unmap,
     {.page = 0, .shape = 8, .arg = {0, WHOLE}},
     MAPPED | RESERVED | MOVE | LARGE},
    {"protect", op_protect, {.page = 0, .prot = VM_R, .arg = {0, WHOLE}}, MAPPED | LARGE},
    {"remap", op_map, {.page = 0, .prot = VM_RW, .arg = {0, WHOLE}}, MAPPED},
    {"remap-other", op_map, {.page = 1, .prot = VM_RW, .arg = {0, WHOLE}}, MAPPED},
    {"activate", op_space_activate, {.space = 0}, MAPPED},
    {"switch", op_space_activate, {.space = 1}, MAPPED | CLONE | MOVE},
    {"leave", op_space_leave, {0}, MAPPED | CLONE | CLONED | MOVE},
    {"free", op_space_destroy, {.space = 0}, MAPPED | CLONE | CLONED | MOVE},
    {"reuse", op_churn, {.arg = {1, 0}}, MAPPED | RESERVED | CLONE | CLONED | MOVE | PAGED},
    {"reap", op_reap, {.arg = {3, 0}}, MAPPED | RESERVED | CLONED | MOVE | PAGED},

    {"write-other", op_touch, {.page = 1, .prot = VM_ACCESS_WRITE}, LARGE | SPLIT},
    {"fold", op_fold, {.page = 0, .arg = {1, WHOLE}}, LARGE | SPLIT},
    {"several", op_txn, {.page = 0, .shape = 1, .prot = VM_R, .arg = {4, WHOLE}}, LARGE},
    {"read",
     op_touch,
     {.page = 0, .prot = VM_ACCESS_READ},
     MAPPED | READ | CLONE | CLONED | MOVE | PAGED | LARGE | SPLIT},
    {"write",
     op_touch,
     {.page = 0, .prot = VM_ACCESS_WRITE},
     MAPPED | WRITE | CLONE | CLONED | MOVE | PAGED | LARGE | SPLIT},
    {"hide",
     op_hide,
     {.page = 0, .arg = {0, WHOLE}},
     MAPPED | RESERVED | CLONE | CLONED | MOVE | PAGED},
    {"show",
     op_protect_range,
     {.page = 0, .prot = VM_RW, .arg = {0, WHOLE}},
     MAPPED | RESERVED | CLONE},
    {"reserve", op_mark, {.page = 0, .prot = VM_RW, .arg = {0, WHOLE}}, MAPPED},
    {"sweep", op_sweep, {.arg = {3, 0}}, RESERVED},
    {"clone", op_clone, {.page = 0, .arg = {0, WHOLE}}, CLONE},
    {"clone-again", op_clone, {.page = 0, .prot = 3, .arg = {0, WHOLE}}, CLONED},
    {"unmap-clone", op_unmap, {.space = 1, .page = 0, .arg = {0, WHOLE}}, CLONED},
    {"move", op_move, {.page = 0, .arg = {0, WHOLE}}, MOVE},
    {"move-table", op_move, {.page = 0, .shape = 8, .arg = {0, WHOLE}}, MOVE},
    {"move-inside", op_move, {.page = 0, .arg = {15 + 16 * 4, WHOLE}}, MOVE},
    {"write-there", op_touch, {.page = 4, .prot = VM_ACCESS_WRITE}, MOVE},
    {"map-object", op_object_map, {.page = 0, .prot = VM_RW, .arg = {0x78, SHARED}}, PAGED},
    {"take-page", op_object_page, {.arg = {1, 0}}, PAGED},
    {"look-at-page", op_object_page, {.arg = {2, 0}}, PAGED},
    {"cut", op_object_resize, {.arg = {7, 0}}, PAGED},
    {"drop-object", op_object_drop, {0}, PAGED},
};

#define LETTERS (sizeof(letters) / sizeof(letters[0]))

static struct world_op op_of(const struct letter *letter, unsigned hart)
{
    struct world_op op = letter->op;

    for (unsigned kind = 0; kind < world_kind_count(); kind++) {
        if (ops_row(kind)->function == letter->function) {
            op.kind = (uint8_t)kind;
        }
    }
    op.hart = (uint8_t)hart;
    return op;
}

static void add(struct world_history *history, void (*function)(const struct op *op),
                struct world_op op)
{
    struct letter letter = {.function = function, .op = op};

    history->ops[history->op_count++] = op_of(&letter, op.hart);
}

/* What both pages are at first. */
static void add_pages(struct world_history *history, enum small_alphabet alphabet)
{
    const struct world_op pages = {.page = 0, .shape = 1, .prot = VM_RW, .arg = {0, WHOLE}};

    switch (alphabet) {
    case SMALL_READ:
    case SMALL_WRITE:
        add(history, op_mark, pages);
        return;
    case SMALL_CLONED:
        add(history, op_map, pages);
        add(history, op_clone, pages);
        return;
    case SMALL_PAGED:
        add(history, op_object_create, (struct world_op){0});
        for (uint8_t space = 0; space < 2; space++) {
            add(history, op_object_map,
                (struct world_op){
                    .space = space, .shape = 1, .prot = VM_RW, .arg = {0x78, SHARED}});
        }
        return;
    case SMALL_LARGE:
        add(history, op_map_block, pages);
        return;
    case SMALL_SPLIT:
        add(history, op_map_block, pages);
        add(history, op_protect_range, (struct world_op){.prot = VM_R, .arg = {0, WHOLE}});
        add(history, op_protect_range, (struct world_op){.prot = VM_RW, .arg = {0, WHOLE}});
        return;
    case SMALL_MAPPED:
    case SMALL_CLONE:
    case SMALL_MOVE:
    case SMALL_ALPHABETS:
        add(history, op_map, pages);
        return;
    }
}

static void set_up(struct world_history *history, enum small_alphabet alphabet, unsigned asid_bits)
{
    memset(history, 0, offsetof(struct world_history, choices));
    history->config = (struct oracle_config){
        .harts = 2, .levels = 3, .asid_bits = asid_bits, .ad = ORACLE_AD_FAULT};
    add(history, op_space_create, (struct world_op){.space = 0});
    add(history, op_space_create, (struct world_op){.space = 1});
    add_pages(history, alphabet);
    for (uint8_t hart = 0; hart < 2; hart++) {
        uint8_t space = alphabet == SMALL_CLONED || alphabet == SMALL_PAGED ? hart : 0;

        add(history, op_space_activate, (struct world_op){.hart = hart, .space = space});
    }
    history->setup_count = history->op_count;
}

static struct world_history history, taken;

static const char *word_of(const unsigned *word, unsigned count)
{
    static char text[2][64];
    static unsigned turn;
    char *out = text[turn++ % 2];

    (void)snprintf(out, sizeof(text[0]), "%s%s%s", letters[word[0]].name, count > 1 ? "+" : "",
                   count > 1 ? letters[word[1]].name : "");
    return out;
}

static void write_down(const struct small_words *words, unsigned asid_bits)
{
    set_up(&history, words->alphabet, asid_bits);
    for (unsigned hart = 0; hart < 2; hart++) {
        for (unsigned i = 0; i < words->count[hart]; i++) {
            history.ops[history.op_count++] = op_of(&letters[words->at[hart][i]], hart);
        }
    }
}

bool small_search(const struct small_words *words, unsigned asid_bits, uint64_t most,
                  struct small_total *total)
{
    struct search_result result;

    if (total->met++ % 2 == 1 - total->odd) {
        return true;
    }
    write_down(words, asid_bits);
    search_run(&history, SEARCH_REDUCED, most, NULL, &result, &taken);
    total->worlds++;
    total->cut += result.is_cut;
    total->executions += result.executions;
    total->abandoned += result.abandoned;
    total->steps += result.steps;
    if (total->report == SMALL_EACH || result.is_cut) {
        printf("%-24s | %-24s asid %u: %lu executions, %lu cut short%s\n",
               word_of(words->at[0], words->count[0]), word_of(words->at[1], words->count[1]),
               asid_bits, result.executions, result.abandoned, result.is_cut ? ", NOT ALL" : "");
    }
    if (result.failed) {
        printf("%s | %s fails:\n", word_of(words->at[0], words->count[0]),
               word_of(words->at[1], words->count[1]));
        world_story(&taken, stdout);
    }
    return !result.failed;
}

unsigned small_letters(void)
{
    return LETTERS;
}

bool small_letter_is_of(unsigned letter, enum small_alphabet alphabet)
{
    return (letters[letter].alphabets >> alphabet & 1U) != 0;
}

unsigned small_letter(const char *name)
{
    unsigned letter = 0;

    while (letter < LETTERS && strcmp(letters[letter].name, name) != 0) {
        letter++;
    }
    return letter;
}

/* ---- the reduction against every order ---- */

#define DIGESTS_MAX 4096U

struct digests {
    uint64_t at[DIGESTS_MAX];
    unsigned count;
};

static struct digests *collected;

static void collect(void)
{
    uint64_t digest = op_digest();

    for (unsigned i = 0; i < collected->count; i++) {
        if (collected->at[i] == digest) {
            return;
        }
    }
    if (collected->count < DIGESTS_MAX) {
        collected->at[collected->count++] = digest;
    }
}

static bool has_digest(const struct digests *set, uint64_t digest)
{
    unsigned i = 0;

    while (i < set->count && set->at[i] != digest) {
        i++;
    }
    return i < set->count;
}

bool small_compare(const struct small_words *words, unsigned asid_bits, uint64_t most)
{
    static struct digests reduced, plain;
    struct search_result with, without;
    bool same;

    write_down(words, asid_bits);
    reduced.count = plain.count = 0;
    collected = &reduced;
    search_run(&history, SEARCH_REDUCED, most, collect, &with, &taken);
    collected = &plain;
    search_run(&history, SEARCH_PLAIN, most, collect, &without, &taken);
    same = !with.failed && !without.failed && !with.is_cut && reduced.count >= plain.count;
    for (unsigned i = 0; i < plain.count; i++) {
        same = same && has_digest(&reduced, plain.at[i]);
    }
    for (unsigned i = 0; i < reduced.count && !without.is_cut; i++) {
        same = same && has_digest(&plain, reduced.at[i]);
    }
    printf("%s | %s: %u ends in %lu executions with the reduction, %u in %lu without%s%s\n",
           word_of(words->at[0], words->count[0]), word_of(words->at[1], words->count[1]),
           reduced.count, with.executions, plain.count, without.executions,
           without.is_cut ? " (not all)" : "", same ? "" : ": NOT THE SAME");
    return same;
}
