/* SPDX-License-Identifier: MIT */
/*
 * Calls whose buffers change under them: threads on all harts pass addresses in pages that another
 * thread maps, unmaps and protects all the time, and sizes that reach beyond.  A call does its work
 * or says that it could not; nothing else comes of it, and the kernel stays in order.
 */
#include <stdatomic.h>

#include "support.h"
#include "team.h"

#define PAGES   6U
#define AREA    PLACE
#define BYTES   (PAGES * PAGE)
#define CHANGES 240U

static _Atomic(uint64_t) is_over;   /* released by member 0, acquired by the others */
static _Atomic(uint64_t) cut_short; /* only counts */
static _Atomic(uint64_t) completed; /* only counts */

static void area_change(uint64_t *random)
{
    uint64_t address = AREA + random_next(random) % PAGES * PAGE;

    switch (random_next(random) % 5) {
    case 0:
    case 1:
        (void)page_map(address, PAGE, RW);
        break;
    case 2:
        (void)page_unmap(address, PAGE);
        break;
    case 3:
        (void)sys_vm_protect(user_self(), address, PAGE, VM_PROT_R, NULL);
        break;
    default:
        (void)sys_vm_map(user_self(), AREA, BYTES, RW, VM_FLAG_REPLACE, NULL);
        break;
    }
}

/* A buffer in the area, or one that begins or ends beside it. */
static uint64_t buffer_choose(uint64_t *random)
{
    return AREA - 64 + random_next(random) % (BYTES + 64);
}

static void status_check(long status, const char *what)
{
    if (status == 0) {
        atomic_fetch_add_explicit(&completed, 1, memory_order_relaxed);
        return;
    }
    atomic_fetch_add_explicit(&cut_short, 1, memory_order_relaxed);
    (void)team_is((uint64_t)status, (uint64_t)-SYS_EFAULT, what);
}

static void copy_calls(uint64_t *random)
{
    uint64_t from = buffer_choose(random);
    uint64_t to = buffer_choose(random);
    uint64_t bytes = random_next(random) % (3 * PAGE);
    uint64_t done = 0;
    long status = sys_vm_write(user_self(), to, from, bytes, &done);

    status_check(status, "copying from a buffer that goes");
    if (done > bytes || (status == 0 && done != bytes)) {
        team_wrong(done, "bytes copied");
    }
    status = sys_vm_read(user_self(), from, to, bytes, &done);
    status_check(status, "copying to a buffer that goes");
    if (done > bytes || (status == 0 && done != bytes)) {
        team_wrong(done, "bytes copied");
    }
}

static void info_calls(uint64_t *random)
{
    status_check(sys_machine_info(user_machine(), buffer_choose(random)), "machine_info");
    status_check(sys_counter_info(user_machine(), 0, buffer_choose(random)), "counter_info");
    status_check(sys_io_info(user_machine(), 0, buffer_choose(random)), "io_info");
    status_check(sys_console_write(user_console(), buffer_choose(random), 0, NULL), "no output");
}

static void name_call(uint64_t *random)
{
    handle_t process = HANDLE_NONE;
    long status = sys_process_create(buffer_choose(random), random_next(random) % 24, 0, &process);

    /* The name may be of zeroes or empty, which is refused too. */
    if (status == 0) {
        (void)sys_handle_close(process);
    } else if (status != -SYS_EINVAL) {
        (void)team_is((uint64_t)status, (uint64_t)-SYS_EFAULT, "process_create");
    }
}

/* The stack of a thread goes before it has begun, or stays: it needs none to end. */
static void sync_calls(uint64_t *random)
{
    (void)team_is((uint64_t)sys_icache_sync(buffer_choose(random), random_next(random) % PAGE), 0,
                  "icache_sync");
    (void)team_is((uint64_t)sys_icache_sync(~UINT64_C(0), 2), (uint64_t)-SYS_ERANGE,
                  "icache_sync of a range that is none");
}

static void hostile_work(unsigned member)
{
    uint64_t random = member * 1000 + 3;

    if (member == 0) {
        for (unsigned i = 0; i < CHANGES; i++) {
            area_change(&random);
        }
        atomic_store_explicit(&is_over, 1, memory_order_release);
        return;
    }
    while (atomic_load_explicit(&is_over, memory_order_acquire) == 0) {
        copy_calls(&random);
        info_calls(&random);
        name_call(&random);
        sync_calls(&random);
    }
}

int main(void)
{
    unsigned members = team_size();

    tap_status(team_run(members, hostile_work), 0, "a team of %u uses buffers that come and go",
               members);
    team_report("each call did its work or said that it could not");
    tap_diag("%u calls were cut short, %u were not", (unsigned)cut_short, (unsigned)completed);
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "the kernel's audit finds no fault");
    (void)page_unmap(AREA, BYTES);
    return tap_done();
}
