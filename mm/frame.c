/* SPDX-License-Identifier: MIT */
/*
 * Frame records: from addresses to records and back, and references.
 *
 * The records are one virtual array over the whole direct map, backed only where a bank of RAM is;
 * so a record may be touched only after its bank was found.  Who allocates is frame_alloc.c.
 */
#include "mm/frame.h"

#include "arch/arch.h"
#include "frame_records.h"
#include "lib/assert.h"

static struct frame *records; /* (c) after boot */
static paddr_t base;          /* (c) physical address of index 0 */
static struct {
    uint64_t first, frames; /* index of the first; how many */
} banks[MACHINE_BANKS_MAX];
static size_t bank_count;
static struct {
    uint64_t page, frames; /* number of the first page of the first bank; how many */
    struct frame *records;
} first_bank;

/* Small functions that others call at every step are `inline` here: a release of the kernel, which
 * is optimised as one program, melts them into their callers. */

void frame_records_init(struct frame *first_record, paddr_t first_pa)
{
    records = first_record;
    base = first_pa;
    bank_count = 0;
    banks[0].frames = 0;
    first_bank.frames = 0;
}

status_t frame_records_add(struct pa_range range)
{
    if (bank_count == MACHINE_BANKS_MAX) {
        return ERR_NOSPC;
    }
    banks[bank_count].first = (range.start.raw - base.raw) >> PAGE_SHIFT;
    banks[bank_count].frames = pa_range_bytes(range) >> PAGE_SHIFT;
    for (uint64_t i = 0; i < banks[bank_count].frames; i++) {
        records[banks[bank_count].first + i] = (struct frame){.type = FRAME_RESERVED};
    }
    if (bank_count == 0) {
        first_bank.page = range.start.raw >> PAGE_SHIFT;
        first_bank.frames = banks[0].frames;
        first_bank.records = &records[banks[0].first];
    }
    bank_count++;
    return OK;
}

/* The record in any bank but the first. */
__attribute__((noinline)) static struct frame *other_frame_at(uint64_t index)
{
    for (size_t i = 1; i < bank_count; i++) {
        if (index - banks[i].first < banks[i].frames) {
            return &records[index];
        }
    }
    return NULL;
}

struct frame *frame_at(uint64_t index)
{
    return index - banks[0].first < banks[0].frames ? &records[index] : other_frame_at(index);
}

inline uint64_t frame_index(const struct frame *frame)
{
    return (uint64_t)(frame - records);
}

inline struct frame *frame_of(paddr_t pa)
{
    uint64_t in_bank = (pa.raw >> PAGE_SHIFT) - first_bank.page;

    if (in_bank < first_bank.frames) {
        return &first_bank.records[in_bank]; /* few machines have another bank */
    }
    /* An address below the base wraps, to an index past every bank. */
    return other_frame_at((pa.raw - base.raw) >> PAGE_SHIFT);
}

bool frame_range_has_ram(struct pa_range range)
{
    for (size_t i = 0; i < bank_count; i++) {
        struct pa_range bank = {paddr_add(base, banks[i].first << PAGE_SHIFT),
                                paddr_add(base, (banks[i].first + banks[i].frames) << PAGE_SHIFT)};

        if (pa_ranges_overlap(bank, range)) {
            return true;
        }
    }
    return false;
}

inline paddr_t frame_pa(const struct frame *frame)
{
    return paddr_add(base, frame_index(frame) << PAGE_SHIFT);
}

inline void *frame_bytes(const struct frame *frame)
{
    return arch_phys_to_virt(frame_pa(frame));
}

inline void frame_get(struct frame *frame)
{
    /* Relaxed: whoever gets another reference has one that keeps the frame. */
    uint32_t before = atomic_fetch_add_explicit(&frame->refs, 1, memory_order_relaxed);

    ASSERT_FMT(before != 0 && before != UINT32_MAX, "pa=%lx refs=%u",
               (unsigned long)frame_pa(frame).raw, before);
}

void frame_put(struct frame *frame)
{
    /* Release pairs with the acquire of the last put: what others did with the frame is over. */
    uint32_t before = atomic_fetch_sub_explicit(&frame->refs, 1, memory_order_acq_rel);

    ASSERT_FMT(before != 0, "pa=%lx is free", (unsigned long)frame_pa(frame).raw);
    if (before == 1) {
        frame_free(frame, 1);
    }
}

inline bool frame_has_one_ref(const struct frame *frame)
{
    /* Acquire pairs with the release of the put that left one. */
    return atomic_load_explicit(&frame->refs, memory_order_acquire) == 1;
}

void frame_run_end(struct frame_run *run)
{
    if (run->first != run->end) {
        frame_free(run->first, (uint64_t)(run->end - run->first));
    }
    *run = FRAME_RUN_NONE;
}

inline void frame_run_put(struct frame_run *run, paddr_t pa)
{
    uint32_t before;

    if (pa.raw != run->next.raw) {
        frame_run_end(run);
        run->first = frame_of(pa);
        run->end = run->first;
    }
    /* As in frame_put. */
    before = atomic_fetch_sub_explicit(&run->end->refs, 1, memory_order_acq_rel);
    ASSERT_FMT(before != 0, "pa=%lx is free", (unsigned long)pa.raw);
    if (before == 1) {
        run->end++;
        run->next = paddr_add(pa, PAGE_SIZE);
    } else {
        run->next = FRAME_RUN_NONE.next; /* somebody else still has it */
    }
}

status_t frame_adopt(struct pa_range range)
{
    uint64_t end;

    if (range.start.raw >= range.end.raw ||
        checked_align_up(range.end.raw, PAGE_SIZE, &end) != OK) {
        return ERR_INVAL;
    }
    for (uint64_t pa = align_down(range.start.raw, PAGE_SIZE); pa < end; pa += PAGE_SIZE) {
        const struct frame *frame = frame_of((paddr_t){pa});

        if (frame == NULL || frame->type != FRAME_RESERVED) {
            return ERR_INVAL;
        }
    }
    for (uint64_t pa = align_down(range.start.raw, PAGE_SIZE); pa < end; pa += PAGE_SIZE) {
        struct frame *frame = frame_of((paddr_t){pa});

        frame->type = FRAME_USER;
        /* Relaxed: boot, one hart. */
        atomic_store_explicit(&frame->refs, 1, memory_order_relaxed);
        frame_total_add(1);
    }
    return OK;
}
