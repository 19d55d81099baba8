/* SPDX-License-Identifier: MIT */
/*
 * Memory objects: made, read and written by handle, resized, mapped here and in other processes
 * with different rights, private and shared; every error of their calls; and nothing stays when
 * handles and mappings have gone.
 */
#include <string.h>

#include "memory.h"

#define PAGES 8U
#define BOARD (PLACE + 0x10000000)
#define OTHER (PLACE + 0x20000000)
#define TERA  (UINT64_C(1) << 40)

static char buffer[3 * PAGE];

static void check_as_a_whole(void)
{
    handle_t memory = HANDLE_NONE;
    uint64_t bytes = 1;
    uint64_t used = 1;

    tap_status(sys_memory_create(PAGE - 1, 0, &memory), -SYS_EINVAL, "no page multiple");
    tap_status(sys_memory_create(256 * TERA + PAGE, 0, &memory), -SYS_ERANGE, "more than 256 TiB");
    tap_status(sys_memory_create(256 * TERA, 0, &memory), 0, "256 TiB are made");
    tap_status(sys_memory_write(memory, 256 * TERA - 1, (uintptr_t) "x", 1, NULL), 0,
               "their last byte is written");
    tap_status(sys_memory_info(memory, &bytes, &used), 0, "they are measured");
    tap_ok(bytes == 256 * TERA && used == PAGE, "one page of them has memory");
    tap_status(sys_handle_close(memory), 0, "and closed");
    tap_status(sys_memory_info(memory, NULL, NULL), -SYS_EBADF, "a closed handle says nothing");
    tap_status(sys_memory_info(user_self(), NULL, NULL), -SYS_EBADF, "nor does a process's");
    tap_status(sys_memory_create(0, 0, &memory), 0, "an empty one is made");
    tap_status(sys_memory_resize(memory, PAGE + 1), -SYS_EINVAL, "no page multiple");
    tap_status(sys_memory_resize(memory, 256 * TERA + PAGE), -SYS_ERANGE, "more than 256 TiB");
    tap_status(sys_memory_resize(memory, PAGES * PAGE), 0, "it grows");
    (void)sys_memory_info(memory, &bytes, &used);
    tap_ok(bytes == PAGES * PAGE && used == 0, "and has no memory yet");
    (void)sys_handle_close(memory);
}

static void check_copies(void)
{
    handle_t memory = memory_make(PAGES);
    uint64_t done = 1;
    const uint64_t to = (uintptr_t)buffer;

    memset(buffer, 1, sizeof(buffer));
    tap_status(sys_memory_read(memory, PAGE / 2, to, 2 * PAGE, &done), 0, "read before written");
    tap_ok(done == 2 * PAGE && buffer[0] == 0 && buffer[2 * PAGE - 1] == 0 && buffer[2 * PAGE] == 1,
           "zeroes, as many as asked for");
    tap_is(memory_frames(memory), 0, "reading makes no memory");
    memset(buffer, 7, sizeof(buffer));
    tap_status(sys_memory_write(memory, PAGE / 2, to, 2 * PAGE, &done), 0, "written");
    tap_is(memory_frames(memory), 3, "three pages have memory now");
    memset(buffer, 0, sizeof(buffer));
    (void)sys_memory_read(memory, 0, to, 3 * PAGE, &done);
    tap_ok(buffer[PAGE / 2 - 1] == 0 && buffer[PAGE / 2] == 7 && buffer[5 * PAGE / 2 - 1] == 7 &&
               buffer[5 * PAGE / 2] == 0,
           "what was written is read, and no more");
    tap_status(sys_memory_read(memory, PAGES * PAGE, to, 0, &done), 0, "nothing at the end");
    tap_status(sys_memory_read(memory, PAGES * PAGE, to, 1, &done), -SYS_ERANGE, "past it");
    tap_status(sys_memory_write(memory, UINT64_MAX, to, 2, &done), -SYS_ERANGE, "past everything");
    tap_status(sys_memory_read(memory, 0, user_limit(), 1, &done), -SYS_ERANGE, "past the user's");
    tap_status(sys_memory_write(memory, 0, PLACE, 1, &done), -SYS_EFAULT, "from nowhere");
    tap_is(done, 0, "nothing of it");
    (void)page_map(PLACE, PAGE, RW);
    tap_status(sys_memory_read(memory, 0, PLACE, 2 * PAGE, &done), -SYS_EFAULT, "half to nowhere");
    tap_is(done, PAGE, "half of it");
    (void)page_unmap(PLACE, PAGE);
    const uint64_t args[7] = {memory, 0, to, 1, 2};
    tap_status(raw_status(51, args), -SYS_EINVAL, "progress past the end");
    (void)sys_handle_close(memory);
}

static void check_sizes(void)
{
    handle_t memory = memory_make(PAGES);

    memset(buffer, 9, PAGE);
    (void)sys_memory_write(memory, 5 * PAGE, (uintptr_t)buffer, PAGE, NULL);
    tap_status(sys_memory_resize(memory, 5 * PAGE), 0, "a page is cut off");
    tap_is(memory_frames(memory), 0, "its memory goes");
    tap_status(sys_memory_resize(memory, 6 * PAGE), 0, "there is room again");
    (void)sys_memory_read(memory, 5 * PAGE, (uintptr_t)buffer, PAGE, NULL);
    tap_is((uint64_t)buffer[0], 0, "which reads as zeroes");
    tap_status(memory_map(memory, PLACE, 4, RW, 0), 0, "four of six pages are mapped");
    tap_status(sys_memory_resize(memory, 3 * PAGE), -SYS_EBUSY, "none of them can be cut off");
    tap_status(sys_memory_resize(memory, 4 * PAGE), 0, "but the others");
    tap_status(page_unmap(PLACE, 4 * PAGE), 0, "unmapped");
    tap_status(sys_memory_resize(memory, 0), 0, "all of it can be cut off");
    tap_status(memory_map(memory, PLACE, 1, RW, 0), -SYS_ERANGE, "and none of it mapped");
    (void)sys_handle_close(memory);
}

/* The same pages at two places and by handle: one memory. */
static void check_shared(void)
{
    handle_t memory = memory_make(PAGES);
    uint64_t word = 0;

    tap_status(memory_map(memory, PLACE, PAGES, RW, 0), 0, "mapped");
    struct seen seen = memory_seen(user_self(), PLACE + PAGE);
    tap_ok(seen.kind == VM_KIND_PAGED && seen.prot == RW && seen.flags == 0, "paged and shared");
    tap_status(sys_memory_map(user_self(), OTHER, 2 * PAGE, VM_PROT_R, 0, memory, PAGE, NULL), 0,
               "two pages from the second one on somewhere else, to be read");
    tap_is(*word_at(OTHER), 0, "zeroes there");
    *word_at(PLACE + PAGE) = 11;
    tap_is(*word_at(OTHER), 11, "what is stored at one place is seen at the other");
    (void)sys_memory_read(memory, PAGE, (uintptr_t)&word, 8, NULL);
    tap_is(word, 11, "and by handle");
    word = 12;
    (void)sys_memory_write(memory, 2 * PAGE, (uintptr_t)&word, 8, NULL);
    tap_ok(*word_at(OTHER + PAGE) == 12 && *word_at(PLACE + 2 * PAGE) == 12, "and back");
    tap_is(memory_frames(memory), 2, "the object has the pages that were used");
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "the audits find nothing");
    check_touch(ACCESS_WRITE, OTHER, "a write where R was asked for");
    tap_status(sys_vm_protect(user_self(), OTHER, PAGE, RW, NULL), 0,
               "who has WRITE may have W there too");
    *word_at(OTHER) = 13;
    tap_is(*word_at(PLACE + PAGE), 13, "and stores");
    tap_status(memory_map(memory, PLACE, PAGES, RW, 0), -SYS_EEXIST, "what is there is not moved");
    tap_status(memory_map(memory, PLACE, PAGES, RW, VM_FLAG_REPLACE), 0, "but replaced");
    tap_is(*word_at(PLACE + PAGE), 13, "by the same");
    (void)page_unmap(PLACE, PAGES * PAGE);
    (void)sys_handle_close(memory);
    tap_is(*word_at(OTHER + PAGE), 12, "without handles the mapping stays");
    (void)page_unmap(OTHER, 2 * PAGE);
}

static void check_private(void)
{
    handle_t memory = memory_make(PAGES);
    uint64_t word = 21;

    (void)sys_memory_write(memory, 0, (uintptr_t)&word, 8, NULL);
    tap_status(memory_map(memory, PLACE, PAGES, RW, VM_FLAG_PRIVATE), 0, "mapped for oneself");
    tap_is(memory_seen(user_self(), PLACE).flags, VM_STATE_PRIVATE, "vm_query says so");
    tap_is(*word_at(PLACE), 21, "what is in the object is read");
    tap_is(*word_at(PLACE + PAGE), 0, "or zeroes");
    tap_is(memory_frames(memory), 1, "for which the object makes no memory");
    *word_at(PLACE) = 22;
    *word_at(PLACE + PAGE) = 23;
    *word_at(PLACE + 2 * PAGE) = 24;
    (void)sys_memory_read(memory, 0, (uintptr_t)&word, 8, NULL);
    tap_ok(word == 21 && memory_frames(memory) == 1, "what is written stays here");
    tap_ok(*word_at(PLACE) == 22 && *word_at(PLACE + PAGE) == 23 &&
               *word_at(PLACE + 2 * PAGE) == 24,
           "and is here");
    (void)page_unmap(PLACE, PAGES * PAGE);
    (void)sys_handle_close(memory);
}

static void check_now(void)
{
    handle_t memory = memory_make(600);
    uint64_t next = 0;

    tap_status(sys_memory_map(user_self(), PLACE, 600 * PAGE, RW, VM_FLAG_NOW, memory, 0, &next), 0,
               "600 pages now");
    tap_is(next, PLACE + 600 * PAGE, "all of them");
    tap_is(memory_frames(memory), 600, "they have memory");
    uint64_t before = counter_value("demand_faults");
    for (uint64_t i = 0; i < 600; i++) {
        *word_at(PLACE + i * PAGE) = i;
    }
    tap_is(counter_value("demand_faults") - before, 0, "and no access faults");
    (void)page_unmap(PLACE, 600 * PAGE);
    tap_is(memory_frames(memory), 600, "they stay in the object");
    (void)sys_handle_close(memory);
}

static void check_map_errors(void)
{
    handle_t memory = memory_make(PAGES);
    handle_t process = HANDLE_NONE;
    uint64_t next = 0;

    tap_status(memory_map(memory, PLACE, 0, RW, 0), -SYS_EINVAL, "no pages");
    tap_status(memory_map(memory, PLACE + 8, 1, RW, 0), -SYS_EINVAL, "no page's address");
    tap_status(memory_map(memory, PLACE, 1, VM_PROT_W, 0), -SYS_EINVAL, "W without R");
    tap_status(memory_map(memory, PLACE, 1, RW, VM_FLAG_NC), -SYS_EINVAL, "another flag");
    tap_status(memory_map(memory, PLACE, 1, VM_PROT_NONE, VM_FLAG_NOW), -SYS_EINVAL,
               "nothing to do now");
    tap_status(memory_map(memory, PLACE, 1, VM_PROT_NONE, 0), 0, "no rights yet");
    check_touch(ACCESS_READ, PLACE, "a read without rights");
    tap_status(sys_vm_protect(user_self(), PLACE, PAGE, RW, NULL), 0, "rights");
    *word_at(PLACE) = 1;
    tap_is(memory_frames(memory), 1, "and memory");
    tap_status(sys_memory_map(user_self(), PLACE - PAGE, 3 * PAGE, RW, 0, memory, 0, &next),
               -SYS_EEXIST, "something is on the way");
    tap_is(next, PLACE, "up to there it is mapped");
    (void)page_unmap(PLACE - PAGE, 3 * PAGE);
    tap_status(memory_map(memory, PLACE, PAGES + 1, RW, 0), -SYS_ERANGE, "more than there is");
    tap_status(sys_memory_map(user_self(), PLACE, PAGE, RW, 0, memory, 1, NULL), -SYS_EINVAL,
               "no page's offset");
    tap_status(sys_memory_map(user_self(), PLACE, PAGE, RW, 0, memory, PAGES * PAGE, NULL),
               -SYS_ERANGE, "behind the end");
    tap_status(
        sys_memory_map(user_self(), PLACE, 2 * PAGE, RW, 0, memory, UINT64_MAX - PAGE + 1, NULL),
        -SYS_ERANGE, "around everything");
    tap_status(memory_map(memory, user_limit() - PAGE, 2, RW, 0), -SYS_ERANGE, "past the user's");
    tap_status(memory_map(user_self(), PLACE, 1, RW, 0), -SYS_EBADF, "no object");
    (void)sys_process_create((uintptr_t) "other", 5, 0, &process);
    (void)sys_process_kill(process);
    (void)sys_quiesce(user_machine());
    tap_status(sys_memory_map(process, PLACE, PAGE, RW, 0, memory, 0, NULL), -SYS_ESRCH,
               "into a process that has ended");
    (void)sys_handle_close(process);
    tap_is(memory_seen(user_self(), PLACE).kind, VM_KIND_ABSENT, "nothing of it stays");
    (void)sys_handle_close(memory);
}

/* Word 0 of the board: the handle here. */
static int other_run(void *argument)
{
    struct board *board = argument;
    handle_t memory = (handle_t)board_wait(&board->words[0]);

    if (memory_map(memory, OTHER, PAGES, VM_PROT_R, 0) != 0 || *word_at(OTHER) != 31) {
        return 1;
    }
    if (memory_map(memory, OTHER + PAGES * PAGE, PAGES, RW, 0) != 0) {
        return 2;
    }
    *word_at(OTHER + PAGES * PAGE + PAGE) = 32;
    return *word_at(OTHER + PAGE) == 32 ? 0 : 3;
}

static void check_other(struct board *board)
{
    handle_t memory = memory_make(PAGES);

    (void)memory_map(memory, PLACE, PAGES, RW, 0);
    *word_at(PLACE) = 31;
    handle_t other = memory_share(other_run, board, 0, memory, RIGHT_ALL);
    memory_finish(other, "another process maps it twice, reads and writes");
    tap_is(*word_at(PLACE + PAGE), 32, "what it has written is here");
    (void)page_unmap(PLACE, PAGES * PAGE);
    (void)sys_handle_close(memory);
}

int main(void)
{
    struct board *board = board_make(BOARD);

    if (!tap_ok(board != NULL, "a page is shared with children")) {
        return tap_done();
    }
    uint64_t before = 0;
    for (unsigned round = 0; round < 2; round++) { /* the first may leave what is kept for later */
        *board = (struct board){0};
        before = round == 1 ? frames_free() : 0;
        check_as_a_whole();
        check_copies();
        check_sizes();
        check_shared();
        check_private();
        check_now();
        check_map_errors();
        check_other(board);
    }
    tap_is(frames_free(), before, "what they had has come back");
    return tap_done();
}
