/* SPDX-License-Identifier: MIT */
/*
 * Console input: bytes that have arrived and that no program has read yet, and the threads that
 * wait for some.  The device tells of input by interrupt; where it cannot it is polled.
 */
#pragma once

#include "kernel/wait.h"
#include "lib/types.h"

struct process;

#define CONSOLE_CHUNK_BYTES 256U /* most that one call reads or writes */

/* Boot hart, once, before the first thread. */
void console_init(void);

/* The device's interrupt has come: takes in what there is and wakes those who wait.  Boot hart. */
void console_told(void);

/* The same now and then on the hart that polls, while console_wants_poll. */
void console_poll(void);

/* True if input matters now and no interrupt would bring it: a thread waits for it, or a foreground
 * process lives.  Also if readers are left to be woken although there is input.  Any context. */
bool console_wants_poll(void);

/* Chooses the process that ends as if killed when Ctrl-C arrives, or none, NULL.  While it lives,
 * Ctrl-C is no input.  Takes a reference of its own, given back when the process ends or another is
 * chosen.
 * Errors: ERR_SRCH the process has ended; there is none in the foreground then.
 * Context: no lock; the caller has a reference. */
status_t console_set_foreground(struct process *process);

/* The process has ended, as process_has_ended tells: it is in the foreground no more.  Called once,
 * by process_end.  Context: no lock; the caller has a reference. */
void console_process_ended(struct process *process);

/* Lends up to `max_bytes` bytes of input: copies them to `buffer`, which has room for
 * CONSOLE_CHUNK_BYTES, and keeps them until console_input_consume says how many were used (0 to as
 * many).  *lent_bytes 0: none has arrived; nothing is to be consumed.
 * Errors: ERR_BUSY another reader has bytes on loan. */
status_t console_input_lend(char *buffer, uint64_t max_bytes, uint64_t *lent_bytes);
void console_input_consume(uint64_t used_bytes);

/* Makes the thread wait for input.  False: there is some by now; it does not wait. */
bool console_block(struct thread *thread);
