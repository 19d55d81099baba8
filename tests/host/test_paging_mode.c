/* SPDX-License-Identifier: MIT */
/* The choice of the paging mode (arch/riscv64/pure/paging_mode.c). */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "arch/riscv64/pure/paging_mode.h"
#include "lib/types.h"

#define SV39 (1U << 3)
#define SV48 (1U << 4)
#define SV57 (1U << 5)

struct choice_case {
    const char *name;
    unsigned accepted, cap;
    const char *wish;
    unsigned want_levels;
    enum paging_wish want_wish;
};

ParameterizedTestParameters(paging_mode, the_largest_mode_that_everyone_allows)
{
    static struct choice_case rows[] = {
        {"all, no wish", SV39 | SV48 | SV57, 5, NULL, 5, PAGING_WISH_NONE},
        {"the tree caps", SV39 | SV48 | SV57, 3, NULL, 3, PAGING_WISH_NONE},
        {"the hart caps", SV39, 5, NULL, 3, PAGING_WISH_NONE},
        {"a wish lowers", SV39 | SV48 | SV57, 5, "sv48", 4, PAGING_WISH_GRANTED},
        {"the wish is the largest", SV39 | SV48, 4, "sv48", 4, PAGING_WISH_GRANTED},
        {"a wish above the tree", SV39 | SV48 | SV57, 4, "sv57", 4, PAGING_WISH_REFUSED},
        {"a wish above the hart", SV39, 5, "sv48", 3, PAGING_WISH_REFUSED},
        {"a wish the hart skips", SV39 | SV57, 5, "sv48", 3, PAGING_WISH_REFUSED},
        {"a wish below all", SV48, 5, "sv39", 4, PAGING_WISH_REFUSED},
        {"no such mode", SV39 | SV48, 5, "sv64", 4, PAGING_WISH_UNKNOWN},
        {"empty wish", SV39 | SV48, 5, "", 4, PAGING_WISH_UNKNOWN},
        {"capitals are no mode", SV39 | SV48, 5, "Sv39", 4, PAGING_WISH_UNKNOWN},
        {"nothing possible", 0, 5, NULL, 0, PAGING_WISH_NONE},
        {"nothing the tree allows", SV48, 3, "sv48", 0, PAGING_WISH_REFUSED},
        {"a cap past all modes", SV39 | SV48 | SV57, 60, NULL, 5, PAGING_WISH_NONE},
    };

    return cr_make_param_array(struct choice_case, rows, ARRAY_LEN(rows));
}

ParameterizedTest(struct choice_case *row, paging_mode, the_largest_mode_that_everyone_allows)
{
    struct paging_choice got = paging_choose(row->accepted, row->cap, row->wish);

    cr_assert_eq(got.levels, row->want_levels, "%s: %u levels", row->name, got.levels);
    cr_assert_eq(got.wish, row->want_wish, "%s: wish %d", row->name, (int)got.wish);
}

Test(paging_mode, modes_have_names)
{
    cr_assert_str_eq(paging_mode_name(3), "Sv39");
    cr_assert_str_eq(paging_mode_name(5), "Sv57");
    cr_assert_str_eq(paging_mode_name(0), "Bare");
    cr_assert_str_eq(paging_mode_name(6), "Bare");
}
