/* SPDX-License-Identifier: MIT */
/*
 * The entry codec against the table of docs/pte-contract.md: every row there is a row here under
 * the same label, with the values of the page.  Theories state the laws between the rows; the
 * independent walker reads what the codec writes.
 */
#include "arch/pte.h"
#include "arch/pte_kept.h"
#include "arch/pte_mark.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include "arch/layout.h"
#include "support.h"
#include "support_pte.h"
#include "support_walk.h"

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
