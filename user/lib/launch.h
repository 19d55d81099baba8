/* SPDX-License-Identifier: MIT */
/* How threads begin; private to the library. */
#pragma once

#include <stdint.h>

#include "uapi/process.h"

/* What a thread finds at the address in its a0. */
struct user_launch {
    uint64_t tp;
    void (*begin)(struct user_launch *launch); /* never returns */
    void (*run_thread)(void *argument);
    int (*run_process)(void *argument);
    void *argument;
};

/* A thread's first instruction. */
void user_launch_entry(void);

/* Bytes of thread-local data, a multiple of 16. */
uint64_t user_tls_bytes(void);

/* Fills a block of that size; returns the value for tp. */
void *user_tls_fill(void *block);

/* The C side of _start. */
_Noreturn void user_start(const struct start_info *info);

/* This program's start information, for a forker to change the copy of. */
struct start_info *user_info_own(void);
