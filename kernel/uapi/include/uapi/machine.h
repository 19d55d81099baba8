/* SPDX-License-Identifier: MIT */
/* The machine, as its handle shows it. */
#pragma once

#include <stdint.h>

#include "uapi/process.h"

#define COUNTER_NAME_BYTES        32UL
#define IO_NAME_BYTES             64UL
#define SELFTEST_INFO_KEY_BYTES   40UL
#define SELFTEST_INFO_VALUE_BYTES 208UL

/* What io_info writes. */
struct io_info {
    uint64_t base;  /* physical address  */
    uint64_t bytes; /* page multiple     */
    char compatible[IO_NAME_BYTES];
};

/* What counter_info writes. */
struct counter_info {
    uint64_t value;
    char name[COUNTER_NAME_BYTES];
};

/* What machine_info writes. */
struct machine_info {
    uint64_t levels;     /* of the page table: 3, 4, 5       */
    uint64_t user_limit; /* first byte past the user range   */
    uint64_t harts;      /* usable; hart_get: which run      */
    uint64_t timebase_hz;
    uint64_t total_frames; /* the allocator's, 4 KiB each      */
    uint64_t free_frames;
    uint64_t svpbmt; /* 1: memory types can be chosen    */
};

/* What hart_info writes. */
struct hart_info {
    uint64_t ready;   /* threads that wait for their turn on it        */
    uint32_t thread;  /* number of the thread it runs; 0: it idles     */
    uint32_t process; /* number of that thread's process               */
    char name[PROCESS_NAME_BYTES];
};

/* What selftest writes; texts are terminated. */
struct selftest_info {
    uint64_t verdict; /* SELFTEST_VERDICT_* */
    char key[SELFTEST_INFO_KEY_BYTES];
    char value[SELFTEST_INFO_VALUE_BYTES];
};

#define SELFTEST_VERDICT_FACT  0UL /* nothing depends on it                 */
#define SELFTEST_VERDICT_GOOD  1UL /* as the kernel relies on               */
#define SELFTEST_VERDICT_WRONG 2UL /* not so: the value says what           */
