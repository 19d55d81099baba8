/* SPDX-License-Identifier: MIT */
/* What picolibc's <threads.h> leaves to the system below it. */
#pragma once

#include <machine/_thread_types.h>
#include <sys/cdefs.h>

typedef struct vellum_thread *thrd_t;
typedef struct vellum_mutex mtx_t;
typedef struct vellum_cond cnd_t;
typedef struct vellum_once once_flag;
typedef uint32_t tss_t;

#define ONCE_FLAG_INIT                                                                             \
    {                                                                                              \
        0                                                                                          \
    }
#define TSS_DTOR_ITERATIONS 4
