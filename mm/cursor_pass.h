/* SPDX-License-Identifier: MIT */
/*
 * What moving, cloning and pagers share: two cursors, and what lies in the range of one passes to
 * the other, or is to mean the same there, step by step from the positions on.
 */
#pragma once

#include "cursor_priv.h"

/* A pass under way. */
struct pass {
    struct vm_cursor *from, *to;
    vaddr_t end;     /* of what passes, in `from`                   */
    unsigned edits;  /* that may still be made                      */
    uint64_t cookie; /* for pagers: of the page at the positions    */
};

/* Whose ranges they may be. */
enum pass_between {
    PASS_TWO_SPACES,
    PASS_PAIR_TOO, /* or both of one space, opened as a pair */
};

static inline bool pass_is_between_spaces(const struct pass *pass)
{
    return pass->from->space != pass->to->space;
}

static inline void pass_go_on(struct pass *pass, uint64_t bytes)
{
    pass->from->va = vaddr_add(pass->from->va, bytes);
    pass->to->va = vaddr_add(pass->to->va, bytes);
}

static inline void pass_spend(struct pass *pass, uint64_t edits)
{
    pass->edits -= edits < pass->edits ? (unsigned)edits : pass->edits;
}

/* Checks both ranges; then what waits for a flush in `to`, and still takes its place, goes.
 * ERR_INVAL, ERR_RANGE, ERR_ACCES as vm_cursor_move and vm_cursor_clone say: nothing changed. */
status_t pass_begin(struct pass *pass, uint64_t len_bytes, enum pass_between between);

/* Takes steps until the range or the edits end, or one fails; each goes on, or spends. */
static inline status_t pass_run(struct pass *pass, status_t (*step)(struct pass *pass))
{
    status_t status = OK;

    while (status == OK && pass->from->va.raw < pass->end.raw && pass->edits > 0) {
        status = step(pass);
    }
    return status;
}

/* Room in `to` for the large page at `source`, a place that holds the position of `from`: *target
 * is an absent entry of its level, and `charge` is charged to the space.
 * ERR_AGAIN: it cannot go as one entry, for it lies in the range in part only, or not aligned
 * alike, or something is in its way: it is split now, look again.  ERR_EXIST: something is at the
 * position of `to`.  ERR_NOMEM.  After these no address means anything else, nothing is charged. */
status_t pass_make_room(struct pass *pass, const struct pt_place *source, uint64_t charge,
                        struct pt_place *target);
