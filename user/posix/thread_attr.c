/* SPDX-License-Identifier: MIT */
/* What a thread is to be like. */
#include <errno.h>
#include <pthread.h>

#include "user/vellum.h"

int pthread_attr_init(pthread_attr_t *attr)
{
    *attr = (pthread_attr_t){.stack_bytes = USER_THREAD_STACK_BYTES};
    return 0;
}

int pthread_attr_destroy(pthread_attr_t *attr)
{
    (void)attr;
    return 0;
}

int pthread_attr_setstacksize(pthread_attr_t *attr, size_t stack_bytes)
{
    if (stack_bytes < PTHREAD_STACK_MIN) {
        return EINVAL;
    }
    attr->stack_bytes = stack_bytes;
    return 0;
}

int pthread_attr_getstacksize(const pthread_attr_t *__restrict attr, size_t *__restrict stack_bytes)
{
    *stack_bytes = attr->stack_bytes;
    return 0;
}

int pthread_attr_setdetachstate(pthread_attr_t *attr, int state)
{
    if (state != PTHREAD_CREATE_JOINABLE && state != PTHREAD_CREATE_DETACHED) {
        return EINVAL;
    }
    attr->detach_state = state;
    return 0;
}

int pthread_attr_getdetachstate(const pthread_attr_t *attr, int *state)
{
    *state = attr->detach_state;
    return 0;
}
