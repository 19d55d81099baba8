/* SPDX-License-Identifier: MIT */
/*
 * Time and sleep.  There is one clock: nanoseconds since boot.  CLOCK_REALTIME is the same, for
 * want of a calendar.
 */
#include <errno.h>
#include <sched.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "deadline.h"
#include "failure.h"
#include "user/lock.h"
#include "user/vellum.h"
#include "vellum/calls.h"

#define NS_PER_US INT64_C(1000)

static int clock_is_known(clockid_t clock)
{
    return clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME;
}

static uint64_t now(void)
{
    uint64_t nanoseconds = 0;

    (void)sys_time_get(&nanoseconds, NULL);
    return nanoseconds;
}

static struct timespec timespec_of(uint64_t nanoseconds)
{
    return (struct timespec){
        .tv_sec = (time_t)(nanoseconds / (uint64_t)NS_PER_SECOND),
        .tv_nsec = (long)(nanoseconds % (uint64_t)NS_PER_SECOND),
    };
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (!clock_is_known(clock)) {
        return failure(EINVAL);
    }
    *time = timespec_of(now());
    return 0;
}

int clock_settime(clockid_t clock, const struct timespec *time)
{
    (void)time;
    return failure(clock_is_known(clock) ? EPERM : EINVAL);
}

int clock_getres(clockid_t clock, struct timespec *resolution)
{
    struct machine_info machine = {.timebase_hz = 0};

    if (!clock_is_known(clock)) {
        return failure(EINVAL);
    }
    if (resolution != NULL) {
        (void)sys_machine_info(user_machine(), (uintptr_t)&machine);
        uint64_t hz = machine.timebase_hz;
        *resolution = timespec_of(hz == 0 ? 1 : ((uint64_t)NS_PER_SECOND + hz - 1) / hz);
    }
    return 0;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
                    struct timespec *remaining)
{
    static const uint32_t never = 0;
    uint64_t deadline = 0;

    (void)remaining; /* nothing interrupts a sleep */
    if (!clock_is_known(clock) || !timespec_read(time, &deadline)) {
        return EINVAL;
    }
    if (flags != TIMER_ABSTIME) {
        if (time->tv_sec < 0) {
            return EINVAL;
        }
        if (__builtin_add_overflow(deadline, now(), &deadline)) {
            deadline = WAIT_FOREVER;
        }
    }
    while (sys_futex_wait((uintptr_t)&never, never, deadline, 0) != -SYS_ETIMEDOUT) {
    }
    return 0;
}

int nanosleep(const struct timespec *time, struct timespec *remaining)
{
    int error = clock_nanosleep(CLOCK_MONOTONIC, 0, time, remaining);

    return error == 0 ? 0 : failure(error);
}

unsigned sleep(unsigned seconds)
{
    (void)nanosleep(&(struct timespec){.tv_sec = (time_t)seconds}, NULL);
    return 0;
}

int usleep(useconds_t microseconds)
{
    struct timespec time = timespec_of((uint64_t)microseconds * (uint64_t)NS_PER_US);

    return nanosleep(&time, NULL);
}

int gettimeofday(struct timeval *__restrict time, void *__restrict zone)
{
    struct timespec since_boot = timespec_of(now());

    (void)zone;
    time->tv_sec = since_boot.tv_sec;
    time->tv_usec = (suseconds_t)(since_boot.tv_nsec / NS_PER_US);
    return 0;
}

/* Nobody counts the time that a process computes; so clock() says that it does not know. */
clock_t times(struct tms *times)
{
    (void)times;
    errno = ENOSYS;
    return (clock_t)-1;
}

int sched_yield(void)
{
    (void)sys_yield();
    return 0;
}
