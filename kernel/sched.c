/* SPDX-License-Identifier: MIT */
/*
 * The scheduler.  A thread is RUNNING exactly while it is `current` of a hart; a READY thread is in
 * that hart's queue.  Threads of processes that have ended are dropped when they come up.
 */
#include "kernel/sched.h"

#include "arch/arch.h"
#include "arch/machine.h"
#include "kernel/console.h"
#include "kernel/process.h"
#include "kernel/reaper.h"
#include "lib/assert.h"
#include "lib/counter.h"

#define NEVER    UINT64_MAX
#define DROP_MAX 32U /* threads of ended processes that one pick drops */

/* Fields: (l) lock, (h) the hart's own. */
struct sched_hart {
    struct spinlock lock;   /* rank LOCK_SCHED                              */
    struct list_node ready; /* (l) by queue_link, first come first          */
    struct thread *current; /* (h) NULL: idle                               */
    bool must_look;         /* (h) see sched_look                           */
    uint64_t slice_end;     /* (h) time, NEVER: current runs as it likes    */
    uint64_t next_poll;     /* (h) time of the next look at the console     */
    uint64_t armed;         /* (h) what the timer is set to                 */
};

static struct sched_hart harts[HART_MAX];

static struct sched_hart *sched_this(void)
{
    return &harts[hart_index()];
}

static uint64_t ticks_of_ms(uint64_t ms)
{
    return machine_get()->timebase_hz * ms / 1000;
}

void sched_init(void)
{
    for (unsigned i = 0; i < HART_MAX; i++) {
        spinlock_init(&harts[i].lock, LOCK_SCHED);
        list_init(&harts[i].ready);
        harts[i].slice_end = NEVER;
        harts[i].armed = NEVER;
    }
}

struct thread *sched_current(void)
{
    return sched_this()->current;
}

static void look_set(struct sched_hart *hart, bool must_look)
{
    hart->must_look = must_look;
    if (hart->current != NULL) {
        hart->current->must_look = must_look;
    }
}

void sched_look(void)
{
    look_set(sched_this(), true);
}

static void count_calls(struct thread *thread)
{
    counter_add(COUNTER_syscalls, thread->calls);
    thread->calls = 0;
}

void sched_count_calls(void)
{
    count_calls(sched_current());
}

void sched_ready(struct thread *thread)
{
    struct sched_hart *hart = sched_this();

    ASSERT(list_is_empty(&thread->queue_link));
    spinlock_acquire(&hart->lock);
    thread->state = THREAD_READY;
    list_push_back(&hart->ready, &thread->queue_link);
    spinlock_release(&hart->lock);
    look_set(hart, true);
}

void sched_remove(struct thread *thread)
{
    struct sched_hart *hart = sched_this();

    spinlock_acquire(&hart->lock);
    ASSERT(thread->state == THREAD_READY);
    list_remove(&thread->queue_link);
    spinlock_release(&hart->lock);
}

static bool has_ready(struct sched_hart *hart)
{
    spinlock_acquire(&hart->lock);
    bool has = !list_is_empty(&hart->ready);

    spinlock_release(&hart->lock);
    return has;
}

/* Takes the next thread that may run out of the queue, or NULL. */
static struct thread *pick(struct sched_hart *hart)
{
    for (unsigned i = 0; i < DROP_MAX; i++) {
        spinlock_acquire(&hart->lock);
        struct list_node *node = list_pop_front(&hart->ready);

        spinlock_release(&hart->lock);
        if (node == NULL) {
            return NULL;
        }
        struct thread *thread = LIST_ENTRY(node, struct thread, queue_link);

        if (!process_has_ended(thread->process)) {
            return thread;
        }
        thread_end(thread);
    }
    return NULL;
}

/* Makes `next` (or nothing, NULL) what this hart runs. */
static void switch_to(struct sched_hart *hart, struct thread *next)
{
    if (next != NULL) {
        next->state = THREAD_RUNNING;
    }
    if (next == hart->current) {
        return;
    }
    if (hart->current != NULL) {
        count_calls(hart->current);
    }
    hart->current = next;
    hart->slice_end = NEVER;
    vm_space_activate(next != NULL ? next->process->space : NULL);
    if (next != NULL) {
        counter_add(COUNTER_thread_switches, 1);
    }
}

/* Who runs after `self` came in with this verdict. */
static struct thread *choose(struct sched_hart *hart, struct thread *self, enum verdict verdict)
{
    if (self == NULL || self->state != THREAD_RUNNING) {
        return pick(hart);
    }
    if (process_has_ended(self->process)) {
        thread_end(self);
        return pick(hart);
    }
    if (verdict != VERDICT_YIELD || !has_ready(hart)) {
        return self;
    }
    sched_ready(self);
    return pick(hart);
}

/* Sets the timer to what is wanted next. */
static void arm_timer(struct sched_hart *hart)
{
    uint64_t deadline = NEVER;

    if (hart->current == NULL || !has_ready(hart)) {
        hart->slice_end = NEVER;
    } else if (hart->slice_end == NEVER) {
        hart->slice_end = arch_time_now() + ticks_of_ms(SCHED_SLICE_MS);
    }
    deadline = hart->slice_end;
    if (console_has_readers()) {
        uint64_t now = arch_time_now();

        if (hart->next_poll <= now) {
            hart->next_poll = now + ticks_of_ms(SCHED_POLL_MS);
        }
        deadline = hart->next_poll < deadline ? hart->next_poll : deadline;
    }
    if (hart->must_look && hart->current != NULL) {
        uint64_t next_piece = arch_time_now() + ticks_of_ms(SCHED_REAP_MS);

        deadline = next_piece < deadline ? next_piece : deadline;
    }
    if (deadline != hart->armed) {
        hart->armed = deadline;
        arch_timer_set(deadline);
    }
}

struct user_frame *sched_leave(struct thread *self, enum verdict verdict)
{
    struct sched_hart *hart = sched_this();

    switch_to(hart, choose(hart, self, verdict));
    (void)reaper_step(self);
    if (hart->current == NULL) {
        switch_to(hart, pick(hart));
    }
    look_set(hart, !reaper_is_done());
    arm_timer(hart);
    return hart->current != NULL ? &hart->current->frame : NULL;
}

struct user_frame *sched_idle(void)
{
    struct sched_hart *hart = sched_this();

    do {
        console_poll();
        switch_to(hart, pick(hart));
    } while (hart->current == NULL && (reaper_step(NULL) || has_ready(hart)));
    if (hart->armed <= arch_time_now()) {
        hart->armed = 0; /* has fired: set it anew, or to never */
    }
    look_set(hart, !reaper_is_done());
    arm_timer(hart);
    return hart->current != NULL ? &hart->current->frame : NULL;
}

bool sched_timer_fired(void)
{
    struct sched_hart *hart = sched_this();

    hart->armed = 0; /* set it anew, or to never */
    return hart->slice_end <= arch_time_now();
}
