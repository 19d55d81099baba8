/* SPDX-License-Identifier: MIT */
/*
 * Real threads as harts that run the kernel's own threads: run queues, wake-ups, affinity, the ends
 * of threads and processes, the reaper, all unmodified and entered by system calls and interrupts
 * as from the trap entry.
 *
 * What stands in for arch/ is told by its contract: a handler returns the registers to resume; a
 * system call saves what C does not keep, and the exit the rest, after the handler has returned,
 * and then lets go of the frame.  Until it has, the frame holds TORN.  A program is its registers:
 * it does at random what a program can do to threads and processes, finds in its kept registers
 * what it left there, and never runs on two harts.  A hart that waits is woken by its timer or by
 * another hart alone, so a wake-up that is lost stops the run.
 */
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "arch/arch.h"
#include "arch/upcall.h"
#include "harts/harts.h"
#include "harts/wrap.h"
#include "kernel/handle.h"
#include "kernel/process.h"
#include "kernel/reaper.h"
#include "kernel/sched.h"
#include "kernel/thread.h"
#include "lib/spinlock.h"

#define PROCESSES 80U  /* made in all                                      */
#define ACTIONS   150U /* of a process's first thread                      */
#define WAITS     30U  /* for its others; then the process ends            */
#define KNOWN     8U   /* handles of each kind that a process remembers    */
#define TORN      UINT64_C(0x7071717171717171)
#define HANG_S    150U

enum {
#define SYSCALL(number, name, ...) NR_##name = (number),
#include "uapi/syscalls.def"
#undef SYSCALL
};

/* Registers by number: arguments, and some that C keeps. */
enum {
    A0 = 10,
    A1 = 11,
    A3 = 13,
    A7 = 17,
    S_COUNT = 9,
    S_COPY = 18,
    S_CALL = 19,
    S_PLACE = 20,
};

/* What a program has in the registers that a system call keeps. */
struct kept {
    uint64_t count, copy; /* traps so far, twice                     */
    uint64_t call;        /* the last one it made, 0: none           */
    uint64_t place;       /* its process                             */
};

static struct place {
    struct process *process;         /* (c) from the release of `ready` on, a reference */
    handle_t self, machine;          /* (c) in that process                             */
    struct thread *first;            /* (c) only compared                               */
    _Atomic(uint32_t) known[KNOWN];  /* (a) handles of threads, relaxed                 */
    _Atomic(uint32_t) others[KNOWN]; /* (a) handles of processes, relaxed               */
} places[PROCESSES];

static _Atomic(uint32_t) made;           /* (a) places taken                              */
static _Atomic(uint32_t) ready;          /* (a) places filled; release, acquire           */
static _Atomic(uint64_t) pending;        /* (a) harts with an interrupt; release, acquire */
static _Atomic(uint64_t) runs[HART_MAX]; /* (a) frame in user mode on each                */
static _Thread_local uint64_t armed = UINT64_MAX;
static _Thread_local enum arch_returns returns;
static unsigned hart_count;

/* ---- the machine ---- */

struct hart_mask arch_harts(void)
{
    return (struct hart_mask){(UINT64_C(1) << hart_count) - 1};
}

void arch_ipi_send(struct hart_mask harts)
{
    atomic_fetch_or_explicit(&pending, harts.bits, memory_order_release);
}

uint64_t time_now(void) WRAP_OF(arch_time_now);
uint64_t time_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void timer_set(uint64_t deadline) WRAP_OF(arch_timer_set);
void timer_set(uint64_t deadline)
{
    armed = deadline;
}

void arch_returns_set(enum arch_returns how)
{
    returns = how;
}

uint64_t arch_calls_count(void)
{
    return 0;
}

static bool take_interrupt(void)
{
    uint64_t bit = UINT64_C(1) << hart_index();

    return (atomic_fetch_and_explicit(&pending, ~bit, memory_order_acquire) & bit) != 0;
}

static bool take_timer(void)
{
    if (armed > time_now()) {
        return false;
    }
    armed = UINT64_MAX;
    return true;
}

/* ---- programs ---- */

static uint32_t some(const _Atomic(uint32_t) *handles)
{
    return atomic_load_explicit(&handles[pick(KNOWN)], memory_order_relaxed);
}

static void remember(_Atomic(uint32_t) *handles, uint64_t handle)
{
    atomic_store_explicit(&handles[pick(KNOWN)], (uint32_t)handle, memory_order_relaxed);
}

static void args_set(struct user_frame *frame, uint64_t call, uint64_t a0, uint64_t a1)
{
    frame->x[A3] = 0;
    frame->x[A0] = a0;
    frame->x[A1] = a1;
    frame->x[A7] = call;
}

/* A call on threads or processes.  The first thread of a process waits for its others, and these
 * for processes made later, so nobody waits in a circle: what is never over has been forgotten. */
static void choose_call(struct user_frame *frame, uint64_t number, bool is_first)
{
    const struct place *place = &places[number];
    uint64_t one = UINT64_C(1) << pick(hart_count);
    uint64_t harts = pick(2) == 0 ? one : one | pick(UINT64_C(1) << hart_count);

    switch (pick(16)) {
    case 0:
    case 1:
        args_set(frame, is_first ? NR_thread_start : NR_thread_exit, place->self, 0);
        frame->x[A3] = number;
        return;
    case 2:
    case 3:
    case 4:
        args_set(frame, NR_thread_set_affinity, some(place->known), harts);
        return;
    case 5:
        args_set(frame, NR_handle_close, some(place->known), 0);
        return;
    case 6:
        args_set(frame, NR_quiesce, place->machine, 0);
        return;
    case 7:
        args_set(frame, !is_first || pick(16) != 0 ? NR_process_wait : NR_process_kill,
                 some(place->others), 0);
        return;
    case 8:
    case 9:
        args_set(frame, is_first ? NR_thread_wait : NR_yield, some(place->known), 0);
        return;
    default:
        args_set(frame, NR_yield, 0, 0);
        return;
    }
}

/* Gives a new process its handles and its first thread. */
static void process_fill(struct place *place, uint64_t number)
{
    struct handle_entry self = {&place->process->object, RIGHT_ALL};
    struct handle_entry machine = {object_machine(), RIGHT_ALL};
    struct thread *thread;

    EXPECT_OK(handle_insert(place->process, self, &place->self));
    EXPECT_OK(handle_insert(place->process, machine, &place->machine));
    EXPECT_OK(thread_create(arch_harts(), NULL, &thread));
    user_frame_init(&thread->frame, (vaddr_t){0}, (vaddr_t){0}, number, 0);
    place->first = thread;
    object_get(&place->process->object);
    EXPECT_OK(thread_start(thread, place->process));
    /* Pairs with the acquire in is_over. */
    atomic_fetch_add_explicit(&ready, 1, memory_order_release);
}

/* A process, known to its parent, if there is one; nothing if enough were made. */
static void process_make(struct place *parent)
{
    uint32_t number = atomic_load_explicit(&made, memory_order_relaxed);
    handle_t handle;

    do {
        if (number == PROCESSES) {
            return;
        }
    } while (!atomic_compare_exchange_weak_explicit(&made, &number, number + 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    struct place *place = &places[number];

    EXPECT_OK(process_create("program", NULL, 0, &place->process));
    process_fill(place, number);
    struct handle_entry entry = {&place->process->object, RIGHT_ALL};

    if (parent != NULL && handle_insert(parent->process, entry, &handle) == OK) {
        remember(parent->others, handle);
    }
    process_release(place->process);
}

/* True if every process that was made has ended. */
static bool is_idle(void)
{
    uint32_t count = atomic_load_explicit(&ready, memory_order_acquire);

    for (uint32_t i = 0; i < count; i++) {
        if (!process_has_ended(places[i].process)) {
            return false;
        }
    }
    return count == atomic_load_explicit(&made, memory_order_relaxed);
}

static bool is_over(void)
{
    return atomic_load_explicit(&made, memory_order_relaxed) == PROCESSES && is_idle() &&
           !reaper_has_work();
}

/* ---- user mode ---- */

static void look_alone(const struct user_frame *frame)
{
    uint64_t me = (uint64_t)(uintptr_t)frame;

    /* Both in one order over all harts, so one of two sees the other. */
    atomic_store_explicit(&runs[hart_index()], me, memory_order_seq_cst);
    for (unsigned i = 0; i < hart_count; i++) {
        EXPECT(i == hart_index() || atomic_load_explicit(&runs[i], memory_order_seq_cst) != me);
    }
}

/* What a resumed program finds. */
static struct kept registers_get(const struct user_frame *frame)
{
    struct kept kept = {
        .count = frame->x[S_COUNT],
        .copy = frame->x[S_COPY],
        .call = frame->x[S_CALL],
        .place = frame->x[S_CALL] == 0 ? frame->x[A0] : frame->x[S_PLACE],
    };

    EXPECT(kept.count != TORN && kept.count == kept.copy && kept.place < PROCESSES);
    return kept;
}

static void registers_put(struct user_frame *frame, const struct kept *kept)
{
    frame->x[S_COUNT] = kept->count;
    frame->x[S_COPY] = kept->copy;
    frame->x[S_CALL] = kept->call;
    frame->x[S_PLACE] = kept->place;
}

/* In user mode until the next trap. */
static void run(struct user_frame *frame, struct kept *kept)
{
    EXPECT(thread_of_frame(frame)->process->space == vm_space_active());
    look_alone(frame);
    kernel_leave();
    pause_maybe();
    kernel_enter();
    atomic_store_explicit(&runs[hart_index()], 0, memory_order_seq_cst);
    kept->count++;
    kept->copy++;
}

/* The program's next call, or the one that is to be made again. */
static void call_set(struct user_frame *frame, struct kept *kept)
{
    struct place *place = &places[kept->place];
    bool is_first = thread_of_frame(frame) == place->first;

    if (kept->call != 0 && frame->pc == 0) {
        return;
    }
    if (kept->call == NR_thread_start && frame->x[A0] == 0) {
        remember(place->known, frame->x[A1]);
    }
    if (is_first && pick(20) == 0) {
        process_make(place);
    }
    if (is_first && kept->count > ACTIONS + WAITS) {
        args_set(frame, NR_process_exit, 0, 0);
    } else if (is_first && kept->count > ACTIONS) {
        args_set(frame, NR_thread_wait, some(place->known), 0);
    } else {
        choose_call(frame, kept->place, is_first);
    }
    kept->call = frame->x[A7];
    frame->pc = 0;
}

/* One system call, as the trap entry makes it. */
static struct user_frame *call(struct user_frame *frame)
{
    uint64_t number = user_frame_syscall(frame);
    kernel_call *const *calls = atomic_load_explicit(&kernel_calls, memory_order_relaxed);
    int result = calls[number < kernel_call_count ? number : kernel_call_count](frame);

    if (returns == ARCH_RETURNS_FREE && result <= 0) {
        user_frame_finish_call(frame);
        user_frame_set_arg(frame, 0, (uint64_t)result);
        return frame;
    }
    if (returns == ARCH_RETURNS_FREE && result == KERNEL_CALL_RESULTS) {
        return frame;
    }
    return kernel_on_verdict(frame, result);
}

/* One trap; returns what to resume. */
static struct user_frame *trap(struct user_frame *frame, struct kept *kept)
{
    if (take_interrupt()) {
        registers_put(frame, kept); /* such a trap saves all at once */
        return kernel_on_interrupt(frame);
    }
    /* Slices have no length here: the machine's clock stands for nothing. */
    if (pick(4) == 0 && take_timer()) {
        registers_put(frame, kept);
        return kernel_on_timer(frame);
    }
    call_set(frame, kept);
    registers_put(frame, &(struct kept){.count = TORN});
    return call(frame);
}

static void hart_wait(void)
{
    kernel_leave();
    while (!take_interrupt() && !take_timer() && !is_over()) {
        if (hart_index() == 0 && is_idle()) {
            break;
        }
        (void)sched_yield();
    }
    kernel_enter();
    if (hart_index() == 0 && is_idle()) {
        process_make(NULL);
    }
}

static void hart_main(hart_idx_t hart)
{
    struct user_frame *frame = NULL;

    kernel_enter();
    while (frame != NULL || !is_over()) {
        if (frame == NULL) {
            frame = sched_idle();
            if (frame == NULL) {
                hart_wait();
            }
            continue;
        }
        struct kept kept = registers_get(frame);
        struct user_frame *next;

        do {
            run(frame, &kept);
            next = trap(frame, &kept);
        } while (next == frame);
        pause_maybe();
        EXPECT(user_frame_owner(frame) == hart + 1U);
        registers_put(frame, &kept);
        /* The trap exit; pairs with the acquire in user_frame_owner. */
        atomic_store_explicit(&frame->owner, 0, memory_order_release);
        frame = next;
    }
    kernel_leave();
}

static void program(const struct harts_config *config)
{
    (void)alarm(HANG_S);
    hart_count = config->harts;
    harts_begin(config);
    sched_init();
    harts_run(hart_main);
    EXPECT(is_over());
    for (unsigned i = 0; i < PROCESSES; i++) {
        object_put(&places[i].process->object);
    }
    harts_end();
}

int main(void)
{
    static const struct harts_config configs[] = {
        {.harts = 1, .levels = 3, .asid_bits = 0},
        {.harts = 2, .levels = 3, .asid_bits = 16},
        {.harts = 4, .levels = 4, .asid_bits = 0},
        {.harts = 8, .levels = 5, .asid_bits = 9},
    };

    return harts_for_each(configs, sizeof(configs) / sizeof(configs[0]), program);
}
