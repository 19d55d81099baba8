/* SPDX-License-Identifier: MIT */
/* Cursors: mapping blocks. */
#include "cursor_priv.h"
#include "mm/vm_cursor_large.h"

status_t vm_cursor_map_block(struct vm_cursor *cursor, struct frame *block, unsigned level,
                             struct vm_prop prop, enum vm_map_mode mode)
{
    return level == 0 ? vm_cursor_map(cursor, block, prop, mode) : ERR_NOTSUP;
}
