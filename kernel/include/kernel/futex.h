/* SPDX-License-Identifier: MIT */
/*
 * Futexes: threads that wait on a word of user memory.
 *
 * What they wait on is a key.  Private: the space and the address, whatever is mapped there, if
 * anything.  Shared: the frame and the offset in it, so that processes which map the same RAM meet;
 * who waits keeps a reference on the frame, and so the key means the same as long as it waits,
 * though the page may have been unmapped.  Shared, on a page whose contents are the process's
 * alone: the space and the address again, for such a page may get another frame.  The kinds never
 * meet.
 *
 * A table of buckets, each a wait queue and its keys.  The word is read under the bucket's lock, so
 * between that and the thread's entry into the queue nobody else is woken: whoever changes the word
 * and then wakes finds the thread, or the thread finds the change.  A look-up takes at most 128
 * steps whatever keys programs choose (kernel/key_tree.h), so the hash needs no secret.
 *
 * A thread is taken out of its queue once, under the bucket's lock: by a wake-up, its deadline, or
 * the end of its process.  The first says so in the thread, which then returns 0 whatever the word
 * has become; so a wake-up that was counted is never lost but with its thread.
 */
#pragma once

#include "kernel/key_queue.h"
#include "lib/types.h"

struct frame;
struct thread;
struct vm_space;

/* What a thread waits on. */
struct futex_wait {
    struct key_place place; /* bucket's lock                                          */
    uint64_t number;        /* among all that ever came to its bucket; bucket's lock  */
    struct frame *frame;    /* of a word in one, one reference, until the call is made
                               again or the thread ends; the thread's own             */
    bool was_woken;         /* by a wake-up; bucket's lock, then the thread's own     */
};

/* Whose threads meet at a word. */
enum futex_scope {
    FUTEX_OF_SPACE, /* those of one space               */
    FUTEX_OF_FRAME, /* whoever maps the same RAM        */
};

/* A word of the running thread's space: 4-byte aligned, inside the user range. */
struct futex_word {
    vaddr_t va;
    enum futex_scope scope;
};

/* What futex_wait asks for. */
struct futex_call {
    struct futex_word word;
    uint32_t expected;
    uint64_t deadline_ns;
};

/* Boot hart, once, before the first thread. */
void futex_init(void);

/* Blocks the thread that runs here, if the word has the expected value.
 * OK: it waits.
 * Errors: ERR_FAULT    the word cannot be read
 *         ERR_AGAIN    it has another value
 *         ERR_TIMEDOUT it has this value and the deadline is past
 *         ERR_BUSY     it could not be read with the lock held though it can be without, several
 *                      times; to be tried again.         In all cases nothing changed.
 * Context: no lock. */
status_t futex_block(struct thread *thread, struct futex_call call);

/* Ends what an earlier futex_block of this thread left.  True: it was woken. */
bool futex_take_result(struct thread *thread);

/* Wakes up to `max` threads, first come first; *woken says how many, on OK.
 * last:   0: only threads that wait when the call begins, so that those which come back at once do
 *         not keep it busy; out: for the next piece of the same wake-up.
 * Errors: ERR_FAULT no RAM is mapped at a shared word.   Context: no lock. */
status_t futex_wake(struct vm_space *space, struct futex_word word, unsigned max, uint64_t *last,
                    unsigned *woken);
