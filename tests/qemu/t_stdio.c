/* SPDX-License-Identifier: MIT */
/* The C library's streams and its conversions, floating point too. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

#define LINES   20U
#define THREADS 3U

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

static void *prints(void *argument)
{
    for (unsigned i = 0; i < LINES; i++) {
        fputs(argument, stdout);
    }
    return NULL;
}

static void check_threads(void)
{
    static const char *const lines[THREADS] = {"    # one\n", "    # two\n", "    # three\n"};
    pthread_t threads[THREADS];

    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_create(&threads[i], NULL, prints, (void *)(uintptr_t)lines[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    tap_is((uint64_t)ferror(stdout), 0, "threads print at the same time");
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
