/* SPDX-License-Identifier: MIT */
/* Lines typed on the console, as stdin and read() have them. */
#pragma once

#include <stddef.h>

/* Takes at most `bytes` bytes of what was typed, and tells how many.  If none are left of the last
 * line, waits until the next one is whole; 0 bytes: Ctrl-D on an empty line.  Any thread may call
 * it; they take turns.  Returns 0 or the error of sys_console_read, which loses what was typed of
 * that line. */
long user_console_line(void *buffer, size_t bytes, size_t *taken);

/* In a new copy of a process: forgets a line that another thread was just reading. */
void user_console_line_copied(void);
