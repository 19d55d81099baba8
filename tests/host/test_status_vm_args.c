/* SPDX-License-Identifier: MIT */
/* The arguments that virtual-memory calls have in common: what is refused, and as what. */
#include "kernel/vm_args.h"

#include <criterion/criterion.h>

#include "uapi/vm.h"

#define LIMIT UINT64_C(0x4000000000)

struct range_row {
    const char *name;
    uint64_t address, bytes, progress;
    status_t status;
};

static const struct range_row rows[] = {
    {"one page at 0", 0, PAGE_SIZE, 0, OK},
    {"the last page", LIMIT - PAGE_SIZE, PAGE_SIZE, 0, OK},
    {"everything", 0, LIMIT, 0, OK},
    {"progress at the end", 0, LIMIT, LIMIT, OK},
    {"no bytes", 0, 0, 0, ERR_INVAL},
    {"no bytes outside", LIMIT, 0, 0, ERR_INVAL},
    {"odd address", 1, PAGE_SIZE, 0, ERR_INVAL},
    {"odd length", 0, PAGE_SIZE + 1, 0, ERR_INVAL},
    {"odd progress", 0, PAGE_SIZE, 1, ERR_INVAL},
    {"progress past the end", 0, PAGE_SIZE, 2 * PAGE_SIZE, ERR_INVAL},
    {"odd and outside", LIMIT + 1, PAGE_SIZE, 0, ERR_INVAL},
    {"one page past", LIMIT, PAGE_SIZE, 0, ERR_RANGE},
    {"half past", LIMIT - PAGE_SIZE, 2 * PAGE_SIZE, 0, ERR_RANGE},
    {"kernel half", UINT64_C(0xffffffff80000000), PAGE_SIZE, 0, ERR_RANGE},
    {"wraps to 0", -PAGE_SIZE, PAGE_SIZE, 0, ERR_RANGE},
    {"wraps past 0", -PAGE_SIZE, 2 * PAGE_SIZE, 0, ERR_RANGE},
    {"largest length", PAGE_SIZE, -PAGE_SIZE, 0, ERR_RANGE},
};

Test(vm_args, ranges)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct range_row *row = &rows[i];
        struct vm_args args = {.bytes = 77};
        status_t status =
            vm_args_make(row->address, row->bytes, row->progress, (vaddr_t){LIMIT}, &args);

        cr_assert_eq(status, row->status, "%s: %s", row->name, status_name(status));
        cr_assert_eq(args.bytes, status == OK ? row->bytes : 77, "%s", row->name);
    }
}

Test(vm_args, bytes_need_not_be_pages)
{
    cr_assert_eq(vm_args_check_bytes(1, 2, (vaddr_t){LIMIT}), OK);
    cr_assert_eq(vm_args_check_bytes(LIMIT, 0, (vaddr_t){LIMIT}), OK);
    cr_assert_eq(vm_args_check_bytes(LIMIT - 1, 1, (vaddr_t){LIMIT}), OK);
    cr_assert_eq(vm_args_check_bytes(LIMIT - 1, 2, (vaddr_t){LIMIT}), ERR_RANGE);
    cr_assert_eq(vm_args_check_bytes(LIMIT + 1, 0, (vaddr_t){LIMIT}), ERR_RANGE);
    cr_assert_eq(vm_args_check_bytes(UINT64_MAX, 1, (vaddr_t){LIMIT}), ERR_RANGE);
    cr_assert_eq(vm_args_check_bytes(2, UINT64_MAX, (vaddr_t){LIMIT}), ERR_RANGE);
}

Test(vm_args, permissions)
{
    static const bool legal[8] = {
        [VM_R] = true, [VM_RW] = true, [VM_X] = true, [VM_RX] = true, [VM_RWX] = true};

    for (uint64_t prot = 0; prot < 64; prot++) {
        enum vm_prot out = VM_PROT_NONE;
        status_t want = prot < 8 && legal[prot] ? OK : ERR_INVAL;

        cr_assert_eq(vm_args_prot(prot, &out), want, "prot %lu", (unsigned long)prot);
        cr_assert(want != OK || out == (enum vm_prot)prot);
        want = prot == 0 ? OK : want;
        cr_assert_eq(vm_args_prot_or_none(prot, &out), want, "prot %lu", (unsigned long)prot);
        cr_assert(want != OK || out == (enum vm_prot)prot);
    }
    enum vm_prot out;

    cr_assert_eq(vm_args_prot(UINT64_C(1) << 32 | VM_R, &out), ERR_INVAL);
}

struct size_row {
    uint64_t flags, others;
    status_t status;
    unsigned level;
};

static const struct size_row size_rows[] = {
    {0, 0, OK, 0},
    {VM_FLAG_REPLACE, 0, ERR_INVAL, 77},
    {VM_FLAG_REPLACE, VM_FLAG_REPLACE, OK, 0},
    {VM_FLAG_2M, 0, OK, 1},
    {VM_FLAG_1G, VM_FLAG_REPLACE, OK, 2},
    {VM_FLAG_2M | VM_FLAG_REPLACE, VM_FLAG_REPLACE, OK, 1},
    {VM_FLAG_2M | VM_FLAG_REPLACE, 0, ERR_INVAL, 77},
    {VM_FLAG_2M | VM_FLAG_1G, VM_FLAG_REPLACE, ERR_INVAL, 77},
    {VM_FLAG_NC, VM_FLAG_REPLACE, ERR_INVAL, 77},
    {VM_FLAG_2M | UINT64_C(1) << 63, VM_FLAG_REPLACE, ERR_INVAL, 77},
};

Test(vm_args, page_sizes)
{
    for (size_t i = 0; i < ARRAY_LEN(size_rows); i++) {
        const struct size_row *row = &size_rows[i];
        unsigned level = 77;
        status_t status = vm_args_page_level(row->flags, row->others, &level);

        cr_assert_eq(status, row->status, "row %zu: %s", i, status_name(status));
        cr_assert_eq(level, row->level, "row %zu: %u", i, level);
    }
}
