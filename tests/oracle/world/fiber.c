/* SPDX-License-Identifier: MIT */
/*
 * Fibers.  A stack is entered once by swapcontext; from then on _setjmp and _longjmp switch, which
 * cost no system call.  The base of each stack is such a place too: going back there is how a run
 * that failed in the middle is thrown away.  The address sanitizer is told of every switch.
 */
#include "world/fiber.h"

#include <setjmp.h>
#include <stddef.h>
#include <string.h>
#include <ucontext.h>

#define STACK_BYTES (UINT64_C(256) << 10)

#include <stdint.h>

#ifdef __SANITIZE_ADDRESS__
#    include <sanitizer/common_interface_defs.h>
#else
static inline void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size)
{
    (void)save;
    (void)bottom;
    (void)size;
}

static inline void __sanitizer_finish_switch_fiber(void *save, const void **bottom, size_t *size)
{
    (void)save;
    (void)bottom;
    (void)size;
}
#endif

static struct fiber {
    jmp_buf here, base;
    void *shadow; /* the sanitizer's, while it is not running */
    const void *bottom;
    size_t size;
} fibers[FIBER_MAX + 1];

static unsigned char stacks[FIBER_MAX][STACK_BYTES] __attribute__((aligned(64)));
static void (*body)(unsigned index);
static unsigned current = FIBER_MAIN;
static ucontext_t thread_context, fiber_context;

unsigned fiber_current(void)
{
    return current;
}

/* The fiber has arrived on its stack from `from`. */
static void arrive(unsigned index)
{
    struct fiber *fiber = &fibers[index];
    struct fiber *main_fiber = &fibers[FIBER_MAIN];
    const void *bottom = NULL;
    size_t size = 0;

    __sanitizer_finish_switch_fiber(fiber->shadow, &bottom, &size);
    if (main_fiber->bottom == NULL && index != FIBER_MAIN) {
        main_fiber->bottom = bottom;
        main_fiber->size = size;
    }
}

static void entry(void)
{
    unsigned index = current;

    if (_setjmp(fibers[index].base) == 0) {
        memcpy(fibers[index].here, fibers[index].base, sizeof(jmp_buf));
        arrive(index);
        current = FIBER_MAIN;
        __sanitizer_start_switch_fiber(&fibers[index].shadow, fibers[FIBER_MAIN].bottom,
                                       fibers[FIBER_MAIN].size);
        (void)swapcontext(&fiber_context, &thread_context);
    }
    arrive(index);
    for (;;) {
        body(index);
    }
}

void fiber_start(void (*function)(unsigned index))
{
    body = function;
    for (unsigned i = 0; i < FIBER_MAX; i++) {
        fibers[i].bottom = stacks[i];
        fibers[i].size = STACK_BYTES;
        (void)getcontext(&fiber_context);
        fiber_context.uc_stack.ss_sp = stacks[i];
        fiber_context.uc_stack.ss_size = STACK_BYTES;
        fiber_context.uc_link = NULL;
        makecontext(&fiber_context, entry, 0);
        current = i;
        __sanitizer_start_switch_fiber(&fibers[FIBER_MAIN].shadow, stacks[i], STACK_BYTES);
        (void)swapcontext(&thread_context, &fiber_context);
        arrive(FIBER_MAIN);
    }
}

void fiber_switch(unsigned to)
{
    unsigned from = current;

    if (to == from) {
        return;
    }
    if (_setjmp(fibers[from].here) != 0) {
        arrive(from);
        return;
    }
    current = to;
    __sanitizer_start_switch_fiber(&fibers[from].shadow, fibers[to].bottom, fibers[to].size);
    _longjmp(fibers[to].here, 1);
}

void fiber_restart(unsigned index)
{
    memcpy(fibers[index].here, fibers[index].base, sizeof(jmp_buf));
    fibers[index].shadow = NULL;
}
