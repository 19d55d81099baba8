/* SPDX-License-Identifier: MIT */
/*
 * Objects whose memory comes in 2 MiB: mapped by one entry where place and offset fit, in 4 KiB
 * elsewhere, privately, and from several processes; all see the same memory.  Reading, writing and
 * resizing by handle.
 */
#include "large.h"
#include "memory.h"

#define BYTES (3 * LARGE)
#define THERE (PLACE + 2 * GIB) /* a second mapping       */
#define ODD   (PLACE + 3 * GIB + 5 * PAGE)

static handle_t object;

static long object_map(uint64_t address, uint64_t bytes, uint64_t prot, uint64_t flags,
                       uint64_t offset)
{
    return sys_memory_map(user_self(), address, bytes, prot, flags, object, offset, NULL);
}

static void check_now(void)
{
    uint64_t mapped = counter_value("blocks_mapped");

    tap_is(memory_frames(object), 0, "it has no memory yet");
    tap_status(object_map(PLACE, BYTES, RW, VM_FLAG_NOW, 0), 0, "all of it is mapped now");
    large_is(PLACE, BYTES, BYTES, 0, "now");
    tap_is(counter_value("blocks_mapped") - mapped, 3, "by 3 entries");
    tap_is(memory_frames(object), 3 * PARTS, "it has all its memory");
    large_write(PLACE, BYTES, 1);
    mapped = counter_value("blocks_mapped");
    tap_status(object_map(THERE, LARGE, RW, VM_FLAG_NOW, LARGE), 0, "a part of it once more");
    tap_is(counter_value("blocks_mapped") - mapped, 1, "by 1 entry");
    tap_is(large_wrong_at(THERE, LARGE, 1, PLACE + LARGE), 0, "is the same memory");
    tap_is(large_tally(user_self(), THERE, LARGE).shared, PARTS, "and said to be shared");
    *word_at(THERE) = 77;
    tap_is(*word_at(PLACE + LARGE), 77, "what is stored there is seen here");
}

/* Where it does not fit, in pages of 4 KiB, which hold parts of the block. */
static void check_slices(void)
{
    uint64_t word = 0;

    tap_status(object_map(ODD, LARGE + 8 * PAGE, RW, VM_FLAG_NOW, PAGE), 0, "at an odd place");
    large_is(ODD, LARGE + 8 * PAGE, 0, 0, "odd");
    tap_is(large_wrong_at(ODD, LARGE + 8 * PAGE, 1, PLACE + PAGE), 0, "it is the same memory");
    tap_status(sys_memory_resize(object, 0), -SYS_EBUSY, "what is mapped cannot be cut off");
    tap_status(page_unmap(PLACE, BYTES), 0, "the whole mapping goes");
    tap_status(page_unmap(THERE, LARGE), 0, "and the second");
    *word_at(ODD) = 78;
    tap_status(sys_memory_read(object, PAGE, (uintptr_t)&word, sizeof(word), NULL), 0,
               "the object is read by its handle");
    tap_is(word, 78, "and has what was stored");
    tap_status(page_unmap(ODD, LARGE + 8 * PAGE), 0, "the odd mapping goes");
}

static void check_touch_first(void)
{
    uint64_t mapped = counter_value("blocks_mapped");

    tap_status(object_map(PLACE, BYTES, RW, 0, 0), 0, "it is mapped for the first access");
    tap_is(*word_at(PLACE + LARGE), 77, "which finds what is in it");
    *word_at(PLACE + 2 * LARGE + 8) = 5;
    tap_is(counter_value("blocks_mapped") - mapped, 2, "each by one entry");
    tap_status(page_unmap(PLACE + LARGE + 9 * PAGE, PAGE), 0, "a part is unmapped");
    large_is(PLACE + LARGE, LARGE, 0, PAGE, "split");
    tap_is(large_wrong(PLACE + LARGE + 10 * PAGE, LARGE - 10 * PAGE, 1), 0, "the rest is there");
    tap_status(page_unmap(PLACE, BYTES), 0, "the mapping goes");
}

static void check_private(void)
{
    uint64_t replaced = counter_value("frames_replaced");
    uint64_t word = 0;

    tap_status(object_map(PLACE, LARGE, RW, VM_FLAG_PRIVATE, LARGE), 0, "privately");
    tap_is(*word_at(PLACE), 77, "it reads as the object");
    *word_at(PLACE) = 6;
    tap_ok(counter_value("frames_replaced") - replaced <= 1, "a store copies 4 KiB");
    tap_status(sys_memory_read(object, LARGE, (uintptr_t)&word, sizeof(word), NULL), 0,
               "the object");
    tap_is(word, 77, "does not see it");
    tap_is(*word_at(PLACE), 6, "this process does");
    tap_status(page_unmap(PLACE, LARGE), 0, "the mapping goes");
}

static int store_word(void *argument)
{
    (void)argument;
    if (*word_at(PLACE + LARGE) != 77) {
        return 1;
    }
    *word_at(PLACE + LARGE + 8 * PAGE) = 99;
    return 0;
}

static void check_fork(void)
{
    tap_status(object_map(PLACE, BYTES, RW, VM_FLAG_NOW, 0), 0, "it is mapped");
    check_child(store_word, NULL, 0, "a copy of this process stores into it");
    tap_is(*word_at(PLACE + LARGE + 8 * PAGE), 99, "which is seen here");
    large_is(PLACE, BYTES, BYTES, 0, "after a fork");
    tap_status(page_unmap(PLACE, BYTES), 0, "the mapping goes");
}

static void check_resize(void)
{
    uint64_t word = 1;

    (void)frames_free(); /* what the copy had mapped is gone, too */
    tap_status(sys_memory_resize(object, LARGE + PAGE), -SYS_EINVAL, "its size is whole pages");
    tap_status(sys_memory_resize(object, LARGE), 0, "it becomes shorter");
    tap_is(memory_frames(object), PARTS, "what is cut off is gone");
    tap_status(sys_memory_resize(object, BYTES), 0, "and longer");
    tap_status(sys_memory_read(object, LARGE, (uintptr_t)&word, sizeof(word), NULL), 0,
               "what was cut off");
    tap_is(word, 0, "reads as zeroes");
    tap_is(memory_frames(object), PARTS, "and has no memory");
    word = 123;
    tap_status(sys_memory_write(object, BYTES - 8, (uintptr_t)&word, sizeof(word), NULL), 0,
               "until it is written");
    tap_is(memory_frames(object), 2 * PARTS, "in 2 MiB");
}

int main(void)
{
    uint64_t free_before = frames_free();

    tap_status(sys_memory_create(BYTES, VM_FLAG_2M, &object), 0, "an object of 6 MiB");
    check_now();
    check_slices();
    check_touch_first();
    check_private();
    check_fork();
    check_resize();
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "the kernel's audit finds no fault");
    tap_status(sys_handle_close(object), 0, "it is closed");
    tap_ok(frames_free() + 32 > free_before, "its memory came back");
    return tap_done();
}
