/* SPDX-License-Identifier: MIT */
/*
 * Floating-point registers of user threads; the kernel uses none.
 *
 * sstatus.FS is Off until a thread's first floating-point instruction, which traps as illegal; then
 * the thread gets registers of zeroes.  They are saved when it leaves its hart, if it has written
 * them (Dirty), and loaded when it comes back, unless this hart still holds just them.  So a thread
 * sees its own registers or none, and who computes with integers pays for nothing.
 */
#pragma once

#include "arch/user_frame.h"

/* After an illegal instruction: true if it may have been the thread's first floating-point one, and
 * is to be made again; the registers are zeroes now.  False: it is what it is. */
bool fp_begin(struct user_frame *frame);

/* Called by trap_entry.S when the thread leaves its hart for another thread or for none, and FS is
 * not Off: saves what it has written.  FS is Off afterwards. */
void fp_leave(struct user_frame *frame);

/* Called by trap_entry.S before a thread that has registers (fp.hart is not 0) is resumed where
 * another thread, or none, was before. */
void fp_enter(struct user_frame *frame);
