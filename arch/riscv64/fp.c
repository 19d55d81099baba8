/* SPDX-License-Identifier: MIT */
/*
 * When floating-point registers are saved, loaded and zeroed.  Privileged spec, "Extension Context
 * Status in mstatus Register".
 *
 * A hart holds the registers of a thread if it was the last to load them (user_fp.hart) and has
 * loaded no other's since (hart.fp_frame).  The pointer is only compared: a new thread at an old
 * one's address begins with user_fp.hart 0.
 */
#include "fp.h"

#include "arch/machine.h"
#include "csr.h"
#include "hart.h"

/* fp.S; FS is not Off. */
void fp_save(struct user_fp *fp);
void fp_load(const struct user_fp *fp);
void fp_zero(void);

/* From now on this hart holds the registers of that thread. */
static void hold(struct user_frame *frame)
{
    struct hart *self = hart_self();

    self->fp_frame = frame;
    frame->fp.hart = (uint64_t)self->index + 1;
}

static bool is_held(const struct user_frame *frame)
{
    const struct hart *self = hart_self();

    return self->fp_frame == frame && frame->fp.hart == (uint64_t)self->index + 1;
}

bool fp_begin(struct user_frame *frame)
{
    if (frame->fp.hart != 0 || !machine_has_fp(machine_get())) {
        return false;
    }
    csr_set(sstatus, SSTATUS_FS_DIRTY); /* nothing is saved yet: the zeroes must be, too */
    fp_zero();
    hold(frame);
    return true;
}

void fp_leave(struct user_frame *frame)
{
    if ((csr_read(sstatus) & SSTATUS_FS) == SSTATUS_FS_DIRTY) {
        fp_save(&frame->fp);
    }
    csr_clear(sstatus, SSTATUS_FS);
}

void fp_enter(struct user_frame *frame)
{
    csr_set(sstatus, SSTATUS_FS_CLEAN);
    if (!is_held(frame)) {
        fp_load(&frame->fp); /* makes FS Dirty */
        hold(frame);
        csr_clear(sstatus, SSTATUS_FS & ~SSTATUS_FS_CLEAN);
    }
}
