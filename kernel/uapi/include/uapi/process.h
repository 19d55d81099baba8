/* SPDX-License-Identifier: MIT */
/* Processes: how they start and how they end. */
#pragma once

#include <stdint.h>

#include "uapi/handle.h"

#define PROCESS_NAME_BYTES 32UL /* with the final NUL */

/* Why a process ended (result `reason` of process_wait). */
#define EXIT_STATUS     0UL /* process_exit; detail = its status                          */
#define EXIT_FAULT      1UL /* unhandled fault; detail = address, access and pc follow     */
#define EXIT_KILLED     2UL /* process_kill                                               */
#define EXIT_NO_THREADS 3UL /* its last thread ended without process_exit                 */
#define EXIT_NO_MEMORY                                                                             \
    4UL /* an access to reserved memory found no frame or no budget; as EXIT_FAULT */

/* A deadline that never comes (process_wait, thread_wait, futex_wait, children_wait). */
#define WAIT_FOREVER UINT64_MAX

/* What process_info writes. */
struct process_info {
    uint32_t number; /* not given to another process as long as this one is known */
    uint32_t parent; /* number of the process that made it, 0: the kernel           */
    uint32_t ended;  /* 1: it has ended, and somebody has a handle to it            */
    uint32_t threads;
    uint32_t handles; /* in its table                                                */
    uint32_t reserved;
    uint64_t harts; /* set of harts that run it now                                */
    uint64_t budget_used, budget_limit; /* frames, of its budget; limit UINT64_MAX: none  */
    char name[PROCESS_NAME_BYTES];
};

/* What a thread does (thread_info). */
#define THREAD_IS_RUNNING 0U
#define THREAD_IS_READY   1U
#define THREAD_IS_WAITING 2U

/* What thread_info writes. */
struct thread_info {
    uint32_t number;
    uint32_t state;    /* THREAD_IS_*                                                  */
    uint32_t hart;     /* that runs it, or did last                                    */
    uint32_t call;     /* waiting: the number of the system call                       */
    uint64_t affinity; /* set of harts                                                 */
};

/* Kinds of access (result `access` of process_wait after EXIT_FAULT). */
#define ACCESS_READ       0UL
#define ACCESS_WRITE      1UL
#define ACCESS_EXECUTE    2UL
#define ACCESS_ILLEGAL    3UL /* illegal instruction */
#define ACCESS_BREAKPOINT 4UL
#define ACCESS_OTHER      5UL

/* What a program's first thread finds at the address in a0 (on its stack, 16-byte aligned).  a1 is
 * 0.  The kernel fills it for init; a program that starts others fills it for them.  Handles not
 * given are 0. */
#define START_MAGIC  0x56454c4cU /* "VELL" */
#define START_IO_MAX 8U

struct start_info {
    uint32_t magic;
    uint32_t bytes; /* sizeof(struct start_info)                    */
    handle_t self;  /* this process, all rights                     */
    handle_t console;
    handle_t machine;
    handle_t io[START_IO_MAX]; /* whatever the starter agreed on             */
    uint32_t argc;
    uint64_t argv;    /* address of argc + 1 pointers, the last NULL  */
    uint64_t archive; /* init: the initrd, mapped read-only; else 0   */
    uint64_t archive_bytes;
    uint64_t stack_top; /* highest address of the first stack           */
};
