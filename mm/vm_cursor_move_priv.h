/* SPDX-License-Identifier: MIT */
/* What the two files of moving share. */
#pragma once

#include "cursor_priv.h"

/* A move under way. */
struct moving {
    struct vm_cursor *from, *to;
    vaddr_t end;    /* of what is moved, in `from` */
    unsigned edits; /* that may still be made      */
};

static inline bool moving_is_between_spaces(const struct moving *job)
{
    return job->from->space != job->to->space;
}

static inline void moving_go_on(struct moving *job, uint64_t bytes)
{
    job->from->va = vaddr_add(job->from->va, bytes);
    job->to->va = vaddr_add(job->to->va, bytes);
}

static inline void moving_spend(struct moving *job, uint64_t edits)
{
    job->edits -= edits < job->edits ? (unsigned)edits : job->edits;
}

/* Moves what begins at the position of `from`, a place where something is: as much as goes at once.
 * ERR_EXIST, ERR_NOMEM: no address means anything else. */
status_t moving_take_entries(struct moving *job, const struct pt_place *source);
