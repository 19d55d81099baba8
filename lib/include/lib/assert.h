/* SPDX-License-Identifier: MIT */
/*
 * Assertions and the end of the road.
 *
 * ASSERT stays on in every build and is cheap; DASSERT is for debug builds and may walk.  Both are
 * for mistakes of the kernel itself: what users, firmware or the device tree get wrong is answered
 * with a status.  PANIC is for hardware or firmware that broke its word.  No side effects inside.
 */
#pragma once

/* Prints "PANIC file:line: message", then whatever hart_panic() knows, and does not return.  May be
 * called with any lock held, on any stack. */
_Noreturn void panic_at(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define PANIC(...) panic_at(__FILE__, __LINE__, __VA_ARGS__)

#define ASSERT(cond)                                                                               \
    (__builtin_expect(!!(cond), 1) ? (void)0                                                       \
                                   : panic_at(__FILE__, __LINE__, "assertion failed: %s", #cond))

#define ASSERT_FMT(cond, format, ...)                                                              \
    (__builtin_expect(!!(cond), 1)                                                                 \
         ? (void)0                                                                                 \
         : panic_at(__FILE__, __LINE__, "assertion failed: %s: " format, #cond, __VA_ARGS__))

#ifdef VELLUM_DEBUG
#    define DASSERT(cond) ASSERT(cond)
#else
#    define DASSERT(cond) ((void)sizeof(!!(cond)))
#endif
