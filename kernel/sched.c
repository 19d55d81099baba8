/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: the way out of the kernel.  Which thread runs next is found in the run queues;
 * here the hart changes over to it, does a piece of the reaper's work, and sets its timer.  One
 * that finds nothing to do zeroes frames for later, one at a time.
 *
 * The time is read seldom, because some machines trap into the firmware for it: for a slice, which
 * a thread gets whole, however early the one before it left (else who leaves just before the end
 * would leave others nothing), and not again for the reaper until the timer has fired.
 *
 * A hart holds a reference on the space that is active on it, so that a space is never taken apart
 * under a hart, whoever ends the process.
 */
#include "kernel/sched.h"

#include "arch/arch.h"
#include "arch/machine.h"
#include "kernel/console.h"
#include "kernel/futex.h"
#include "kernel/process.h"
#include "kernel/reaper.h"
#include "kernel/run_queue.h"
#include "kernel/timeouts.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "lib/spinlock.h"
#include "lib/trace.h"
#include "mm/frame.h"

#define NEVER UINT64_MAX
#define FIRED 0U /* the timer must be set anew, or to never */

/* All of it is the hart's own. */
struct sched_hart {
    _Alignas(64) struct vm_space *space; /* active here, one reference, or NULL        */
    bool must_look;                      /* see sched_look                             */
    uint64_t slice_end;                  /* time, NEVER: the thread runs as it likes   */
    uint64_t next_poll;                  /* time of the next look at the console       */
    uint64_t armed;                      /* what the timer is set to                   */
    uint64_t next_piece;                 /* NEVER, or computed since the timer fired   */
};

static struct sched_hart harts[HART_MAX];
static hart_idx_t poll_hart; /* (c) the one that polls the console */

static struct sched_hart *sched_this(void)
{
    return &harts[hart_index()];
}

static uint64_t slice_ticks; /* (c) */

static uint64_t ticks_of_ms(uint64_t ms)
{
    return machine_get()->timebase_hz * ms / 1000;
}

/* What was computed for a timer that has fired is in the past. */
static void set_fired(struct sched_hart *hart)
{
    hart->armed = FIRED;
    hart->next_piece = NEVER;
}

void sched_init(void)
{
    run_queue_init();
    timeouts_init();
    futex_init();
    for (unsigned i = 0; i < HART_MAX; i++) {
        harts[i].slice_end = NEVER;
        set_fired(&harts[i]);
        harts[i].armed = NEVER;
    }
    poll_hart = hart_index();
    slice_ticks = ticks_of_ms(SCHED_SLICE_MS);
}

struct thread *sched_current(void)
{
    return run_queue_current();
}

static void look_set(struct sched_hart *hart, bool must_look)
{
    hart->must_look = must_look;
    arch_returns_set(must_look ? ARCH_RETURNS_WATCHED : ARCH_RETURNS_FREE);
}

bool sched_must_look(void)
{
    return sched_this()->must_look;
}

void sched_look(void)
{
    look_set(sched_this(), true);
}

void sched_poll_console(void)
{
    if (hart_index() == poll_hart) {
        sched_look();
    } else {
        arch_ipi_send(hart_mask_with((struct hart_mask){0}, poll_hart));
    }
}

/* Makes the space active here, or none, NULL. */
static void space_set(struct sched_hart *hart, struct vm_space *space)
{
    struct vm_space *old = hart->space;

    if (space == old) {
        return;
    }
    if (space != NULL) {
        vm_space_get(space);
    }
    vm_space_activate(space);
    hart->space = space;
    if (old != NULL) {
        vm_space_put(old);
    }
}

/* Changes over from `self`, which came in, to `next`; either may be NULL. */
static void switch_to(struct sched_hart *hart, struct thread *self, struct thread *next)
{
    if (self == next) {
        return;
    }
    hart->slice_end = NEVER;
    trace_note(TRACE_SWITCH, next != NULL ? next->id : 0, next != NULL ? next->process->id : 0);
    space_set(hart, next != NULL ? next->process->space : NULL);
    if (next != NULL) {
        counter_add(COUNTER_thread_switches, 1);
    }
}

/* The next thread of this hart's queue, or NULL. */
static struct thread *pick(void)
{
    struct thread *next;

    return run_queue_pick(&next) == RUN_QUEUE_FOUND ? next : NULL;
}

/* Who runs after `self` came in with this verdict. */
static struct thread *choose(struct thread *self, enum verdict verdict)
{
    /* While this hart owns the frame no other makes the thread RUNNING; so if it is, it is ours. */
    if (thread_state(self) != THREAD_RUNNING) {
        return pick();
    }
    if (process_has_ended(self->process)) {
        thread_end(self);
        return pick();
    }
    enum run_queue_wish wish = verdict == VERDICT_YIELD ? RUN_QUEUE_YIELD : RUN_QUEUE_STAY;
    struct thread *next;

    if (run_queue_go_on(self, wish, &next) == RUN_QUEUE_FOUND) {
        return next;
    }
    run_queue_put_current(self);
    return pick();
}

/* Sets the timer to what is wanted next. */
static void arm_timer(struct sched_hart *hart)
{
    uint64_t deadline = timeouts_earliest();

    if (sched_current() == NULL || !run_queue_has_ready()) {
        hart->slice_end = NEVER;
    } else if (hart->slice_end == NEVER) {
        hart->slice_end = arch_time_now() + slice_ticks;
    }
    deadline = hart->slice_end < deadline ? hart->slice_end : deadline;
    if (hart_index() == poll_hart && console_wants_poll()) {
        uint64_t now = arch_time_now();

        if (hart->next_poll <= now) {
            hart->next_poll = now + ticks_of_ms(SCHED_POLL_MS);
        }
        deadline = hart->next_poll < deadline ? hart->next_poll : deadline;
    }
    if (hart->must_look) {
        if (hart->next_piece == NEVER) {
            hart->next_piece = arch_time_now() + ticks_of_ms(SCHED_REAP_MS);
        }
        deadline = hart->next_piece < deadline ? hart->next_piece : deadline;
    }
    /* One that is set earlier is left: it fires once for nothing, and is cheaper than setting it at
     * each switch. */
    if (hart->armed == FIRED || deadline < hart->armed) {
        hart->armed = deadline;
        arch_timer_set(deadline);
    }
}

/* The last of the way out: what the hart has to come back for. */
static struct user_frame *leave(struct sched_hart *hart)
{
    struct thread *current = sched_current();

    arm_timer(hart);
    DASSERT(spinlock_held_count() == 0);
    return current != NULL ? &current->frame : NULL;
}

struct user_frame *sched_leave(struct thread *self, enum verdict verdict)
{
    struct sched_hart *hart = sched_this();
    struct thread *next = choose(self, verdict);

    switch_to(hart, self, next);
    bool has_work = reaper_has_work();

    if (has_work) {
        (void)reaper_step();
        has_work = reaper_has_work();
    }
    look_set(hart, has_work);
    return leave(hart);
}

/* Notices that the timer has fired, in a hart that idles.  now: the time, 0: it has to be read.
 * A timer that fires after that time was read ends the next wait at once. */
static void look_at_timer(struct sched_hart *hart, uint64_t now)
{
    if (hart->armed == NEVER || hart->armed == FIRED) {
        return;
    }
    if (hart->armed <= (now != 0 ? now : arch_time_now())) {
        set_fired(hart);
    }
}

struct user_frame *sched_idle(void)
{
    struct sched_hart *hart = sched_this();
    enum run_queue_result result;
    uint64_t now;
    struct thread *next = NULL;

    do {
        if (hart_index() == poll_hart) {
            console_poll();
        }
        now = timeouts_expire();
        result = run_queue_pick_idle(&next);
        if (result == RUN_QUEUE_SOON) {
            hart_relax();
        }
    } while (result != RUN_QUEUE_FOUND &&
             (reaper_step() || result == RUN_QUEUE_SOON || frame_zero_ahead()));
    switch_to(hart, NULL, next);
    look_at_timer(hart, now);
    look_set(hart, reaper_has_work());
    return leave(hart);
}

bool sched_timer_fired(void)
{
    struct sched_hart *hart = sched_this();

    if (hart_index() == poll_hart) {
        console_poll();
    }
    (void)timeouts_expire();
    set_fired(hart);
    return hart->slice_end != NEVER && hart->slice_end <= arch_time_now();
}
