/* SPDX-License-Identifier: MIT */
/*
 * Console input.  One ring of bytes and one queue of readers, under the queue's lock.  Bytes on
 * loan stay in the ring, at its front, until the reader says how many it could use: so a reader
 * whose buffer faults loses nothing.
 */
#include "kernel/console.h"

#include "arch/arch.h"
#include "kernel/sched.h"
#include "kernel/thread.h"
#include "lib/assert.h"

#define RING_BYTES 1024U /* power of two */
#define WAKE_MAX   32U

static struct wait_queue readers = WAIT_QUEUE_INIT(readers);
static char ring[RING_BYTES]; /* readers.lock, like all below */
static uint32_t ring_first;   /* counts for ever; index = count % RING_BYTES */
static uint32_t ring_end;
static bool is_lent;

/* Takes bytes from the device while there are some and there is room. */
static void ring_fill_locked(void)
{
    while (ring_end - ring_first < RING_BYTES) {
        int byte = arch_console_read();

        if (byte < 0) {
            return;
        }
        ring[ring_end % RING_BYTES] = (char)byte;
        ring_end++;
    }
}

void console_poll(void)
{
    if (!console_has_readers()) {
        return;
    }
    spinlock_acquire(&readers.lock);
    ring_fill_locked();
    bool has_input = ring_end != ring_first;

    spinlock_release(&readers.lock);
    if (has_input) {
        (void)wait_queue_wake(&readers, WAKE_MAX); /* the rest at the next poll */
    }
}

bool console_has_readers(void)
{
    return !wait_queue_is_empty(&readers);
}

status_t console_input_lend(char *buffer, uint64_t max_bytes, uint64_t *lent_bytes)
{
    spinlock_acquire(&readers.lock);
    if (is_lent) {
        spinlock_release(&readers.lock);
        return ERR_BUSY;
    }
    ring_fill_locked();
    uint32_t count = ring_end - ring_first;

    count = count > CONSOLE_CHUNK_BYTES ? CONSOLE_CHUNK_BYTES : count;
    count = count > max_bytes ? (uint32_t)max_bytes : count;
    for (uint32_t i = 0; i < count; i++) {
        buffer[i] = ring[(ring_first + i) % RING_BYTES];
    }
    is_lent = count != 0;
    spinlock_release(&readers.lock);
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
    ring_fill_locked();
    bool is_empty = ring_end == ring_first;

    if (is_empty) {
        wait_queue_block_locked(&readers, thread, NULL);
    }
    spinlock_release(&readers.lock);
    if (is_empty) {
        sched_poll_console();
    }
    return is_empty;
}
