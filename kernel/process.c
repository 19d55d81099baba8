/* SPDX-License-Identifier: MIT */
/* Processes: made, held, ended. */
#include "kernel/process.h"

#include "arch/arch.h"
#include "kernel/console.h"
#include "kernel/handle.h"
#include "kernel/io_object.h"
#include "kernel/process_table.h"
#include "kernel/reaper.h"
#include "kernel/run_queue.h"
#include "kernel/sched.h"
#include "kernel/thread.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "lib/trace.h"
#include "mm/slab.h"
#include "mm/vm_budget.h"

#define WAKE_MAX 32U

_Static_assert(sizeof(struct process) + UINT64_C(2) * SLAB_OBJECT_MAX +
                       HANDLE_MAX * (sizeof(struct handle_slot) + sizeof(struct io_object)) <=
                   PROCESS_FRAMES * PAGE_SIZE,
               "what is charged covers the record, its space's and budget's, handles, objects");

static struct slab_cache process_cache =
    SLAB_CACHE_INIT(process_cache, "process", sizeof(struct process));

/* Records the name in pieces; the field ends in zeroes. */
static void trace_name(const struct process *process)
{
    uint64_t pieces[PROCESS_NAME_BYTES / sizeof(uint64_t)];

    memcpy(pieces, process->name, sizeof(pieces));
    for (size_t i = 0; i < ARRAY_LEN(pieces) && pieces[i] != 0; i++) {
        trace_note(TRACE_PROCESS, process->id, pieces[i]);
    }
}

/* The budget of the process that makes another, with a reference; NULL: none.
 * ERR_SRCH: it has ended. */
static status_t budget_of_maker(struct process *maker, struct vm_budget **budget)
{
    struct vm_space *space;
    status_t status;

    *budget = NULL;
    if (maker == NULL) {
        return OK;
    }
    status = process_space_get(maker, &space);
    if (status == OK) {
        *budget = vm_space_budget(space);
        vm_budget_get(*budget);
        process_space_put(maker, space);
    }
    return status;
}

/* A space with `budget`, or with one of so many frames inside it. */
static status_t make_space(struct vm_budget *budget, uint64_t frames, struct vm_space **space)
{
    status_t status;

    if (frames == 0) {
        return vm_space_create(budget, space);
    }
    status = vm_budget_create(budget, frames, &budget);
    if (status == OK) {
        status = vm_space_create(budget, space);
        vm_budget_put(budget);
    }
    return status;
}

/* A zeroed record with a space, charged to `payer`, or nothing. */
static status_t record_make(struct vm_budget *payer, uint64_t frames, struct process **out)
{
    status_t status = vm_budget_charge(payer, PROCESS_FRAMES);
    struct process *process;

    if (status != OK) {
        return status;
    }
    process = slab_alloc(&process_cache);
    status = process != NULL ? make_space(payer, frames, &process->space) : ERR_NOMEM;
    if (status != OK) {
        if (process != NULL) {
            slab_free(&process_cache, process);
        }
        vm_budget_release(payer, PROCESS_FRAMES);
        return status;
    }
    process->payer = payer;
    *out = process;
    return OK;
}

status_t process_create(const char *name, struct process *maker, uint64_t frames,
                        struct process **out)
{
    struct vm_budget *payer;
    struct process *process;
    status_t status = budget_of_maker(maker, &payer);

    if (status == OK) {
        status = record_make(payer, frames, &process);
    }
    if (status != OK) {
        vm_budget_put(payer);
        return status;
    }
    handle_table_init(&process->handles);
    object_init(&process->object, HANDLE_PROCESS);
    atomic_init(&process->holders, 1);
    atomic_init(&process->ended, 0);
    ASSERT(strlen(name) < PROCESS_NAME_BYTES);
    memcpy(process->name, name, strlen(name));
    spinlock_init(&process->lock, LOCK_PROCESS);
    spinlock_init(&process->handles_lock, LOCK_HANDLES);
    list_init(&process->threads);
    list_init(&process->reap_link);
    wait_queue_init(&process->waiters);
    wait_queue_init(&process->maker_waiters);
    if (maker != NULL) {
        object_get(&maker->object);
        process->maker = maker;
        process->maker_id = maker->id;
    }
    process_table_enter(process); /* last: from now on it is seen */
    if (trace_is_on()) {
        trace_name(process);
    }
    *out = process;
    return OK;
}

void process_hold(struct process *process)
{
    object_get(&process->object);
    /* Relaxed: the caller's reference keeps the process; a holder too late finds it ended. */
    atomic_fetch_add_explicit(&process->holders, 1, memory_order_relaxed);
}

void process_release(struct process *process)
{
    /* Acq_rel: what earlier holders did is seen by the one who ends the process. */
    uint32_t before = atomic_fetch_sub_explicit(&process->holders, 1, memory_order_acq_rel);

    ASSERT(before != 0);
    if (before == 1) {
        process_end(process, (struct process_exit){.reason = EXIT_KILLED});
    }
    object_put(&process->object);
}

void process_end(struct process *process, struct process_exit how)
{
    spinlock_acquire(&process->lock);
    if (process_has_ended(process)) {
        spinlock_release(&process->lock);
        return;
    }
    process->exit = how;
    reaper_expect();
    /* Pairs with the acquire in process_has_ended. */
    atomic_store_explicit(&process->ended, 1, memory_order_release);
    spinlock_release(&process->lock);
    if (process->maker != NULL) {
        /* Release: pairs with the acquire in process_children_ended. */
        atomic_fetch_add_explicit(&process->maker->made_ended, 1, memory_order_release);
        process->to_tell = wait_queue_length(&process->maker->maker_waiters);
    }
    console_process_ended(process);
    arch_ipi_send(run_queue_harts_of(process));
    (void)wait_queue_wake(&process->waiters, WAKE_MAX); /* the reaper wakes the others */
    reaper_add_process(process);
}

bool process_has_ended(const struct process *process)
{
    /* Pairs with the release in process_end. */
    return atomic_load_explicit(&process->ended, memory_order_acquire) != 0;
}

uint64_t process_children_ended(const struct process *process)
{
    /* Pairs with the release in process_end. */
    return atomic_load_explicit(&process->made_ended, memory_order_acquire);
}

bool process_tell_maker(struct process *process, unsigned max)
{
    struct process *maker = process->maker;
    uint32_t piece = process->to_tell < max ? process->to_tell : max;

    if (maker == NULL) {
        return false;
    }
    /* Who is told may wait again at once, for the next end: so the queue need not become empty. */
    process->to_tell -= piece;
    if (wait_queue_wake(&maker->maker_waiters, piece) && process->to_tell != 0) {
        return true;
    }
    process->maker = NULL;
    object_put(&maker->object);
    return false;
}

status_t process_space_get(struct process *process, struct vm_space **out)
{
    spinlock_acquire(&process->lock);
    if (process_has_ended(process)) {
        spinlock_release(&process->lock);
        return ERR_SRCH;
    }
    vm_space_get(process->space);
    *out = process->space;
    spinlock_release(&process->lock);
    return OK;
}

void process_space_put(struct process *process, struct vm_space *space)
{
    vm_space_put(space);
    if (process_has_ended(process)) {
        sched_look();
    }
}

struct vm_space *process_space_take(struct process *process)
{
    spinlock_acquire(&process->lock);
    struct vm_space *space = process->space;

    process->space = NULL;
    spinlock_release(&process->lock);
    return space;
}

void process_destroy(struct process *process)
{
    ASSERT(process->space == NULL && process->handles.used == 0);
    ASSERT(list_is_empty(&process->threads) && process->maker == NULL);
    process_table_leave(process);
    wait_queue_end(&process->waiters);
    wait_queue_end(&process->maker_waiters);
    handle_chunks_free(process);
    vm_budget_release(process->payer, PROCESS_FRAMES);
    vm_budget_put(process->payer);
    slab_free(&process_cache, process);
}
