/* SPDX-License-Identifier: MIT */
/*
 * What every Vellum program may use beside the C library and the system calls (vellum/calls.h):
 * what it was started with, memory, threads, and other processes.
 *
 * Functions return 0, or an error of uapi/error.h negated, as the system calls do.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "formats/elf.h"
#include "uapi/error.h"
#include "uapi/handle.h"
#include "uapi/machine.h"
#include "uapi/process.h"
#include "uapi/vm.h"

/* Addresses that the library uses; all lie in the user range of every paging mode.  A program may
 * map whatever it likes below USER_FREE_END. */
#define USER_IMAGE_START   UINT64_C(0x10000)      /* the program itself            */
#define USER_TABLE_START   UINT64_C(0x0ff0000000) /* the library's table of what follows */
#define USER_TABLE_END     UINT64_C(0x0ff0100000)
#define USER_HEAP_START    UINT64_C(0x1000000000) /* malloc's                      */
#define USER_HEAP_END      UINT64_C(0x1800000000)
#define USER_PAGES_START   UINT64_C(0x1800000000) /* user_pages_map, mmap, stacks  */
#define USER_PAGES_END     UINT64_C(0x2000000000)
#define USER_FREE_START    UINT64_C(0x2000000000) /* the program's own             */
#define USER_FREE_END      UINT64_C(0x3f00000000)
#define USER_ARCHIVE_START UINT64_C(0x3f00000000) /* the archive, if wished       */
#define USER_STACK_TOP     UINT64_C(0x3ffffff000) /* of a program's first thread   */
#define USER_STACK_BYTES   UINT64_C(0x10000)

/* At file scope, once in a program: its first stack is to have so many bytes, less than 4 GiB,
 * rounded up to pages, two at least, instead of USER_STACK_BYTES.  Memory comes as it
 * is used; below it is a guard page. */
#define USER_STACK_WISH(bytes)                                                                     \
    __attribute__((used,                                                                           \
                   section(".vellum.wish.kept"))) static const struct elf_wish user_stack_wish =   \
        ELF_WISH(ELF_WISH_STACK, (bytes))

/* What the program was started with; never NULL. */
const struct start_info *user_info(void);

/* Its handles to itself, to the console and to the machine; HANDLE_NONE: not given. */
handle_t user_self(void);
handle_t user_console(void);
handle_t user_machine(void);

/* First address past the user range, from the machine's handle; without one, the smallest that
 * any machine has. */
uint64_t user_limit(void);

/* Maps zeroed pages at an address that the library chooses, with a guard page behind them.  All are
 * there at once.
 * bytes: page multiple, not 0.  prot: VM_PROT_*.  Errors: as vm_map, nothing stays mapped. */
long user_pages_map(uint64_t bytes, uint64_t prot, uint64_t *address);

/* Removes pages that user_pages_map gave. */
long user_pages_unmap(uint64_t address, uint64_t bytes);

/* A thread of this process.  The fields are the library's, but the handle may be used. */
struct user_thread {
    handle_t handle;
    uint64_t stack; /* its lowest address; the page below is a guard */
    uint64_t stack_bytes;
    uint64_t tp;
};

#define USER_THREAD_STACK_BYTES UINT64_C(0xf000)

/* Runs run(argument) in a new thread with a stack of USER_THREAD_STACK_BYTES.  The thread ends when
 * run returns.  Errors: as thread_start and vm_map; nothing is left then. */
long user_thread_start(struct user_thread *thread, void (*run)(void *argument), void *argument);

/* Waits for the thread's end and gives back what it had. */
long user_thread_join(struct user_thread *thread);

/* The same in steps, for threads that find something in their thread-local data.  First the memory:
 * a stack of at least stack_bytes, and thread-local data.  Errors: as vm_map. */
long user_thread_prepare(struct user_thread *thread, uint64_t stack_bytes);

/* Where that thread has what is at `own` in the caller's thread-local data. */
void *user_thread_local(const struct user_thread *thread, void *own);

/* Starts a prepared thread.  Errors: as thread_start; it stays prepared. */
long user_thread_begin(struct user_thread *thread, void (*run)(void *argument), void *argument);

/* Gives a thread's memory back that was not started, or has ended. */
void user_thread_discard(struct user_thread *thread);

/* How a process ended, as process_wait tells it. */
struct user_end {
    uint64_t reason; /* EXIT_*                                         */
    uint64_t detail; /* EXIT_STATUS: status; EXIT_FAULT, EXIT_NO_MEMORY: address */
    uint64_t access; /* EXIT_FAULT, EXIT_NO_MEMORY: ACCESS_*           */
    uint64_t pc;     /* EXIT_FAULT, EXIT_NO_MEMORY: where              */
};

/* Waits until a process has ended, and closes the handle. */
long user_finish(handle_t process, struct user_end *end);

/* Writes what happened as text, like "wrote to 0x0 at pc 0x10234". */
void user_end_text(const struct user_end *end, char *text, size_t text_bytes);

/* A program to start. */
struct user_program {
    const void *image; /* an ELF file                                      */
    size_t image_bytes;
    const char *name; /* for reports                                      */
    size_t argc;
    const char *const *argv; /* argc texts                                       */
    int is_foreground;       /* 1: Ctrl-C on the console ends it, from its first instruction on */
    uint64_t frames;         /* its budget; 0: it shares this program's          */
};

/* Why the image of a program would not do, as static text; NULL: it would. */
const char *user_image_problem(const struct user_program *program);

/* Starts a program with copies of this program's console and machine handles.  *process: a handle
 * with all rights.  Errors: ENOEXEC (user_image_problem says why), E2BIG (the texts of argv are
 * more than a page), and those of the calls it makes; then no process stays. */
long user_spawn(const struct user_program *program, handle_t *process);

/* Starts a process that is a copy of this one, with memory of the same contents at the same
 * addresses and copies of the handles in user_info(), and runs run(argument) there; what that
 * returns is its exit status.  I/O pages and other threads are not copied. */
long user_fork_run(int (*run)(void *argument), void *argument, handle_t *process);

/* The same with a budget of its own of so many frames, inside this program's. */
long user_fork_limited(uint64_t frames, int (*run)(void *argument), void *argument,
                       handle_t *process);

/* user_fork_run, then user_finish. */
long user_fork_wait(int (*run)(void *argument), void *argument, struct user_end *end);
