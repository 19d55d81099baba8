/* SPDX-License-Identifier: MIT */
/*
 * Operations that do much of one thing: spaces one after the other, which uses up identifiers;
 * an unmap and its reaping; frames that wait for a cursor's flush.
 */
#include "arch_host/arch_host.h"
#include "world/op.h"

/* Runs up to eight fresh spaces, then the one it came from or none. */
void op_space_parade(const struct op *op)
{
    struct ref_space *home = op_world.active[op->hart];

    if (home != NULL) {
        op_take(home);
    }
    for (unsigned left = 1U + op->in->arg[0] % 8U; left > 0; left--) {
        struct ref_space *row;
        struct vm_space *space;
        status_t status = vm_space_create(NULL, &space);

        if (op_lacks_memory(op, status)) {
            break;
        }
        OP_AGREE(op, status == OK, "a space cannot be made: %s", status_name(status));
        row = ref_space_add(space);
        if (row == NULL) {
            vm_space_put(space);
            break;
        }
        op_run_space(op, row);
        (void)vm_space_reap();
    }
    op_run_space(op, home);
}

/* Unmaps and reaps in one visit to the kernel: no fence of an entry comes in between. */
void op_unmap_and_reap(const struct op *op)
{
    op_unmap(op);
    (void)vm_space_reap();
    (void)vm_space_reap();
}

/* Frames that wait for the flush of a cursor, more than it has room for. */
void op_keep(const struct op *op)
{
    struct op_session session;

    if (!op_open(op, &session, VM_CURSOR_CHANGE)) {
        return;
    }
    for (unsigned left = 1U + op->in->arg[0] % (2U * VM_CURSOR_KEPT); left > 0; left--) {
        struct frame *frame = op_world.shared[left % OP_SHARED];
        struct va_range page = {session.range.start, vaddr_add(session.range.start, PAGE_SIZE)};

        frame_get(frame);
        vm_cursor_issue_with(&session.cursor, left % 2 == 0 ? VM_FLUSH_PAGES : VM_FLUSH_SPACE, page,
                             frame);
    }
    if (op->in->prot % 2U == 0) {
        vm_cursor_dispatch(&session.cursor);
    }
    op_close(op, &session);
}
