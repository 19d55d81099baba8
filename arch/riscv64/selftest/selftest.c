/* SPDX-License-Identifier: MIT */
/* The list of checks, and how one is made.  docs/boards/selftest.md says what each is for. */
#include "selftest.h"

#include <stdarg.h>

#include "lib/log.h"
#include "lib/string.h"

#define CUT "..."

/* In the order in which they are shown.  What the argument means, each check's file says. */
static const struct {
    const char *key;
    selftest_check *check;
    unsigned arg;
} checks[] = {
    {"board", selftest_board, 0},
    {"firmware", selftest_firmware, 0},
    {"sbi-extensions", selftest_extensions, 0},
    {"core", selftest_core, 0},
    {"harts", selftest_harts, 0},
    {"memory", selftest_memory, 0},
    {"ram-alias", selftest_ram_alias, 0},
    {"clock", selftest_clock, 0},
    {"satp-modes", selftest_modes, 0},
    {"asid-bits", selftest_asids, 0},
    {"accessed-bit-clear", selftest_update, SELFTEST_UPDATE_ACCESSED},
    {"dirty-bit-clear", selftest_update, SELFTEST_UPDATE_DIRTY},
    {"pte-bits-63-54", selftest_high_bits, 0},
    {"misaligned-load", selftest_misaligned, SELFTEST_MISALIGNED_LOAD},
    {"misaligned-store", selftest_misaligned, SELFTEST_MISALIGNED_STORE},
    {"misaligned-amo", selftest_misaligned, SELFTEST_MISALIGNED_AMO},
    {"sfence-local-none-load", selftest_fences, SELFTEST_CASE(HERE, NONE, LOAD)},
    {"sfence-local-none-fetch", selftest_fences, SELFTEST_CASE(HERE, NONE, FETCH)},
    {"sfence-local-address-load", selftest_fences, SELFTEST_CASE(HERE, ADDRESS, LOAD)},
    {"sfence-local-address-fetch", selftest_fences, SELFTEST_CASE(HERE, ADDRESS, FETCH)},
    {"sfence-local-asid-load", selftest_fences, SELFTEST_CASE(HERE, ASID, LOAD)},
    {"sfence-local-asid-fetch", selftest_fences, SELFTEST_CASE(HERE, ASID, FETCH)},
    {"sfence-local-all-load", selftest_fences, SELFTEST_CASE(HERE, ALL, LOAD)},
    {"sfence-local-all-fetch", selftest_fences, SELFTEST_CASE(HERE, ALL, FETCH)},
    {"sfence-remote-none-load", selftest_fences, SELFTEST_CASE(THERE, NONE, LOAD)},
    {"sfence-remote-none-fetch", selftest_fences, SELFTEST_CASE(THERE, NONE, FETCH)},
    {"sfence-remote-address-load", selftest_fences, SELFTEST_CASE(THERE, ADDRESS, LOAD)},
    {"sfence-remote-address-fetch", selftest_fences, SELFTEST_CASE(THERE, ADDRESS, FETCH)},
    {"sfence-remote-asid-load", selftest_fences, SELFTEST_CASE(THERE, ASID, LOAD)},
    {"sfence-remote-asid-fetch", selftest_fences, SELFTEST_CASE(THERE, ASID, FETCH)},
    {"sfence-remote-all-load", selftest_fences, SELFTEST_CASE(THERE, ALL, LOAD)},
    {"sfence-remote-all-fetch", selftest_fences, SELFTEST_CASE(THERE, ALL, FETCH)},
    {"cip-1200", selftest_cip_1200, 0},
    {"global-after-asid-sfence", selftest_global, 0},
    {"fence.i-local-none", selftest_code, SELFTEST_CASE(HERE, NONE, FETCH)},
    {"fence.i-local", selftest_code, SELFTEST_CASE(HERE, ALL, FETCH)},
    {"fence.i-remote-none", selftest_code, SELFTEST_CASE(THERE, NONE, FETCH)},
    {"fence.i-remote", selftest_code, SELFTEST_CASE(THERE, ALL, FETCH)},
    {"tlb-cycles-by-pages", selftest_tlb, 0},
    {"cycles-rdtime", selftest_cost, SELFTEST_COST_TIME},
    {"cycles-rdcycle", selftest_cost, SELFTEST_COST_CYCLE},
    {"cycles-sbi-null", selftest_cost, SELFTEST_COST_SBI},
    {"cycles-sfence-address", selftest_cost, SELFTEST_COST_ADDRESS},
    {"cycles-sfence-all", selftest_cost, SELFTEST_COST_ALL},
    {"cycles-fence.i", selftest_cost, SELFTEST_COST_FENCEI},
    {"cycles-rfence-1-hart", selftest_cost_remote, 1},
    {"cycles-rfence-2-harts", selftest_cost_remote, 2},
    {"cycles-rfence-3-harts", selftest_cost_remote, 3},
};

/* Adds to the value; what does not fit ends in dots, so that it is not taken for all. */
static void value_add(struct selftest_found *found, const char *format, va_list args)
{
    size_t used = strnlen(found->value, sizeof(found->value));
    size_t room = sizeof(found->value) - used;

    if (format_text_va(found->value + used, room, format, args) >= room) {
        memcpy(found->value + sizeof(found->value) - sizeof(CUT), CUT, sizeof(CUT));
    }
}

void selftest_add(struct selftest_found *found, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    value_add(found, format, args);
    va_end(args);
}

void selftest_say(struct selftest_found *found, enum selftest_verdict verdict, const char *format,
                  ...)
{
    va_list args;

    found->value[0] = '\0';
    found->verdict = verdict;
    va_start(args, format);
    value_add(found, format, args);
    va_end(args);
}

status_t arch_selftest(size_t index, void *room, struct selftest_found *found)
{
    struct selftest test;
    uint64_t before;

    if (index >= ARRAY_LEN(checks)) {
        return ERR_NOENT;
    }
    *found = (struct selftest_found){0};
    (void)format_text(found->key, sizeof(found->key), "%s", checks[index].key);
    selftest_table_make(&test, room);
    before = selftest_table_enter(test.satp);
    checks[index].check(&test, found, checks[index].arg);
    (void)selftest_table_enter(before);
    if (found->value[0] == '\0') {
        selftest_add(found, "none");
    }
    return OK;
}
