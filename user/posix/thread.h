/* SPDX-License-Identifier: MIT */
/* What the files of threads share; private to them. */
#pragma once

#include <pthread.h>
#include <threads.h>

/* What a new thread runs: one of the two. */
struct thread_work {
    void *(*run)(void *argument);
    thrd_start_t run_c11;
    void *argument;
};

/* Errors: ENOMEM, EAGAIN (positive). */
int thread_create(struct vellum_thread **thread, const pthread_attr_t *attr,
                  struct thread_work work);

/* What the calling thread does at its end with its values of keys; NULL: it has none. */
extern _Thread_local void (*thread_values_end)(void);
