/* SPDX-License-Identifier: MIT */
/*
 * What user_fork_run does about the rest of the library, and what the copy does first, in its only
 * thread: forgets what was the
 * parent's.  Handles have other numbers there, and locks may be held by threads that it has not.
 * For the library's own use.
 */
#pragma once

#include "uapi/handle.h"

/* files.c: the table of files.  A copy begins with it locked, and is given handles of its own,
 * which are written to the table there.  Errors: those of handle_transfer and vm_write. */
void user_files_lock(void);
void user_files_unlock(void);
long user_files_give(handle_t process);

/* start.c: nobody has begun to exit. */
void user_exit_copied(void);

/* process.c: no children. */
void user_children_copied(void);

/* thread.c: no other threads; this one is like a program's first. */
void user_threads_copied(void);

/* key.c: the keys and their values stay. */
void user_keys_copied(void);
