/* SPDX-License-Identifier: MIT */
/*
 * What a handle's rights let one do with a memory object: each call wants its own, and who has no
 * WRITE has a view, which never becomes writable: not by vm_protect, before or after the first
 * access, nor hidden in between; not by mapping it again or moving it; not in a clone or a forked
 * child, nor by vm_write, nor through another handle; and private pages keep to themselves.
 */
#include "memory.h"

#define PAGES  4U
#define BOARD  (PLACE + 0x10000000)
#define OTHER  (PLACE + 0x20000000)
#define SECRET UINT64_C(0x5ec7e7)

static long protect(uint64_t address, uint64_t pages, uint64_t prot)
{
    return sys_vm_protect(user_self(), address, pages * PAGE, prot, NULL);
}

static uint64_t word_in(handle_t memory, uint64_t page)
{
    uint64_t word = 0;

    (void)sys_memory_read(memory, page * PAGE, (uintptr_t)&word, sizeof(word), NULL);
    return word;
}

/* ---- calls and their rights ---- */

static handle_t with_rights(handle_t memory, uint64_t rights)
{
    handle_t copy = HANDLE_NONE;

    (void)sys_handle_duplicate(memory, rights, &copy);
    return copy;
}

static void check_calls(handle_t memory)
{
    uint64_t word = 0;
    const uint64_t at = (uintptr_t)&word;
    handle_t none = with_rights(memory, 0);
    handle_t read = with_rights(memory, RIGHT_READ);
    handle_t map = with_rights(memory, RIGHT_MAP);
    handle_t code = with_rights(memory, RIGHT_MAP | RIGHT_READ | RIGHT_EXECUTE);
    handle_t view = with_rights(memory, RIGHT_MAP | RIGHT_READ);

    tap_status(sys_memory_info(none, NULL, NULL), 0, "who has no right may measure");
    tap_status(sys_memory_read(none, 0, at, 8, NULL), -SYS_EACCES, "and not read");
    tap_status(sys_memory_read(read, 0, at, 8, NULL), 0, "READ reads");
    tap_status(sys_memory_write(read, 0, at, 8, NULL), -SYS_EACCES, "and does not write");
    tap_status(sys_memory_resize(view, 0), -SYS_EACCES, "resizing wants MANAGE");
    tap_status(memory_map(read, OTHER, 1, VM_PROT_R, 0), -SYS_EACCES, "mapping wants MAP");
    tap_status(memory_map(map, OTHER, 1, VM_PROT_R, 0), -SYS_EACCES, "and READ");
    tap_status(memory_map(map, OTHER, 1, VM_PROT_NONE, 0), -SYS_EACCES, "even for no rights yet");
    tap_status(memory_map(view, OTHER, 1, VM_PROT_R | VM_PROT_X, 0), -SYS_EACCES,
               "code wants EXECUTE");
    tap_status(memory_map(code, OTHER, 1, RW, 0), -SYS_EACCES, "W wants WRITE");
    tap_status(memory_map(code, OTHER, 1, VM_PROT_R | VM_PROT_X, 0), 0, "code is mapped");
    (void)page_unmap(OTHER, PAGE);
    (void)sys_handle_close(none);
    (void)sys_handle_close(read);
    (void)sys_handle_close(map);
    (void)sys_handle_close(code);
    (void)sys_handle_close(view);
}

/* ---- a view ---- */

static int view_is_kept(uint64_t address)
{
    struct seen seen = memory_seen(user_self(), address);

    return (seen.prot & VM_PROT_W) == 0 && seen.flags != UINT64_MAX &&
           (seen.flags & (VM_STATE_VIEW | VM_STATE_PRIVATE)) == VM_STATE_VIEW;
}

/* vm_protect, in each state that pages of a view can be in. */
static void check_protect(void)
{
    tap_ok(view_is_kept(PLACE), "a view that was not touched");
    tap_status(protect(PLACE, 1, RW), -SYS_EACCES, "vm_protect gives it no W");
    tap_is(*word_at(PLACE), SECRET, "it is read");
    tap_ok(view_is_kept(PLACE), "a view that was");
    tap_status(protect(PLACE, 1, RW), -SYS_EACCES, "no W now");
    tap_status(protect(PLACE, 1, VM_PROT_R | VM_PROT_W | VM_PROT_X), -SYS_EACCES, "nor with X");
    tap_status(protect(PLACE, PAGES, VM_PROT_NONE), 0, "hidden");
    tap_ok(view_is_kept(PLACE) && view_is_kept(PLACE + PAGE), "it stays a view");
    tap_status(protect(PLACE, 1, RW), -SYS_EACCES, "no W from there");
    tap_status(protect(PLACE + PAGE, 1, RW), -SYS_EACCES, "nor if it was never touched");
    tap_status(protect(PLACE, PAGES, VM_PROT_R), 0, "shown");
    tap_is(*word_at(PLACE), SECRET, "it is read again");
    tap_ok(view_is_kept(PLACE), "and still a view");
    check_touch(ACCESS_WRITE, PLACE, "a write to a page that was read");
    check_touch(ACCESS_WRITE, PLACE + PAGE, "a write to a page that was not");
}

/* What lies before the view is changed, what lies behind is not. */
static void check_between(handle_t view)
{
    (void)page_map(OTHER, PAGE, VM_PROT_R);
    (void)memory_map(view, OTHER + PAGE, 1, VM_PROT_R, 0);
    (void)page_map(OTHER + 2 * PAGE, PAGE, VM_PROT_R);
    uint64_t pages = 0;

    tap_status(sys_vm_protect(user_self(), OTHER, 3 * PAGE, RW, &pages), -SYS_EACCES,
               "W for memory, a view, memory");
    tap_is(pages, 1, "one page has it");
    tap_ok(memory_seen(user_self(), OTHER).prot == RW && view_is_kept(OTHER + PAGE) &&
               memory_seen(user_self(), OTHER + 2 * PAGE).prot == VM_PROT_R,
           "the one before the view");
    (void)page_unmap(OTHER, 3 * PAGE);
}

/* vm_write reaches pages whatever they permit, but no view. */
static void check_writes(handle_t view)
{
    uint64_t word = 1;
    uint64_t done = 1;

    tap_status(sys_vm_write(user_self(), PLACE, (uintptr_t)&word, 8, &done), -SYS_EFAULT,
               "vm_write does not write to it");
    tap_is(done, 0, "not a byte");
    tap_status(sys_vm_write(user_self(), PLACE + 2 * PAGE, (uintptr_t)&word, 8, NULL), -SYS_EFAULT,
               "nor before it was touched");
    tap_status(sys_vm_read(user_self(), PLACE, (uintptr_t)&word, 8, NULL), 0, "vm_read reads");
    tap_is(word, SECRET, "what is there");
    tap_status(sys_memory_read(view, 0, PLACE + PAGE, 8, NULL), -SYS_EFAULT,
               "no call copies to it");
    tap_status(sys_memory_write(view, 0, (uintptr_t)&word, 8, NULL), -SYS_EACCES,
               "nor is it written by handle");
    tap_status(memory_map(view, PLACE, 1, RW, VM_FLAG_REPLACE), -SYS_EACCES, "mapped again with W");
    tap_status(memory_map(view, PLACE, 1, RW, VM_FLAG_REPLACE | VM_FLAG_NOW), -SYS_EACCES, "now");
    tap_status(sys_memory_map(user_self(), PLACE + PAGE, PAGE, VM_PROT_R,
                              VM_FLAG_REPLACE | VM_FLAG_NOW, view, PAGE, NULL),
               0, "mapped again without, now");
    tap_ok(view_is_kept(PLACE + PAGE), "it is a view");
    tap_status(protect(PLACE + PAGE, 1, RW), -SYS_EACCES, "without W");
}

static void check_clone(void)
{
    handle_t other = HANDLE_NONE;
    uint64_t word = 1;

    (void)sys_process_create((uintptr_t) "other", 5, 0, &other);
    tap_status(sys_vm_clone(user_self(), other, PLACE, PAGES * PAGE, OTHER, NULL), 0, "cloned");
    for (uint64_t i = 0; i < PAGES; i++) {
        struct seen seen = memory_seen(other, OTHER + i * PAGE);

        tap_ok((seen.flags & VM_STATE_VIEW) != 0 && (seen.prot & VM_PROT_W) == 0,
               "page %u of the clone is a view", (unsigned)i);
        tap_status(sys_vm_protect(other, OTHER + i * PAGE, PAGE, RW, NULL), -SYS_EACCES,
                   "and gets no W");
    }
    tap_status(sys_vm_write(other, OTHER, (uintptr_t)&word, 8, NULL), -SYS_EFAULT,
               "nor is it written from outside");
    (void)sys_process_kill(other);
    (void)sys_handle_close(other);
}

/* A page that was accessed and one that was not change their place, and come back. */
static void check_move(void)
{
    tap_status(sys_vm_move(user_self(), user_self(), PLACE, PAGES * PAGE, OTHER, NULL), 0, "moved");
    for (uint64_t i = 0; i < PAGES; i++) {
        tap_ok(view_is_kept(OTHER + i * PAGE), "page %u is a view there", (unsigned)i);
        tap_status(protect(OTHER + i * PAGE, 1, RW), -SYS_EACCES, "and gets no W");
    }
    tap_status(sys_vm_move(user_self(), user_self(), OTHER, PAGES * PAGE, PLACE, NULL), 0,
               "moved back");
}

static int forked_run(void *argument)
{
    (void)argument;
    for (uint64_t i = 0; i < PAGES; i++) {
        if (!view_is_kept(PLACE + i * PAGE) || protect(PLACE + i * PAGE, 1, RW) != -SYS_EACCES) {
            return 1;
        }
    }
    return *word_at(PLACE) == SECRET ? 0 : 2;
}

/* Who may only read has pages of its own to write to, and the object none of it. */
static void check_private(handle_t view)
{
    tap_status(memory_map(view, OTHER, PAGES, RW, VM_FLAG_PRIVATE), 0, "a private mapping with W");
    tap_is(*word_at(OTHER), SECRET, "begins with what is in the object");
    *word_at(OTHER) = 1;
    *word_at(OTHER + PAGE) = 2;
    tap_status(sys_vm_write(user_self(), OTHER + 2 * PAGE, OTHER, 8, NULL), 0, "and by vm_write");
    tap_is(*word_at(PLACE), SECRET, "the view does not see what is written");
    tap_ok(*word_at(PLACE + PAGE) == 0 && *word_at(PLACE + 2 * PAGE) == 0,
           "nor on pages that were not used");
    (void)page_unmap(OTHER, PAGES * PAGE);
}

/* Another process, which has READ and MAP only.  Word 0 of the board: the handle there. */
static int reader_run(void *argument)
{
    struct board *board = argument;
    handle_t view = (handle_t)board_wait(&board->words[0]);

    if (sys_handle_duplicate(view, RIGHT_ALL, NULL) != -SYS_EACCES ||
        memory_map(view, OTHER, PAGES, RW, 0) != -SYS_EACCES ||
        memory_map(view, OTHER, PAGES, VM_PROT_R, 0) != 0 || *word_at(OTHER) != SECRET) {
        return 1;
    }
    return protect(OTHER, PAGES, RW) == -SYS_EACCES && view_is_kept(OTHER) ? 0 : 2;
}

int main(void)
{
    handle_t memory = memory_make(PAGES);
    handle_t view = with_rights(memory, RIGHT_READ | RIGHT_MAP);
    struct board *board = board_make(BOARD);
    uint64_t word = SECRET;

    if (!tap_ok(board != NULL, "a page is shared with children")) {
        return tap_done();
    }
    (void)sys_memory_write(memory, 0, (uintptr_t)&word, sizeof(word), NULL);
    check_calls(memory);
    tap_status(memory_map(view, PLACE, PAGES, VM_PROT_R, 0), 0, "who has READ has a view");
    check_protect();
    check_between(view);
    check_writes(view);
    check_clone();
    check_move();
    check_child(forked_run, NULL, 0, "a forked child has the same view");
    check_private(view);
    handle_t reader = memory_share(reader_run, board, 0, memory, RIGHT_READ | RIGHT_MAP);
    memory_finish(reader, "who was given the right to read gets no more");
    tap_is(word_in(memory, 0), SECRET, "the object is as it was");
    for (unsigned page = 1; page < PAGES; page++) {
        tap_is(word_in(memory, page), 0, "page %u too", page);
    }
    return tap_done();
}
