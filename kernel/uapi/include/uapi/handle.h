/* SPDX-License-Identifier: MIT */
/*
 * Handles: a program can do only what its handles say.  A handle is an object and rights; rights
 * only shrink when a handle is duplicated or given away.
 */
#pragma once

#include <stdint.h>

typedef uint32_t handle_t; /* 0 is never a handle */

#define HANDLE_NONE 0U
#define HANDLE_MAX  256U /* handles a process can have at once */

enum handle_right {
    RIGHT_READ = 1 << 0,      /* read memory, state, input             */
    RIGHT_WRITE = 1 << 1,     /* write memory, output                  */
    RIGHT_EXECUTE = 1 << 2,   /* start threads in a process            */
    RIGHT_MAP = 1 << 3,       /* change mappings; map an I/O region    */
    RIGHT_DUPLICATE = 1 << 4, /* handle_duplicate                      */
    RIGHT_TRANSFER = 1 << 5,  /* give the handle to another process    */
    RIGHT_MANAGE = 1 << 6,    /* kill; give handles to it; power       */
    RIGHT_ALL = (1 << 7) - 1,
};

enum handle_type {
    HANDLE_PROCESS = 1,
    HANDLE_THREAD = 2,
    HANDLE_IO = 3,      /* I/O region                                             */
    HANDLE_CONSOLE = 4, /* the kernel's console: READ input, WRITE output         */
    HANDLE_MEMORY = 6,  /* memory object: READ, WRITE by handle and by mapping; EXECUTE, MAP; MANAGE
                           resizes                                                        */
    HANDLE_MACHINE = 5, /* READ counters and the list of regions; MAP opens regions; MANAGE power */
};
