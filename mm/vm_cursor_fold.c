/* SPDX-License-Identifier: MIT */
/* Cursors: folding. */
#include "cursor_priv.h"
#include "mm/vm_cursor_large.h"

status_t vm_cursor_fold(struct vm_cursor *cursor, uint64_t len_bytes, unsigned max_tables,
                        unsigned *folded)
{
    struct va_range part;
    status_t status = cursor_part_to_edit(cursor, len_bytes, &part);

    if (status == OK && max_tables == 0) {
        status = ERR_INVAL;
    }
    if (status == OK) {
        *folded = 0;
        cursor->va = part.end;
    }
    return status;
}
