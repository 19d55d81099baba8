/* SPDX-License-Identifier: MIT */
/*
 * Cursors: opening and closing.  What looks is vm_cursor_look.c; what changes entries is
 * vm_cursor_map.c, vm_cursor_mark.c, vm_cursor_touch.c, vm_cursor_remove.c and vm_cursor_protect.c;
 * what that owes is paid in vm_cursor_flush.c.
 */
#include "mm/vm_cursor.h"

#include <limits.h>

#include "cursor_priv.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "lib/trace.h"
#include "pt_lock.h"
#include "vm_space_priv.h"

static status_t check_range(struct va_range range)
{
    if (range.start.raw >= range.end.raw ||
        !is_aligned(range.start.raw | range.end.raw, PAGE_SIZE)) {
        return ERR_INVAL;
    }
    return range.end.raw > vm_space_user_limit().raw ? ERR_RANGE : OK;
}

static enum pt_link link_of(enum vm_cursor_mode mode)
{
    return mode == VM_CURSOR_CHANGE ? PT_LINK_MISSING : PT_LINK_NOTHING;
}

static void note(enum trace_kind kind, struct va_range range)
{
    trace_note(kind, range.start.raw, range.end.raw - range.start.raw);
}

static void note_refused(struct va_range range)
{
    trace_note(TRACE_CURSOR_CLOSE, range.start.raw, 0);
}

/* What a new cursor owes.  `kept` is not read while its count is 0. */
static void owe_nothing(struct vm_cursor *cursor)
{
    cursor->owed.removed = (struct va_range){0};
    cursor->owed.tables = NULL;
    cursor->owed.flush = (struct va_range){0};
    cursor->owed.flush_kind = VM_FLUSH_NONE;
    cursor->owed.code = false;
    cursor->owed.kept_count = 0;
}

static void start(struct vm_cursor *cursor, struct vm_space *space, struct va_range range,
                  enum vm_cursor_mode mode, struct pt_node *cover)
{
    vm_space_get(space);
    cursor->space = space;
    cursor->range = range;
    cursor->va = range.start;
    cursor->mode = mode;
    cursor->cover = cover;
    cursor->near = cover;
    owe_nothing(cursor);
    cursor->making = NULL;
    cursor->stores = 0;
    cursor->is_pair = false;
    counter_add(COUNTER_cursors_opened, 1);
    note(TRACE_CURSOR_OPENED, range);
}

static void stop(struct vm_cursor *cursor)
{
    struct vm_space *space = cursor->space;

    note(TRACE_CURSOR_CLOSE, cursor->range);
    cursor->cover = NULL;
    vm_space_put(space);
}

status_t vm_cursor_open_bounded(struct vm_cursor *cursor, struct vm_space *space,
                                struct va_range range, enum vm_cursor_mode mode, unsigned max_nodes)
{
    struct pt_node *cover;
    status_t status = check_range(range);

    cursor->cover = NULL;
    note(TRACE_CURSOR_OPEN, range);
    if (status == OK) {
        status = pt_lock_range(space->root, link_of(mode), max_nodes, &range, &cover);
    }
    if (status == OK) {
        start(cursor, space, range, mode, cover);
    } else {
        note_refused(range);
    }
    return status;
}

status_t vm_cursor_open(struct vm_cursor *cursor, struct vm_space *space, struct va_range range,
                        enum vm_cursor_mode mode)
{
    return vm_cursor_open_bounded(cursor, space, range, mode, UINT_MAX);
}

status_t vm_cursor_open_two_bounded(struct vm_cursor pair[2], struct vm_space *space,
                                    const struct va_range ranges[2], enum vm_cursor_mode mode,
                                    unsigned max_nodes)
{
    unsigned low = ranges[0].start.raw < ranges[1].start.raw ? 0 : 1;
    struct pt_two two = {{ranges[low], ranges[1 - low]}, {NULL, NULL}};
    status_t status = check_range(ranges[0]);

    pair[0].cover = NULL;
    pair[1].cover = NULL;
    note(TRACE_CURSOR_OPEN, ranges[0]);
    note(TRACE_CURSOR_OPEN, ranges[1]);
    if (status == OK) {
        status = check_range(ranges[1]);
    }
    if (status == OK && two.ranges[0].end.raw > two.ranges[1].start.raw) {
        status = ERR_INVAL;
    }
    if (status == OK) {
        status = pt_lock_two(space->root, link_of(mode), max_nodes, &two);
    }
    if (status != OK) {
        note_refused(ranges[0]);
        note_refused(ranges[1]);
        return status;
    }
    for (unsigned i = 0; i < 2; i++) {
        unsigned which = i == 0 ? low : 1 - low;

        start(&pair[which], space, two.ranges[i], mode, two.covers[i]);
        pair[which].is_pair = true;
    }
    return OK;
}

status_t vm_cursor_open_two(struct vm_cursor pair[2], struct vm_space *space,
                            const struct va_range ranges[2], enum vm_cursor_mode mode)
{
    return vm_cursor_open_two_bounded(pair, space, ranges, mode, UINT_MAX);
}

void vm_cursor_close(struct vm_cursor *cursor)
{
    if (cursor->cover == NULL) {
        return;
    }
    ASSERT(!cursor->is_pair);
    vm_cursor_sync(cursor);
    pt_unlock_range(cursor->space->root, cursor->cover, cursor->range);
    stop(cursor);
}

void vm_cursor_close_two(struct vm_cursor pair[2])
{
    struct pt_two two;
    unsigned low;

    if (pair[0].cover == NULL) {
        return;
    }
    ASSERT(pair[0].is_pair && pair[1].is_pair);
    low = pair[0].range.start.raw < pair[1].range.start.raw ? 0 : 1;
    two = (struct pt_two){{pair[low].range, pair[1 - low].range},
                          {pair[low].cover, pair[1 - low].cover}};
    cursor_sync_two(pair);
    pt_unlock_two(pair[0].space->root, &two);
    stop(&pair[0]);
    stop(&pair[1]);
}

status_t cursor_part(const struct vm_cursor *cursor, uint64_t len_bytes, struct va_range *part)
{
    ASSERT(cursor->cover != NULL);
    if (!is_aligned(len_bytes, PAGE_SIZE)) {
        return ERR_INVAL;
    }
    if (len_bytes > cursor->range.end.raw - cursor->va.raw) {
        return ERR_RANGE;
    }
    *part = (struct va_range){cursor->va, vaddr_add(cursor->va, len_bytes)};
    return OK;
}

status_t cursor_part_to_edit(const struct vm_cursor *cursor, uint64_t len_bytes,
                             struct va_range *part)
{
    status_t status = cursor_part(cursor, len_bytes, part);

    return status == OK && cursor->mode == VM_CURSOR_QUERY ? ERR_ACCES : status;
}
