/* SPDX-License-Identifier: MIT */
/* Cursors: transactions. */
#include "mm/vm_cursor_txn.h"
#include "cursor_priv.h"

status_t vm_cursor_txn(struct vm_cursor *cursor, const struct vm_change *changes, unsigned count,
                       struct vm_removed *removed, unsigned *failed)
{
    (void)cursor;
    (void)changes;
    (void)count;
    (void)removed;
    *failed = 0;
    return ERR_NOTSUP;
}
