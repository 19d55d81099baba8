/* SPDX-License-Identifier: MIT */
/*
 * Test results as TAP 14.  A test program's lines are the subtest of one line of init's, so all of
 * them are indented by four spaces.  main() ends with `return tap_done();`.
 */
#pragma once

#include <stdint.h>

/* One result.  Nonzero condition: passed.  Returns the condition. */
int tap_ok(int condition, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Passes if the two are equal; else a comment shows both. */
int tap_is(uint64_t got, uint64_t want, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for the status of a system call: 0 or a negated error. */
int tap_status(long got, long want, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A comment. */
void tap_diag(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Tells whoever reads the console that a line of the kernel must contain this text. */
void tap_expect_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says that nothing can be tested here, and why; returns main's result. */
int tap_skip_all(const char *reason);

/* Prints the plan; returns main's result: 0 if all passed. */
int tap_done(void);
