/* SPDX-License-Identifier: MIT */
/*
 * Handles: rights only shrink, a number that was given up never works again, a full table says so
 * and loses nothing.
 */
#include "support.h"

static void rights_check(void)
{
    handle_t copy = HANDLE_NONE;
    handle_t more = HANDLE_NONE;
    uint64_t type = 0;
    uint64_t rights = 0;

    tap_status(sys_handle_info(user_self(), &type, &rights, NULL), 0,
               "the own process can be asked");
    tap_ok(type == HANDLE_PROCESS && rights == RIGHT_ALL, "it is a process, with all rights");
    tap_status(sys_handle_duplicate(user_self(), RIGHT_READ | RIGHT_DUPLICATE, &copy), 0,
               "a copy with fewer rights");
    (void)sys_handle_info(copy, &type, &rights, NULL);
    tap_ok(type == HANDLE_PROCESS && rights == (RIGHT_READ | RIGHT_DUPLICATE),
           "has just those rights");
    tap_status(sys_handle_duplicate(copy, RIGHT_READ | RIGHT_MAP, &more), -SYS_EACCES,
               "rights do not grow again");
    tap_status(sys_vm_map(copy, PLACE, PAGE, RW, 0, NULL), -SYS_EACCES, "it maps nothing");
    tap_status(sys_vm_query(copy, PLACE, NULL, NULL, NULL, NULL, NULL, NULL), 0, "it may look");
    tap_status(sys_handle_duplicate(copy, 0, &more), 0, "a copy without rights");
    tap_status(sys_handle_duplicate(more, 0, NULL), -SYS_EACCES, "cannot be copied");
    tap_status(sys_handle_close(more), 0, "but closed");
    tap_status(sys_handle_close(copy), 0, "as the other");
}

static void stale_check(void)
{
    handle_t first = HANDLE_NONE;
    handle_t next = HANDLE_NONE;
    unsigned same = 0;

    (void)sys_handle_duplicate(user_self(), RIGHT_ALL, &first);
    tap_status(sys_handle_close(first), 0, "a handle is closed");
    tap_status(sys_handle_close(first), -SYS_EBADF, "once");
    for (int i = 0; i < 1000; i++) {
        (void)sys_handle_duplicate(user_self(), RIGHT_ALL, &next);
        same += next == first ? 1 : 0;
        (void)sys_handle_close(next);
    }
    tap_is(same, 0, "its number does not come again soon");
    tap_status(sys_handle_info(first, NULL, NULL, NULL), -SYS_EBADF, "and stays bad");
}

static void transfer_check(void)
{
    handle_t process = HANDLE_NONE;
    handle_t theirs = HANDLE_NONE;
    handle_t weak = HANDLE_NONE;

    (void)sys_process_create((uintptr_t) "receiver", 8, 0, &process);
    (void)sys_handle_duplicate(user_console(), RIGHT_WRITE | RIGHT_TRANSFER, &weak);
    tap_status(sys_handle_transfer(process, weak, RIGHT_WRITE, &theirs), 0, "a handle is given");
    tap_ok(theirs != HANDLE_NONE, "and has a number there");
    tap_status(sys_handle_transfer(process, weak, RIGHT_READ, &theirs), -SYS_EACCES,
               "not with rights that the giver lacks");
    tap_status(sys_handle_close(weak), 0, "the giver keeps his");
    (void)sys_process_kill(process);
    tap_status(sys_handle_transfer(process, user_console(), 0, &theirs), -SYS_ESRCH,
               "nothing is given to the dead");
    (void)sys_handle_close(process);
}

static handle_t handles[HANDLE_MAX];

/* Takes handles until there is no room. */
static uint64_t table_fill(void)
{
    uint64_t count = 0;

    while (count < HANDLE_MAX &&
           sys_handle_duplicate(user_self(), RIGHT_READ, &handles[count]) == 0) {
        count++;
    }
    return count;
}

static void table_empty(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        (void)sys_handle_close(handles[i]);
    }
}

static void full_check(void)
{
    handle_t another = HANDLE_NONE;

    table_empty(table_fill()); /* the table keeps the memory that it has grown to */
    uint64_t before = frames_free();
    uint64_t count = table_fill();

    tap_ok(count >= HANDLE_MAX - 8 && count < HANDLE_MAX, "the table fills up");
    tap_status(sys_handle_duplicate(user_self(), 0, &another), -SYS_ENOSPC, "no further copy");
    tap_status(sys_process_create((uintptr_t) "none", 4, 0, &another), -SYS_ENOSPC, "no process");
    tap_status(sys_thread_start(user_self(), PLACE, PLACE, 0, 0, &another), -SYS_ENOSPC,
               "no thread");
    long opened = sys_io_open(user_machine(), 0, &another);
    tap_ok(opened == -SYS_ENOSPC || opened == -SYS_ENOENT, "no I/O region");
    tap_status(sys_process_open(user_machine(), 1, &another), -SYS_ENOSPC, "nor an opened process");
    table_empty(count);
    tap_status(sys_handle_duplicate(user_self(), 0, &another), 0, "room comes back");
    (void)sys_handle_close(another);
    tap_is(frames_free(), before, "nothing was lost");
}

int main(void)
{
    rights_check();
    stale_check();
    transfer_check();
    full_check();
    return tap_done();
}
