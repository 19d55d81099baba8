/* SPDX-License-Identifier: MIT */
/*
 * The entry codec against the table of docs/pte-contract.md: every row there is a row here under
 * the same label, with the values of the page.  Theories state the laws between the rows; the
 * independent walker reads what the codec writes.
 */
#include "arch/pte.h"
#include "arch/pte_mark.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include "arch/layout.h"
#include "support.h"
#include "support_walk.h"

#define L1_ENTRY  UINT64_C(0x20000453)
#define L2_ENTRY  UINT64_C(0x200004d7)
#define L7_ENTRY  UINT64_C(0x40001d7)
#define L8_ENTRY  UINT64_C(0x40000000040001d7)
#define L13_ENTRY UINT64_C(0x3ffffffffffc53)
#define L14_ENTRY UINT64_C(0xd7)
#define T1_ENTRY  UINT64_C(0x20000c01)
#define L6_ENTRY  UINT64_C(0x200006d7)
#define D1_ENTRY  UINT64_C(0x80001000c2)
#define H1_ENTRY  UINT64_C(0x80001000c8)
#define M1_ENTRY  UINT64_C(0xb4)
#define M4_ENTRY  UINT64_C(0x6)
#define L15_ENTRY UINT64_C(0x200005d3)
#define M5_ENTRY  UINT64_C(0x1234000c3a)
#define M7_ENTRY  UINT64_C(0x55a)
#define M8_ENTRY  UINT64_C(0x50000bc)
#define M9_ENTRY  UINT64_C(0x20000b4)
#define L16_ENTRY UINT64_C(0x100002d7)
#define D5_ENTRY  UINT64_C(0x40000002c2)
#define H5_ENTRY  UINT64_C(0x40000002c8)

struct leaf_row {
    const char *label;
    uint64_t pa;
    enum vm_prot prot;
    enum vm_mem mem;
    enum pte_sw sw;
    bool user;
    uint64_t entry;
};

static struct leaf_row leaf_rows[] = {
    {"L1", 0x80001000, VM_R, VM_MEM_PMA, PTE_SW_RAM, true, L1_ENTRY},
    {"L2", 0x80001000, VM_RW, VM_MEM_PMA, PTE_SW_RAM, true, L2_ENTRY},
    {"L3", 0x80001000, VM_X, VM_MEM_PMA, PTE_SW_RAM, true, 0x20000459},
    {"L4", 0x80001000, VM_RX, VM_MEM_PMA, PTE_SW_RAM, true, 0x2000045b},
    {"L5", 0x80001000, VM_RWX, VM_MEM_PMA, PTE_SW_RAM, true, 0x200004df},
    {"L6", 0x80001000, VM_RW, VM_MEM_PMA, PTE_SW_PRIVATE, true, L6_ENTRY},
    {"L7", 0x10000000, VM_RW, VM_MEM_PMA, PTE_SW_IO, true, L7_ENTRY},
    {"L8", 0x10000000, VM_RW, VM_MEM_IO, PTE_SW_IO, true, L8_ENTRY},
    {"L9", 0x10000000, VM_R, VM_MEM_NC, PTE_SW_IO, true, 0x2000000004000153},
    {"L10", 0x80200000, VM_RX, VM_MEM_PMA, PTE_SW_RAM, false, 0x2008006b},
    {"L11", 0x80200000, VM_R, VM_MEM_PMA, PTE_SW_RAM, false, 0x20080063},
    {"L12", 0x80200000, VM_RW, VM_MEM_PMA, PTE_SW_RAM, false, 0x200800e7},
    {"L13", 0xfffffffffff000, VM_R, VM_MEM_PMA, PTE_SW_RAM, true, L13_ENTRY},
    {"L14", 0, VM_RW, VM_MEM_PMA, PTE_SW_RAM, true, L14_ENTRY},
    {"L15", 0x80001000, VM_R, VM_MEM_PMA, PTE_SW_VIEW, true, L15_ENTRY},
    {"L16", 0x40000000, VM_RW, VM_MEM_PMA, PTE_SW_PRIVATE, true, L16_ENTRY},
};

ParameterizedTestParameters(pte, leaf_is_the_value_of_the_table)
{
    return cr_make_param_array(struct leaf_row, leaf_rows, ARRAY_LEN(leaf_rows));
}

ParameterizedTest(const struct leaf_row *row, pte, leaf_is_the_value_of_the_table)
{
    struct pte_leaf leaf = {
        .pa = {row->pa},
        .prot = row->prot,
        .mem = row->mem,
        .sw = row->sw,
        .user = row->user,
        .global = !row->user,
    };
    pte_t entry = pte_make_leaf(leaf);
    struct pte_leaf back = pte_decode(entry);

    cr_assert(entry.raw == row->entry, "%s is %#lx", row->label, (unsigned long)entry.raw);
    EXPECT_EQ(back.pa.raw, row->pa);
    EXPECT_EQ(back.prot, row->prot);
    EXPECT_EQ(back.mem, row->mem);
    EXPECT_EQ(back.sw, row->sw);
    EXPECT_EQ(back.user, row->user);
    EXPECT_EQ(back.global, !row->user);
    cr_assert(back.accessed, "A is preset");
    EXPECT_EQ(back.dirty, (row->prot & VM_W) != 0);
    EXPECT_EQ(pte_pa(entry).raw, row->pa);
    EXPECT_EQ(pte_prot(entry), row->prot);
    EXPECT_EQ(pte_sw(entry), row->sw);
}

Test(pte, tables_are_the_values_of_the_table)
{
    EXPECT_EQ(pte_make_table(pa(0x80003000)).raw, T1_ENTRY);                /* T1 */
    EXPECT_EQ(pte_make_table(pa(0xfffffffffff000)).raw, 0x3ffffffffffc01U); /* T2 */
    EXPECT_EQ(pte_pa((pte_t){T1_ENTRY}).raw, 0x80003000);
    EXPECT_EQ(pte_absent().raw, 0);
}

struct dying_row {
    const char *label;
    uint64_t leaf, entry, pa;
    bool is_io;
};

ParameterizedTestParameters(pte, dying_keeps_the_address)
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

ParameterizedTest(const struct dying_row *row, pte, dying_keeps_the_address)
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

ParameterizedTestParameters(pte, hidden_keeps_all_but_the_rights)
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

ParameterizedTest(const struct hidden_row *row, pte, hidden_keeps_all_but_the_rights)
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

ParameterizedTestParameters(pte, marks_are_the_values_of_the_table)
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

ParameterizedTest(const struct mark_row *row, pte, marks_are_the_values_of_the_table)
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
Test(pte, a_mark_further_on)
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

ParameterizedTestParameters(pte, parts_are_alike_but_for_the_frames)
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

ParameterizedTest(const struct part_row *row, pte, parts_are_alike_but_for_the_frames)
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
Test(pte, a_guard_is_one_value)
{
    EXPECT_EQ(pte_make_mark((struct pte_mark){PTE_MARK_GUARD, PTE_SW_PRIVATE, VM_RWX, 1, 1}).raw,
              M4_ENTRY);
}

struct rights_row {
    const char *label;
    uint64_t from;
    enum vm_prot prot;
    enum vm_mem mem;
    uint64_t entry;
};

ParameterizedTestParameters(pte, rights_change_and_the_rest_stays)
{
    static struct rights_row rows[] = {
        {"W1", L1_ENTRY, VM_RW, VM_MEM_PMA, L2_ENTRY},
        {"W2", L2_ENTRY, VM_R, VM_MEM_PMA, 0x200004d3},
        {"W3", L2_ENTRY, VM_RX, VM_MEM_PMA, 0x200004db},
        {"W4", L7_ENTRY, VM_RW, VM_MEM_IO, L8_ENTRY},
        {"W5", L8_ENTRY, VM_R, VM_MEM_PMA, 0x4000153},
        {"W6", 0x20000413, VM_R, VM_MEM_PMA, L1_ENTRY},
        {"W7", L15_ENTRY, VM_RX, VM_MEM_PMA, 0x200005db},
    };
    return cr_make_param_array(struct rights_row, rows, ARRAY_LEN(rows));
}

ParameterizedTest(const struct rights_row *row, pte, rights_change_and_the_rest_stays)
{
    pte_t entry = pte_with_rights((pte_t){row->from}, row->prot, row->mem);

    cr_assert(entry.raw == row->entry, "%s is %#lx", row->label, (unsigned long)entry.raw);
}

/* `levels` is a set: bit i = the row holds at level i. */
struct kind_row {
    const char *label;
    uint64_t value;
    unsigned levels;
    enum pte_kind kind;
};

#define ANY_LEVEL   0x1fU
#define LEVEL_0     0x01U
#define ABOVE_0     0x1eU
#define FIRST_THREE 0x07U
#define LAST_TWO    0x18U

ParameterizedTestParameters(pte, kind_of_every_encoding)
{
    static struct kind_row rows[] = {
        {"K1", 0, ANY_LEVEL, PTE_ABSENT},
        {"K2", D1_ENTRY, LEVEL_0, PTE_DYING},
        {"K2 large", D5_ENTRY, FIRST_THREE, PTE_DYING},
        {"K2 larger", D5_ENTRY, LAST_TWO, PTE_UNKNOWN},
        {"K2 above", D1_ENTRY, ABOVE_0, PTE_UNKNOWN},
        {"K3 0", 0x100, ANY_LEVEL, PTE_UNKNOWN},
        {"K3 7", 0xe, ANY_LEVEL, PTE_UNKNOWN},
        {"K4", T1_ENTRY, ABOVE_0, PTE_TABLE},
        {"K5", T1_ENTRY, LEVEL_0, PTE_UNKNOWN},
        {"K6 U", T1_ENTRY | 0x10, ABOVE_0, PTE_UNKNOWN},
        {"K6 A", T1_ENTRY | 0x40, ABOVE_0, PTE_UNKNOWN},
        {"K6 D", T1_ENTRY | 0x80, ABOVE_0, PTE_UNKNOWN},
        {"K7 NC", T1_ENTRY | UINT64_C(1) << 61, ABOVE_0, PTE_UNKNOWN},
        {"K7 IO", T1_ENTRY | UINT64_C(2) << 61, ABOVE_0, PTE_UNKNOWN},
        {"K8", L1_ENTRY, LEVEL_0, PTE_LEAF},
        {"K9", L1_ENTRY, ABOVE_0, PTE_UNKNOWN},
        {"K10", L14_ENTRY, ANY_LEVEL, PTE_LEAF},
        {"K11", 0x55, ANY_LEVEL, PTE_UNKNOWN},
        {"K12", 0x5d, ANY_LEVEL, PTE_UNKNOWN},
        {"K13", L1_ENTRY | UINT64_C(3) << 61, LEVEL_0, PTE_UNKNOWN},
        {"K14 54", L1_ENTRY | UINT64_C(1) << 54, LEVEL_0, PTE_UNKNOWN},
        {"K14 57", L1_ENTRY | UINT64_C(1) << 57, LEVEL_0, PTE_UNKNOWN},
        {"K14 60", L1_ENTRY | UINT64_C(1) << 60, LEVEL_0, PTE_UNKNOWN},
        {"K15", L1_ENTRY | UINT64_C(1) << 63, LEVEL_0, PTE_UNKNOWN},
        {"K16", 0x10000053, FIRST_THREE, PTE_LEAF},
        {"K17", 0x10000053, LAST_TWO, PTE_UNKNOWN},
        {"K18", M1_ENTRY, ANY_LEVEL, PTE_MARK},
        {"K19", M4_ENTRY, ANY_LEVEL, PTE_MARK},
        {"K20", 0xa4, ANY_LEVEL, PTE_UNKNOWN},
        {"K21 8", M1_ENTRY | UINT64_C(1) << 8, ANY_LEVEL, PTE_UNKNOWN},
        {"K21 63", M1_ENTRY | UINT64_C(1) << 63, ANY_LEVEL, PTE_UNKNOWN},
        {"K22 4", M4_ENTRY | UINT64_C(1) << 4, ANY_LEVEL, PTE_UNKNOWN},
        {"K22 20", M4_ENTRY | UINT64_C(1) << 20, ANY_LEVEL, PTE_UNKNOWN},
        {"K21 24", M1_ENTRY | UINT64_C(2) << 24, ANY_LEVEL, PTE_MARK},
        {"K21 3", M1_ENTRY | UINT64_C(3) << 24, ANY_LEVEL, PTE_UNKNOWN},
        {"K23", H1_ENTRY, LEVEL_0, PTE_HIDDEN},
        {"K23 large", H5_ENTRY, FIRST_THREE, PTE_HIDDEN},
        {"K23 larger", H5_ENTRY, LAST_TWO, PTE_UNKNOWN},
        {"K23 above", H1_ENTRY, ABOVE_0, PTE_UNKNOWN},
        {"K24 large", D5_ENTRY | UINT64_C(1) << 10, FIRST_THREE, PTE_UNKNOWN},
        {"K24 dying 4", D1_ENTRY | UINT64_C(1) << 4, LEVEL_0, PTE_UNKNOWN},
        {"K24 hidden 5", H1_ENTRY | UINT64_C(1) << 5, LEVEL_0, PTE_UNKNOWN},
        {"K24 hidden 10", H1_ENTRY | UINT64_C(1) << 10, LEVEL_0, PTE_UNKNOWN},
        {"K25", M5_ENTRY, ANY_LEVEL, PTE_MARK},
        {"K26", M7_ENTRY, ANY_LEVEL, PTE_MARK},
        {"K27", M8_ENTRY, LEVEL_0, PTE_MARK},
        {"K27 above", M8_ENTRY, ABOVE_0, PTE_UNKNOWN},
        {"K28", M5_ENTRY | UINT64_C(1) << 9, ANY_LEVEL, PTE_UNKNOWN},
        {"K29 8", M8_ENTRY | UINT64_C(1) << 8, LEVEL_0, PTE_UNKNOWN},
        {"K29 10", M8_ENTRY | UINT64_C(1) << 10, LEVEL_0, PTE_UNKNOWN},
        {"K30", M5_ENTRY | PTE_MARK_VIEW, ANY_LEVEL, PTE_UNKNOWN},
        {"K31", M7_ENTRY | PTE_MARK_PRIVATE, ANY_LEVEL, PTE_UNKNOWN},
        {"K32 paged", M5_ENTRY & ~UINT64_C(0x10), ANY_LEVEL, PTE_UNKNOWN},
        {"K32 swapped", M8_ENTRY & ~UINT64_C(0x10), LEVEL_0, PTE_UNKNOWN},
    };
    return cr_make_param_array(struct kind_row, rows, ARRAY_LEN(rows));
}

ParameterizedTest(const struct kind_row *row, pte, kind_of_every_encoding)
{
    for (unsigned level = 0; level < PTE_LEVELS_MAX; level++) {
        enum pte_kind kind = pte_kind((pte_t){row->value}, level);

        cr_assert((row->levels & 1U << level) == 0 || kind == row->kind, "%s: level %u gives %d",
                  row->label, level, (int)kind);
    }
}

Test(pte, only_rights_that_can_be_encoded_are_legal)
{
    static const bool legal[] = {
        [VM_PROT_NONE] = false, [VM_R] = true,  [VM_W] = false,  [VM_RW] = true,
        [VM_X] = true,          [VM_RX] = true, [VM_WX] = false, [VM_RWX] = true,
    };

    for (unsigned prot = 0; prot < ARRAY_LEN(legal); prot++) {
        EXPECT_EQ(pte_prot_is_legal((enum vm_prot)prot), legal[prot]);
    }
    cr_assert(!pte_prot_is_legal((enum vm_prot)8));
    cr_assert(!pte_prot_is_legal((enum vm_prot)0x7ffffff1));
}

struct mode_row {
    unsigned levels, va_bits;
    uint64_t user_limit, upper_base;
};

ParameterizedTestParameters(pte, modes_differ_in_levels_alone)
{
    static struct mode_row rows[] = {
        {3, 39, UINT64_C(0x4000000000), UINT64_C(0xffffffc000000000)},
        {4, 48, UINT64_C(0x800000000000), UINT64_C(0xffff800000000000)},
        {5, 57, UINT64_C(0x100000000000000), UINT64_C(0xff00000000000000)},
    };
    return cr_make_param_array(struct mode_row, rows, ARRAY_LEN(rows));
}

ParameterizedTest(const struct mode_row *row, pte, modes_differ_in_levels_alone)
{
    EXPECT_EQ(pte_va_bits(row->levels), row->va_bits);
    EXPECT_EQ(pte_user_limit(row->levels), row->user_limit);
    EXPECT_EQ(layout_upper_base(row->levels), row->upper_base);
    EXPECT_EQ(layout_direct_bytes(row->levels), row->user_limit / 2);
    EXPECT_EQ(layout_records_base(row->levels), row->upper_base + row->user_limit / 2);
    cr_assert(pte_va_is_canonical(va(0), row->levels));
    cr_assert(pte_va_is_canonical(va(row->user_limit - 1), row->levels));
    cr_assert(!pte_va_is_canonical(va(row->user_limit), row->levels));
    cr_assert(!pte_va_is_canonical(va(row->upper_base - 1), row->levels));
    cr_assert(pte_va_is_canonical(va(row->upper_base), row->levels));
    cr_assert(pte_va_is_canonical(va(UINT64_MAX), row->levels));
    cr_assert(!pte_va_is_canonical(va(UINT64_C(1) << 63), row->levels));
}

Test(pte, levels_have_their_extents_and_indices)
{
    static const uint64_t bytes[] = {4 * KIB, 2 * MIB, GIB, 512 * GIB, 256 * TIB};

    for (unsigned level = 0; level < PTE_LEVELS_MAX; level++) {
        unsigned low = 12 + 9 * level;

        EXPECT_EQ(pte_level_bytes(level), bytes[level]);
        EXPECT_EQ(pte_index(va(UINT64_C(511) << low), level), 511);
        EXPECT_EQ(pte_index(va(~(UINT64_C(511) << low)), level), 0);
        EXPECT_EQ(pte_index(va(UINT64_C(0x155) << low | ((UINT64_C(1) << low) - 1)), level), 0x155);
    }
}

TheoryDataPoints(pte, every_legal_leaf_comes_back) = {
    DataPoints(uint64_t, 0, 0x1000, 0x80000000, 0xfffffffff000, 0xfffffffffff000),
    DataPoints(int, VM_R, VM_W, VM_X, VM_RW, VM_RX, VM_WX, VM_RWX),
    DataPoints(int, VM_MEM_PMA, VM_MEM_NC, VM_MEM_IO),
    DataPoints(int, PTE_SW_RAM, PTE_SW_IO, PTE_SW_PRIVATE, PTE_SW_VIEW),
    DataPoints(int, 0, 1),
};

Theory((uint64_t to, int prot, int mem, int sw, int user), pte, every_legal_leaf_comes_back)
{
    struct pte_leaf leaf = {
        .pa = {to},
        .prot = (enum vm_prot)prot,
        .mem = (enum vm_mem)mem,
        .sw = (enum pte_sw)sw,
        .user = user != 0,
        .global = user == 0,
    };
    struct pte_leaf back;
    pte_t entry;

    cr_assume(pte_prot_is_legal(leaf.prot));
    cr_assume(leaf.sw != PTE_SW_VIEW || (leaf.prot & VM_W) == 0);
    entry = pte_make_leaf(leaf);
    back = pte_decode(entry);
    cr_assert(pte_kind(entry, 0) == PTE_LEAF);
    cr_assert(back.pa.raw == to && back.prot == leaf.prot && back.mem == leaf.mem);
    cr_assert(back.sw == leaf.sw && back.user == leaf.user && back.global == leaf.global);
    cr_assert(pte_make_leaf(back).raw == entry.raw);
    /* The walker, which knows nothing of the codec, reads the same rights and address. */
    for (int access = ORACLE_READ; access <= ORACLE_EXECUTE; access++) {
        static const int needs[] = {VM_R, VM_W, VM_X};

        cr_assert(walk_permits(entry.raw, (enum oracle_access)access,
                               leaf.user ? WALK_USER : WALK_SUPERVISOR) ==
                  ((prot & needs[access]) != 0));
        cr_assert(!walk_permits(entry.raw, (enum oracle_access)access,
                                leaf.user ? WALK_SUPERVISOR : WALK_USER));
    }
    cr_assert(entry_pa(entry.raw) == to);
    cr_assert(pte_kept_pa(pte_make_dying(entry)).raw == to);
    cr_assert(pte_kept_sw(pte_make_dying(entry)) == leaf.sw);
    cr_assert(pte_kind(pte_make_dying(entry), 0) == PTE_DYING);
}

TheoryDataPoints(pte, rights_there_and_back_keep_what_hardware_saw) = {
    DataPoints(int, VM_R, VM_X, VM_RW, VM_RX, VM_RWX),
    DataPoints(int, VM_R, VM_X, VM_RW, VM_RX, VM_RWX),
};

Theory((int first, int second), pte, rights_there_and_back_keep_what_hardware_saw)
{
    struct pte_leaf leaf = {.pa = {0x80001000}, .prot = (enum vm_prot)first, .user = true};
    pte_t entry = pte_make_leaf(leaf);
    pte_t other = pte_with_rights(entry, (enum vm_prot)second, VM_MEM_PMA);

    cr_assert(pte_prot(other) == (enum vm_prot)second);
    cr_assert(pte_pa(other).raw == 0x80001000);
    cr_assert(pte_decode(other).dirty == (((first | second) & VM_W) != 0));
    cr_assert(pte_kind(other, 0) == PTE_LEAF);
}

/* Every combination of the low ten bits, with some of what may stand above them. */
Test(pte, short_questions_agree_with_the_long_one)
{
    static const uint64_t above[] = {0,
                                     UINT64_C(0x80001) << PTE_PPN_SHIFT,
                                     UINT64_C(1) << PTE_PBMT_SHIFT,
                                     PTE_PBMT_MASK,
                                     PTE_RESERVED_MASK,
                                     PTE_N,
                                     UINT64_C(1) << 54};

    for (size_t i = 0; i < ARRAY_LEN(above) * 1024; i++) {
        pte_t entry = {above[i / 1024] | i % 1024};
        enum pte_kind kind = pte_kind(entry, 0);

        cr_assert(pte_is_table(entry) == (pte_kind(entry, 1) == PTE_TABLE), "%lx", entry.raw);
        if (kind != PTE_UNKNOWN) { /* which mm does not make */
            cr_assert(pte_is_dying(entry) == (kind == PTE_DYING), "%lx", entry.raw);
            cr_assert(pte_is_hidden(entry) == (kind == PTE_HIDDEN), "%lx", entry.raw);
            cr_assert(pte_is_mark(entry) == (kind == PTE_MARK), "%lx", entry.raw);
        }
        cr_assert(pte_is_absent(entry) == (kind == PTE_ABSENT), "%lx", entry.raw);
        if (kind == PTE_LEAF) {
            struct pte_leaf leaf = pte_decode(entry);
            pte_t other = pte_with_pa(entry, (paddr_t){0x12345000});

            bool is_plain = leaf.sw == PTE_SW_RAM || leaf.sw == PTE_SW_PRIVATE;

            cr_assert(pte_is_plain_page(entry) == (is_plain && leaf.mem == VM_MEM_PMA), "%lx",
                      entry.raw);
            cr_assert(pte_pa(other).raw == 0x12345000);
            cr_assert(pte_with_pa(other, leaf.pa).raw == entry.raw);
        }
    }
}
