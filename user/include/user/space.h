/* SPDX-License-Identifier: MIT */
/*
 * Which addresses of this process the library has given out: to mmap, to stacks, to user_pages_map.
 * One table, one lock.  The lock is held over the system calls that change what the table says, so
 * that the two agree for whoever holds it.
 *
 * Below malloc and the rest of the library: nothing here may call them.
 */
#pragma once

#include <stdint.h>

#include "uapi/handle.h"

/* Where memory may be put. */
enum user_place {
    USER_ANYWHERE, /* there, if that is free and the library's to give; else anywhere       */
    USER_FRESH,    /* there and nowhere else; -SYS_EEXIST if something is there             */
    USER_REPLACE,  /* there; what was there goes                                            */
};

/* Memory: what one may do with it, when it is made, and what is in it. */
struct user_memory {
    uint64_t prot; /* VM_PROT_*                                                                  */
    int is_there;  /* 0: each page is made by the first access; 1: all now, prot not VM_PROT_NONE */
    handle_t object; /* HANDLE_NONE: zeroes; else the memory object                     */
    uint64_t offset; /* object: where in it                                             */
    int is_private;  /* object: 1: what is written stays with this process and its copies */
    uint64_t pages;  /* 0, or VM_FLAG_2M or VM_FLAG_1G: pages of that size, of which the place and
                        bytes are multiples; of an object it is the size of its own */
};

/* Bytes of such a page. */
uint64_t user_memory_page(const struct user_memory *memory);

/* Holds `bytes` of memory at *address, which are page multiples, bytes not 0.  *address is then
 * where it is.  Errors: those of vm_mark, vm_map or memory_map, and -SYS_ENOMEM if no addresses are
 * left.  On an error nothing is held or there that was not before, but with USER_REPLACE all that
 * was there is gone.  Context: takes the lock. */
long user_space_map(uint64_t *address, uint64_t bytes, struct user_memory memory,
                    enum user_place place);

/* Unmaps, and holds no longer, whatever is there.  Errors: those of vm_unmap; -SYS_ENOMEM, too: the
 * table cannot grow.  All is held as before then, though some may have gone.  Context: takes the
 * lock. */
long user_space_unmap(uint64_t address, uint64_t bytes);

/* Reserves readable and writable memory at a multiple of `align`, a power of two of at least a
 * page. Errors: as user_space_map.  Context: takes the lock. */
long user_space_map_aligned(uint64_t bytes, uint64_t align, uint64_t *address);

/* Reserves readable and writable memory, with a guard page below it.  Errors: as user_space_map.
 * Context: takes the lock. */
long user_space_map_guarded(uint64_t bytes, uint64_t *address);
void user_space_unmap_guarded(uint64_t address, uint64_t bytes);

/* stack.c: the same for a stack, so that one that overflows faults.  The stack may be a former one,
 * with what was on it: a few small ones that were given back are kept.  Errors: as user_space_map.
 * Context: takes the lock. */
long user_stack_map(uint64_t bytes, uint64_t *address);
void user_stack_unmap(uint64_t address, uint64_t bytes);

/* For calls that look before they change. */
void user_space_lock(void);
void user_space_unlock(void);

/* Nonzero: all of that is held.  Context: the lock is held. */
int user_space_holds_locked(uint64_t address, uint64_t bytes);

/* user_space_map and user_space_unmap.  Context: the lock is held. */
long user_space_map_locked(uint64_t *address, uint64_t bytes, struct user_memory memory,
                           enum user_place place);
long user_space_unmap_locked(uint64_t address, uint64_t bytes);

/* Holds no longer what is not there any more, because it was moved.  Context: the lock is held, and
 * one of the two calls before this one was the last to change the table, and succeeded. */
void user_space_forget_locked(uint64_t address, uint64_t bytes);
