/* SPDX-License-Identifier: MIT */
/*
 * The entry codec, V clear: entries that keep a frame, and marks, against the values of the table
 * in docs/pte-contract.md.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "arch/pte_kept.h"
#include "arch/pte_mark.h"
#include "support.h"
#include "support_pte.h"

struct dying_row {
    const char *label;
    uint64_t leaf, entry, pa;
    bool is_io;
};

ParameterizedTestParameters(pte_kept, dying_keeps_the_address)
{
    static struct dying_row rows[] = {
        {"D1", L2_ENTRY, D1_ENTRY, 0x80001000, false},
        {"D2", L7_ENTRY, 0x1000000142, 0x10000000, true},
        {"D3", L13_ENTRY, 0xfffffffffff00042, 0xfffffffffff000, false},
        {"D4", L15_ENTRY, 0x80001001c2, 0x80001000, false},
        {"D5", L16_ENTRY, D5_ENTRY, 0x40000000, false},
    };
    return cr_make_param_array(struct dying_row, rows, ARRAY_LEN(rows));
}

ParameterizedTest(const struct dying_row *row, pte_kept, dying_keeps_the_address)
{
    pte_t dying = pte_make_dying((pte_t){row->leaf});

    cr_assert(dying.raw == row->entry, "%s is %#lx", row->label, (unsigned long)dying.raw);
    EXPECT_EQ(dying.raw & PTE_V, 0);
    EXPECT_EQ(pte_kept_pa(dying).raw, row->pa);
    EXPECT_EQ(pte_dying_is_io(dying), row->is_io);
}

struct hidden_row {
    const char *label;
    uint64_t leaf, entry;
};

ParameterizedTestParameters(pte_kept, hidden_keeps_all_but_the_rights)
{
    static struct hidden_row rows[] = {
        {"H1", L2_ENTRY, H1_ENTRY},
        {"H2", L6_ENTRY, 0x80001002c8},
        {"H3", L13_ENTRY, 0xfffffffffff00048},
        {"H4", L15_ENTRY, 0x80001001c8},
        {"H5", L16_ENTRY, H5_ENTRY},
    };
    return cr_make_param_array(struct hidden_row, rows, ARRAY_LEN(rows));
}

ParameterizedTest(const struct hidden_row *row, pte_kept, hidden_keeps_all_but_the_rights)
{
    pte_t hidden = pte_make_hidden((pte_t){row->leaf});

    cr_assert(hidden.raw == row->entry, "%s is %#lx", row->label, (unsigned long)hidden.raw);
    EXPECT_EQ(pte_kept_pa(hidden).raw, pte_pa((pte_t){row->leaf}).raw);
    EXPECT_EQ(pte_kept_sw(hidden), pte_sw((pte_t){row->leaf}));
    EXPECT_EQ(pte_sw(pte_hidden_make_leaf(hidden)), pte_sw((pte_t){row->leaf}));
    EXPECT_EQ(hidden.raw & (PTE_A | PTE_D), row->leaf & (PTE_A | PTE_D));
    EXPECT_EQ(pte_hidden_make_dying(hidden).raw, pte_make_dying((pte_t){row->leaf}).raw);
}

struct mark_row {
    const char *label;
    struct pte_mark mark;
    uint64_t entry;
};

ParameterizedTestParameters(pte_kept, marks_are_the_values_of_the_table)
{
    static struct mark_row rows[] = {
        {"M1", {.sw = PTE_SW_PRIVATE, .prot = VM_RW}, M1_ENTRY},
        {"M2", {.sw = PTE_SW_PRIVATE}, 0x84},
        {"M3", {.prot = VM_RWX}, 0x74},
        {"M4", {.kind = PTE_MARK_GUARD}, M4_ENTRY},
        {"M5", {PTE_MARK_PAGED, PTE_SW_RAM, VM_RW, 3, 0x1234}, M5_ENTRY},
        {"M6",
         {PTE_MARK_PAGED, PTE_SW_PRIVATE, VM_R, 0x3fff, UINT64_C(0xffffffffff)},
         0xfffffffffffffc9a},
        {"M7", {PTE_MARK_PAGED, PTE_SW_VIEW, VM_RX, 1, 0}, M7_ENTRY},
        {"M8", {PTE_MARK_SWAPPED, PTE_SW_PRIVATE, VM_RW, 0, 5}, M8_ENTRY},
        {"M9", {PTE_MARK_RESERVED, PTE_SW_PRIVATE, VM_RW, 0, 2}, M9_ENTRY},
    };
    return cr_make_param_array(struct mark_row, rows, ARRAY_LEN(rows));
}

ParameterizedTest(const struct mark_row *row, pte_kept, marks_are_the_values_of_the_table)
{
    pte_t entry = pte_make_mark(row->mark);
    struct pte_mark back = pte_decode_mark(entry);

    cr_assert(entry.raw == row->entry, "%s is %#lx", row->label, (unsigned long)entry.raw);
    EXPECT_EQ(back.kind, row->mark.kind);
    EXPECT_EQ(back.sw, row->mark.sw);
    EXPECT_EQ(back.prot, row->mark.prot);
    EXPECT_EQ(back.slot, row->mark.slot);
    EXPECT_EQ(back.place, row->mark.place);
    EXPECT_EQ(pte_is_paged(entry), row->mark.kind == PTE_MARK_PAGED);
}

/* Only what is paged goes on with its extent. */
Test(pte_kept, a_mark_further_on)
{
    EXPECT_EQ(pte_mark_at((pte_t){M1_ENTRY}, 512).raw, M1_ENTRY);
    EXPECT_EQ(pte_mark_at((pte_t){M4_ENTRY}, 512).raw, M4_ENTRY);
    EXPECT_EQ(pte_mark_at((pte_t){M5_ENTRY}, 0).raw, M5_ENTRY);
    EXPECT_EQ(pte_mark_at((pte_t){M5_ENTRY}, 512).raw, UINT64_C(0x1434000c3a));
    EXPECT_EQ(pte_mark_at((pte_t){M7_ENTRY}, 7).raw, UINT64_C(0x700055a));
    EXPECT_EQ(pte_mark_at((pte_t){M9_ENTRY}, 512).raw, M9_ENTRY);
}

struct part_row {
    const char *label;
    uint64_t whole, part;
    uint64_t bytes;
    unsigned i;
    bool is_hidden;
};

ParameterizedTestParameters(pte_kept, parts_are_alike_but_for_the_frames)
{
    static struct part_row rows[] = {
        {"P1", L16_ENTRY, L16_ENTRY, 0x1000, 0, false},
        {"P2", L16_ENTRY, 0x100802d7, 0x200000, 1, false},
        {"P3", L16_ENTRY, 0x1007fed7, 0x1000, 511, false},
        {"P4", 0x40000000100001d7, 0x40000000100015d7, 0x1000, 5, false},
        {"P5", H5_ENTRY, 0x40200002c8, 0x200000, 1, true},
        {"P6", H5_ENTRY, 0x401ff002c8, 0x1000, 511, true},
    };
    return cr_make_param_array(struct part_row, rows, ARRAY_LEN(rows));
}

ParameterizedTest(const struct part_row *row, pte_kept, parts_are_alike_but_for_the_frames)
{
    pte_t whole = {row->whole};
    pte_t part = row->is_hidden ? pte_hidden_part(whole, row->i, row->bytes)
                                : pte_leaf_part(whole, row->i, row->bytes);
    paddr_t start = row->is_hidden ? pte_kept_pa(whole) : pte_pa(whole);

    cr_assert(part.raw == row->part, "%s is %#lx", row->label, (unsigned long)part.raw);
    EXPECT_EQ((row->is_hidden ? pte_kept_pa(part) : pte_pa(part)).raw,
              start.raw + row->i * row->bytes);
}

/* Of a guard nothing else counts. */
Test(pte_kept, a_guard_is_one_value)
{
    EXPECT_EQ(pte_make_mark((struct pte_mark){PTE_MARK_GUARD, PTE_SW_PRIVATE, VM_RWX, 1, 1}).raw,
              M4_ENTRY);
}
