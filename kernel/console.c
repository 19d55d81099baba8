/* SPDX-License-Identifier: MIT */
/*
 * Console input.  One ring of bytes, one queue of readers and one foreground process, under the
 * queue's lock.  Bytes on loan stay in the ring, at its front, until the reader says how many it
 * could use: so a reader whose buffer faults loses nothing.
 *
 * Nothing is taken from the device when the ring is full, unless a foreground process lives: then
 * Ctrl-C must be found behind whatever nobody reads, and what has no room is dropped.
 *
 * The device tells of input while there is room for it; where it cannot, or is quiet because there
 * is none, it is polled as long as input matters.  A device that tells again and again although it
 * has nothing is told to be quiet for good.
 */
#include "kernel/console.h"

#include "arch/arch.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/thread.h"
#include "lib/assert.h"
#include "lib/log.h"

#define RING_BYTES 1024U /* power of two */
#define LOOK_BYTES 1024U /* most that one look takes from the device */
#define WAKE_MAX   32U
#define VAIN_MAX   1000U /* times in a row that the device may tell of nothing */
#define CTRL_C     0x03

static struct wait_queue readers = WAIT_QUEUE_INIT(readers);
static char ring[RING_BYTES]; /* readers.lock, like all below */
static uint32_t ring_first;   /* counts for ever; index = count % RING_BYTES */
static uint32_t ring_end;
static bool is_lent;
static struct process *foreground; /* Ctrl-C ends it; one reference, or NULL */
static bool can_tell;              /* the device interrupts if it is asked to */
static bool is_telling;            /* it has been asked to                    */
static uint32_t vain_count;        /* times in a row that it had nothing      */

/* Written under the lock.  Relaxed: whoever makes it true asks the polling hart to look. */
static _Atomic(bool) wants_poll;

static bool ring_has_room_locked(void)
{
    return ring_end - ring_first < RING_BYTES;
}

/* Takes bytes from the device while there are some and there is a use for them.  Returns the
 * process that Ctrl-C is to end, for end_interrupted, or NULL. */
static struct process *take_in_locked(void)
{
    struct process *interrupted = NULL;

    for (unsigned i = 0; i < LOOK_BYTES; i++) {
        if (!ring_has_room_locked() && foreground == NULL) {
            break;
        }
        int byte = arch_console_read();

        if (byte < 0) {
            break;
        }
        vain_count = 0;
        if (byte == CTRL_C && foreground != NULL) {
            interrupted = foreground;
            foreground = NULL;
        } else if (ring_has_room_locked()) {
            ring[ring_end % RING_BYTES] = (char)byte;
            ring_end++;
        }
    }
    return interrupted;
}

/* What is asked of the device from now on.  Last under the lock, whenever something has changed. */
static void device_follow_locked(void)
{
    bool should_tell = can_tell && ring_has_room_locked();

    if (should_tell != is_telling) {
        is_telling = should_tell;
        (void)arch_console_tell(should_tell ? ARCH_CONSOLE_TELL : ARCH_CONSOLE_QUIET);
    }
    bool has_readers = !list_is_empty(&readers.threads);
    bool is_blind = !is_telling && (has_readers || foreground != NULL);
    bool must_wake = has_readers && ring_end != ring_first;

    atomic_store_explicit(&wants_poll, is_blind || must_wake, memory_order_relaxed);
}

/* Ends the process that was in the foreground, and gives its reference back.  No lock is held. */
static void end_interrupted(struct process *process)
{
    if (process != NULL) {
        process_end(process, (struct process_exit){.reason = EXIT_KILLED});
        object_put(&process->object);
    }
}

/* Takes in what has come, ends whom that ends, and wakes those who wait.  The lock is held and
 * given up. */
static void take_in_and_unlock(void)
{
    struct process *interrupted = take_in_locked();
    bool has_input = ring_end != ring_first;

    spinlock_release(&readers.lock);
    end_interrupted(interrupted);
    if (has_input) {
        (void)wait_queue_wake(&readers, WAKE_MAX); /* the rest at the next poll */
    }
    spinlock_acquire(&readers.lock);
    device_follow_locked();
    spinlock_release(&readers.lock);
}

void console_init(void)
{
    spinlock_acquire(&readers.lock);
    can_tell = arch_console_tell(ARCH_CONSOLE_QUIET) == OK;
    device_follow_locked();
    spinlock_release(&readers.lock);
}

void console_poll(void)
{
    if (console_wants_poll()) {
        spinlock_acquire(&readers.lock);
        take_in_and_unlock();
    }
}

bool console_wants_poll(void)
{
    return atomic_load_explicit(&wants_poll, memory_order_relaxed);
}

void console_told(void)
{
    spinlock_acquire(&readers.lock);
    vain_count++;
    if (can_tell && vain_count > VAIN_MAX) {
        can_tell = false;
        is_telling = false;
        arch_console_tell_no_more();
        log_printf("console: its interrupt comes without input; polled from now on\n");
    }
    take_in_and_unlock();
}

status_t console_set_foreground(struct process *process)
{
    spinlock_acquire(&readers.lock);
    struct process *before = foreground;
    bool has_ended = process != NULL && process_has_ended(process);

    foreground = has_ended ? NULL : process;
    if (foreground != NULL) {
        object_get(&foreground->object);
    }
    device_follow_locked();
    spinlock_release(&readers.lock);
    if (before != NULL) {
        object_put(&before->object);
    }
    if (has_ended) {
        return ERR_SRCH;
    }
    if (console_wants_poll()) {
        sched_poll_console();
    }
    return OK;
}

void console_process_ended(struct process *process)
{
    spinlock_acquire(&readers.lock);
    bool was_foreground = foreground == process;

    if (was_foreground) {
        foreground = NULL;
        device_follow_locked();
    }
    spinlock_release(&readers.lock);
    if (was_foreground) {
        object_put(&process->object);
    }
}

/* What a reader may take from the device; one that tells is left to its interrupt. */
static struct process *look_locked(void)
{
    return is_telling ? NULL : take_in_locked();
}

status_t console_input_lend(char *buffer, uint64_t max_bytes, uint64_t *lent_bytes)
{
    spinlock_acquire(&readers.lock);
    if (is_lent) {
        spinlock_release(&readers.lock);
        return ERR_BUSY;
    }
    struct process *interrupted = look_locked();
    uint32_t count = ring_end - ring_first;

    count = count > CONSOLE_CHUNK_BYTES ? CONSOLE_CHUNK_BYTES : count;
    count = count > max_bytes ? (uint32_t)max_bytes : count;
    for (uint32_t i = 0; i < count; i++) {
        buffer[i] = ring[(ring_first + i) % RING_BYTES];
    }
    is_lent = count != 0;
    device_follow_locked();
    spinlock_release(&readers.lock);
    end_interrupted(interrupted);
    *lent_bytes = count;
    return OK;
}

void console_input_consume(uint64_t used_bytes)
{
    spinlock_acquire(&readers.lock);
    ASSERT(is_lent && used_bytes <= ring_end - ring_first);
    ring_first += (uint32_t)used_bytes;
    is_lent = false;
    bool was_telling = is_telling;

    device_follow_locked();
    /* What the device had no room for it need not tell of again. */
    struct process *interrupted = is_telling && !was_telling ? take_in_locked() : NULL;

    device_follow_locked();
    spinlock_release(&readers.lock);
    end_interrupted(interrupted);
    if (console_wants_poll()) {
        sched_poll_console();
    }
}

bool console_block(struct thread *thread)
{
    spinlock_acquire(&readers.lock);
    struct process *interrupted = look_locked();
    bool is_empty = ring_end == ring_first;

    if (is_empty) {
        wait_queue_block_locked(&readers, thread, NULL);
    }
    device_follow_locked();
    spinlock_release(&readers.lock);
    end_interrupted(interrupted);
    if (console_wants_poll()) {
        sched_poll_console();
    }
    return is_empty;
}
