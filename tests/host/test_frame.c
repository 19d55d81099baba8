/* SPDX-License-Identifier: MIT */
/*
 * The frame allocator: orders, merging, exhaustion, references, adoption of boot ranges, and an
 * audit that notices damage.  Every test ends with the count it began with.
 */
#include "mm/frame.h"

#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "support.h"

#define FRAMES_MAX 4096U

static struct frame *taken[FRAMES_MAX];

static void boot(void)
{
    machine_default(16 * MIB);
    machine_boot(3);
}

static void block_put(struct frame *block, unsigned order)
{
    for (size_t i = 0; i < (size_t)1 << order; i++) {
        frame_put(&block[i]);
    }
}

/* Takes single frames until there are none; how many. */
static size_t take_all(void)
{
    size_t count = 0;

    while (count < FRAMES_MAX && frame_alloc(FRAME_KERNEL, &taken[count]) == OK) {
        count++;
    }
    cr_assert(count < FRAMES_MAX);
    return count;
}

/* Number of blocks of each order that can be had at once, from the largest down. */
static void block_census(unsigned *counts)
{
    static struct {
        struct frame *block;
        unsigned order;
    } held[FRAMES_MAX];
    size_t held_count = 0;

    for (unsigned order = FRAME_ORDER_MAX + 1; order-- > 0;) {
        struct frame *block;

        counts[order] = 0;
        while (frame_alloc_block(order, &block) == OK) {
            held[held_count].block = block;
            held[held_count++].order = order;
            counts[order]++;
        }
    }
    while (held_count > 0) {
        held_count--;
        block_put(held[held_count].block, held[held_count].order);
    }
}

Test(frame, one_frame_has_one_reference_and_its_type)
{
    uint64_t free_before;
    struct frame *frame;

    boot();
    free_before = frame_free_count();
    EXPECT_OK(frame_alloc(FRAME_KERNEL, &frame));
    EXPECT_EQ(frame_refs(frame), 1);
    EXPECT_EQ(frame->type, FRAME_KERNEL);
    EXPECT_EQ(frame_free_count(), free_before - 1);
    cr_assert(is_aligned(frame_pa(frame).raw, PAGE_SIZE));
    cr_assert(frame_of(frame_pa(frame)) == frame);
    cr_assert(frame_of(paddr_add(frame_pa(frame), PAGE_MASK)) == frame);
    cr_assert(frame_bytes(frame) == arch_phys_to_virt(frame_pa(frame)));
    frame_put(frame);
    EXPECT_EQ(frame_free_count(), free_before);
    EXPECT_OK(frame_check());
}

Test(frame, frames_of_programs_come_zeroed)
{
    boot();
    for (unsigned round = 0; round < 20; round++) {
        struct frame *frame = frame_new();
        const unsigned char *bytes = frame_bytes(frame);

        EXPECT_EQ(frame->type, FRAME_USER);
        for (size_t i = 0; i < PAGE_SIZE; i++) {
            cr_assert(bytes[i] == 0, "byte %zu of round %u", i, round);
        }
        memset(frame_bytes(frame), 0xee, PAGE_SIZE);
        frame_put(frame);
    }
}

Test(frame, references_keep_it)
{
    struct frame *frame;
    uint64_t free_before;

    boot();
    free_before = frame_free_count();
    frame = frame_new();
    frame_get(frame);
    frame_get(frame);
    EXPECT_EQ(frame_refs(frame), 3);
    frame_put(frame);
    frame_put(frame);
    EXPECT_EQ(frame_free_count(), free_before - 1);
    frame_put(frame);
    EXPECT_EQ(frame_free_count(), free_before);
}

Test(frame, no_frame_of_another_is_given_out)
{
    size_t count;

    boot();
    count = take_all();
    for (size_t i = 0; i < count; i++) {
        uint64_t at = frame_pa(taken[i]).raw;

        EXPECT_EQ(frame_refs(taken[i]), 1);
        cr_assert(at >= IMAGE_START + IMAGE_BYTES && at < RAM_BASE + 16 * MIB);
        memset(frame_bytes(taken[i]), 1, PAGE_SIZE); /* the pattern stands for its owner */
    }
    for (size_t i = 0; i < count; i++) {
        frame_get(taken[i]);
        EXPECT_EQ(frame_refs(taken[i]), 2); /* given out twice, it would be more */
    }
}

Test(frame, exhaustion_is_an_error_and_nothing_else)
{
    struct frame *untouched = (struct frame *)(uintptr_t)16;
    uint64_t free_before;
    size_t count;

    boot();
    free_before = frame_free_count();
    count = take_all();
    EXPECT_EQ(count, free_before);
    EXPECT_EQ(frame_free_count(), 0);
    for (unsigned type = FRAME_KERNEL; type <= FRAME_USER; type++) {
        EXPECT_STATUS(frame_alloc((enum frame_type)type, &untouched), ERR_NOMEM);
    }
    EXPECT_STATUS(frame_alloc_block(0, &untouched), ERR_NOMEM);
    cr_assert(untouched == (struct frame *)(uintptr_t)16);
    EXPECT_OK(frame_check());
    while (count > 0) {
        frame_put(taken[--count]);
    }
    EXPECT_EQ(frame_free_count(), free_before);
    EXPECT_OK(frame_check());
}

Test(frame, blocks_are_contiguous_and_aligned)
{
    uint64_t free_before;

    boot();
    free_before = frame_free_count();
    for (unsigned order = 0; order <= 10; order++) {
        struct frame *block = NULL;

        EXPECT_OK(frame_alloc_block(order, &block));
        cr_assert(is_aligned(frame_pa(block).raw, PAGE_SIZE << order), "order %u", order);
        EXPECT_EQ(frame_free_count(), free_before - (UINT64_C(1) << order));
        for (size_t i = 0; i < (size_t)1 << order; i++) {
            EXPECT_EQ(frame_refs(&block[i]), 1);
            EXPECT_EQ(block[i].type, FRAME_KERNEL);
            EXPECT_EQ(frame_pa(&block[i]).raw, frame_pa(block).raw + i * PAGE_SIZE);
        }
        EXPECT_OK(frame_check());
        block_put(block, order);
        EXPECT_EQ(frame_free_count(), free_before);
        EXPECT_OK(frame_check());
    }
}

Test(frame, impossible_orders_are_refused)
{
    struct frame *block = NULL;

    boot();
    EXPECT_STATUS(frame_alloc_block(FRAME_ORDER_MAX + 1, &block), ERR_INVAL);
    EXPECT_STATUS(frame_alloc_block(UINT32_MAX, &block), ERR_INVAL);
    EXPECT_STATUS(frame_alloc_block(FRAME_ORDER_MAX, &block), ERR_NOMEM); /* 1 GiB of 16 MiB */
    cr_assert(block == NULL);
}

Test(frame, freed_frames_merge_again)
{
    unsigned before[FRAME_ORDER_MAX + 1];
    unsigned after[FRAME_ORDER_MAX + 1];
    size_t count;

    boot();
    block_census(before);
    count = take_all();
    srand(1);
    for (size_t left = count; left > 0; left--) { /* in random order */
        size_t i = (size_t)rand() % left;

        frame_put(taken[i]);
        taken[i] = taken[left - 1];
        if (left % 64 == 0) {
            EXPECT_OK(frame_check());
        }
    }
    EXPECT_OK(frame_check());
    block_census(after);
    cr_assert(memcmp(before, after, sizeof(before)) == 0,
              "the free blocks are not those of before");
    EXPECT_OK(frame_check());
}

Test(frame, random_blocks_come_and_go)
{
    static struct {
        struct frame *block;
        unsigned order;
    } held[64];
    uint64_t free_before;

    boot();
    free_before = frame_free_count();
    srand(2);
    for (unsigned step = 0; step < 5000; step++) {
        size_t i = (size_t)rand() % ARRAY_LEN(held);

        if (held[i].block != NULL) {
            block_put(held[i].block, held[i].order);
            held[i].block = NULL;
        } else {
            held[i].order = (unsigned)rand() % 8;
            if (frame_alloc_block(held[i].order, &held[i].block) != OK) {
                held[i].block = NULL;
            }
        }
        if (step % 50 == 0) {
            EXPECT_OK(frame_check());
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(held); i++) {
        if (held[i].block != NULL) {
            block_put(held[i].block, held[i].order);
        }
    }
    EXPECT_EQ(frame_free_count(), free_before);
    EXPECT_OK(frame_check());
}

Test(frame, the_hook_fails_one_allocation)
{
    struct frame *frame = NULL;

    boot();
    frame_fail_after(2);
    for (unsigned i = 0; i < 2; i++) {
        EXPECT_OK(frame_alloc(FRAME_KERNEL, &taken[i]));
    }
    EXPECT_STATUS(frame_alloc(FRAME_KERNEL, &frame), ERR_NOMEM);
    EXPECT_OK(frame_alloc(FRAME_KERNEL, &frame));
    frame_fail_after(0);
    frame_fail_after(UINT64_MAX);
    EXPECT_OK(frame_alloc(FRAME_KERNEL, &taken[2]));
}

Test(frame, where_no_ram_is_there_is_no_record)
{
    machine_default(16 * MIB);
    machine_add_bank(pa_span(RAM_BASE + GIB, 8 * MIB));
    machine_add_bank(pa_span(RAM_BASE + 64 * GIB, 8 * MIB));
    machine_boot(4);
    cr_assert(frame_of(pa(0)) == NULL);
    cr_assert(frame_of(pa(DEVICE_BASE)) == NULL);
    cr_assert(frame_of(pa(RAM_BASE - 1)) == NULL);
    cr_assert(frame_of(pa(RAM_BASE + 16 * MIB)) == NULL);
    cr_assert(frame_of(pa(RAM_BASE + GIB - 1)) == NULL);
    cr_assert(frame_of(pa(RAM_BASE + GIB + 8 * MIB)) == NULL);
    cr_assert(frame_of(pa(UINT64_MAX)) == NULL);
    cr_assert(frame_of(pa(UINT64_C(1) << 55)) == NULL);
    EXPECT_EQ(frame_pa(frame_of(pa(RAM_BASE + GIB))).raw, RAM_BASE + GIB);
    EXPECT_EQ(frame_pa(frame_of(pa(RAM_BASE + 64 * GIB + 8 * MIB - 1))).raw,
              RAM_BASE + 64 * GIB + 8 * MIB - PAGE_SIZE);
    EXPECT_EQ(frame_of(pa(IMAGE_START))->type, FRAME_RESERVED);
    EXPECT_OK(frame_check());
}

Test(frame, an_adopted_range_can_be_used_and_given_back)
{
    struct pa_range initrd = pa_span(RAM_BASE + 8 * MIB + 0x800, 0x2000); /* touches 3 pages */
    uint64_t free_before;

    machine_default(16 * MIB);
    machine_add_reserved(initrd, MACHINE_RESERVED_INITRD);
    machine_boot(3);
    free_before = frame_free_count();
    memcpy(arch_phys_to_virt(initrd.start), "content", 8);
    EXPECT_OK(frame_adopt(initrd));
    for (unsigned i = 0; i < 3; i++) {
        taken[i] = frame_of(pa(RAM_BASE + 8 * MIB + i * PAGE_SIZE));
        EXPECT_EQ(taken[i]->type, FRAME_USER);
        EXPECT_EQ(frame_refs(taken[i]), 1);
    }
    cr_assert(memcmp(arch_phys_to_virt(initrd.start), "content", 8) == 0);
    EXPECT_EQ(frame_free_count(), free_before);
    EXPECT_OK(frame_check());
    for (unsigned i = 0; i < 3; i++) {
        frame_put(taken[i]);
    }
    EXPECT_EQ(frame_free_count(), free_before + 3);
    cr_assert(frame_total_count() >= frame_free_count(), "given back, they are the allocator's");
    EXPECT_OK(frame_check());
}

Test(frame, only_reserved_ram_is_adopted)
{
    struct frame *frame;

    machine_default(16 * MIB);
    machine_add_reserved(pa_span(RAM_BASE + 8 * MIB, PAGE_SIZE), MACHINE_RESERVED_INITRD);
    machine_boot(3);
    frame = frame_new();
    EXPECT_STATUS(frame_adopt(pa_span(frame_pa(frame).raw, PAGE_SIZE)), ERR_INVAL);
    EXPECT_STATUS(frame_adopt(pa_span(DEVICE_BASE, PAGE_SIZE)), ERR_INVAL);
    EXPECT_STATUS(frame_adopt(pa_span(RAM_BASE + 8 * MIB, PAGE_SIZE + 1)), ERR_INVAL);
    EXPECT_STATUS(frame_adopt(pa_span(RAM_BASE + 16 * MIB - 1, 2)), ERR_INVAL);
    EXPECT_STATUS(frame_adopt((struct pa_range){{RAM_BASE + 8 * MIB}, {UINT64_MAX}}), ERR_INVAL);
    EXPECT_EQ(frame_of(pa(RAM_BASE + 8 * MIB))->type, FRAME_RESERVED);
    EXPECT_EQ(frame_refs(frame), 1);
    frame_put(frame);
    EXPECT_OK(frame_check());
}

Test(frame, the_audit_notices_a_lost_type)
{
    struct frame *frame = NULL;

    boot();
    for (uint64_t at = RAM_BASE; frame == NULL; at += PAGE_SIZE) {
        frame = frame_of(pa(at))->type == FRAME_FREE ? frame_of(pa(at)) : NULL;
    }
    EXPECT_OK(frame_check());
    frame->type = FRAME_USER;
    EXPECT_STATUS(frame_check(), ERR_INVAL);
}

Test(frame, the_audit_notices_a_wrong_order)
{
    struct frame *frame = NULL;

    boot();
    for (uint64_t at = RAM_BASE; frame == NULL; at += PAGE_SIZE) {
        frame = frame_of(pa(at))->type == FRAME_FREE ? frame_of(pa(at)) : NULL;
    }
    frame->order++;
    EXPECT_STATUS(frame_check(), ERR_INVAL);
}

Test(frame, a_second_put_panics, .signal = SIGABRT)
{
    struct frame *frame;

    boot();
    frame = frame_new();
    frame_put(frame);
    frame_put(frame);
}

Test(frame, a_get_of_a_free_frame_panics, .signal = SIGABRT)
{
    struct frame *frame;

    boot();
    frame = frame_new();
    frame_put(frame);
    frame_get(frame);
}

Test(frame, a_put_of_reserved_ram_panics, .signal = SIGABRT)
{
    boot();
    frame_put(frame_of(pa(IMAGE_START)));
}
