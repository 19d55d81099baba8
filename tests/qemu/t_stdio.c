/* SPDX-License-Identifier: MIT */
/* The C library's streams and its conversions, floating point too. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

#define PUTTERS   2U
#define CALL_WAIT 35U

/* user/lib/stdio.c: the lock of the line that stdout and stderr gather. */
void user_stdio_lock(void);
void user_stdio_unlock(void);

static void check_text(const char *got, const char *want)
{
    if (!tap_ok(strcmp(got, want) == 0, "%s", want)) {
        tap_diag("got %s", got);
    }
}

static void check_formats(void)
{
    char text[96];
    double value = 0;
    int number = 0;

    (void)snprintf(text, sizeof(text), "%d %u %x %c %s %5d|%-5d|%05d", -1, 2U, 255U, 'c', "text", 7,
                   8, 9);
    check_text(text, "-1 2 ff c text     7|8    |00009");
    (void)snprintf(text, sizeof(text), "%lld %llx %zu", -1LL, ~0ULL, (size_t)5);
    check_text(text, "-1 ffffffffffffffff 5");
    (void)snprintf(text, sizeof(text), "%.3f %g %e %.0f", 3.14159, 0.1, 12345.678, 2.5);
    check_text(text, "3.142 0.1 1.234568e+04 2");
    (void)snprintf(text, sizeof(text), "%f %f", (double)INFINITY, (double)NAN);
    check_text(text, "inf nan");
    tap_is((uint64_t)sscanf("17 2.5", "%d %lf", &number, &value), 2, "two numbers are read");
    tap_ok(number == 17 && value > 2.4999 && value < 2.5001, "and are right");
    tap_ok(strtod("1e-3", NULL) < 0.00100001, "strtod");
    tap_ok(fabs(sin(1.0) * sin(1.0) + cos(1.0) * cos(1.0) - 1.0) < 1e-12, "sine and cosine");
    const char *volatile what = "truncated";
    tap_is((uint64_t)snprintf(text, 4, "%s", what), 9, "a length that does not fit is told");
    check_text(text, "tru");
}

static jmp_buf back;

static void jump(double *value)
{
    *value = 2.0;
    longjmp(back, 9);
}

static void check_jump(void)
{
    volatile double kept = 1.5;
    double changed = 0;
    int came = setjmp(back);

    if (came == 0) {
        jump(&changed);
    }
    tap_is((uint64_t)came, 9, "a long jump comes back");
    tap_ok(kept > 1.4 && kept < 1.6, "with floating-point values as they were");
}

static _Atomic(unsigned) putters_done;

/* A character that gets into the line and out of it again. */
static void putter_run(void *argument)
{
    (void)argument;
    (void)fputc('\n', stdout);
    atomic_fetch_add_explicit(&putters_done, 1, memory_order_acq_rel);
}

static void flusher_run(void *argument)
{
    (void)argument;
    (void)fflush(stdout);
    atomic_fetch_add_explicit(&putters_done, 1, memory_order_acq_rel);
}

static unsigned done_count(void)
{
    return atomic_load_explicit(&putters_done, memory_order_acquire);
}

/* Nobody touches the line while another thread is at it: they sleep, until its lock is free. */
static void check_threads(void)
{
    struct user_thread threads[PUTTERS];

    (void)fflush(stdout);
    user_stdio_lock();
    (void)user_thread_start(&threads[0], putter_run, NULL);
    (void)user_thread_start(&threads[1], flusher_run, NULL);
    while (threads_waiting_in(user_self(), CALL_WAIT) + done_count() < PUTTERS) {
        (void)sys_yield();
    }
    unsigned done_early = done_count();

    user_stdio_unlock();
    for (unsigned i = 0; i < PUTTERS; i++) {
        (void)user_thread_join(&threads[i]);
    }
    tap_is(done_early, 0, "who prints or flushes waits while another thread is at the line");
    tap_is(done_count(), PUTTERS, "and then goes on");
}

static void check_files(void)
{
    (void)fflush(stdout);
    tap_is((uint64_t)write(STDOUT_FILENO, "    # written\n", 14), 14, "write to file 1");
    tap_ok(write(9, "x", 1) == -1 && errno == EBADF, "there is no file 9");
    tap_ok(read(9, NULL, 1) == -1 && errno == EBADF, "nor can it be read");
    tap_is((uint64_t)read(STDIN_FILENO, NULL, 0), 0, "nothing is read at once");
    tap_ok(write(STDOUT_FILENO, (const void *)(uintptr_t)PLACE, 1) == -1 && errno == EFAULT,
           "what cannot be read cannot be written");
    tap_is((uint64_t)isatty(STDOUT_FILENO), 1, "the console is a terminal");
    tap_ok(isatty(7) == 0 && errno == EBADF, "file 7 is none");
    tap_ok(fopen("file", "r") == NULL && errno == ENOSYS, "there are no files");
}

int main(void)
{
    check_formats();
    check_jump();
    check_threads();
    check_files();
    return tap_done();
}
