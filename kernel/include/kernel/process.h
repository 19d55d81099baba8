/* SPDX-License-Identifier: MIT */
/*
 * Processes: an address space, a handle table, threads, and how it ended.
 *
 * Two counts.  References keep the structure (object.h).  Holders keep the process working: its
 * threads, the handles other processes have to it, and calls that are making it; when the last
 * holder goes, the process ends as if killed, since nobody can reach it any more.  A handle to
 * itself is a reference, not a holder.  (Processes without threads that hold only each other are
 * not found; they stay until they are killed.)
 *
 * Ending marks the process and interrupts the harts that run it; the reaper stops its other
 * threads, and when the last has gone closes its handles and gives its space back, in bounded
 * pieces.  The structure tells how it ended until the last handle goes.
 *
 * A process refers to its maker until it has ended and the maker's threads in children_wait have
 * been woken; then the reaper drops the reference.  What is destroyed has ended, and so refers to
 * no maker: destroying one process never destroys another.
 */
#pragma once

#include "kernel/handle_table.h"
#include "kernel/key_tree.h"
#include "kernel/object.h"
#include "kernel/wait.h"
#include "lib/types.h"
#include "mm/vm_space.h"
#include "uapi/process.h"

/* Frames that the budget of a process's maker is charged for it, until it is destroyed: more than
 * its record, its space's, a full table of handles and what only they name take. */
#define PROCESS_FRAMES 4U

/* How a process ended: the results of process_wait. */
struct process_exit {
    uint64_t reason; /* EXIT_*   */
    uint64_t detail;
    uint64_t access; /* ACCESS_* */
    uint64_t pc;
};

/* Fields: (c) constant, (a) atomic, (p) lock, (h) handles_lock, (r) the reaper's alone. */
struct process {
    struct object object;            /* first                                           */
    uint32_t id;                     /* (c) its number; not 0                           */
    uint32_t maker_id;               /* (c) number of its maker, 0: the kernel          */
    struct key_node number_node;     /* process_table's                                 */
    _Atomic(uint32_t) holders;       /* (a)                                             */
    _Atomic(uint32_t) ended;         /* (a) release, after `exit` is written            */
    char name[PROCESS_NAME_BYTES];   /* (c)                                             */
    struct process_exit exit;        /* (c) once ended                                  */
    struct spinlock lock;            /* rank LOCK_PROCESS                               */
    struct vm_space *space;          /* (p) one reference; kept while a thread is left,
                                            whose calls need no lock to read it         */
    struct list_node threads;        /* (p) that have not ended                         */
    struct key_tree numbers;         /* (p) the same by their numbers                   */
    uint32_t thread_count;           /* (p) and how many they are                       */
    struct spinlock handles_lock;    /* rank LOCK_HANDLES                               */
    struct handle_table handles;     /* (h)                                             */
    struct wait_queue waiters;       /* threads in process_wait for this one            */
    struct vm_budget *payer;         /* (c) charged for the record; one reference or NULL */
    struct process *maker;           /* (r) once ended, else (c): one reference or NULL */
    _Atomic(uint64_t) made_ended;    /* (a) processes it made that have ended           */
    uint32_t to_tell;                /* (r) once ended: threads of the maker to wake    */
    struct wait_queue maker_waiters; /* its threads in children_wait                    */
    struct list_node reap_link;      /* (r)                                             */
    uint32_t reap_place;             /* (r) handle slots below are closed               */
};

/* A process with an empty space, no handles, no threads; one reference and one holder, which the
 * caller gives up by process_release.
 * name:   printable, shorter than PROCESS_NAME_BYTES.
 * maker:  the process that makes it, or NULL: the kernel; gets a reference, and its budget is
 *         charged PROCESS_FRAMES.
 * frames: 0: it shares the maker's budget; else it has one of so many frames inside of that.
 * Errors: ERR_NOMEM; ERR_RANGE budgets are nested too deep; ERR_SRCH the maker has ended.  Nothing
 *         leaked. */
status_t process_create(const char *name, struct process *maker, uint64_t frames,
                        struct process **out);

/* A reference and a holder more; the caller has a reference. */
void process_hold(struct process *process);

/* A holder and a reference less.  Context: no lock. */
void process_release(struct process *process);

/* Ends the process; one that has ended stays as it is.  Its threads on this hart stop running
 * before the hart returns to user mode, those on other harts at the interrupt that these get.
 * Context: no lock. */
void process_end(struct process *process, struct process_exit how);

/* True once it has ended; process->exit is then valid. */
bool process_has_ended(const struct process *process);

/* Processes made by this one that have ended.  Each of them is seen to have ended. */
uint64_t process_children_ended(const struct process *process);

/* Wakes up to `max` threads that waited for the end of a process like this when it ended: one that
 * their own process made.  True: there are more; else the maker is forgotten.  The reaper's. */
bool process_tell_maker(struct process *process, unsigned max);

/* The space, with a reference; given back by process_space_put.
 * Errors: ERR_SRCH the process has ended. */
status_t process_space_get(struct process *process, struct vm_space **out);
void process_space_put(struct process *process, struct vm_space *space);

/* Takes the space away for good, or NULL if it is gone.  The reaper's. */
struct vm_space *process_space_take(struct process *process);

/* Last reference: gives the memory back.  Called by object_put. */
void process_destroy(struct process *process);
