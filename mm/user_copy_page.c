/* SPDX-License-Identifier: MIT */
/*
 * Copying from the program that runs into a page of any space.
 *
 * The bytes move under a cursor on the page: a frame that was looked up before could be the page's
 * no more, and be another's, who must not see what comes.  User memory may fault then, and a fault
 * cannot be settled with a lock held; so the copy ends there, the cursor is closed, the fault is
 * settled, and it goes on.
 */
#include "arch/arch.h"
#include "cursor_priv.h"
#include "mm/user_copy.h"
#include "user_copy_priv.h"

/* What was copied under one cursor. */
struct piece {
    uint64_t bytes;
    enum vm_prot prot;
};

static status_t copy_locked(vaddr_t from, struct vm_space *space, vaddr_t to, uint64_t len_bytes,
                            struct piece *piece)
{
    vaddr_t page = {align_down(to.raw, PAGE_SIZE)};
    struct vm_cursor cursor;
    pte_t entry;
    status_t status = vm_cursor_open(
        &cursor, space, (struct va_range){page, vaddr_add(page, PAGE_SIZE)}, VM_CURSOR_EDIT);

    if (status != OK) {
        return status;
    }
    status = cursor_touch_status(cursor_touch(&cursor, TOUCH_TO_FILL, &entry));
    if (status == OK) {
        char *bytes = frame_bytes(frame_of(pte_pa(entry)));

        piece->prot = pte_prot(entry);
        piece->bytes = arch_try_copy_from_user(bytes + (to.raw & PAGE_MASK), from, len_bytes);
    }
    vm_cursor_close(&cursor);
    return status;
}

status_t user_read_to_page(struct user_span *from, struct vm_space *space, vaddr_t va,
                           enum vm_prot *prot, uint64_t *done_bytes)
{
    uint64_t wanted = PAGE_SIZE - (va.raw & PAGE_MASK);
    struct piece piece = {0};
    status_t status = OK;

    *done_bytes = 0;
    wanted = wanted < from->remain_bytes ? wanted : from->remain_bytes;
    while (status == OK && *done_bytes < wanted) {
        piece.bytes = 0;
        status =
            copy_locked(from->va, space, vaddr_add(va, *done_bytes), wanted - *done_bytes, &piece);
        *done_bytes += piece.bytes;
        user_span_advance(from, piece.bytes);
        if (status == OK && *done_bytes < wanted) {
            status = user_settle(from->va, VM_ACCESS_READ);
        }
    }
    *prot = piece.prot;
    return status;
}
