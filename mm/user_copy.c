/* SPDX-License-Identifier: MIT */
/*
 * Readers and writers.
 *
 * A span is checked once against the user limit and the active space; then arch copies and tells
 * how far it came.  Nothing here looks at the page table: whether an address is mapped is what the
 * hardware says while copying.
 */
#include "mm/user_copy.h"

#include "arch/arch.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "lib/spinlock.h"

status_t user_span_make(struct vm_space *space, vaddr_t va, uint64_t len_bytes,
                        struct user_span *span)
{
    uint64_t end;

    if (space == NULL || space != vm_space_active()) {
        return ERR_ACCES;
    }
    if (checked_add(va.raw, len_bytes, &end) != OK || end > vm_space_user_limit().raw) {
        return ERR_RANGE;
    }
    *span = (struct user_span){va, len_bytes};
    return OK;
}

void user_span_limit(struct user_span *span, uint64_t max_bytes)
{
    if (span->remain_bytes > max_bytes) {
        span->remain_bytes = max_bytes;
    }
}

status_t user_span_skip(struct user_span *span, uint64_t bytes)
{
    if (bytes > span->remain_bytes) {
        return ERR_RANGE;
    }
    span->va = vaddr_add(span->va, bytes);
    span->remain_bytes -= bytes;
    return OK;
}

static uint64_t span_take(const struct user_span *span, uint64_t len_bytes)
{
    DASSERT(spinlock_held_count() == 0);
    return len_bytes < span->remain_bytes ? len_bytes : span->remain_bytes;
}

/* Steps past what was copied and says whether that was all. */
static status_t span_advance(struct user_span *span, uint64_t wanted, uint64_t done)
{
    span->va = vaddr_add(span->va, done);
    span->remain_bytes -= done;
    if (done < wanted) {
        counter_add(COUNTER_user_copy_faults, 1);
        return ERR_FAULT;
    }
    return OK;
}

status_t user_read(struct user_span *from, void *to, uint64_t len_bytes, uint64_t *done_bytes)
{
    uint64_t wanted = span_take(from, len_bytes);

    *done_bytes = wanted == 0 ? 0 : arch_copy_from_user(to, from->va, wanted);
    return span_advance(from, wanted, *done_bytes);
}

status_t user_write(struct user_span *to, const void *from, uint64_t len_bytes,
                    uint64_t *done_bytes)
{
    uint64_t wanted = span_take(to, len_bytes);

    *done_bytes = wanted == 0 ? 0 : arch_copy_to_user(to->va, from, wanted);
    return span_advance(to, wanted, *done_bytes);
}

status_t user_fill_zeros(struct user_span *to, uint64_t len_bytes, uint64_t *done_bytes)
{
    uint64_t wanted = span_take(to, len_bytes);

    *done_bytes = wanted == 0 ? 0 : arch_zero_user(to->va, wanted);
    return span_advance(to, wanted, *done_bytes);
}

status_t user_read_object(struct vm_space *space, vaddr_t from, void *to, uint64_t len_bytes)
{
    struct user_span span;
    uint64_t done;
    status_t status = user_span_make(space, from, len_bytes, &span);

    return status == OK ? user_read(&span, to, len_bytes, &done) : status;
}

status_t user_write_object(struct vm_space *space, vaddr_t to, const void *from, uint64_t len_bytes)
{
    struct user_span span;
    uint64_t done;
    status_t status = user_span_make(space, to, len_bytes, &span);

    return status == OK ? user_write(&span, from, len_bytes, &done) : status;
}

static status_t check_word(struct vm_space *space, vaddr_t va)
{
    struct user_span span;

    if (!is_aligned(va.raw, sizeof(uint32_t))) {
        return ERR_INVAL;
    }
    return user_span_make(space, va, sizeof(uint32_t), &span);
}

status_t user_load_u32(struct vm_space *space, vaddr_t from, uint32_t *value)
{
    status_t status = check_word(space, from);

    if (status != OK) {
        return status;
    }
    return arch_load_user_u32(from, value) ? OK : ERR_FAULT;
}

status_t user_compare_exchange_u32(struct vm_space *space, vaddr_t at, uint32_t *seen,
                                   uint32_t value)
{
    status_t status = check_word(space, at);

    if (status != OK) {
        return status;
    }
    return arch_compare_exchange_user_u32(at, seen, value) ? OK : ERR_FAULT;
}
