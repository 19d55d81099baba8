/* SPDX-License-Identifier: MIT */
/* Formatted text against the host's own printf, row by row; truncation; the log's sink; a panic. */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/assert.h"
#include "lib/log.h"
#include "support.h"

/* Both formatters must give the same text and length. */
#define SAME(...)                                                                                  \
    do {                                                                                           \
        char want_text_[256];                                                                      \
        char got_text_[256];                                                                       \
        int want_len_ = snprintf(want_text_, sizeof(want_text_), __VA_ARGS__);                     \
        size_t got_len_ = format_text(got_text_, sizeof(got_text_), __VA_ARGS__);                  \
        cr_assert(strcmp(got_text_, want_text_) == 0, "got '%s', want '%s'", got_text_,            \
                  want_text_);                                                                     \
        EXPECT_EQ(got_len_, want_len_);                                                            \
    } while (0)

Test(format, integers)
{
    SAME("%d %d %d %i", 0, -1, INT_MAX, INT_MIN);
    SAME("%u %x %X", UINT_MAX, 0xdeadbeefU, 0xdeadbeefU);
    SAME("%ld %ld %lu", LONG_MAX, LONG_MIN, ULONG_MAX);
    SAME("%lld %llx", LLONG_MIN, ULLONG_MAX);
    SAME("%zu %zx", SIZE_MAX, (size_t)0xabc);
}

Test(format, widths_and_flags)
{
    SAME("[%5d][%-5d][%05d]", 42, 42, 42);
    SAME("[%5d][%-5d][%05d]", -42, -42, -42);
    SAME("[%016lx][%2x][%02x]", 0x1234UL, 0x123U, 0xfU);
    SAME("[%10s][%-10s]", "right", "left");
}

Test(format, text_and_characters)
{
    SAME("%s%s", "", "x");
    SAME("%c%c", 'a', '%');
    SAME("%.3s|%.0s|%.9s", "abcdef", "abcdef", "abc");
    SAME("100%%");
    SAME("%s", "no conversion at all but a rather long text, longer than any small buffer inside");
}

Test(format, precision_reads_no_further)
{
    const char unterminated[3] = {'a', 'b', 'c'};

    SAME("%.3s", unterminated);
}

Test(format, cuts_what_does_not_fit_and_says_how_long_it_is)
{
    char buf[8] = "-------";

    EXPECT_EQ(format_text(buf, 4, "%s", "abcdef"), 6);
    cr_assert(strcmp(buf, "abc") == 0);
    cr_assert(buf[4] == '-', "nothing is written past the buffer");
    EXPECT_EQ(format_text(buf, 1, "x"), 1);
    cr_assert(buf[0] == '\0');
    buf[0] = '!';
    EXPECT_EQ(format_text(buf, 0, "%d", 12345), 5);
    cr_assert(buf[0] == '!', "no room: nothing is written");
}

Test(format, pointers_are_hexadecimal)
{
    char buf[64];

    (void)format_text(buf, sizeof(buf), "%p", (void *)(uintptr_t)0x12ab);
    cr_assert(strstr(buf, "12ab") != NULL);
}

Test(format, log_reaches_the_sink_whole)
{
    host_log_clear();
    log_printf("one %d\n", 1);
    for (int i = 0; i < 300; i++) {
        log_printf("%c", 'a' + i % 26);
    }
    cr_assert(strncmp(host_log_text(), "one 1\nabc", 9) == 0);
    EXPECT_EQ(strlen(host_log_text()), 6 + 300);
}

Test(format, panic_ends_the_hart, .signal = SIGABRT)
{
    PANIC("on purpose: %d", 1);
}

Test(format, assert_stays_on, .signal = SIGABRT)
{
    ASSERT_FMT(1 + 1 == 3, "on purpose: %d", 1);
}
