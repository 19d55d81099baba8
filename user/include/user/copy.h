/* SPDX-License-Identifier: MIT */
/*
 * What the copy that user_fork_run makes does first, in its only thread: forgets what was the
 * parent's.  Handles have other numbers there, and locks may be held by threads that it has not.
 * For the library's own use.
 */
#pragma once

/* start.c: nobody has begun to exit. */
void user_exit_copied(void);

/* process.c: no children. */
void user_children_copied(void);

/* thread.c: no other threads; this one is like a program's first. */
void user_threads_copied(void);

/* key.c: the keys and their values stay. */
void user_keys_copied(void);
