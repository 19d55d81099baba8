/* SPDX-License-Identifier: MIT */
/* System calls of the futex. */
#include "kernel/futex.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/vm_args.h"
#include "mm/vm_space.h"
#include "uapi/vm.h"

#define WAKE_STEP 32U /* threads that one piece of futex_wake wakes */

static status_t word_decode(uint64_t address, uint64_t flags, struct futex_word *word)
{
    if (!is_aligned(address, sizeof(uint32_t)) || (flags & ~FUTEX_SHARED) != 0) {
        return ERR_INVAL;
    }
    word->va = (vaddr_t){address};
    word->scope = (flags & FUTEX_SHARED) != 0 ? FUTEX_OF_FRAME : FUTEX_OF_SPACE;
    return vm_args_check_bytes(address, sizeof(uint32_t), vm_space_user_limit());
}

enum verdict sys_futex_wait(struct user_frame *frame)
{
    struct thread *self = thread_of_frame(frame);
    struct futex_call call = {.expected = (uint32_t)user_frame_arg(frame, 1),
                              .deadline_ns = user_frame_arg(frame, 2)};

    if (futex_take_result(self)) {
        return syscall_done(frame, OK);
    }
    status_t status = word_decode(user_frame_arg(frame, 0), user_frame_arg(frame, 3), &call.word);

    if (status == OK && user_frame_arg(frame, 1) > UINT32_MAX) {
        status = ERR_INVAL;
    }
    if (status == OK) {
        status = futex_block(self, call);
    }
    if (status == OK) {
        return VERDICT_BLOCK;
    }
    return status == ERR_BUSY ? VERDICT_RESTART : syscall_done(frame, status);
}

enum verdict sys_futex_wake(struct user_frame *frame)
{
    uint64_t threads = user_frame_arg(frame, 1);
    uint64_t progress = user_frame_arg(frame, 3);
    uint64_t last = user_frame_arg(frame, 4);
    struct futex_word word;
    unsigned woken = 0;
    status_t status = word_decode(user_frame_arg(frame, 0), user_frame_arg(frame, 2), &word);

    if (status == OK && progress > threads) {
        status = ERR_INVAL;
    }
    if (status != OK) {
        return syscall_done_with(frame, status, 0);
    }
    uint64_t rest = threads - progress;
    unsigned step = rest < WAKE_STEP ? (unsigned)rest : WAKE_STEP;

    status = futex_wake(sched_current()->process->space, word, step, &last, &woken);
    if (status == OK && woken == WAKE_STEP) {
        user_frame_set_arg(frame, 3, progress + woken);
        user_frame_set_arg(frame, 4, last);
        return VERDICT_RESTART;
    }
    return syscall_done_with(frame, status, progress + woken);
}
