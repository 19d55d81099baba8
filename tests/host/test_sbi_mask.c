/* SPDX-License-Identifier: MIT */
/* Hart masks and error codes of the firmware interface (arch/riscv64/pure/sbi_mask.c). */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "arch/riscv64/pure/sbi_mask.h"
#include "lib/types.h"

struct status_case {
    int64_t error;
    status_t want;
};

ParameterizedTestParameters(sbi_mask, every_error_code_has_a_status)
{
    static struct status_case rows[] = {
        {0, OK},
        {-1, ERR_IO},
        {-2, ERR_NOTSUP},
        {-3, ERR_INVAL},
        {-4, ERR_ACCES},
        {-5, ERR_FAULT},
        {-6, ERR_EXIST},
        {-7, ERR_EXIST},
        {-8, ERR_NOENT},
        {-9, ERR_NOENT},
        {-10, ERR_BUSY},
        {-11, ERR_RANGE},
        {-12, ERR_TIMEDOUT},
        {-13, ERR_IO},
        {-14, ERR_ACCES},
        {-15, ERR_IO},
        {-1000000, ERR_IO},
        {1, ERR_IO},
        {INT64_MAX, ERR_IO},
        {INT64_MIN, ERR_IO},
    };

    return cr_make_param_array(struct status_case, rows, ARRAY_LEN(rows));
}

ParameterizedTest(struct status_case *row, sbi_mask, every_error_code_has_a_status)
{
    status_t got = sbi_status(row->error);

    cr_assert_eq(got, row->want, "error %ld: %s, not %s", row->error, status_name(got),
                 status_name(row->want));
}

/* Takes calls until the set is empty; counts them, and checks that each hart is named once and
 * nobody else ever. */
static unsigned calls_for(struct hart_mask harts, const uint64_t ids[HART_MAX])
{
    struct hart_mask left = harts;
    struct hart_mask named = {0};
    unsigned calls = 0;

    while (!hart_mask_is_empty(left)) {
        struct sbi_mask call = sbi_mask_take(&left, ids);
        unsigned bits = 0;

        cr_assert_neq(call.mask, 0);
        cr_assert_neq(call.base, UINT64_MAX);
        for (hart_idx_t hart = 0; hart < HART_MAX; hart++) {
            uint64_t bit = ids[hart] - call.base;

            if (hart_mask_has(harts, hart) && bit < 64 && ((call.mask >> bit) & 1) != 0) {
                cr_assert_not(hart_mask_has(named, hart));
                named = hart_mask_with(named, hart);
                bits++;
            }
        }
        cr_assert_eq(bits, (unsigned)__builtin_popcountll(call.mask));
        calls++;
    }
    cr_assert_eq(named.bits, harts.bits);
    return calls;
}

Test(sbi_mask, dense_ids_take_one_call)
{
    const uint64_t ids[HART_MAX] = {1, 2, 3, 4};
    struct hart_mask harts = {0x6};
    struct sbi_mask call = sbi_mask_take(&harts, ids);

    cr_assert_eq(call.base, 2);
    cr_assert_eq(call.mask, 0x3);
    cr_assert(hart_mask_is_empty(harts));
}

Test(sbi_mask, only_the_harts_asked_for_are_named)
{
    const uint64_t ids[HART_MAX] = {4, 0, 2, 9};

    cr_assert_eq(calls_for((struct hart_mask){0x9}, ids), 1);
    cr_assert_eq(calls_for((struct hart_mask){0x2}, ids), 1);
    cr_assert_eq(calls_for((struct hart_mask){0xf}, ids), 1);
}

Test(sbi_mask, ids_64_apart_take_another_call)
{
    const uint64_t ids[HART_MAX] = {63, 0, 64, 1000};

    cr_assert_eq(calls_for((struct hart_mask){0x3}, ids), 1);
    cr_assert_eq(calls_for((struct hart_mask){0x7}, ids), 2);
    cr_assert_eq(calls_for((struct hart_mask){0xf}, ids), 3);
}

Test(sbi_mask, the_highest_ids_never_mean_everyone)
{
    const uint64_t ids[HART_MAX] = {UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 63, 5};

    cr_assert_eq(calls_for((struct hart_mask){0x1}, ids), 1);
    cr_assert_eq(calls_for((struct hart_mask){0x7}, ids), 1);
    cr_assert_eq(calls_for((struct hart_mask){0xf}, ids), 2);
}
