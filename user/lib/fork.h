/* SPDX-License-Identifier: MIT */
/* What must not be half changed while a process is copied; private to the library. */
#pragma once

/* stdio.c: the line of the standard streams. */
void user_stdio_lock(void);
void user_stdio_unlock(void);

/* malloc.c: the heap. */
void user_malloc_lock(void);
void user_malloc_unlock(void);

/* libc_lock.c: the C library's own data. */
void user_libc_lock(void);
void user_libc_unlock(void);
