/* SPDX-License-Identifier: MIT */
/*
 * Console input.  One ring of bytes, one queue of readers and one foreground process, under the
 * queue's lock.  Bytes on loan stay in the ring, at its front, until the reader says how many it
 * could use: so a reader whose buffer faults loses nothing.
 *
 * Nothing is taken from the device when the ring is full, unless a foreground process lives: then
 * Ctrl-C must be found behind whatever nobody reads, and what has no room is dropped.
 */
#include "kernel/console.h"

#include "arch/arch.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/thread.h"
#include "lib/assert.h"

#define RING_BYTES 1024U /* power of two */
#define LOOK_BYTES 1024U /* most that one look takes from the device */
#define WAKE_MAX   32U
#define CTRL_C     0x03

static struct wait_queue readers = WAIT_QUEUE_INIT(readers);
static char ring[RING_BYTES]; /* readers.lock, like all below */
static uint32_t ring_first;   /* counts for ever; index = count % RING_BYTES */
static uint32_t ring_end;
static bool is_lent;
static struct process *foreground; /* Ctrl-C ends it; one reference, or NULL */

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

/* Ends the process that was in the foreground, and gives its reference back.  No lock is held. */
static void end_interrupted(struct process *process)
{
    if (process != NULL) {
        process_end(process, (struct process_exit){.reason = EXIT_KILLED});
        object_put(&process->object);
    }
}

void console_poll(void)
{
    if (!console_is_waited_for()) {
        return;
    }
    spinlock_acquire(&readers.lock);
    struct process *interrupted = take_in_locked();
    bool has_input = ring_end != ring_first;

    spinlock_release(&readers.lock);
    end_interrupted(interrupted);
    if (has_input) {
        (void)wait_queue_wake(&readers, WAKE_MAX); /* the rest at the next poll */
    }
}

bool console_is_waited_for(void)
{
    spinlock_acquire(&readers.lock);
    bool is_waited_for = foreground != NULL || !list_is_empty(&readers.threads);

    spinlock_release(&readers.lock);
    return is_waited_for;
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
    spinlock_release(&readers.lock);
    if (before != NULL) {
        object_put(&before->object);
    }
    if (has_ended) {
        return ERR_SRCH;
    }
    if (process != NULL) {
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
    }
    spinlock_release(&readers.lock);
    if (was_foreground) {
        object_put(&process->object);
    }
}

status_t console_input_lend(char *buffer, uint64_t max_bytes, uint64_t *lent_bytes)
{
    spinlock_acquire(&readers.lock);
    if (is_lent) {
        spinlock_release(&readers.lock);
        return ERR_BUSY;
    }
    struct process *interrupted = take_in_locked();
    uint32_t count = ring_end - ring_first;

    count = count > CONSOLE_CHUNK_BYTES ? CONSOLE_CHUNK_BYTES : count;
    count = count > max_bytes ? (uint32_t)max_bytes : count;
    for (uint32_t i = 0; i < count; i++) {
        buffer[i] = ring[(ring_first + i) % RING_BYTES];
    }
    is_lent = count != 0;
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
    spinlock_release(&readers.lock);
}

bool console_block(struct thread *thread)
{
    spinlock_acquire(&readers.lock);
    struct process *interrupted = take_in_locked();
    bool is_empty = ring_end == ring_first;

    if (is_empty) {
        wait_queue_block_locked(&readers, thread, NULL);
    }
    spinlock_release(&readers.lock);
    end_interrupted(interrupted);
    if (is_empty) {
        sched_poll_console();
    }
    return is_empty;
}
