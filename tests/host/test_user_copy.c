/* SPDX-License-Identifier: MIT */
/*
 * Readers and writers of user memory: spans and their limits, copies that are cut short by a fault
 * and say how far they came, words.
 */
#include "mm/user_copy.h"

#include <string.h>

#include "lib/counter.h"
#include "machine/oracle.h"
#include "support.h"

#define BASE (4 * GIB)

static unsigned char buffer[5 * 4096];

static struct user_span span_of(struct world *world, uint64_t at, uint64_t bytes)
{
    struct user_span span = {0};

    EXPECT_OK(user_span_make(world->space, va(at), bytes, &span));
    EXPECT_EQ(span.va.raw, at);
    EXPECT_EQ(span.remain_bytes, bytes);
    return span;
}

/* Four pages RW at BASE, then R, then X, then nothing. */
static struct world world_with_pages(unsigned levels, struct frame **frames)
{
    static const enum vm_prot prots[] = {VM_RW, VM_RW, VM_RW, VM_RW, VM_R, VM_X};
    struct world world = world_begin(levels);

    for (uint64_t i = 0; i < ARRAY_LEN(prots); i++) {
        frames[i] = frame_new();
        map_at(&world, BASE + i * PAGE_SIZE, frames[i], prots[i]);
    }
    return world;
}

MODE_TEST(user_copy, spans_lie_inside_the_user_limit)
{
    struct world world = world_begin(*levels);
    uint64_t limit = vm_space_user_limit().raw;
    struct user_span span = {{7}, 7};

    EXPECT_OK(user_span_make(world.space, va(0), limit, &span));
    EXPECT_OK(user_span_make(world.space, va(limit), 0, &span));
    EXPECT_OK(user_span_make(world.space, va(limit - 1), 1, &span));
    span = (struct user_span){{7}, 7};
    EXPECT_STATUS(user_span_make(world.space, va(limit - 1), 2, &span), ERR_RANGE);
    EXPECT_STATUS(user_span_make(world.space, va(limit), 1, &span), ERR_RANGE);
    EXPECT_STATUS(user_span_make(world.space, va(limit + 1), 0, &span), ERR_RANGE);
    EXPECT_STATUS(user_span_make(world.space, va(0), limit + 1, &span), ERR_RANGE);
    EXPECT_STATUS(user_span_make(world.space, va(1), UINT64_MAX, &span), ERR_RANGE);
    EXPECT_STATUS(user_span_make(world.space, va(UINT64_MAX), 1, &span), ERR_RANGE);
    EXPECT_STATUS(user_span_make(world.space, va(UINT64_MAX), 2, &span), ERR_RANGE);
    EXPECT_STATUS(user_span_make(world.space, va(UINT64_C(0xffffffff80000000)), 8, &span),
                  ERR_RANGE);
    EXPECT_EQ(span.va.raw, 7);
    EXPECT_EQ(span.remain_bytes, 7);
    world_end(&world);
}

MODE_TEST(user_copy, only_the_active_space_can_be_touched)
{
    struct world world = world_begin(*levels);
    struct user_span span;
    struct vm_space *other;
    uint32_t word = 1;

    EXPECT_OK(vm_space_create(NULL, &other));
    EXPECT_STATUS(user_span_make(other, va(BASE), 8, &span), ERR_ACCES);
    EXPECT_STATUS(user_read_object(other, va(BASE), buffer, 8), ERR_ACCES);
    EXPECT_STATUS(user_write_object(other, va(BASE), buffer, 8), ERR_ACCES);
    EXPECT_STATUS(user_load_u32(other, va(BASE), &word), ERR_ACCES);
    EXPECT_STATUS(user_compare_exchange_u32(other, va(BASE), &word, 2), ERR_ACCES);
    EXPECT_EQ(word, 1);
    host_hart_set(1); /* the world's space is active on hart 0 only */
    EXPECT_STATUS(user_span_make(world.space, va(BASE), 8, &span), ERR_ACCES);
    host_hart_set(0);
    vm_space_put(other);
    reap_all();
    world_end(&world);
}

MODE_TEST(user_copy, what_is_written_is_read_across_pages)
{
    struct frame *frames[6];
    struct world world = world_with_pages(*levels, frames);
    struct user_span span = span_of(&world, BASE + 100, 3 * PAGE_SIZE);
    static unsigned char text[3 * 4096];
    uint64_t done = 0;

    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (unsigned char)(i * 7 + i / 256);
    }
    EXPECT_OK(user_write(&span, text, sizeof(text), &done));
    EXPECT_EQ(done, sizeof(text));
    EXPECT_EQ(span.remain_bytes, 0);
    EXPECT_EQ(span.va.raw, BASE + 100 + 3 * PAGE_SIZE);
    cr_assert(memcmp((unsigned char *)frame_bytes(frames[0]) + 100, text, PAGE_SIZE - 100) == 0);
    cr_assert(memcmp(frame_bytes(frames[1]), text + PAGE_SIZE - 100, PAGE_SIZE) == 0);
    cr_assert(((unsigned char *)frame_bytes(frames[3]))[100] == 0, "a byte too many");
    span = span_of(&world, BASE + 100, 3 * PAGE_SIZE);
    EXPECT_OK(user_read(&span, buffer, sizeof(text), &done));
    cr_assert(memcmp(buffer, text, sizeof(text)) == 0);
    span = span_of(&world, BASE + 101, PAGE_SIZE);
    EXPECT_OK(user_fill_zeros(&span, PAGE_SIZE, &done));
    EXPECT_EQ(done, PAGE_SIZE);
    cr_assert(((unsigned char *)frame_bytes(frames[0]))[100] == text[0]);
    cr_assert(((unsigned char *)frame_bytes(frames[0]))[101] == 0);
    cr_assert(((unsigned char *)frame_bytes(frames[1]))[100] == 0);
    cr_assert(((unsigned char *)frame_bytes(frames[1]))[101] == text[PAGE_SIZE + 1]);
    world_end(&world);
}

MODE_TEST(user_copy, a_span_bounds_each_copy)
{
    struct frame *frames[6];
    struct world world = world_with_pages(*levels, frames);
    struct user_span span = span_of(&world, BASE, 10);
    uint64_t done = 0;

    memset(buffer, 1, sizeof(buffer));
    EXPECT_OK(user_write(&span, buffer, 4, &done));
    EXPECT_EQ(done, 4);
    EXPECT_EQ(span.remain_bytes, 6);
    EXPECT_OK(user_write(&span, buffer, 100, &done));
    EXPECT_EQ(done, 6);
    EXPECT_OK(user_write(&span, buffer, 100, &done)); /* nothing remains */
    EXPECT_EQ(done, 0);
    EXPECT_EQ(((unsigned char *)frame_bytes(frames[0]))[9], 1);
    EXPECT_EQ(((unsigned char *)frame_bytes(frames[0]))[10], 0);
    world_end(&world);
}

MODE_TEST(user_copy, limit_only_shrinks_and_skip_stays_inside)
{
    struct world world = world_begin(*levels);
    struct user_span span = span_of(&world, BASE, 100);

    user_span_limit(&span, 200);
    EXPECT_EQ(span.remain_bytes, 100);
    user_span_limit(&span, 60);
    EXPECT_EQ(span.remain_bytes, 60);
    EXPECT_STATUS(user_span_skip(&span, 61), ERR_RANGE);
    EXPECT_STATUS(user_span_skip(&span, UINT64_MAX), ERR_RANGE);
    EXPECT_EQ(span.va.raw, BASE);
    EXPECT_OK(user_span_skip(&span, 20));
    EXPECT_EQ(span.va.raw, BASE + 20);
    EXPECT_EQ(span.remain_bytes, 40);
    EXPECT_OK(user_span_skip(&span, 40));
    EXPECT_OK(user_span_skip(&span, 0));
    user_span_limit(&span, 0);
    EXPECT_EQ(span.remain_bytes, 0);
    world_end(&world);
}

MODE_TEST(user_copy, a_fault_cuts_the_copy_and_says_where)
{
    struct frame *frames[6];
    struct world world = world_with_pages(*levels, frames);
    uint64_t faults = counter_read(COUNTER_user_copy_faults);
    uint64_t spurious = counter_read(COUNTER_spurious_faults);
    struct user_span span = span_of(&world, BASE + 3 * PAGE_SIZE + 4000, 2 * PAGE_SIZE);
    uint64_t done = 77;

    /* writing: the page after is read-only */
    EXPECT_STATUS(user_write(&span, buffer, 2 * PAGE_SIZE, &done), ERR_FAULT);
    EXPECT_EQ(done, 96);
    EXPECT_EQ(span.va.raw, BASE + 4 * PAGE_SIZE);
    EXPECT_STATUS(user_write(&span, buffer, 1, &done), ERR_FAULT);
    EXPECT_EQ(done, 0);
    EXPECT_STATUS(user_fill_zeros(&span, 1, &done), ERR_FAULT);
    EXPECT_EQ(done, 0);
    /* reading: the page after that is execute-only */
    EXPECT_STATUS(user_read(&span, buffer, 2 * PAGE_SIZE, &done), ERR_FAULT);
    EXPECT_EQ(done, PAGE_SIZE);
    EXPECT_EQ(counter_read(COUNTER_user_copy_faults), faults + 4);
    EXPECT_EQ(counter_read(COUNTER_spurious_faults), spurious);
    /* and then nothing is mapped */
    EXPECT_STATUS(user_read_object(world.space, va(BASE + 6 * PAGE_SIZE), buffer, 1), ERR_FAULT);
    EXPECT_STATUS(user_read_object(world.space, va(0), buffer, 1), ERR_FAULT);
    EXPECT_STATUS(user_write_object(world.space, va(BASE - 4), buffer, 8), ERR_FAULT);
    world_end(&world);
}

MODE_TEST(user_copy, nothing_is_copied_from_nowhere)
{
    struct world world = world_begin(*levels);
    struct user_span span = span_of(&world, BASE, 0);
    uint64_t done = 7;

    EXPECT_OK(user_read(&span, buffer, 100, &done));
    EXPECT_EQ(done, 0);
    EXPECT_OK(user_read_object(world.space, va(BASE), buffer, 0)); /* nothing mapped, no access */
    EXPECT_STATUS(user_read_object(world.space, va(BASE), buffer, UINT64_MAX), ERR_RANGE);
    EXPECT_STATUS(user_write_object(world.space, va(UINT64_MAX), buffer, 8), ERR_RANGE);
    world_end(&world);
}

MODE_TEST(user_copy, words_are_loaded_and_exchanged)
{
    struct frame *frames[6];
    struct world world = world_with_pages(*levels, frames);
    uint32_t *words = frame_bytes(frames[0]);
    uint32_t value = 5;
    uint32_t seen;

    words[3] = UINT32_MAX; /* what a fault might look like */
    EXPECT_OK(user_load_u32(world.space, va(BASE + 12), &value));
    EXPECT_EQ(value, UINT32_MAX);
    seen = 1;
    EXPECT_OK(user_compare_exchange_u32(world.space, va(BASE + 12), &seen, 2));
    EXPECT_EQ(seen, UINT32_MAX); /* not stored */
    EXPECT_EQ(words[3], UINT32_MAX);
    EXPECT_OK(user_compare_exchange_u32(world.space, va(BASE + 12), &seen, 2));
    EXPECT_EQ(seen, UINT32_MAX);
    EXPECT_EQ(words[3], 2);
    world_end(&world);
}

MODE_TEST(user_copy, words_that_cannot_be_touched)
{
    struct frame *frames[6];
    struct world world = world_with_pages(*levels, frames);
    uint64_t limit = vm_space_user_limit().raw;
    uint32_t value = 5;
    uint32_t seen = 5;

    for (uint64_t offset = 1; offset < 4; offset++) {
        EXPECT_STATUS(user_load_u32(world.space, va(BASE + offset), &value), ERR_INVAL);
        EXPECT_STATUS(user_compare_exchange_u32(world.space, va(BASE + offset), &seen, 1),
                      ERR_INVAL);
    }
    EXPECT_STATUS(user_load_u32(world.space, va(limit), &value), ERR_RANGE);
    EXPECT_STATUS(user_load_u32(world.space, va(UINT64_MAX - 3), &value), ERR_RANGE);
    EXPECT_STATUS(user_load_u32(world.space, va(limit - 4), &value), ERR_FAULT);
    EXPECT_STATUS(user_load_u32(world.space, va(BASE + 5 * PAGE_SIZE), &value), ERR_FAULT);
    EXPECT_STATUS(user_compare_exchange_u32(world.space, va(BASE + 4 * PAGE_SIZE), &seen, 1),
                  ERR_FAULT);
    EXPECT_EQ(value, 5);
    EXPECT_EQ(seen, 5);
    world_end(&world);
}

static void make_writable(struct vm_rights *rights, void *context)
{
    (void)context;
    rights->prop.prot = VM_RW;
}

/* Two read-only pages that the hart knows become writable, which nobody is told.  The address is
 * `before` bytes before the second one. */
static uint64_t loosened(struct world *world, uint64_t at, uint64_t before)
{
    struct vm_cursor cursor;
    struct va_range changed;

    for (uint64_t page = at; page < at + 2 * PAGE_SIZE; page += PAGE_SIZE) {
        map_at(world, page, frame_new(), VM_R);
    }
    cursor = cursor_open(world, at, 2 * PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_protect_next(&cursor, PAGE_SIZE, make_writable, NULL, &changed));
    EXPECT_OK(vm_cursor_protect_next(&cursor, PAGE_SIZE, make_writable, NULL, &changed));
    vm_cursor_close(&cursor);
    cr_assert(hart_may_fault(0, at, ORACLE_WRITE), "the hart may remember fewer rights");
    return at + PAGE_SIZE - before;
}

/* What the entry permits is done, even if the hart remembers that it was not permitted. */
MODE_TEST(user_copy, a_spurious_fault_is_no_fault)
{
    struct world world = world_begin(*levels);
    uint64_t faults = counter_read(COUNTER_user_copy_faults);
    uint64_t at = loosened(&world, BASE, 5);
    uint64_t done = 0;
    uint64_t text = UINT64_C(0x0102030405060708);
    uint64_t back = 0;
    uint32_t seen = 0;
    struct user_span span = span_of(&world, at, 8);

    EXPECT_OK(user_write(&span, &text, 8, &done));
    EXPECT_EQ(done, 8);
    EXPECT_OK(user_read_object(world.space, va(at), &back, 8));
    EXPECT_EQ(back, text);
    at = loosened(&world, BASE + 2 * PAGE_SIZE, 5);
    span = span_of(&world, at, 8);
    EXPECT_OK(user_fill_zeros(&span, 8, &done));
    EXPECT_EQ(done, 8);
    at = loosened(&world, BASE + 4 * PAGE_SIZE, 4);
    EXPECT_OK(user_compare_exchange_u32(world.space, va(at), &seen, 9));
    EXPECT_EQ(seen, 0);
    EXPECT_OK(user_load_u32(world.space, va(at), &seen));
    EXPECT_EQ(seen, 9);
    EXPECT_EQ(counter_read(COUNTER_user_copy_faults), faults);
    world_end(&world);
}

/* ---- another hart replaces the page while this one copies ---- */

static struct {
    struct world *world;
    unsigned times; /* still to come */
} replacing;

/* A hart that may remember that nothing was there does. */
static unsigned choose_to_fault(const struct oracle_step *step, unsigned count)
{
    return step->kind == ORACLE_USER ? count - 1 : 0;
}

/* Between this hart's fence and its next try. */
static void replace_once(void *context, struct tlb_op op)
{
    (void)context;
    (void)op;
    if (replacing.times == 0) {
        return;
    }
    replacing.times--;
    host_hart_set(1);
    map_at(replacing.world, BASE, frame_new(), VM_RW);
    host_hart_set(0);
}

MODE_TEST(user_copy, a_page_that_is_replaced_again_and_again_is_no_fault)
{
    static const struct oracle_driver driver = {.choose = choose_to_fault};
    struct world world = world_begin(*levels);
    uint64_t spurious = counter_read(COUNTER_spurious_faults);
    uint64_t value = 7;

    map_at(&world, BASE, frame_new(), VM_RW);
    replacing.world = &world;
    replacing.times = 6;
    host_on_flush(replace_once, NULL);
    oracle_drive(&driver);
    EXPECT_OK(user_write_object(world.space, va(BASE), &value, sizeof(value)));
    oracle_drive(NULL);
    host_on_flush(NULL, NULL);
    cr_assert(counter_read(COUNTER_spurious_faults) - spurious > 3, "no hart faulted");
    world_end(&world);
}
