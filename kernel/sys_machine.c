/* SPDX-License-Identifier: MIT */
/* System calls on the machine: what it is, counters, regions, time, power, audits. */
#include "arch/arch.h"
#include "arch/machine.h"
#include "kernel/handle.h"
#include "kernel/io_object.h"
#include "kernel/process.h"
#include "kernel/reaper.h"
#include "kernel/run_queue.h"
#include "kernel/sched.h"
#include "kernel/selftest.h"
#include "kernel/syscall.h"
#include "kernel/timeouts.h"
#include "kernel/vm_target.h"
#include "lib/counter.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/user_copy.h"
#include "uapi/machine.h"

/* Ends a call by writing a struct to the address in the given argument. */
static enum verdict done_writing(struct user_frame *frame, unsigned arg, const void *from,
                                 uint64_t bytes)
{
    vaddr_t to = {user_frame_arg(frame, arg)};

    return syscall_done(frame, user_write_object(sched_current()->process->space, to, from, bytes));
}

enum verdict sys_time_get(struct user_frame *frame)
{
    uint64_t ticks = arch_time_now();
    enum verdict verdict = syscall_done_with(frame, OK, timeouts_ns_of(ticks));

    user_frame_set_arg(frame, 2, ticks);
    return verdict;
}

enum verdict sys_machine_info(struct user_frame *frame)
{
    status_t status = syscall_check_handle(frame, HANDLE_MACHINE, RIGHT_READ);

    if (status != OK) {
        return syscall_done(frame, status);
    }
    struct machine_info info = {
        .levels = arch_paging_levels(),
        .user_limit = vm_space_user_limit().raw,
        .harts = machine_get()->hart_count,
        .timebase_hz = machine_get()->timebase_hz,
        .total_frames = frame_total_count(),
        .free_frames = frame_free_count(),
        .svpbmt = arch_has_svpbmt(),
    };

    return done_writing(frame, 1, &info, sizeof(info));
}

/* Copies text into a field of fixed size; the rest of the field is zero already. */
static void field_set(char *field, size_t field_bytes, const char *text)
{
    memcpy(field, text, strnlen(text, field_bytes - 1));
}

/* The trap entry counts system calls, each hart for itself, and has no row here. */
static uint64_t counter_value(enum counter_id id)
{
    return id == COUNTER_syscalls ? arch_calls_count() : counter_read(id);
}

enum verdict sys_counter_info(struct user_frame *frame)
{
    uint64_t index = user_frame_arg(frame, 1);
    status_t status = syscall_check_handle(frame, HANDLE_MACHINE, RIGHT_READ);

    if (status == OK && index >= COUNTER_COUNT) {
        status = ERR_NOENT;
    }
    if (status != OK) {
        return syscall_done(frame, status);
    }
    struct counter_info info = {.value = counter_value((enum counter_id)index)};

    field_set(info.name, sizeof(info.name), counter_name((enum counter_id)index));
    return done_writing(frame, 2, &info, sizeof(info));
}

/* The I/O region of that index, of a call on the machine. */
static status_t region_decode(struct user_frame *frame, uint32_t right, struct io_mem **io)
{
    status_t status = syscall_check_handle(frame, HANDLE_MACHINE, right);

    if (status != OK) {
        return status;
    }
    *io = io_mem_at(user_frame_arg(frame, 1));
    return *io != NULL ? OK : ERR_NOENT;
}

enum verdict sys_io_info(struct user_frame *frame)
{
    struct io_mem *io;
    status_t status = region_decode(frame, RIGHT_READ, &io);

    if (status != OK) {
        return syscall_done(frame, status);
    }
    struct io_info info = {
        .base = io_mem_range(io).start.raw,
        .bytes = pa_range_bytes(io_mem_range(io)),
    };

    field_set(info.compatible, sizeof(info.compatible), io_mem_compatible(io));
    return done_writing(frame, 2, &info, sizeof(info));
}

enum verdict sys_io_open(struct user_frame *frame)
{
    struct io_mem *io;
    struct io_object *object;
    handle_t handle = HANDLE_NONE;
    status_t status = region_decode(frame, RIGHT_MAP, &io);

    if (status == OK) {
        status = io_object_create(io, &object);
    }
    if (status == OK) {
        struct handle_entry entry = {.object = &object->object, .rights = RIGHT_ALL};

        status = handle_insert(sched_current()->process, entry, &handle);
        object_put(&object->object);
    }
    return syscall_done_with(frame, status, handle);
}

enum verdict sys_hart_info(struct user_frame *frame)
{
    uint64_t hart = user_frame_arg(frame, 1);
    status_t status = syscall_check_handle(frame, HANDLE_MACHINE, RIGHT_READ);

    if (status == OK && (hart >= HART_MAX || !hart_mask_has(arch_harts(), (hart_idx_t)hart))) {
        status = ERR_NOENT;
    }
    if (status != OK) {
        return syscall_done(frame, status);
    }
    struct run_queue_view view = run_queue_look((hart_idx_t)hart);
    struct hart_info info = {
        .ready = view.ready,
        .thread = view.thread_id,
        .process = view.process_id,
    };

    field_set(info.name, sizeof(info.name), view.name);
    return done_writing(frame, 2, &info, sizeof(info));
}

enum verdict sys_quiesce(struct user_frame *frame)
{
    status_t status = syscall_check_handle(frame, HANDLE_MACHINE, RIGHT_MANAGE);

    if (status != OK) {
        return syscall_done(frame, status);
    }
    if (reaper_step()) {
        return VERDICT_RESTART;
    }
    /* What is left waits for other harts; so does the caller. */
    return reaper_block(thread_of_frame(frame)) ? VERDICT_BLOCK : syscall_done(frame, OK);
}

_Static_assert(SELFTEST_FACT == SELFTEST_VERDICT_FACT && SELFTEST_GOOD == SELFTEST_VERDICT_GOOD &&
                   SELFTEST_WRONG == SELFTEST_VERDICT_WRONG,
               "programs see the kernel's verdicts");
_Static_assert(SELFTEST_KEY_BYTES <= SELFTEST_INFO_KEY_BYTES &&
                   SELFTEST_VALUE_BYTES <= SELFTEST_INFO_VALUE_BYTES,
               "programs see whole texts");

enum verdict sys_selftest(struct user_frame *frame)
{
    struct selftest_found found;
    status_t status = syscall_check_handle(frame, HANDLE_MACHINE, RIGHT_MANAGE);

    if (status == OK) {
        status = selftest_find(user_frame_arg(frame, 1), &found);
    }
    if (status == ERR_BUSY) {
        return VERDICT_RESTART; /* this hart may be the one that is to help */
    }
    if (status != OK) {
        return syscall_done(frame, status);
    }
    struct selftest_info info = {.verdict = found.verdict};

    field_set(info.key, sizeof(info.key), found.key);
    field_set(info.value, sizeof(info.value), found.value);
    return done_writing(frame, 2, &info, sizeof(info));
}

enum verdict sys_power_off(struct user_frame *frame)
{
    status_t status = syscall_check_handle(frame, HANDLE_MACHINE, RIGHT_MANAGE);

    if (status != OK) {
        return syscall_done(frame, status);
    }
    arch_power_off(user_frame_arg(frame, 1));
}

enum verdict sys_reboot(struct user_frame *frame)
{
    status_t status = syscall_check_handle(frame, HANDLE_MACHINE, RIGHT_MANAGE);

    if (status == OK) {
        status = arch_reboot();
    }
    return syscall_done(frame, status);
}

/* The process of vm_check is its second argument. */
static status_t check_perform(struct user_frame *frame)
{
    struct vm_target target = {0};
    struct object *object;
    status_t status = handle_get(sched_current()->process, user_frame_arg(frame, 1), HANDLE_PROCESS,
                                 RIGHT_READ, &object);

    if (status != OK) {
        return status;
    }
    target.process = LIST_ENTRY(object, struct process, object);
    status = vm_target_enter(&target);
    if (status == OK && (vm_space_check(target.space) != OK || frame_check() != OK)) {
        status = ERR_IO;
    }
    vm_target_put(&target);
    return status;
}

enum verdict sys_vm_check(struct user_frame *frame)
{
    status_t status = syscall_check_handle(frame, HANDLE_MACHINE, RIGHT_MANAGE);

    if (status == OK) {
        status = check_perform(frame);
    }
    return syscall_done(frame, status);
}
