/* SPDX-License-Identifier: MIT */
/* All small worlds: every pair of one operation each, and pairs of words where two matter. */
#include <time.h>

#include "world/main.h"
#include "world/small.h"

/* Two operations whose order on one hart matters, against every single one of the other hart. */
static const char *const longer[SMALL_ALPHABETS][8][2] = {
    [SMALL_MAPPED] = {{"unmap", "reuse"},
                      {"unmap", "remap"},
                      {"protect", "unmap"},
                      {"leave", "activate"},
                      {"switch", "activate"},
                      {"leave", "free"},
                      {"unmap-table", "reap"},
                      {"hide", "unmap"}},
    [SMALL_CLONE] = {{"write", "clone"}},
    [SMALL_MOVE] = {{"move", "switch"}},
    [SMALL_PAGED] = {{"unmap", "cut"}},
};

/* Executions without the reduction, of a world that is run with and without. */
#define PLAIN_MAX 30000U

static const unsigned widths[] = {9, 0};

#define WIDTHS (sizeof(widths) / sizeof(widths[0]))

/* Every pair of one operation each. */
static bool pairs_of_one(enum small_alphabet alphabet, unsigned width, uint64_t most,
                         struct small_total *total)
{
    for (unsigned a = 0; a < small_letters(); a++) {
        for (unsigned b = a; small_letter_is_of(a, alphabet) && b < small_letters(); b++) {
            struct small_words words = {{{a}, {b}}, {1, 1}, alphabet};

            if (small_letter_is_of(b, alphabet) && !small_search(&words, width, most, total)) {
                return false;
            }
        }
    }
    return true;
}

static bool longer_words(enum small_alphabet alphabet, uint64_t most, struct small_total *total)
{
    for (size_t i = 0; i < 8 && longer[alphabet][i][0] != NULL; i++) {
        for (unsigned b = 0; b < small_letters(); b++) {
            struct small_words words = {
                {{small_letter(longer[alphabet][i][0]), small_letter(longer[alphabet][i][1])}, {b}},
                {2, 1},
                alphabet};

            if (small_letter_is_of(b, alphabet) &&
                !small_search(&words, widths[i % WIDTHS], most, total)) {
                return false;
            }
        }
    }
    return true;
}

static bool all_worlds(uint64_t most, struct small_total *total)
{
    for (unsigned alphabet = 0; alphabet < SMALL_ALPHABETS; alphabet++) {
        /* Identifiers matter where harts change their space: in the first ones. */
        size_t count = alphabet < SMALL_CLONE ? WIDTHS : 1;

        for (size_t width = 0; width < count; width++) {
            if (!pairs_of_one((enum small_alphabet)alphabet, widths[width], most, total)) {
                return false;
            }
        }
        if (!longer_words((enum small_alphabet)alphabet, most, total)) {
            return false;
        }
    }
    return true;
}

static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

int small_run(uint64_t most, enum small_report report, unsigned odd)
{
    static const char *const compared[][2] = {
        {"write", "protect"},
        {"read", "unmap"},
        {"write", "remap"},
        {"leave", "reap"},
    };
    struct small_total total = {.report = report, .odd = odd};
    bool is_well = all_worlds(most, &total);

    for (size_t i = odd % 2; is_well && i < sizeof(compared) / sizeof(compared[0]);
         i += odd == 2 ? 1 : 2) {
        struct small_words words = {
            {{small_letter(compared[i][0])}, {small_letter(compared[i][1])}}, {1, 1}, SMALL_MAPPED};

        is_well = small_compare(&words, 9, PLAIN_MAX);
    }
    printf("%u worlds (%u not to their end), %lu executions, %lu cut short by sleep sets, %lu "
           "steps, %.0f steps a second\n",
           total.worlds, total.cut, (unsigned long)total.executions, (unsigned long)total.abandoned,
           (unsigned long)total.steps, (double)total.steps / (seconds() > 0 ? seconds() : 1));
    return is_well && total.cut == 0 ? 0 : 1;
}
