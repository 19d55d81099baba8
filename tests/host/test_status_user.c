/* SPDX-License-Identifier: MIT */
/* Status values as programs see them: each under the name it has in the kernel, and no two alike.
 */
#include "kernel/user_status.h"

#include <criterion/criterion.h>
#include <string.h>

#include "lib/types.h"
#include "uapi/error.h"

static const struct {
    status_t status;
    const char *name;
    int64_t number;
} rows[] = {
#define ROW(name)                                                                                  \
    {                                                                                              \
        ERR_##name, "E" #name, SYS_E##name                                                         \
    }
    ROW(INVAL), ROW(RANGE), ROW(NOMEM),  ROW(EXIST),  ROW(NOENT),    ROW(FAULT), ROW(ACCES),
    ROW(BADF),  ROW(BUSY),  ROW(DEADLK), ROW(NOTSUP), ROW(AGAIN),    ROW(NOSYS), ROW(NOSPC),
    ROW(SRCH),  ROW(2BIG),  ROW(IO),     ROW(NOEXEC), ROW(TIMEDOUT),
#undef ROW
};

Test(user_status, each_status_has_its_own_error_number)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        cr_assert_eq((int64_t)user_status(rows[i].status), -rows[i].number, "%s", rows[i].name);
        cr_assert_str_eq(status_name(rows[i].status), rows[i].name);
    }
}

Test(user_status, the_table_above_is_complete)
{
    cr_assert_eq(ARRAY_LEN(rows), (size_t)-ERR_TIMEDOUT);
}

Test(user_status, ok_is_zero_and_nonsense_is_an_error)
{
    cr_assert_eq(user_status(OK), 0);
    cr_assert_eq((int64_t)user_status((status_t)-12345), -SYS_EIO);
    cr_assert_eq((int64_t)user_status((status_t)1), -SYS_EIO);
}
