/* SPDX-License-Identifier: MIT */
/*
 * Cursors: transactions.  Several changes of one range, all or none, with one flush.
 *
 * Other calls and faults see what was before the first or what is after the last, for the cursor is
 * open all the while; loads and stores that run already may see each as it comes.
 */
#pragma once

#include "mm/vm_cursor.h"

#define VM_CHANGES_MAX       32U  /* in one transaction                    */
#define VM_CHANGES_EDITS_MAX 256U /* entries, all operations together      */

enum vm_change_kind {
    VM_CHANGE_UNMAP,
    VM_CHANGE_PROTECT,
    VM_CHANGE_MARK,
};

/* One of the operations, as if vm_cursor_unmap, vm_cursor_protect or vm_cursor_mark did it, after
 * those before it. */
struct vm_change {
    enum vm_change_kind kind;
    struct va_range range; /* page aligned, not empty, inside the cursor's */
    enum vm_prot prot;     /* protect; VM_PROT_NONE too                    */
    struct vm_mark mark;   /* mark: reserved, guard or paged               */
    enum vm_map_mode mode; /* mark                                         */
};

/* Does all of them or none.  The position stays.  *failed: the operation that an error is about.
 * *removed: pages that left.
 *
 * What is counted is what the operations come to in the end: entries that leave as in
 * vm_cursor_unmap_bounded, those that are marked as in vm_cursor_mark, those that get other rights
 * as in vm_cursor_protect.  What one operation does and a later one undoes counts nothing.
 *
 * Errors:  ERR_INVAL, ERR_RANGE  what the single operation would refuse; count 0
 *          ERR_INVAL  rights for a page of a region, which has rules of its own
 *          ERR_2BIG   count > VM_CHANGES_MAX, or the work is more than VM_CHANGES_EDITS_MAX
 *          ERR_ACCES  not VM_CURSOR_CHANGE; W for a view
 *          ERR_EXIST  an exclusive mark, and something is there when its turn comes
 *          ERR_NOMEM  no table, or no room in the space's table of objects
 *          What every address means is as before; no flush is owed but for what was split.
 *          Tables may stay that were made for the operations' ends. */
status_t vm_cursor_txn(struct vm_cursor *cursor, const struct vm_change *changes, unsigned count,
                       struct vm_removed *removed, unsigned *failed);
