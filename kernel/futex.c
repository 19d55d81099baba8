/* SPDX-License-Identifier: MIT */
/* Futexes: keys, buckets, and the way in and out of them. */
#include "kernel/futex.h"

#include <stdatomic.h>

#include "arch/arch.h"
#include "kernel/process.h"
#include "kernel/thread.h"
#include "kernel/timeouts.h"
#include "kernel/wait.h"
#include "mm/user_copy.h"
#include "mm/vm_fault.h"

#define BUCKET_BITS 6U
#define BUCKETS     (1U << BUCKET_BITS)
#define READ_TRIES  8U

/* What a word is, with a reference on the frame if the key is of that. */
struct target {
    struct tree_key key;
    struct frame *frame;       /* NULL: the key is of the space and the address */
    _Atomic(uint32_t) *direct; /* in the frame: where the word is to be read    */
};

static struct bucket {
    _Alignas(64) struct wait_queue queue;
    struct key_queue keys; /* queue.lock */
    uint64_t comers;       /* queue.lock: threads that ever waited here, for their numbers */
} buckets[BUCKETS];

void futex_init(void)
{
    for (unsigned i = 0; i < BUCKETS; i++) {
        wait_queue_init(&buckets[i].queue);
    }
}

/* Different values become different ones, with all their bits felt in the high ones. */
static uint64_t mix(uint64_t value)
{
    value *= UINT64_C(0x9e3779b97f4a7c15);
    value ^= value >> 32;
    return value * UINT64_C(0x9e3779b97f4a7c15);
}

/* No two pairs have one key: for a given low half the high one tells `where`. */
static struct tree_key key_make(uint64_t where, uint64_t offset)
{
    return (struct tree_key){.high = mix(where) + mix(offset), .low = offset};
}

static struct bucket *bucket_of(struct tree_key key)
{
    return &buckets[mix(key.high) >> (64 - BUCKET_BITS)];
}

/* The key of a word that whoever maps the same RAM is to meet at.  Of a private page nobody else
 * maps it, and its frame is another after a fork and a write: so it is the address.  Words are 4
 * bytes apart, so neither key is one of FUTEX_OF_SPACE.  ERR_FAULT: no RAM there that can be read;
 * ERR_NOMEM. */
static status_t shared_get(struct vm_space *space, vaddr_t va, struct target *target)
{
    uint64_t offset = va.raw & PAGE_MASK;
    struct vm_page page;
    status_t status = vm_space_page_get(space, va, &page);

    if (status != OK) {
        return status;
    }
    if (page.sw == PTE_SW_PRIVATE || page.sw == PTE_SW_PENDING) {
        frame_put(page.frame);
        *target = (struct target){.key = key_make((uintptr_t)space, va.raw | 2)};
        return OK;
    }
    *target = (struct target){
        .key = key_make((uintptr_t)page.frame, offset | 1),
        .frame = page.frame,
        .direct = (_Atomic(uint32_t) *)((char *)frame_bytes(page.frame) + offset),
    };
    return OK;
}

static status_t target_get(struct vm_space *space, struct futex_word word, struct target *target)
{
    if (word.scope == FUTEX_OF_SPACE) {
        *target = (struct target){.key = key_make((uintptr_t)space, word.va.raw)};
        return OK;
    }
    return shared_get(space, word.va, target);
}

/* Reads the word; nothing is waited for.  False: the access faulted. */
static bool word_read(const struct target *target, vaddr_t va, uint32_t *value)
{
    if (target->direct == NULL) {
        return arch_load_user_u32(va, value);
    }
    /* Relaxed: the bucket's lock orders it after the stores of whoever woke before. */
    *value = atomic_load_explicit(target->direct, memory_order_relaxed);
    return true;
}

/* One try.  ERR_BUSY: the word could not be read. */
static status_t block_try(struct thread *thread, const struct target *target,
                          struct futex_call call)
{
    struct bucket *bucket = bucket_of(target->key);
    status_t status = OK;
    uint32_t value;

    spinlock_acquire(&bucket->queue.lock);
    if (!word_read(target, call.word.va, &value)) {
        status = ERR_BUSY;
    } else if (value != call.expected) {
        status = ERR_AGAIN;
    } else if (timeouts_is_past(call.deadline_ns)) {
        status = ERR_TIMEDOUT;
    } else {
        thread->futex.was_woken = false;
        thread->futex.frame = target->frame;
        thread->futex.number = ++bucket->comers;
        key_queue_add(&bucket->keys, &thread->futex.place, target->key);
        wait_queue_block_until_locked(&bucket->queue, thread, NULL, call.deadline_ns);
    }
    spinlock_release(&bucket->queue.lock);
    return status;
}

status_t futex_block(struct thread *thread, struct futex_call call)
{
    struct vm_space *space = thread->process->space;
    struct target target = {0};
    uint32_t value;
    status_t status = target_get(space, call.word, &target);

    if (status != OK) {
        return status;
    }
    status = block_try(thread, &target, call);
    for (unsigned i = 0; status == ERR_BUSY && i < READ_TRIES; i++) {
        /* Without the lock the fault can be looked into. */
        status = user_load_u32(space, call.word.va, &value);
        if (status == OK) {
            status = block_try(thread, &target, call);
        }
    }
    if (status != OK && target.frame != NULL) {
        frame_put(target.frame);
    }
    return status;
}

bool futex_take_result(struct thread *thread)
{
    bool was_woken = thread->futex.was_woken;

    thread->futex.was_woken = false;
    if (thread->futex.frame != NULL) {
        frame_put(thread->futex.frame);
        thread->futex.frame = NULL;
    }
    return was_woken;
}

/* Wakes the first thread of a key, whose number is *last at most; 0: the last comer's by now.
 * False: there is none. */
static bool wake_first(struct bucket *bucket, struct tree_key key, uint64_t *last)
{
    spinlock_acquire(&bucket->queue.lock);
    struct key_place *place = key_queue_first(&bucket->keys, key);
    struct thread *thread = place != NULL ? LIST_ENTRY(place, struct thread, futex.place) : NULL;

    *last = *last == 0 ? bucket->comers : *last;
    if (thread == NULL || thread->futex.number > *last) {
        spinlock_release(&bucket->queue.lock);
        return false;
    }
    thread->futex.was_woken = true;
    wait_queue_wake_locked(&bucket->queue, thread);
    return true;
}

status_t futex_wake(struct vm_space *space, struct futex_word word, unsigned max, uint64_t *last,
                    unsigned *woken)
{
    struct target target = {0};
    unsigned count = 0;
    status_t status = target_get(space, word, &target);

    if (status != OK) {
        return status;
    }
    while (count < max && wake_first(bucket_of(target.key), target.key, last)) {
        count++;
    }
    if (target.frame != NULL) {
        frame_put(target.frame);
    }
    *woken = count;
    return OK;
}
