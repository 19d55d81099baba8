/* SPDX-License-Identifier: MIT */
/* The clock and sleep. */
#include <errno.h>
#include <sched.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

static uint64_t now(clockid_t clock)
{
    struct timespec time = {0};

    (void)clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static void check_clock(void)
{
    struct timespec time = {0};
    struct timeval day = {0};
    uint64_t kernel = 0;

    uint64_t before = now(CLOCK_MONOTONIC);
    (void)sys_time_get(&kernel, NULL);
    uint64_t after = now(CLOCK_REALTIME);
    tap_ok(before <= kernel && kernel <= after, "both clocks are the time since boot");
    tap_ok(clock_gettime((clockid_t)77, &time) == -1 && errno == EINVAL, "there is no other");
    tap_ok(clock_settime(CLOCK_REALTIME, &time) == -1 && errno == EPERM, "nobody sets it");
    tap_is((uint64_t)clock_getres(CLOCK_MONOTONIC, &time), 0, "its resolution is known");
    tap_ok(time.tv_sec == 0 && time.tv_nsec > 0, "less than a second");
    (void)gettimeofday(&day, NULL);
    tap_ok((uint64_t)day.tv_sec * 1000000 + (uint64_t)day.tv_usec >= after / 1000,
           "gettimeofday tells the same");
    tap_ok(clock() == (clock_t)-1, "the time that one computes is not known");
}

static void check_sleep(void)
{
    struct timespec wrong = {.tv_nsec = 1000000000};
    struct timespec past = {0};
    struct timespec negative = {.tv_sec = -1};
    struct timespec pause = {.tv_nsec = 3000000};

    uint64_t before = now(CLOCK_MONOTONIC);
    tap_is((uint64_t)nanosleep(&pause, NULL), 0, "a sleep of 3 ms");
    tap_ok(now(CLOCK_MONOTONIC) - before >= 3000000, "is no shorter");
    uint64_t until = now(CLOCK_MONOTONIC) + 2000000;
    struct timespec end = {.tv_sec = (time_t)(until / 1000000000),
                           .tv_nsec = (long)(until % 1000000000)};
    tap_is((uint64_t)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL), 0,
           "a sleep until a time");
    tap_ok(now(CLOCK_MONOTONIC) >= until, "lasts until then");
    tap_is((uint64_t)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL), 0,
           "a time that is over ends at once");
    before = now(CLOCK_MONOTONIC);
    tap_is((uint64_t)usleep(2000), 0, "a sleep of 2000 us");
    tap_ok(now(CLOCK_MONOTONIC) - before >= 2000000, "is no shorter");
    tap_ok(nanosleep(&wrong, NULL) == -1 && errno == EINVAL, "no such nanoseconds");
    tap_ok(nanosleep(&negative, NULL) == -1 && errno == EINVAL, "no such seconds");
    tap_is((uint64_t)clock_nanosleep((clockid_t)77, 0, &pause, NULL), EINVAL, "no such clock");
    tap_is((uint64_t)sched_yield(), 0, "others may run");
}

static void check_system(void)
{
    tap_is((uint64_t)sysconf(_SC_PAGESIZE), PAGE, "the size of a page");
    tap_is((uint64_t)getpagesize(), PAGE, "by another name");
    tap_ok(sysconf(_SC_NPROCESSORS_ONLN) >= 1, "the number of harts");
    tap_ok(sysconf(_SC_PHYS_PAGES) > sysconf(_SC_AVPHYS_PAGES), "memory in all, and free");
    tap_ok(sysconf(9999) == -1 && errno == EINVAL, "nothing else");
}

int main(void)
{
    check_clock();
    check_sleep();
    check_system();
    return tap_done();
}
