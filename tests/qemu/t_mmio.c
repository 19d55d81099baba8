/* SPDX-License-Identifier: MIT */
/*
 * Device registers from user mode: QEMU's real-time clock is read twice and time has gone on; on
 * the sifive_u machine the clock controller says that its crystal runs.  An I/O page stays what it
 * is: never executable, not writable beyond what it was mapped with, not RAM for copies.  QEMU's
 * flash is mapped by entries of 2 MiB, which are split where a part is unmapped.
 */
#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>

#include "support.h"

#define RTC_LOW            0x0
#define RTC_HIGH           0x4

#define PRCI_CRYSTAL       0x0
#define PRCI_CRYSTAL_READY (UINT32_C(1) << 31)

#define TWO_MIB            (UINT64_C(2) << 20)
#define LARGE              (UINT64_C(64) << 30)

#define WAIT_NS            UINT64_C(5000000000)

static uint32_t register_read(uint64_t offset)
{
    return *(volatile uint32_t *)(uintptr_t)(PLACE + offset);
}

/* Reading the low half latches the high one. */
static uint64_t rtc_read(void)
{
    uint64_t low = register_read(RTC_LOW);

    return (uint64_t)register_read(RTC_HIGH) << 32 | low;
}

static void rtc_check(void)
{
    uint64_t start = 0;
    uint64_t now = 0;
    uint64_t before = rtc_read();
    uint64_t after = before;

    (void)sys_time_get(&start, NULL);
    do {
        after = rtc_read();
        (void)sys_time_get(&now, NULL);
    } while (after == before && now - start < WAIT_NS);
    tap_ok(before > UINT64_C(1577836800000000000), "the clock is past the year 2020");
    tap_ok(after > before, "time goes on");
    tap_ok(after - before < WAIT_NS, "and not in leaps");
}

static void page_check(handle_t io, const struct io_info *info)
{
    uint64_t kind = 0;
    uint64_t prot = 0;
    uint64_t physical = 0;
    uint64_t buffer = 0;
    uint64_t pages = 0;

    (void)sys_vm_query(user_self(), PLACE + 8, NULL, NULL, &kind, &prot, NULL, &physical);
    tap_ok(kind == VM_KIND_IO && prot == VM_PROT_R, "a query finds a read-only I/O page");
    tap_is(physical, info->base, "at the region's address");
    tap_status(sys_vm_map_io(user_self(), PLACE, PAGE, VM_PROT_R, 0, io, 0, NULL), -SYS_EEXIST,
               "the place is taken");
    tap_status(page_map(PLACE, PAGE, RW), -SYS_EEXIST, "for RAM too");
    tap_status(sys_vm_protect(user_self(), PLACE, PAGE, VM_PROT_R | VM_PROT_X, NULL), -SYS_EINVAL,
               "it cannot be made executable");
    tap_status(sys_vm_protect(user_self(), PLACE, PAGE, RW, NULL), -SYS_EACCES,
               "nor writable, mapped without that");
    tap_status(sys_vm_protect(user_self(), PLACE, PAGE, VM_PROT_NONE, NULL), -SYS_EINVAL,
               "nor hidden");
    tap_ok(mprotect((void *)PLACE, PAGE, PROT_NONE) == -1 && errno == EACCES,
           "nor may mprotect hide it");
    tap_ok(madvise((void *)PLACE, PAGE, MADV_DONTNEED) == -1 && errno == EINVAL,
           "it is not to be made zeroes");
    (void)register_read(RTC_LOW);
    tap_status(sys_vm_read(user_self(), PLACE, (uintptr_t)&buffer, 8, NULL), -SYS_EFAULT,
               "it is not read as RAM");
    tap_status(sys_vm_write(user_self(), PLACE, (uintptr_t)&buffer, 8, NULL), -SYS_EFAULT,
               "nor written");
    check_touch(ACCESS_READ, PLACE, "a copy of this process, without the page, reading");
    tap_status(sys_vm_unmap(user_self(), PLACE, PAGE, &pages), 0, "it is unmapped");
    tap_is(pages, 1, "and counted like RAM");
    check_touch(ACCESS_READ, PLACE, "reading after that");
}

static void rights_check(handle_t io)
{
    handle_t weak = HANDLE_NONE;

    tap_status(sys_handle_duplicate(io, RIGHT_MAP | RIGHT_READ, &weak), 0,
               "a handle without write");
    tap_status(sys_vm_map_io(user_self(), PLACE, PAGE, RW, 0, weak, 0, NULL), -SYS_EACCES,
               "does not map for writing");
    tap_status(sys_vm_map_io(user_self(), PLACE, PAGE, VM_PROT_R, 0, weak, 0, NULL), 0,
               "but for reading");
    tap_status(sys_handle_close(weak), 0, "it is closed");
    (void)register_read(0);
    tap_ok(1, "the mapping outlives it");
    tap_status(page_unmap(PLACE, PAGE), 0, "and goes");
}

/* What the slot at an address says: its extent, and where it leads. */
static void expect_slot(uint64_t at, uint64_t bytes, uint64_t physical, const char *what)
{
    uint64_t slot_bytes = 0;
    uint64_t kind = 0;
    uint64_t where = 0;

    (void)sys_vm_query(user_self(), at, NULL, &slot_bytes, &kind, NULL, NULL, &where);
    tap_ok(kind == VM_KIND_IO && slot_bytes == bytes && where == physical, "%s", what);
}

static void large_check(void)
{
    struct io_info info;
    handle_t io = HANDLE_NONE;
    uint64_t at = LARGE;
    uint64_t done = 0;
    long flash = io_find("cfi-flash", &info);

    if (flash < 0 || info.bytes < 8 * TWO_MIB || info.base % TWO_MIB != 0) {
        return;
    }
    tap_status(sys_io_open(user_machine(), (uint64_t)flash, &io), 0, "the flash is opened");
    tap_status(sys_vm_map_io(user_self(), at + PAGE, 4 * TWO_MIB, VM_PROT_R, 0, io, 0, NULL),
               -SYS_E2BIG, "it is too much for pages of 4 KiB");
    tap_status(sys_vm_map_io(user_self(), at, 4 * TWO_MIB, VM_PROT_R, 0, io, 0, &done), 0,
               "but not for those of 2 MiB");
    tap_is(done, 4 * TWO_MIB, "all is mapped");
    expect_slot(at + 3 * TWO_MIB, TWO_MIB, info.base + 3 * TWO_MIB, "by large entries");
    (void)*(volatile uint32_t *)(uintptr_t)(at + 4 * TWO_MIB - 4);
    tap_status(page_unmap(at + TWO_MIB, PAGE), 0, "a page of it goes");
    expect_slot(at + TWO_MIB + PAGE, PAGE, info.base + TWO_MIB + PAGE, "what lies beside it stays");
    expect_slot(at, TWO_MIB, info.base, "as large as it was");
    (void)*(volatile uint32_t *)(uintptr_t)(at + TWO_MIB + PAGE);
    tap_status(
        sys_vm_map_io(user_self(), at, 4 * TWO_MIB, VM_PROT_R, VM_FLAG_REPLACE, io, TWO_MIB, &done),
        0, "it is replaced");
    expect_slot(at + TWO_MIB, TWO_MIB, info.base + 2 * TWO_MIB, "by large entries again");
    tap_status(page_unmap(at, 4 * TWO_MIB), 0, "all of it goes");
    tap_status(sys_handle_close(io), 0, "the flash is closed");
}

int main(void)
{
    struct io_info info;
    handle_t io = HANDLE_NONE;
    uint64_t done = 0;
    long rtc = io_find("google,goldfish-rtc", &info);
    long index = rtc >= 0 ? rtc : io_find("sifive,fu540-c000-prci", &info);

    if (index < 0) {
        return tap_skip_all("the machine has neither QEMU's clock nor the FU540's PRCI");
    }
    tap_status(sys_io_open(user_machine(), (uint64_t)index, &io), 0, "the region is opened");
    tap_status(sys_vm_map_io(user_self(), PLACE, 2 * info.bytes, VM_PROT_R, 0, io, 0, &done), 0,
               "and mapped, with more than there is");
    tap_is(done, info.bytes, "which is clipped to the region's end");
    if (rtc >= 0) {
        rtc_check();
    } else {
        tap_ok((register_read(PRCI_CRYSTAL) & PRCI_CRYSTAL_READY) != 0, "the crystal is ready");
    }
    if (info.bytes > PAGE) {
        (void)page_unmap(PLACE + PAGE, info.bytes - PAGE);
    }
    page_check(io, &info);
    rights_check(io);
    tap_status(sys_handle_close(io), 0, "the region is closed");
    large_check();
    return tap_done();
}
