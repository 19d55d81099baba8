/* SPDX-License-Identifier: MIT */
/*
 * Readers and writers.
 *
 * A span is checked once against the user limit and the active space; then arch copies and tells
 * how far it came.  Whether an address is mapped is what the hardware says while copying; only when
 * it says no is the page table asked, because a hart may remember less than an entry grants, and a
 * reserved page gets its frame by being touched (mm/vm_fault.h): neither is a fault of the program.
 */
#include "mm/user_copy.h"

#include "arch/arch.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "lib/spinlock.h"
#include "mm/vm_fault.h"
#include "user_copy_priv.h"

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

void user_span_advance(struct user_span *span, uint64_t done)
{
    span->va = vaddr_add(span->va, done);
    span->remain_bytes -= done;
}

status_t user_settle(vaddr_t va, enum vm_access access)
{
    switch (vm_space_fault(vm_space_active(), va, access)) {
    case VM_FAULT_RETRY:
        return OK;
    case VM_FAULT_NOMEM:
        return ERR_NOMEM;
    case VM_FAULT_AGAIN: /* who asks for larger pages is told so */
    case VM_FAULT_BAD:
        break;
    }
    return ERR_FAULT;
}

/* One direction of a copy; exactly one of the pointers, or none to fill with zeroes. */
struct copy {
    char *to;
    const char *from;
};

static size_t copy_part(const struct copy *copy, vaddr_t va, uint64_t done, uint64_t len_bytes)
{
    if (copy->to != NULL) {
        return arch_copy_from_user(copy->to + done, va, len_bytes);
    }
    return copy->from != NULL ? arch_copy_to_user(va, copy->from + done, len_bytes)
                              : arch_zero_user(va, len_bytes);
}

static status_t span_copy(struct user_span *span, struct copy copy, uint64_t len_bytes,
                          uint64_t *done_bytes)
{
    enum vm_access access = copy.to != NULL ? VM_ACCESS_READ : VM_ACCESS_WRITE;
    uint64_t wanted = span_take(span, len_bytes);
    status_t status = OK;
    uint64_t done = 0;

    while (status == OK && done < wanted) {
        uint64_t step = copy_part(&copy, vaddr_add(span->va, done), done, wanted - done);

        done += step;
        if (done < wanted) {
            status = user_settle(vaddr_add(span->va, done), access);
        }
    }
    if (status != OK) {
        counter_add(COUNTER_user_copy_faults, 1);
    }
    *done_bytes = done;
    user_span_advance(span, done);
    return status;
}

status_t user_read(struct user_span *from, void *to, uint64_t len_bytes, uint64_t *done_bytes)
{
    return span_copy(from, (struct copy){.to = to}, len_bytes, done_bytes);
}

status_t user_write(struct user_span *to, const void *from, uint64_t len_bytes,
                    uint64_t *done_bytes)
{
    return span_copy(to, (struct copy){.from = from}, len_bytes, done_bytes);
}

status_t user_fill_zeros(struct user_span *to, uint64_t len_bytes, uint64_t *done_bytes)
{
    return span_copy(to, (struct copy){0}, len_bytes, done_bytes);
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

    DASSERT(spinlock_held_count() == 0);
    if (!is_aligned(va.raw, sizeof(uint32_t))) {
        return ERR_INVAL;
    }
    return user_span_make(space, va, sizeof(uint32_t), &span);
}

status_t user_load_u32(struct vm_space *space, vaddr_t from, uint32_t *value)
{
    status_t status = check_word(space, from);

    while (status == OK && !arch_load_user_u32(from, value)) {
        status = user_settle(from, VM_ACCESS_READ);
    }
    return status;
}

status_t user_compare_exchange_u32(struct vm_space *space, vaddr_t at, uint32_t *seen,
                                   uint32_t value)
{
    status_t status = check_word(space, at);

    while (status == OK && !arch_compare_exchange_user_u32(at, seen, value)) {
        status = user_settle(at, VM_ACCESS_WRITE);
    }
    return status;
}
