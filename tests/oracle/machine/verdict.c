/* SPDX-License-Identifier: MIT */
/* Verdicts: the rule, the numbers, and one sentence. */
#include <stdarg.h>
#include <stdio.h>

#include "arch_host/arch_host.h"
#include "machine/stale.h"

const char *oracle_rule_name(enum oracle_rule rule)
{
    static const char *const names[] = {
        [ORACLE_RULE_STALE_AFTER_RETURN] = "STALE_AFTER_RETURN",
        [ORACLE_RULE_STALE_AT_STORE] = "STALE_AT_STORE",
        [ORACLE_RULE_STALE_AT_SATP] = "STALE_AT_SATP",
        [ORACLE_RULE_FREE_FRAME] = "FREE_FRAME",
        [ORACLE_RULE_FREE_TABLE] = "FREE_TABLE",
        [ORACLE_RULE_TOUCH_FREE] = "TOUCH_FREE",
        [ORACLE_RULE_BREAK_BEFORE_MAKE] = "BREAK_BEFORE_MAKE",
        [ORACLE_RULE_OLD_CODE] = "OLD_CODE",
        [ORACLE_RULE_UNORDERED_TABLE] = "UNORDERED_TABLE",
        [ORACLE_RULE_BAD_ENTRY] = "BAD_ENTRY",
        [ORACLE_RULE_FIRMWARE] = "FIRMWARE",
        [ORACLE_RULE_SPURIOUS] = "SPURIOUS",
        [ORACLE_RULE_MEANING] = "MEANING",
        [ORACLE_RULE_AUDIT] = "AUDIT",
    };

    return names[rule];
}

const char *verdict_entry(uint64_t va, uint64_t entry)
{
    static char text[80];

    if (entry_is_pointer(entry)) {
        (void)snprintf(text, sizeof(text), "%#lx -> table %#lx", (unsigned long)va,
                       (unsigned long)entry_pa(entry));
        return text;
    }
    (void)snprintf(text, sizeof(text), "%#lx -> %#lx %s%s%s%s%s", (unsigned long)va,
                   (unsigned long)entry_pa(entry), (entry & ENTRY_R) != 0 ? "R" : "-",
                   (entry & ENTRY_W) != 0 ? "W" : "-", (entry & ENTRY_X) != 0 ? "X" : "-",
                   (entry & ENTRY_U) != 0 ? "" : " kernel",
                   (entry & ENTRY_G) != 0 ? " global" : "");
    return text;
}

static _Noreturn void deliver(const struct oracle_verdict *verdict)
{
    if (oracle.driver.failed != NULL) {
        oracle.driver.failed(verdict);
    }
    host_fail("%s at step %lu: %s", oracle_rule_name(verdict->rule), (unsigned long)verdict->step,
              verdict->text);
}

_Noreturn void verdict_give(enum oracle_rule rule, unsigned hart, const struct stale *stale,
                            const char *format, ...)
{
    struct oracle_verdict verdict = {
        .rule = rule, .step = oracle.step, .hart = hart, .op = state_this()->op};
    va_list arguments;

    if (stale != NULL) {
        verdict.va = stale->va;
        verdict.entry = stale->entry;
        verdict.since = stale->step;
        verdict.op = stale->op;
    }
    va_start(arguments, format);
    (void)vsnprintf(verdict.text, sizeof(verdict.text), format, arguments);
    va_end(arguments);
    deliver(&verdict);
}

_Noreturn void oracle_fail(enum oracle_rule rule, unsigned hart, const char *format, ...)
{
    struct oracle_verdict verdict = {
        .rule = rule, .step = oracle.step, .hart = hart, .op = oracle.harts[hart].op};
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(verdict.text, sizeof(verdict.text), format, arguments);
    va_end(arguments);
    deliver(&verdict);
}
