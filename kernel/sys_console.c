/* SPDX-License-Identifier: MIT */
/* System calls on the kernel's console. */
#include "arch/arch.h"
#include "kernel/console.h"
#include "kernel/handle.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "mm/user_copy.h"

/* The caller's buffer of a call whose first argument is the console.  Handle first, then range. */
static status_t console_decode(struct user_frame *frame, uint32_t right, struct user_span *span)
{
    status_t status = syscall_check_handle(frame, HANDLE_CONSOLE, right);

    if (status != OK) {
        return status;
    }
    return user_span_make(sched_current()->process->space, (vaddr_t){user_frame_arg(frame, 1)},
                          user_frame_arg(frame, 2), span);
}

enum verdict sys_console_write(struct user_frame *frame)
{
    char chunk[CONSOLE_CHUNK_BYTES];
    struct user_span span;
    uint64_t written = 0;
    status_t status = console_decode(frame, RIGHT_WRITE, &span);

    if (status == OK) {
        status = user_read(&span, chunk, sizeof(chunk), &written);
    }
    if (written != 0) {
        arch_console_write(chunk, written);
        status = OK; /* a fault behind the first byte only makes the piece shorter */
    }
    return syscall_done_with(frame, status, written);
}

/* Tells whether the first byte of the buffer can be written, without changing it. */
static status_t probe_write(struct user_span *span)
{
    struct vm_space *space = sched_current()->process->space;
    vaddr_t word = {align_down(span->va.raw, sizeof(uint32_t))};
    uint32_t value;
    status_t status = user_load_u32(space, word, &value);

    if (status != OK) {
        return status;
    }
    return user_compare_exchange_u32(space, word, &value, value);
}

/* Waits for input; a buffer that cannot be written is told before the wait. */
static enum verdict read_wait(struct user_frame *frame, struct user_span *span)
{
    status_t status = probe_write(span);

    if (status != OK) {
        return syscall_done(frame, status);
    }
    return console_block(thread_of_frame(frame)) ? VERDICT_BLOCK : VERDICT_RESTART;
}

enum verdict sys_console_read(struct user_frame *frame)
{
    char chunk[CONSOLE_CHUNK_BYTES];
    struct user_span span;
    uint64_t lent = 0;
    uint64_t done = 0;
    status_t status = console_decode(frame, RIGHT_READ, &span);

    if (status != OK || span.remain_bytes == 0) {
        return syscall_done(frame, status);
    }
    status = console_input_lend(chunk, span.remain_bytes, &lent);
    if (status != OK) {
        return VERDICT_RESTART; /* another reader is at it */
    }
    if (lent == 0) {
        return read_wait(frame, &span);
    }
    status = user_write(&span, chunk, lent, &done);
    console_input_consume(done);
    return syscall_done_with(frame, done != 0 ? OK : status, done);
}

enum verdict sys_console_foreground(struct user_frame *frame)
{
    struct process *self = sched_current()->process;
    struct object *object;
    status_t status = syscall_check_handle(frame, HANDLE_CONSOLE, RIGHT_READ);

    if (status != OK) {
        return syscall_done(frame, status);
    }
    if (user_frame_arg(frame, 1) == HANDLE_NONE) {
        return syscall_done(frame, console_set_foreground(NULL));
    }
    status = handle_get(self, user_frame_arg(frame, 1), HANDLE_PROCESS, RIGHT_MANAGE, &object);
    if (status == OK) {
        status = console_set_foreground(LIST_ENTRY(object, struct process, object));
        object_put(object);
    }
    return syscall_done(frame, status);
}
