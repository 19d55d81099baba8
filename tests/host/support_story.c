/* SPDX-License-Identifier: MIT */
/* The teller of stories: reads a line, lets the machine do it, compares how the story ends. */
#include "support_story.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "arch_host/phys_mem.h"
#include "support_story_priv.h"

static jmp_buf end; /* of the story, at a verdict */

static void tell_line(char *line)
{
    char *rest = NULL;

    teller.count = 0;
    for (char *part = strtok_r(line, " \n", &rest); part != NULL && teller.count < STORY_WORDS_MAX;
         part = strtok_r(NULL, " \n", &rest)) {
        teller.words[teller.count++] = part;
    }
    if (teller.count == 0) {
        return;
    }
    teller.hart = (unsigned)story_number(0);
    teller.picks_old = false;
    teller.picks_refusal = false;
    host_hart_set(teller.hart);
    if (!story_act(story_word(1))) {
        story_complain("there is no such verb");
    }
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
    longjmp(end, 1);
}

static void link_tables(const char *space, unsigned levels)
{
    char above[3] = {space[0]};
    char below[3] = {space[0]};

    for (unsigned level = levels - 1; level-- > 0;) {
        below[1] = (char)('0' + level);
        *(uint64_t *)phys_mem_pointer(story_place(above)) = story_value(below);
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

    memset(phys_mem_pointer(STORY_TABLES), 0, 16 * PAGE_SIZE);
    story_words_clear();
    link_tables("A", config.levels);
    link_tables("B", config.levels);
    oracle_reset(&config);
    oracle_drive(&driver);
}

static void tell(const struct story *story)
{
    char text[1024];
    char *rest = NULL;

    teller = (struct teller){.verdict = LEGAL};
    (void)snprintf(text, sizeof(text), "%s", story->text);
    set_scene(story);
    if (setjmp(end) == 0) {
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
