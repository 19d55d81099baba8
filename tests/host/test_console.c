/* SPDX-License-Identifier: MIT */
/*
 * Console input of the kernel against a device that is a queue of bytes with an interrupt: nothing
 * is lost while there is room, Ctrl-C is found behind whatever there is, the device is asked to be
 * quiet when it must be and to tell again, and one that tells of nothing is given up.
 */
#include "kernel/console.h"

#include <string.h>

#include "arch/arch.h"
#include "harts/wrap.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/thread.h"
#include "support.h"

#define RING_BYTES 1024U
#define CTRL_C     '\x03'

/* ---- the device ---- */

static struct {
    char bytes[8192];
    size_t first, end;
    bool has_interrupt, is_telling, is_given_up;
} device;

int console_read(void) WRAP_OF(arch_console_read);
int console_read(void)
{
    return device.first == device.end ? -1 : (unsigned char)device.bytes[device.first++];
}

status_t console_tell(enum arch_console_tell how) WRAP_OF(arch_console_tell);
status_t console_tell(enum arch_console_tell how)
{
    if (!device.has_interrupt) {
        return ERR_NOTSUP;
    }
    device.is_telling = how == ARCH_CONSOLE_TELL;
    return OK;
}

void console_tell_no_more(void) WRAP_OF(arch_console_tell_no_more);
void console_tell_no_more(void)
{
    device.is_given_up = true;
    device.is_telling = false;
    device.has_interrupt = false;
}

/* Bytes arrive.  The interrupt comes once for them, if at all: a controller that looks at edges
 * says nothing of what was left in the device. */
static void arrive(const char *bytes, size_t count)
{
    memcpy(device.bytes + device.end, bytes, count);
    device.end += count;
    if (device.is_telling) {
        console_told();
    }
}

static void arrive_many(char byte, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        arrive(&byte, 1);
    }
}

/* ---- the kernel around it ---- */

static struct process front;
static struct thread reader;
static unsigned ends, wakes, nudges;
static int references;

void process_end(struct process *process, struct process_exit how)
{
    cr_assert(process == &front && how.reason == EXIT_KILLED && spinlock_held_count() == 0);
    ends++;
    atomic_store_explicit(&process->ended, 1, memory_order_release);
    console_process_ended(process);
}

bool process_has_ended(const struct process *process)
{
    return atomic_load_explicit(&process->ended, memory_order_acquire) != 0;
}

void object_get(struct object *object)
{
    cr_assert(object == &front.object);
    references++;
}

void object_put(struct object *object)
{
    cr_assert(object == &front.object && references > 0 && spinlock_held_count() == 0);
    references--;
}

void wait_queue_block_locked(struct wait_queue *queue, struct thread *thread, struct object *owner)
{
    cr_assert(owner == NULL && spinlock_is_mine(&queue->lock));
    list_push_back(&queue->threads, &thread->queue_link);
}

bool wait_queue_wake(struct wait_queue *queue, unsigned max)
{
    for (; max != 0 && !list_is_empty(&queue->threads); max--) {
        (void)list_pop_front(&queue->threads);
        wakes++;
    }
    return !list_is_empty(&queue->threads);
}

void sched_poll_console(void)
{
    nudges++;
}

static void start(bool has_interrupt)
{
    device.has_interrupt = has_interrupt;
    console_init();
    EXPECT_EQ(device.is_telling, has_interrupt);
    EXPECT_EQ(console_wants_poll(), false);
}

/* What one read gets; returns how many. */
static uint64_t read_some(char *bytes)
{
    uint64_t count = 0;

    EXPECT_OK(console_input_lend(bytes, CONSOLE_CHUNK_BYTES, &count));
    if (count != 0) {
        console_input_consume(count);
    }
    return count;
}

static uint64_t read_all(char byte)
{
    char bytes[CONSOLE_CHUNK_BYTES];
    uint64_t all = 0;

    for (uint64_t count = read_some(bytes); count != 0; count = read_some(bytes)) {
        for (uint64_t i = 0; i < count; i++) {
            cr_assert(bytes[i] == byte, "byte %lu is %#x", all + i, (unsigned)bytes[i]);
        }
        all += count;
    }
    return all;
}

Test(console, a_reader_wakes_by_the_interrupt_without_a_poll)
{
    char bytes[CONSOLE_CHUNK_BYTES];

    start(true);
    cr_assert(console_block(&reader));
    EXPECT_EQ(console_wants_poll(), false);
    EXPECT_EQ(nudges, 0);
    arrive("ok", 2);
    EXPECT_EQ(wakes, 1);
    EXPECT_EQ(read_some(bytes), 2);
    cr_assert(memcmp(bytes, "ok", 2) == 0);
}

Test(console, without_an_interrupt_a_reader_is_polled_for_and_only_while_it_waits)
{
    start(false);
    cr_assert(console_block(&reader));
    EXPECT_EQ(console_wants_poll(), true);
    EXPECT_EQ(nudges, 1);
    arrive("x", 1);
    console_poll();
    EXPECT_EQ(wakes, 1);
    EXPECT_EQ(read_all('x'), 1);
    EXPECT_EQ(console_wants_poll(), false);
}

Test(console, what_has_come_keeps_a_reader_from_waiting)
{
    start(true);
    arrive("x", 1);
    cr_assert(!console_block(&reader));
}

Test(console, more_than_there_is_room_for_stays_in_the_device_until_there_is)
{
    start(true);
    arrive_many('x', 3 * RING_BYTES);
    EXPECT_EQ(device.is_telling, false);
    EXPECT_EQ(device.end - device.first, 2 * RING_BYTES);
    EXPECT_EQ(console_wants_poll(), false); /* nobody reads */
    EXPECT_EQ(read_all('x'), 3 * RING_BYTES);
    EXPECT_EQ(device.is_telling, true);
}

Test(console, bytes_on_loan_stay_until_they_are_used)
{
    char bytes[CONSOLE_CHUNK_BYTES];
    uint64_t count;

    start(true);
    arrive("abc", 3);
    EXPECT_OK(console_input_lend(bytes, sizeof(bytes), &count));
    EXPECT_STATUS(console_input_lend(bytes, sizeof(bytes), &count), ERR_BUSY);
    console_input_consume(1);
    EXPECT_EQ(read_some(bytes), 2);
    cr_assert(memcmp(bytes, "bc", 2) == 0);
}

Test(console, ctrl_c_ends_the_foreground_once_and_is_no_input)
{
    start(true);
    EXPECT_OK(console_set_foreground(&front));
    arrive("xx\x03x", 4);
    EXPECT_EQ(ends, 1);
    EXPECT_EQ(references, 0);
    EXPECT_EQ(read_all('x'), 3);
    arrive("\x03", 1);
    EXPECT_EQ(read_all(CTRL_C), 1);
    EXPECT_EQ(ends, 1);
}

Test(console, ctrl_c_is_found_behind_more_than_there_is_room_for)
{
    start(true);
    EXPECT_OK(console_set_foreground(&front));
    arrive_many('x', 2 * RING_BYTES);
    EXPECT_EQ(device.is_telling, false);
    EXPECT_EQ(console_wants_poll(), true); /* nothing else would bring it */
    arrive("\x03", 1);
    console_poll();
    console_poll();
    EXPECT_EQ(ends, 1);
    EXPECT_EQ(console_wants_poll(), false);
    EXPECT_EQ(read_all('x'), RING_BYTES);
    EXPECT_EQ(device.is_telling, true);
}

Test(console, a_foreground_process_that_ends_or_is_replaced_is_let_go)
{
    start(true);
    EXPECT_OK(console_set_foreground(&front));
    EXPECT_OK(console_set_foreground(&front));
    EXPECT_EQ(references, 1);
    EXPECT_OK(console_set_foreground(NULL));
    EXPECT_EQ(references, 0);
    EXPECT_OK(console_set_foreground(&front));
    process_end(&front, (struct process_exit){.reason = EXIT_KILLED});
    EXPECT_EQ(references, 0);
    EXPECT_STATUS(console_set_foreground(&front), ERR_SRCH);
    arrive("\x03", 1);
    EXPECT_EQ(read_all(CTRL_C), 1);
}

Test(console, a_device_that_tells_of_nothing_again_and_again_is_polled)
{
    start(true);
    for (unsigned i = 0; i < 5000 && !device.is_given_up; i++) {
        if (i == 900) {
            arrive("x", 1); /* a byte now and then is an excuse */
        }
        console_told();
        cr_assert(i > 1800 || !device.is_given_up);
    }
    cr_assert(device.is_given_up);
    EXPECT_EQ(read_all('x'), 1);
    cr_assert(console_block(&reader));
    EXPECT_EQ(console_wants_poll(), true);
    arrive("x", 1);
    console_poll();
    EXPECT_EQ(read_all('x'), 1);
}
