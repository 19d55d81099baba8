/* SPDX-License-Identifier: MIT */
/* The common head of every panic: one line that starts with PANIC, then the machine's own report.
 */
#include "lib/assert.h"

#include <stdarg.h>

#include "lib/hart.h"
#include "lib/log.h"

_Noreturn void panic_at(const char *file, int line, const char *format, ...)
{
    va_list args;

    hart_panic_begin();
    log_printf("\nPANIC %s:%d: ", file, line);
    va_start(args, format);
    log_vprintf(format, args);
    va_end(args);
    log_printf("\n");
    hart_panic();
}
