/* SPDX-License-Identifier: MIT */
/*
 * Values that each thread has of its own.  A key has a generation, one more each time it is made;
 * a value counts only if it is of the key's generation, so that a new key begins with NULL in every
 * thread.  A thread's values are made when it sets the first.
 */
#include <errno.h>
#include <stdlib.h>

#include "thread.h"
#include "user/copy.h"
#include "user/lock.h"

struct value {
    uint32_t generation;
    void *value;
};

/* Odd generation: the key is there. */
static struct {
    struct user_lock lock;
    struct {
        _Atomic(uint32_t) generation;   /* (l) to change */
        _Atomic(tss_dtor_t) destructor; /* (l) to change */
    } list[PTHREAD_KEYS_MAX];
} keys;

static _Thread_local struct value *values;

/* A key that was half made or half deleted is one without a destructor, or none. */
void user_keys_copied(void)
{
    keys.lock = (struct user_lock){0};
}

static uint32_t key_generation(pthread_key_t key)
{
    /* Relaxed: who uses a key has been told of it. */
    return key < PTHREAD_KEYS_MAX
               ? atomic_load_explicit(&keys.list[key].generation, memory_order_relaxed)
               : 0;
}

static void key_change_locked(pthread_key_t key, tss_dtor_t destructor)
{
    atomic_store_explicit(&keys.list[key].destructor, destructor, memory_order_relaxed);
    atomic_store_explicit(&keys.list[key].generation, key_generation(key) + 1,
                          memory_order_relaxed);
}

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *value))
{
    int error = EAGAIN;

    user_lock_acquire(&keys.lock);
    for (pthread_key_t i = 0; i < PTHREAD_KEYS_MAX && error != 0; i++) {
        if (key_generation(i) % 2 == 0) {
            key_change_locked(i, destructor);
            *key = i;
            error = 0;
        }
    }
    user_lock_release(&keys.lock);
    return error;
}

int pthread_key_delete(pthread_key_t key)
{
    int error = EINVAL;

    user_lock_acquire(&keys.lock);
    if (key_generation(key) % 2 != 0) {
        key_change_locked(key, NULL);
        error = 0;
    }
    user_lock_release(&keys.lock);
    return error;
}

void *pthread_getspecific(pthread_key_t key)
{
    uint32_t generation = key_generation(key);

    if (values == NULL || generation % 2 == 0 || values[key].generation != generation) {
        return NULL;
    }
    return values[key].value;
}

/* Calls the destructors of the values that are there; nonzero: there were some. */
static int values_destroy(void)
{
    int found = 0;

    for (pthread_key_t key = 0; key < PTHREAD_KEYS_MAX; key++) {
        void *value = pthread_getspecific(key);
        tss_dtor_t destructor =
            atomic_load_explicit(&keys.list[key].destructor, memory_order_relaxed);

        if (value != NULL && destructor != NULL) {
            values[key].value = NULL;
            destructor(value);
            found = 1;
        }
    }
    return found;
}

static void values_end(void)
{
    for (int round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS && values_destroy(); round++) {
    }
    free(values);
    values = NULL;
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
    uint32_t generation = key_generation(key);

    if (generation % 2 == 0) {
        return EINVAL;
    }
    if (values == NULL) {
        values = calloc(PTHREAD_KEYS_MAX, sizeof(*values));
        if (values == NULL) {
            return ENOMEM;
        }
        thread_values_end = values_end;
    }
    values[key] = (struct value){generation, (void *)(uintptr_t)value};
    return 0;
}
