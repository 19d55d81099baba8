/* SPDX-License-Identifier: MIT */
/* The kernel's command line: words up to `--`, then text for init; and the table of reservations.
 */
#include <string.h>

#include "arch/machine.h"
#include "support.h"

static struct machine with_cmdline(const char *cmdline)
{
    struct machine machine = {0};

    cr_assert(strlen(cmdline) < sizeof(machine.cmdline));
    strcpy(machine.cmdline, cmdline);
    return machine;
}

static void expect_value(const char *cmdline, const char *key, const char *want)
{
    struct machine machine = with_cmdline(cmdline);
    char value[8] = "before";
    bool found = machine_cmdline_value(&machine, key, value, sizeof(value));

    cr_assert(found == (want != NULL), "'%s' in '%s': %d", key, cmdline, found);
    cr_assert(strcmp(value, want == NULL ? "before" : want) == 0, "'%s' in '%s' is '%s'", key,
              cmdline, value);
}

Test(machine_cmdline, a_value_is_what_follows_the_equals_sign)
{
    expect_value("paging=sv39", "paging", "sv39");
    expect_value("a=1  paging=sv48 b", "paging", "sv48");
    expect_value("paging=", "paging", "");
    expect_value("paging=a=b", "paging", "a=b");
}

Test(machine_cmdline, a_key_is_a_whole_word)
{
    expect_value("", "paging", NULL);
    expect_value("paging", "paging", NULL);
    expect_value("xpaging=sv39", "paging", NULL);
    expect_value("pagingx=sv39", "paging", NULL);
    expect_value("page=1", "paging", NULL);
}

Test(machine_cmdline, the_last_of_several_values_counts)
{
    expect_value("paging=sv57 paging=sv39 --", "paging", "sv39");
}

Test(machine_cmdline, a_value_that_does_not_fit_is_not_there)
{
    expect_value("paging=1234567", "paging", "1234567");
    expect_value("paging=12345678", "paging", NULL);
}

Test(machine_cmdline, words_after_the_dashes_are_not_the_kernels)
{
    struct machine machine = with_cmdline("one -- two=2 three");

    expect_value("one -- two=2 three", "two", NULL);
    cr_assert(machine_cmdline_has(&machine, "one"));
    cr_assert(!machine_cmdline_has(&machine, "three"));
    cr_assert(!machine_cmdline_has(&machine, "--"));
    cr_assert(!machine_cmdline_has(&machine, "on"));
    cr_assert(!machine_cmdline_has(&machine, ""));
}

static void expect_init(const char *cmdline, const char *want)
{
    struct machine machine = with_cmdline(cmdline);
    const char *got = machine_cmdline_init(&machine);

    cr_assert(strcmp(got, want) == 0, "init's part of '%s' is '%s'", cmdline, got);
}

Test(machine_cmdline, inits_text_is_all_that_follows_the_dashes)
{
    expect_init("", "");
    expect_init("   ", "");
    expect_init("a b=c", "");
    expect_init("a --", "");
    expect_init("--", "");
    expect_init("a -- test; exit 3", "test; exit 3");
    expect_init("--  x -- y", "x -- y");
    expect_init("--a b", "");
    expect_init("a-- b -- c", "c");
}

Test(machine_cmdline, words_that_nobody_knows_are_told)
{
    struct machine machine = with_cmdline("foo=bar asid=x paging=sv39 noadhw=1 noadhw fence=global "
                                          "fence=most input=polled user-counters asi -- other");
    static const char *const want[] = {"foo=bar", "noadhw=1", "fence=most", "asi"};
    char word[16];

    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        cr_assert(machine_cmdline_unknown(&machine, i, word, sizeof(word)));
        cr_assert_str_eq(word, want[i]);
    }
    cr_assert(!machine_cmdline_unknown(&machine, 4, word, sizeof(word)));
    cr_assert(machine_cmdline_unknown(&machine, 1, word, 4));
    cr_assert_str_eq(word, "noa");
}

Test(machine_cmdline, harts_are_found_by_their_ids)
{
    struct machine machine = {.harts = {{.hart_id = 7}, {.hart_id = 0}}, .hart_count = 2};

    EXPECT_EQ(machine_hart_by_id(&machine, 7), 0);
    EXPECT_EQ(machine_hart_by_id(&machine, 0), 1);
    EXPECT_EQ(machine_hart_by_id(&machine, 1), -1);
}

Test(machine_cmdline, reservations_stop_at_the_end_of_the_table)
{
    struct machine machine = {0};
    struct machine before;

    for (uint64_t i = 0; i < MACHINE_RESERVED_MAX; i++) {
        EXPECT_OK(machine_reserve(&machine, pa_span(i * PAGE_SIZE, 1), MACHINE_RESERVED_FDT));
    }
    before = machine;
    EXPECT_STATUS(machine_reserve(&machine, pa_span(0, 1), MACHINE_RESERVED_KERNEL), ERR_NOSPC);
    cr_assert(memcmp(&before, &machine, sizeof(machine)) == 0);
}
