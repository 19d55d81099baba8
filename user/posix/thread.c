/* SPDX-License-Identifier: MIT */
/*
 * Threads.  Each is described by a struct in its own thread-local data, which lies above its stack
 * and is there until somebody has waited for the thread's end: whoever joins it, or, if it is
 * detached, whoever next creates, detaches or ends a thread.  Until then a detached thread that has
 * ended is in the list `dead`.
 */
#include "thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/copy.h"
#include "user/lock.h"
#include "user/vellum.h"
#include "vellum/calls.h"

enum fate {
    FATE_JOINABLE,
    FATE_JOINING,
    FATE_DETACHED,
};

/* Fields: (l) threads.lock; (o) the thread's own until it ends. */
struct vellum_thread {
    struct user_thread thread;       /* all 0: the first thread            */
    struct thread_work work;         /* (o)                                */
    void *result;                    /* (o)                                */
    struct vellum_cleanup *cleanups; /* (o)                                */
    enum fate fate;                  /* (l)                                */
    _Atomic(uint32_t) ended;         /* (l) to change, and released        */
    struct vellum_thread *next_dead; /* (l)                                */
};

static _Thread_local struct vellum_thread own;
_Thread_local void (*thread_values_end)(void);

static struct {
    struct user_lock lock;
    uint64_t others;            /* (l) threads that have not ended, but one */
    struct vellum_thread *dead; /* (l)                                      */
} threads;

/* Its stack stays, as the first thread's does: the threads' handles are not there. */
void user_threads_copied(void)
{
    memset(&threads, 0, sizeof(threads));
    own.thread = (struct user_thread){0};
    own.fate = FATE_JOINABLE;
}

/* Waits until a thread that ends has ended, and gives back what it had. */
static void thread_bury(struct vellum_thread *thread)
{
    struct user_thread ended = thread->thread;

    if (ended.handle == HANDLE_NONE) {
        return; /* the first thread: its stack is the process's */
    }
    (void)user_thread_join(&ended);
}

static void dead_bury(void)
{
    user_lock_acquire(&threads.lock);
    struct vellum_thread *thread = threads.dead;
    threads.dead = NULL;
    user_lock_release(&threads.lock);
    while (thread != NULL) {
        struct vellum_thread *next = thread->next_dead;

        thread_bury(thread);
        thread = next;
    }
}

static void thread_run(void *argument)
{
    struct vellum_thread *self = argument;

    if (self->work.run_c11 != NULL) {
        thrd_exit(self->work.run_c11(self->work.argument));
    }
    pthread_exit(self->work.run(self->work.argument));
}

int thread_create(struct vellum_thread **thread, const pthread_attr_t *attr,
                  struct thread_work work)
{
    struct user_thread made;

    dead_bury();
    if (user_thread_prepare(&made, attr == NULL ? USER_THREAD_STACK_BYTES : attr->stack_bytes) !=
        0) {
        return ENOMEM;
    }
    struct vellum_thread *it = user_thread_local(&made, &own);
    *it = (struct vellum_thread){
        .thread = made,
        .work = work,
        .fate = attr != NULL && attr->detach_state == PTHREAD_CREATE_DETACHED ? FATE_DETACHED
                                                                              : FATE_JOINABLE,
    };
    /* Who ends it, or waits for it, takes the lock, and so sees its handle. */
    user_lock_acquire(&threads.lock);
    long status = user_thread_begin(&it->thread, thread_run, it);
    if (status == 0) {
        threads.others++;
        *thread = it;
    }
    user_lock_release(&threads.lock);
    if (status != 0) {
        user_thread_discard(&made);
        return status == -SYS_ENOMEM ? ENOMEM : EAGAIN;
    }
    return 0;
}

int pthread_create(pthread_t *__restrict thread, const pthread_attr_t *__restrict attr,
                   void *(*run)(void *argument), void *__restrict argument)
{
    struct thread_work work = {.run = run, .argument = argument};

    return thread_create(thread, attr, work) == 0 ? 0 : EAGAIN;
}

/* Changes the fate of a thread that nobody has decided about. */
static int fate_decide(struct vellum_thread *thread, enum fate fate)
{
    user_lock_acquire(&threads.lock);
    int result = thread->fate == FATE_JOINABLE ? 0 : EINVAL;
    if (result == 0) {
        thread->fate = fate;
        /* Relaxed: the lock orders it. */
        if (fate == FATE_DETACHED &&
            atomic_load_explicit(&thread->ended, memory_order_relaxed) != 0) {
            thread->next_dead = threads.dead;
            threads.dead = thread;
        }
    }
    user_lock_release(&threads.lock);
    return result;
}

int pthread_join(pthread_t thread, void **result)
{
    if (thread == &own) {
        return EDEADLK;
    }
    int error = fate_decide(thread, FATE_JOINING);
    if (error != 0) {
        return error;
    }
    /* Acquire pairs with the release in pthread_exit: the result is there. */
    while (atomic_load_explicit(&thread->ended, memory_order_acquire) == 0) {
        (void)sys_futex_wait((uintptr_t)&thread->ended, 0, WAIT_FOREVER, 0);
    }
    if (result != NULL) {
        *result = thread->result;
    }
    thread_bury(thread);
    return 0;
}

int pthread_detach(pthread_t thread)
{
    int error = fate_decide(thread, FATE_DETACHED);

    dead_bury();
    return error;
}

pthread_t pthread_self(void)
{
    return &own;
}

int pthread_equal(pthread_t one, pthread_t other)
{
    return one == other;
}

void vellum_cleanup_push(struct vellum_cleanup *cleanup)
{
    cleanup->below = own.cleanups;
    own.cleanups = cleanup;
}

void vellum_cleanup_pop(int runs)
{
    struct vellum_cleanup *top = own.cleanups;

    own.cleanups = top->below;
    if (runs != 0) {
        top->run(top->argument);
    }
}

_Noreturn void pthread_exit(void *result)
{
    while (own.cleanups != NULL) {
        vellum_cleanup_pop(1);
    }
    if (thread_values_end != NULL) {
        thread_values_end();
    }
    dead_bury();
    own.result = result;
    user_lock_acquire(&threads.lock);
    if (threads.others == 0) {
        user_lock_release(&threads.lock);
        exit(EXIT_SUCCESS);
    }
    threads.others--;
    if (own.fate == FATE_DETACHED) {
        own.next_dead = threads.dead;
        threads.dead = &own;
    }
    /* Release pairs with the acquire in pthread_join. */
    atomic_store_explicit(&own.ended, 1, memory_order_release);
    int is_awaited = own.fate == FATE_JOINING;
    user_lock_release(&threads.lock);
    if (is_awaited) {
        (void)sys_futex_wake((uintptr_t)&own.ended, 1, 0, NULL);
    }
    for (;;) {
        (void)sys_thread_exit();
    }
}
