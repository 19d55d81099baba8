/* SPDX-License-Identifier: MIT */
/*
 * The order of locks, as data: a hart may take a lock only of a higher rank than every one it
 * holds.  Page-table nodes share one rank; among them the order is tree pre-order, kept by
 * mm/pt_lock.c.  docs/locking.md draws the picture.
 */
#pragma once

enum lock_rank {
    LOCK_NONE = 0,
    LOCK_HANDLES,    /* one process's handle table      */
    LOCK_PROCESS,    /* one process's life              */
    LOCK_WAIT,       /* threads that wait for one thing */
    LOCK_SCHED,      /* run queue                       */
    LOCK_PT_NODE,    /* page-table nodes                */
    LOCK_BACKING,    /* one space's table of objects    */
    LOCK_MEM_OBJECT, /* pages of one memory object   */
    LOCK_NUMBERS,    /* numbers of processes            */
    LOCK_REAP,       /* lists of what has ended         */
    LOCK_ASID,       /* address-space identifiers       */
    LOCK_IO_MEM,     /* table of I/O regions            */
    LOCK_SLAB,       /* one object cache                */
    LOCK_FRAMES,     /* frame allocator                 */
    LOCK_CONSOLE,    /* early console                   */
    LOCK_RANK_COUNT
};
