/* SPDX-License-Identifier: MIT */
/*
 * Copying into a page of any space: whose frame the bytes reach, what a fault in the middle leaves,
 * and that nothing is locked when a fault is settled.
 */
#include "arch/pte_mark.h"
#include "lib/spinlock.h"
#include "mm/user_copy.h"
#include "support_touch.h"

#define TO BASE

/* Two pages of source, the second one reserved or absent, and a place to copy to. */
static struct world world_with_source(unsigned levels, struct frame **source)
{
    struct world world = world_with_a_table(levels);

    *source = frame_new();
    memset(frame_bytes(*source), 0x5a, PAGE_SIZE);
    map_at(&world, BASE + PAGE_SIZE, *source, VM_R);
    return world;
}

static struct user_span span_at(const struct world *world, uint64_t at, uint64_t bytes)
{
    struct user_span span;

    EXPECT_OK(user_span_make(world->space, va(at), bytes, &span));
    return span;
}

MODE_TEST(user_copy_page, bytes_reach_the_page_whatever_it_permits)
{
    static const enum vm_prot prots[] = {VM_R, VM_RW, VM_RX};
    struct frame *source;
    struct world world = world_with_source(*levels, &source);
    struct frame *frame = frame_new();

    map_at(&world, TO, frame, VM_R);
    for (size_t i = 0; i < ARRAY_LEN(prots); i++) {
        struct user_span span = span_at(&world, BASE + PAGE_SIZE, PAGE_SIZE);
        struct vm_cursor cursor = cursor_open(&world, TO, PAGE_SIZE, VM_CURSOR_EDIT);
        enum vm_prot prot;
        uint64_t done;

        EXPECT_OK(vm_cursor_protect(&cursor, PAGE_SIZE, prots[i], 1, &done));
        vm_cursor_close(&cursor);
        memset(frame_bytes(frame), 0, PAGE_SIZE);
        EXPECT_OK(user_read_to_page(&span, world.space, va(TO + 96), &prot, &done));
        EXPECT_EQ(done, PAGE_SIZE - 96);
        EXPECT_EQ(span.remain_bytes, 96);
        EXPECT_EQ(prot, prots[i]);
        EXPECT_EQ(((unsigned char *)frame_bytes(frame))[95], 0);
        EXPECT_EQ(((unsigned char *)frame_bytes(frame))[96], 0x5a);
        EXPECT_EQ(frame_refs(frame), 1);
    }
    EXPECT_EQ(spinlock_held_count(), 0);
    unmap_at(&world, BASE, 2 * PAGE_SIZE);
    world_end(&world);
}

MODE_TEST(user_copy_page, a_frame_that_is_shared_is_left_alone)
{
    struct frame *source;
    struct world world = world_with_source(*levels, &source);
    struct user_span span = span_at(&world, BASE + PAGE_SIZE, PAGE_SIZE);
    struct frame *shared = frame_new();
    enum vm_prot prot;
    uint64_t done;

    map_at(&world, TO, shared, VM_R);
    make_pending(&world, TO);
    frame_get(shared);
    EXPECT_OK(user_read_to_page(&span, world.space, va(TO), &prot, &done));
    cr_assert(holds(shared, 0), "who shared the frame sees what was written");
    cr_assert(holds(frame_at(&world, TO), 0x5a));
    EXPECT_EQ(frame_refs(shared), 1);
    frame_put(shared);
    unmap_at(&world, BASE, 2 * PAGE_SIZE);
    world_end(&world);
}

MODE_TEST(user_copy_page, reserved_pages_on_both_sides_get_frames)
{
    struct frame *source;
    struct world world = world_with_source(*levels, &source);
    struct user_span span = span_at(&world, BASE + PAGE_SIZE + 4000, PAGE_SIZE);
    enum vm_prot prot;
    uint64_t done;

    reserve(&world, TO, VM_R);
    reserve(&world, BASE + 2 * PAGE_SIZE, VM_R);
    EXPECT_OK(user_read_to_page(&span, world.space, va(TO), &prot, &done));
    EXPECT_EQ(done, PAGE_SIZE);
    EXPECT_EQ(((unsigned char *)frame_bytes(frame_at(&world, TO)))[95], 0x5a);
    EXPECT_EQ(((unsigned char *)frame_bytes(frame_at(&world, TO)))[96], 0);
    cr_assert(frame_at(&world, TO) != frame_zero());
    cr_assert(frame_at(&world, BASE + 2 * PAGE_SIZE) == frame_zero());
    unmap_at(&world, BASE, 3 * PAGE_SIZE);
    world_end(&world);
}

MODE_TEST(user_copy_page, a_fault_says_how_far_it_came)
{
    struct frame *source;
    struct world world = world_with_source(*levels, &source);
    struct user_span span = span_at(&world, BASE + PAGE_SIZE + 4000, PAGE_SIZE);
    struct frame *frame = frame_new();
    enum vm_prot prot;
    uint64_t done;

    map_at(&world, TO, frame, VM_RW);
    EXPECT_STATUS(user_read_to_page(&span, world.space, va(TO), &prot, &done), ERR_FAULT);
    EXPECT_EQ(done, 96);
    EXPECT_EQ(span.remain_bytes, PAGE_SIZE - 96);
    EXPECT_EQ(((unsigned char *)frame_bytes(frame))[95], 0x5a);
    EXPECT_EQ(((unsigned char *)frame_bytes(frame))[96], 0);
    EXPECT_EQ(spinlock_held_count(), 0);
    /* Nor into what is not there, or may not be touched by anybody. */
    span = span_at(&world, BASE + PAGE_SIZE, PAGE_SIZE);
    EXPECT_STATUS(user_read_to_page(&span, world.space, va(BASE + 4 * PAGE_SIZE), &prot, &done),
                  ERR_FAULT);
    put_mark(&world, BASE + 4 * PAGE_SIZE, (struct pte_mark){.kind = PTE_MARK_GUARD});
    EXPECT_STATUS(user_read_to_page(&span, world.space, va(BASE + 4 * PAGE_SIZE), &prot, &done),
                  ERR_FAULT);
    EXPECT_STATUS(user_read_to_page(&span, world.space, vm_space_user_limit(), &prot, &done),
                  ERR_RANGE);
    EXPECT_EQ(done, 0);
    EXPECT_EQ(span.remain_bytes, PAGE_SIZE);
    unmap_at(&world, BASE, 5 * PAGE_SIZE);
    world_end(&world);
}

MODE_TEST(user_copy_page, a_page_can_be_copied_to_itself)
{
    struct frame *source;
    struct world world = world_with_source(*levels, &source);
    struct user_span span = span_at(&world, BASE + PAGE_SIZE + 8, 64);
    enum vm_prot prot;
    uint64_t done;

    EXPECT_OK(user_read_to_page(&span, world.space, va(BASE + PAGE_SIZE + 512), &prot, &done));
    EXPECT_EQ(done, 64);
    unmap_at(&world, BASE, 2 * PAGE_SIZE);
    world_end(&world);
}
