/* SPDX-License-Identifier: MIT */
/*
 * Absurd numbers on every call that takes numbers: the documented error, and nothing changed.  The
 * calls are made raw, so that arguments which the stubs hide are tried too.
 */
#include "support.h"

/* Arguments that stand for handles and addresses known only when the program runs. */
#define SELF    UINT64_C(0xabcd000000000001)
#define TARGET  UINT64_C(0xabcd000000000002)
#define MACHINE UINT64_C(0xabcd000000000003)
#define IO      UINT64_C(0xabcd000000000004)
#define LIMIT   UINT64_C(0xabcd000000000005) /* the user range's end         */
#define TOP     UINT64_C(0xabcd000000000006) /* the user range's last page   */
#define TEXT    UINT64_C(0xabcd000000000007) /* "name\n"                     */

#define OBJECT  UINT64_C(0xabcd000000000008) /* a memory object of a page    */

#define BIG     (UINT64_C(1) << 63)
#define LAST    (UINT64_MAX - PAGE + 1) /* the last page of all */

struct row {
    const char *what;
    uint64_t number;
    uint64_t args[7];
    long want;
};

static const struct row rows[] = {
    {"rights unknown", 4, {SELF, RIGHT_ALL + 1}, -SYS_EINVAL},
    {"all rights and more", 4, {SELF, UINT64_MAX}, -SYS_EINVAL},
    {"rights unknown, transfer", 6, {TARGET, SELF, BIG}, -SYS_EINVAL},
    {"an empty name", 7, {TEXT, 0}, -SYS_EINVAL},
    {"a name too long", 7, {TEXT, PROCESS_NAME_BYTES}, -SYS_EINVAL},
    {"an endless name", 7, {TEXT, UINT64_MAX}, -SYS_EINVAL},
    {"a name with a newline", 7, {TEXT, 5}, -SYS_EINVAL},
    {"two mistakes: progress, then range", 21, {TARGET, PLACE, LAST, 8, 9}, -SYS_EINVAL},
    {"two mistakes: range, then no RAM", 21, {TARGET, PLACE, LAST, 8}, -SYS_ERANGE},
    {"two mistakes: skew, then nothing there", 20, {TARGET, PLACE + 1, PAGE}, -SYS_EINVAL},
    {"wait for oneself", 10, {SELF}, -SYS_EDEADLK},
    {"thread at an odd pc", 11, {TARGET, PLACE + 1, PLACE}, -SYS_EINVAL},
    {"thread with a skew stack", 11, {TARGET, PLACE, PLACE + 8}, -SYS_EINVAL},
    {"thread in the kernel half", 11, {TARGET, LAST, PLACE}, -SYS_ERANGE},
    {"thread past the range", 11, {TARGET, LIMIT, PLACE}, -SYS_ERANGE},
    {"thread in the hole", 11, {TARGET, BIG, PLACE}, -SYS_ERANGE},
    {"stack in the kernel half", 11, {TARGET, PLACE, LAST}, -SYS_ERANGE},
    {"map, skew address", 15, {TARGET, PLACE + 1, PAGE, RW}, -SYS_EINVAL},
    {"map, skew bytes", 15, {TARGET, PLACE, PAGE + 1, RW}, -SYS_EINVAL},
    {"map, no bytes", 15, {TARGET, PLACE, 0, RW}, -SYS_EINVAL},
    {"map, no permission", 15, {TARGET, PLACE, PAGE, 0}, -SYS_EINVAL},
    {"map, write without read", 15, {TARGET, PLACE, PAGE, VM_PROT_W}, -SYS_EINVAL},
    {"map, unknown permission", 15, {TARGET, PLACE, PAGE, 8}, -SYS_EINVAL},
    {"map, all permission bits", 15, {TARGET, PLACE, PAGE, UINT64_MAX}, -SYS_EINVAL},
    {"map, unknown flag", 15, {TARGET, PLACE, PAGE, RW, 4}, -SYS_EINVAL},
    {"map, the I/O flag", 15, {TARGET, PLACE, PAGE, RW, VM_FLAG_NC}, -SYS_EINVAL},
    {"map, all flags", 15, {TARGET, PLACE, PAGE, RW, UINT64_MAX}, -SYS_EINVAL},
    {"map, progress past bytes", 15, {TARGET, PLACE, PAGE, RW, 0, 2 * PAGE}, -SYS_EINVAL},
    {"map, skew progress", 15, {TARGET, PLACE, PAGE, RW, 0, 1}, -SYS_EINVAL},
    {"map, progress huge", 15, {TARGET, PLACE, PAGE, RW, 0, LAST}, -SYS_EINVAL},
    {"map, past the range", 15, {TARGET, TOP, 2 * PAGE, RW}, -SYS_ERANGE},
    {"map, at the limit", 15, {TARGET, LIMIT, PAGE, RW}, -SYS_ERANGE},
    {"map, in the kernel half", 15, {TARGET, LAST, PAGE, RW}, -SYS_ERANGE},
    {"map, wrapping", 15, {TARGET, PLACE, LAST, RW}, -SYS_ERANGE},
    {"map, wrapping past zero", 15, {TARGET, LAST, 2 * PAGE, RW}, -SYS_ERANGE},
    {"map, half of everything", 15, {TARGET, 0, BIG, RW}, -SYS_ERANGE},
    {"unmap, skew address", 17, {TARGET, PLACE + 8, PAGE}, -SYS_EINVAL},
    {"unmap, no bytes", 17, {TARGET, PLACE, 0}, -SYS_EINVAL},
    {"unmap, progress past bytes", 17, {TARGET, PLACE, PAGE, 2 * PAGE}, -SYS_EINVAL},
    {"unmap, past the range", 17, {TARGET, TOP, 2 * PAGE}, -SYS_ERANGE},
    {"unmap, the kernel", 17, {TARGET, UINT64_C(0xffffffff80000000), PAGE}, -SYS_ERANGE},
    {"unmap, everything there is", 17, {TARGET, 0, LAST}, -SYS_ERANGE},
    {"protect, skew bytes", 18, {TARGET, PLACE, 1, RW}, -SYS_EINVAL},
    {"protect, write without read", 18, {TARGET, PLACE, PAGE, VM_PROT_W}, -SYS_EINVAL},
    {"protect, unknown permission", 18, {TARGET, PLACE, PAGE, 16}, -SYS_EINVAL},
    {"protect, progress past bytes", 18, {TARGET, PLACE, PAGE, RW, 2 * PAGE}, -SYS_EINVAL},
    {"protect, the kernel", 18, {TARGET, LAST, PAGE, RW}, -SYS_ERANGE},
    {"query, past the range", 19, {TARGET, LIMIT}, -SYS_ERANGE},
    {"query, the kernel", 19, {TARGET, UINT64_MAX}, -SYS_ERANGE},
    {"find, skew address", 20, {TARGET, 1, PAGE}, -SYS_EINVAL},
    {"find, no bytes", 20, {TARGET, 0, 0}, -SYS_EINVAL},
    {"find, progress past bytes", 20, {TARGET, 0, PAGE, 2 * PAGE}, -SYS_EINVAL},
    {"find, past the range", 20, {TARGET, TOP, 2 * PAGE}, -SYS_ERANGE},
    {"find, everything there is", 20, {TARGET, 0, LAST}, -SYS_ERANGE},
    {"read, progress past bytes", 21, {SELF, TEXT, TEXT, 1, 2}, -SYS_EINVAL},
    {"write, progress past bytes", 22, {SELF, TEXT, TEXT, 1, BIG}, -SYS_EINVAL},
    {"a counter far away", 25, {MACHINE, UINT64_MAX, TEXT}, -SYS_ENOENT},
    {"a counter farther than 2^32", 25, {MACHINE, UINT64_C(1) << 32, TEXT}, -SYS_ENOENT},
    {"a region far away", 26, {MACHINE, UINT64_MAX, TEXT}, -SYS_ENOENT},
    {"opening a region far away", 27, {MACHINE, UINT64_C(1) << 32}, -SYS_ENOENT},
    {"futex, skew word", 35, {PLACE + 2, 0, 0, 0}, -SYS_EINVAL},
    {"futex, a value too wide", 35, {PLACE, UINT64_C(1) << 32, 0, 0}, -SYS_EINVAL},
    {"futex, unknown flags", 35, {PLACE, 0, 0, BIG}, -SYS_EINVAL},
    {"futex, past the range", 35, {LIMIT, 0, 0, 0}, -SYS_ERANGE},
    {"futex, the last word of all", 35, {UINT64_MAX - 3, 0, 0, 1}, -SYS_ERANGE},
    {"wake, skew word", 36, {PLACE + 1, 1, 0, 0}, -SYS_EINVAL},
    {"wake, unknown flags", 36, {PLACE, 1, 2, 0}, -SYS_EINVAL},
    {"wake, progress past threads", 36, {PLACE, 1, 0, UINT64_MAX}, -SYS_EINVAL},
    {"wake, past the range", 36, {LIMIT, 1, 0, 0}, -SYS_ERANGE},
    {"wake, in the kernel half", 36, {LAST, UINT64_MAX, 1, 0}, -SYS_ERANGE},
    {"processes past all numbers", 37, {MACHINE, UINT32_MAX, TEXT}, -SYS_ENOENT},
    {"processes far past them", 37, {MACHINE, UINT64_MAX, TEXT}, -SYS_ENOENT},
    {"process 0", 38, {MACHINE, 0}, -SYS_ESRCH},
    {"process 2^32 + 1", 38, {MACHINE, UINT64_C(1) << 32 | 1}, -SYS_ESRCH},
    {"threads of a process without", 39, {TARGET, 0, TEXT}, -SYS_ENOENT},
    {"threads past all numbers", 39, {SELF, UINT64_MAX, TEXT}, -SYS_ENOENT},
    {"ranges, skew address", 40, {TARGET, 1, PAGE, TEXT, 1}, -SYS_EINVAL},
    {"ranges, no bytes", 40, {TARGET, 0, 0, TEXT, 1}, -SYS_EINVAL},
    {"ranges, no room", 40, {TARGET, 0, PAGE, TEXT, 0}, -SYS_EINVAL},
    {"ranges, room past all addresses", 40, {TARGET, 0, PAGE, TEXT, BIG}, -SYS_ERANGE},
    {"ranges, past the range", 40, {TARGET, TOP, 2 * PAGE, TEXT, 1}, -SYS_ERANGE},
    {"mark, skew address", 46, {TARGET, PLACE + 1, PAGE, VM_KIND_RESERVED, RW}, -SYS_EINVAL},
    {"mark, no bytes", 46, {TARGET, PLACE, 0, VM_KIND_RESERVED, RW}, -SYS_EINVAL},
    {"mark, as RAM", 46, {TARGET, PLACE, PAGE, VM_KIND_RAM, RW}, -SYS_EINVAL},
    {"mark, as hidden", 46, {TARGET, PLACE, PAGE, VM_KIND_HIDDEN, 0}, -SYS_EINVAL},
    {"mark, kind 2^32 + 3", 46, {TARGET, PLACE, PAGE, UINT64_C(1) << 32 | 3, RW}, -SYS_EINVAL},
    {"mark, write without read", 46, {TARGET, PLACE, PAGE, VM_KIND_RESERVED, 2}, -SYS_EINVAL},
    {"mark, unknown permission", 46, {TARGET, PLACE, PAGE, VM_KIND_RESERVED, 16}, -SYS_EINVAL},
    {"mark, a guard with rights", 46, {TARGET, PLACE, PAGE, VM_KIND_GUARD, RW}, -SYS_EINVAL},
    {"mark, unknown flag", 46, {TARGET, PLACE, PAGE, VM_KIND_RESERVED, RW, 2}, -SYS_EINVAL},
    {"mark, progress past bytes",
     46,
     {TARGET, PLACE, PAGE, VM_KIND_RESERVED, RW, 0, 2 * PAGE},
     -SYS_EINVAL},
    {"mark, skew progress", 46, {TARGET, PLACE, PAGE, VM_KIND_RESERVED, RW, 0, 1}, -SYS_EINVAL},
    {"mark, past the range", 46, {TARGET, TOP, 2 * PAGE, VM_KIND_RESERVED, RW}, -SYS_ERANGE},
    {"mark, the kernel", 46, {TARGET, LAST, PAGE, VM_KIND_RESERVED, RW}, -SYS_ERANGE},
    {"object, skew bytes", 48, {PAGE + 1}, -SYS_EINVAL},
    {"object, too large", 48, {(UINT64_C(1) << 48) + PAGE}, -SYS_ERANGE},
    {"object, all there is", 48, {LAST}, -SYS_ERANGE},
    {"object, resized, skew bytes", 50, {OBJECT, 1}, -SYS_EINVAL},
    {"object, resized, too large", 50, {OBJECT, LAST}, -SYS_ERANGE},
    {"object, read past its end", 51, {OBJECT, PAGE, PLACE, 1}, -SYS_ERANGE},
    {"object, read around everything", 51, {OBJECT, UINT64_MAX, PLACE, 2}, -SYS_ERANGE},
    {"object, progress past bytes", 51, {OBJECT, 0, PLACE, 1, 2}, -SYS_EINVAL},
    {"object, written past its end", 52, {OBJECT, 1, PLACE, PAGE}, -SYS_ERANGE},
    {"object, written from the kernel", 52, {OBJECT, 0, LAST, 8}, -SYS_ERANGE},
    {"object, mapped, skew address", 53, {TARGET, PLACE + 1, PAGE, RW, 0, OBJECT}, -SYS_EINVAL},
    {"object, mapped, skew bytes", 53, {TARGET, PLACE, 1, RW, 0, OBJECT}, -SYS_EINVAL},
    {"object, mapped, no bytes", 53, {TARGET, PLACE, 0, RW, 0, OBJECT}, -SYS_EINVAL},
    {"object, mapped, unknown permission", 53, {TARGET, PLACE, PAGE, 8, 0, OBJECT}, -SYS_EINVAL},
    {"object, mapped, write without read", 53, {TARGET, PLACE, PAGE, 2, 0, OBJECT}, -SYS_EINVAL},
    {"object, mapped, the I/O flag", 53, {TARGET, PLACE, PAGE, RW, 2, OBJECT}, -SYS_EINVAL},
    {"object, mapped, all flags", 53, {TARGET, PLACE, PAGE, RW, UINT64_MAX, OBJECT}, -SYS_EINVAL},
    {"object, mapped, nothing now", 53, {TARGET, PLACE, PAGE, 0, 8, OBJECT}, -SYS_EINVAL},
    {"object, mapped, skew offset", 53, {TARGET, PLACE, PAGE, RW, 0, OBJECT, 1}, -SYS_EINVAL},
    {"object, mapped, past its end", 53, {TARGET, PLACE, 2 * PAGE, RW, 0, OBJECT}, -SYS_ERANGE},
    {"object, mapped, far past it", 53, {TARGET, PLACE, PAGE, RW, 0, OBJECT, LAST}, -SYS_ERANGE},
    {"object, mapped, past the range", 53, {TARGET, TOP, 2 * PAGE, RW, 0, OBJECT}, -SYS_ERANGE},
    {"object, mapped, the kernel", 53, {TARGET, LAST, PAGE, RW, 0, OBJECT}, -SYS_ERANGE},
    {"clone, skew address", 47, {SELF, TARGET, PLACE + 1, PAGE, PLACE}, -SYS_EINVAL},
    {"clone, to a skew address", 47, {SELF, TARGET, PLACE, PAGE, PLACE + 1}, -SYS_EINVAL},
    {"clone, no bytes", 47, {SELF, TARGET, PLACE, 0, PLACE}, -SYS_EINVAL},
    {"clone, one process", 47, {SELF, SELF, PLACE, PAGE, PLACE + PAGE}, -SYS_EINVAL},
    {"clone, past the range", 47, {SELF, TARGET, TOP, 2 * PAGE, PLACE}, -SYS_ERANGE},
    {"clone, to past the range", 47, {SELF, TARGET, PLACE, 2 * PAGE, TOP}, -SYS_ERANGE},
    {"clone, to the kernel", 47, {SELF, TARGET, PLACE, PAGE, LAST}, -SYS_ERANGE},
    {"clone, skew progress", 47, {SELF, TARGET, PLACE, PAGE, PLACE, 1}, -SYS_EINVAL},
    {"clone, progress past bytes", 47, {SELF, TARGET, PLACE, PAGE, PLACE, 2 * PAGE}, -SYS_EINVAL},
    {"move, skew address", 54, {SELF, TARGET, PLACE + 1, PAGE, PLACE}, -SYS_EINVAL},
    {"move, to a skew address", 54, {SELF, TARGET, PLACE, PAGE, PLACE + 1}, -SYS_EINVAL},
    {"move, no bytes", 54, {SELF, TARGET, PLACE, 0, PLACE}, -SYS_EINVAL},
    {"move, skew bytes", 54, {SELF, TARGET, PLACE, PAGE + 1, PLACE}, -SYS_EINVAL},
    {"move, onto itself", 54, {TARGET, TARGET, PLACE, PAGE, PLACE}, -SYS_EINVAL},
    {"move, over itself", 54, {TARGET, TARGET, PLACE, 2 * PAGE, PLACE + PAGE}, -SYS_EINVAL},
    {"move, past the range", 54, {SELF, TARGET, TOP, 2 * PAGE, PLACE}, -SYS_ERANGE},
    {"move, to past the range", 54, {SELF, TARGET, PLACE, 2 * PAGE, TOP}, -SYS_ERANGE},
    {"move, to the kernel", 54, {SELF, TARGET, PLACE, PAGE, LAST}, -SYS_ERANGE},
    {"move, from the kernel", 54, {SELF, TARGET, LAST, PAGE, PLACE}, -SYS_ERANGE},
    {"move, endless", 54, {SELF, TARGET, 0, LAST, PAGE}, -SYS_ERANGE},
    {"move, skew progress", 54, {SELF, TARGET, PLACE, PAGE, PLACE, 1}, -SYS_EINVAL},
    {"move, progress past bytes", 54, {SELF, TARGET, PLACE, PAGE, PLACE, 2 * PAGE}, -SYS_EINVAL},
    {"table, no such level", 41, {MACHINE, TARGET, PLACE, 5, 0, TEXT, 1}, -SYS_EINVAL},
    {"table, level 2^32", 41, {MACHINE, TARGET, PLACE, BIG >> 31, 0, TEXT, 1}, -SYS_EINVAL},
    {"table, first too large", 41, {MACHINE, TARGET, PLACE, 0, 512, TEXT, 1}, -SYS_EINVAL},
    {"table, no entries", 41, {MACHINE, TARGET, PLACE, 0, 0, TEXT, 0}, -SYS_EINVAL},
    {"table, too many", 41, {MACHINE, TARGET, PLACE, 0, 1, TEXT, 512}, -SYS_EINVAL},
    {"table, endless", 41, {MACHINE, TARGET, PLACE, 0, 1, TEXT, UINT64_MAX}, -SYS_EINVAL},
    {"table, past the range", 41, {MACHINE, TARGET, LIMIT, 0, 0, TEXT, 1}, -SYS_ERANGE},
    {"table, where none is", 41, {MACHINE, TARGET, PLACE, 0, 0, TEXT, 1}, -SYS_ENOENT},
};

static const struct row io_rows[] = {
    {"skew address", 16, {TARGET, PLACE + 1, PAGE, VM_PROT_R, 0, IO, 0}, -SYS_EINVAL},
    {"no bytes", 16, {TARGET, PLACE, 0, VM_PROT_R, 0, IO, 0}, -SYS_EINVAL},
    {"executable", 16, {TARGET, PLACE, PAGE, VM_PROT_R | VM_PROT_X, 0, IO, 0}, -SYS_EINVAL},
    {"write without read", 16, {TARGET, PLACE, PAGE, VM_PROT_W, 0, IO, 0}, -SYS_EINVAL},
    {"unknown flag", 16, {TARGET, PLACE, PAGE, VM_PROT_R, 8, IO, 0}, -SYS_EINVAL},
    {"skew offset", 16, {TARGET, PLACE, PAGE, VM_PROT_R, 0, IO, 1}, -SYS_EINVAL},
    {"offset past the region", 16, {TARGET, PLACE, PAGE, VM_PROT_R, 0, IO, BIG}, -SYS_ERANGE},
    {"offset near the end of all", 16, {TARGET, PLACE, PAGE, VM_PROT_R, 0, IO, LAST}, -SYS_ERANGE},
    {"too much", 16, {TARGET, PLACE, 0x101000, VM_PROT_R, 0, IO, 0}, -SYS_E2BIG},
    {"past the range", 16, {TARGET, LIMIT, PAGE, VM_PROT_R, 0, IO, 0}, -SYS_ERANGE},
    {"in the kernel half", 16, {TARGET, LAST, PAGE, VM_PROT_R, 0, IO, 0}, -SYS_ERANGE},
};

static char text[] = "name\n";
static handle_t target;
static handle_t io;

static handle_t object;

static uint64_t stand_in(uint64_t argument)
{
    switch (argument) {
    case SELF:
        return user_self();
    case TARGET:
        return target;
    case MACHINE:
        return user_machine();
    case IO:
        return io;
    case LIMIT:
        return user_limit();
    case TOP:
        return user_limit() - PAGE;
    case TEXT:
        return (uintptr_t)text;
    case OBJECT:
        return object;
    default:
        return argument;
    }
}

static void rows_try(const struct row *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t args[7];

        for (int n = 0; n < 7; n++) {
            args[n] = stand_in(table[i].args[n]);
        }
        tap_status(raw_status(table[i].number, args), table[i].want, "%s", table[i].what);
    }
}

int main(void)
{
    struct user_end end;

    tap_status(sys_process_create((uintptr_t) "target", 6, 0, &target), 0, "a process to aim at");
    tap_status(sys_memory_create(PAGE, 0, &object), 0, "a memory object");
    rows_try(rows, COUNT_OF(rows));
    (void)sys_handle_close(object);
    if (sys_io_open(user_machine(), 0, &io) == 0) {
        rows_try(io_rows, COUNT_OF(io_rows));
        (void)sys_handle_close(io);
    }
    tap_status(sys_vm_find_next(target, 0, user_limit(), NULL), -SYS_ENOENT,
               "nothing was mapped in the target");
    tap_status(sys_process_kill(target), 0, "the target is ended");
    tap_status(user_finish(target, &end), 0, "and waited for");
    tap_is(end.reason, EXIT_KILLED, "it had no thread");
    return tap_done();
}
