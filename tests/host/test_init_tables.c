/* SPDX-License-Identifier: MIT */
/* What ptdump prints: the walk of the tables, over a tree in an array, their text, its difference.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "uapi/error.h"
#include "user/init/pure/pt_text.h"

#define PAGE  UINT64_C(4096)
#define SV39  (UINT64_C(1) << 38)

#define NODES 8U

struct tree {
    uint64_t nodes[NODES][PT_ENTRIES]; /* node i lies at physical address (i + 1) * PAGE */
    unsigned missing;                  /* node that is gone when it is read; 0: none     */
    unsigned levels;
    struct pt_record records[64];
    size_t count;
    size_t room; /* after so many records, take() says 7 */
};

static struct tree tree;

static uint64_t node_entry(unsigned node)
{
    return ((uint64_t)node + 1) << PT_PPN_SHIFT | PT_V;
}

static long tree_read(void *context, uint64_t address, unsigned level, uint64_t *entries,
                      uint64_t *physical)
{
    unsigned node = 0;

    (void)context;
    for (unsigned l = tree.levels - 1; l > level; l--) {
        uint64_t entry = tree.nodes[node][address / pt_walk_bytes(l) % PT_ENTRIES];

        cr_assert(entry & PT_V, "the walk reads where no node is");
        node = (unsigned)((entry & PT_PPN) >> PT_PPN_SHIFT) - 1;
    }
    if (tree.missing != 0 && node == tree.missing) {
        return -SYS_ENOENT;
    }
    memcpy(entries, tree.nodes[node], sizeof(tree.nodes[node]));
    *physical = (node + 1) * PAGE;
    return 0;
}

static long tree_take(void *context, const struct pt_record *record)
{
    (void)context;
    if (tree.count == tree.room) {
        return 7;
    }
    tree.records[tree.count++] = *record;
    return 0;
}

/* Sv39: root 0 -> 1 (level 1) -> 2 (level 0) with a run of 3 and one page apart; a gigapage. */
static void tree_make(void)
{
    uint64_t leaf = (UINT64_C(0x80200) << PT_PPN_SHIFT) | PT_D | PT_A | PT_U | PT_W | PT_R | PT_V;

    memset(&tree, 0, sizeof(tree));
    tree.levels = 3;
    tree.room = 64;
    tree.nodes[0][0] = node_entry(1);
    tree.nodes[0][3] = (UINT64_C(0x40000) << PT_PPN_SHIFT) | PT_A | PT_U | PT_X | PT_R | PT_V;
    tree.nodes[1][1] = node_entry(2);
    for (unsigned i = 0; i < 3; i++) {
        tree.nodes[2][16 + i] = leaf + ((uint64_t)i << PT_PPN_SHIFT);
    }
    tree.nodes[2][19] = leaf + (UINT64_C(9) << PT_PPN_SHIFT);
    tree.nodes[2][40] = UINT64_C(0x8000100002); /* on its way out: V is clear */
}

static long tree_walk(uint64_t from, unsigned last_level, uint64_t *missed)
{
    static uint64_t entries[PT_LEVELS_MAX][PT_ENTRIES];
    struct pt_walk walk = {
        .read = tree_read,
        .take = tree_take,
        .levels = tree.levels,
        .last_level = last_level,
        .from = from,
        .limit = UINT64_C(1) << (12 + 9 * tree.levels - 1),
        .entries = entries,
    };

    tree.count = 0;
    long status = pt_walk_run(&walk);

    *missed = walk.missed;
    return status;
}

static void expect_text(const char *const *lines, size_t count)
{
    char text[PT_TEXT_BYTES];

    for (size_t i = 0; i < tree.count || i < count; i++) {
        cr_assert(i < tree.count && i < count, "%zu lines, not %zu", tree.count, count);
        pt_text_line(&tree.records[i], tree.levels, text);
        cr_assert_str_eq(text, lines[i]);
    }
}

static const char *const whole[] = {
    "L2 node 0x0000000000 at 0x0000001000 root",
    "  L1 node 0x0000000000 at 0x0000002000 -------V",
    "    L0 node 0x0000200000 at 0x0000003000 -------V",
    "      L0 leaf 0x0000210000 to 0x0080200000 DA-U-WRV 3 x 4K",
    "      L0 leaf 0x0000213000 to 0x0080209000 DA-U-WRV 1 x 4K",
    "      L0 other 0x0000228000 raw 0x0000008000100002 1 x 4K",
    "  L2 leaf 0x00c0000000 to 0x0040000000 -A-UX-RV 1 x 1G",
};

Test(init_tables, tables_are_walked_in_order_and_written_out)
{
    uint64_t missed = 1;

    tree_make();
    cr_assert(tree_walk(0, 0, &missed) == 0 && missed == 0);
    expect_text(whole, sizeof(whole) / sizeof(whole[0]));
}

Test(init_tables, what_hardware_ignores_has_lines_of_its_own)
{
    uint64_t missed;
    uint64_t hidden = UINT64_C(0x80300) << 20 | 2 << 8 | PT_D | PT_A | UINT64_C(8);
    static const char *const lines[] = {
        "L2 node 0x0000000000 at 0x0000001000 root",
        "  L1 node 0x0000000000 at 0x0000002000 -------V",
        "    L0 node 0x0000200000 at 0x0000003000 -------V",
        "      L0 hidden 0x0000205000 of 0x0080301000 DA 2 x 4K rsw2",
        "      L0 hidden 0x0000207000 of 0x0080301000 DA 1 x 4K rsw2",
        "      L0 guard 0x0000208000 1 x 4K",
        "      L0 other 0x0000209000 raw 0x0000000000000106 1 x 4K",
        "      L0 reserved 0x000020a000 --- 2 x 4K private",
        "    L1 reserved 0x0000400000 rw- 2 x 2M private",
        "    L1 reserved 0x0000800000 r-x 1 x 2M",
        "    L1 hidden 0x0000a00000 of 0x80300000000 -A 2 x 2M rsw2",
        "    L1 other 0x0000e00000 raw 0x0008030010000288 1 x 2M",
        "    L1 reserved 0x0001000000 rw- 1 x 2M as 2M private",
        "    L1 reserved 0x0001200000 rw- 1 x 2M as 1G private",
        "    L1 other 0x0001400000 raw 0x00000000030000b4 1 x 2M",
        "  L2 guard 0x0080000000 2 x 1G",
        "  L2 hidden 0x0100000000 of 0x0080000000 -- 1 x 1G rsw2",
        "  L2 other 0x0140000000 raw 0x0000008020000208 1 x 1G",
    };

    memset(&tree, 0, sizeof(tree));
    tree.levels = 3;
    tree.room = 64;
    tree.nodes[0][0] = node_entry(1);
    tree.nodes[0][2] = tree.nodes[0][3] = 6;
    tree.nodes[1][1] = node_entry(2);
    tree.nodes[1][2] = tree.nodes[1][3] = 0xb4;
    tree.nodes[1][4] = 0x54;
    tree.nodes[0][4] = UINT64_C(0x80000) << 20 | 0x208;
    tree.nodes[0][5] = UINT64_C(0x80200) << 20 | 0x208; /* 1 GiB begins at multiples of it */
    tree.nodes[1][5] = UINT64_C(0x80300) << 32 | 0x248;
    tree.nodes[1][6] = tree.nodes[1][5] + (UINT64_C(0x200) << 20);
    tree.nodes[1][7] = UINT64_C(0x80300) << 32 | UINT64_C(1) << 28 | 0x288; /* 2 MiB too */
    tree.nodes[1][8] = UINT64_C(1) << 24 | 0xb4;
    tree.nodes[1][9] = UINT64_C(2) << 24 | 0xb4;
    tree.nodes[1][10] = UINT64_C(3) << 24 | 0xb4; /* no page is so large */
    for (unsigned i = 0; i < 3; i++) {
        tree.nodes[2][4 + i] = hidden + ((uint64_t)i << 20);
    }
    tree.nodes[2][7] = tree.nodes[2][5];
    tree.nodes[2][8] = 6;
    tree.nodes[2][9] = 0x106; /* a guard has nothing else */
    tree.nodes[2][10] = tree.nodes[2][11] = 0x84;
    cr_assert(tree_walk(0x205000, 0, &missed) == 0);
    expect_text(lines, sizeof(lines) / sizeof(lines[0]));
}

/* Marks of objects, whose places follow one another, and views. */
Test(init_tables, pages_of_objects_and_of_pagers_have_lines_of_their_own)
{
    uint64_t missed;
    uint64_t paged = UINT64_C(0x123) << 24 | UINT64_C(0x3fff) << 10 | 0x3a; /* rw- */
    uint64_t view = UINT64_C(0x80200) << 10 | 0x1d3;
    uint64_t hidden = UINT64_C(0x80300) << 20 | 1 << 8 | PT_D | PT_A | UINT64_C(8);
    static const char *const lines[] = {
        "L2 node 0x0000000000 at 0x0000001000 root",
        "  L1 node 0x0000000000 at 0x0000002000 -------V",
        "    L0 node 0x0000200000 at 0x0000003000 -------V",
        "      L0 paged 0x0000200000 rw- 3 x 4K slot 16383 page 0x123",
        "      L0 paged 0x0000203000 rw- 1 x 4K slot 16383 page 0x127",
        "      L0 paged 0x0000204000 r-x 1 x 4K slot 2 page 0x0 view",
        "      L0 swapped 0x0000205000 r-- 1 x 4K as 0xffffffffff private",
        "      L0 leaf 0x0000206000 to 0x0080200000 DA-U--RV 1 x 4K view",
        "      L0 hidden 0x0000207000 of 0x0080300000 DA 1 x 4K view",
        "      L0 other 0x0000208000 raw 0x000000000000020a 1 x 4K",
        "    L1 paged 0x0000400000 --- 2 x 2M slot 1 page 0x200 private",
        "    L1 other 0x0000800000 raw 0xffffffffff00009c 1 x 2M",
    };

    memset(&tree, 0, sizeof(tree));
    tree.levels = 3;
    tree.room = 64;
    tree.nodes[0][0] = node_entry(1);
    tree.nodes[1][1] = node_entry(2);
    tree.nodes[1][2] = UINT64_C(0x200) << 24 | 1 << 10 | PT_MARK_PRIVATE | PT_TAG_PAGED;
    tree.nodes[1][3] = tree.nodes[1][2] + (UINT64_C(0x200) << 24);
    tree.nodes[1][4] = UINT64_C(0xffffffffff) << 24 | 0x9c; /* swapped is of level 0 */
    for (uint64_t i = 0; i < 3; i++) {
        tree.nodes[2][i] = paged + (i << 24);
    }
    tree.nodes[2][3] = paged + (UINT64_C(4) << 24);
    tree.nodes[2][4] = 2 << 10 | PT_MARK_VIEW | 0x50 | PT_TAG_PAGED;
    tree.nodes[2][5] = UINT64_C(0xffffffffff) << 24 | 0x9c;
    tree.nodes[2][6] = view;
    tree.nodes[2][7] = hidden;
    tree.nodes[2][8] = 0x20a; /* bit 9 is kept for what is to come */
    cr_assert(tree_walk(0, 0, &missed) == 0);
    expect_text(lines, sizeof(lines) / sizeof(lines[0]));
}

Test(init_tables, a_walk_can_begin_anywhere)
{
    uint64_t missed;

    tree_make();
    cr_assert(tree_walk(0x211000, 0, &missed) == 0);
    static const char *const rest[] = {
        "L2 node 0x0000000000 at 0x0000001000 root",
        "  L1 node 0x0000000000 at 0x0000002000 -------V",
        "    L0 node 0x0000200000 at 0x0000003000 -------V",
        "      L0 leaf 0x0000211000 to 0x0080201000 DA-U-WRV 2 x 4K",
        "      L0 leaf 0x0000213000 to 0x0080209000 DA-U-WRV 1 x 4K",
        "      L0 other 0x0000228000 raw 0x0000008000100002 1 x 4K",
        "  L2 leaf 0x00c0000000 to 0x0040000000 -A-UX-RV 1 x 1G",
    };

    expect_text(rest, sizeof(rest) / sizeof(rest[0]));
    cr_assert(tree_walk(0x400000, 0, &missed) == 0);
    cr_assert(tree.count == 3, "a node below the address is left out");
}

Test(init_tables, lowest_nodes_can_be_named_without_being_read)
{
    uint64_t missed;

    tree_make();
    tree.missing = 2;
    cr_assert(tree_walk(0, 1, &missed) == 0 && missed == 0);
    cr_assert(tree.count == 4 && tree.records[2].level == 0 && tree.records[2].kind == PT_NODE);
}

Test(init_tables, a_node_that_is_gone_is_passed_over)
{
    uint64_t missed = 0;

    tree_make();
    tree.missing = 2;
    cr_assert(tree_walk(0, 0, &missed) == 0 && missed == 1);
    cr_assert(tree.count == 3 && tree.records[2].kind == PT_LEAF);
}

Test(init_tables, a_walk_stops_where_there_is_no_room)
{
    uint64_t missed;

    tree_make();
    tree.room = 4;
    cr_assert(tree_walk(0, 0, &missed) == 7 && tree.count == 4);
}

Test(init_tables, hostile_tables_end)
{
    uint64_t missed;

    tree_make();
    srand(1);
    for (unsigned round = 0; round < 200; round++) {
        for (unsigned i = 0; i < PT_ENTRIES; i++) {
            tree.nodes[2][i] = (uint64_t)rand() << 33 ^ (uint64_t)rand() << 10 ^ (uint64_t)rand();
        }
        tree.nodes[1][1] = node_entry(2);
        tree.nodes[1][2] = node_entry(2); /* twice */
        (void)tree_walk(0, 0, &missed);
        for (size_t i = 0; i < tree.count; i++) {
            char text[PT_TEXT_BYTES];

            pt_text_line(&tree.records[i], tree.levels, text);
            cr_assert(strlen(text) < PT_TEXT_BYTES - 1 && strchr(text, '\n') == NULL);
        }
    }
}

Test(init_tables, all_bits_are_written_out)
{
    struct pt_record record = {.entry = ~UINT64_C(0), .count = 1, .level = 4, .kind = PT_LEAF};
    char text[PT_TEXT_BYTES];

    pt_text_line(&record, 5, text);
    cr_assert_str_eq(text, "  L4 leaf 0x00000000000000 to 0xfffffffffff000 DAGUXWRV 1 x 256T"
                           " rsw3 pbmt3 n reserved7f");
    record.entry = UINT64_C(0x40000000040001d7);
    record.level = 0;
    pt_text_line(&record, 3, text);
    cr_assert_str_eq(text, "      L0 leaf 0x0000000000 to 0x0010000000 DA-U-WRV 1 x 4K rsw1 io");
}

static char changes[256];

static void change_tell(void *context, enum pt_change change, const struct pt_record *record)
{
    size_t used = strlen(changes);

    (void)context;
    (void)snprintf(changes + used, sizeof(changes) - used, "%c%" PRIx64 " ", "=-+"[change],
                   record -> address);
}

Test(init_tables, a_difference_has_what_went_and_what_came)
{
    static struct pt_record old[64];
    uint64_t missed;

    tree_make();
    cr_assert(tree_walk(0, 0, &missed) == 0);
    memcpy(old, tree.records, sizeof(old));
    struct pt_dump before = {old, tree.count, SV39};

    tree.nodes[2][17] &= ~PT_D; /* the run of 3 falls apart */
    tree.nodes[2][40] = 0;
    cr_assert(tree_walk(0, 0, &missed) == 0);
    struct pt_dump after = {tree.records, tree.count, SV39};

    changes[0] = '\0';
    pt_text_compare(&before, &after, change_tell, NULL);
    cr_assert_str_eq(changes, "=0 =0 =200000 -210000 +210000 +211000 +212000 =213000 -228000 "
                              "=c0000000 ");
    after.limit = 0x212000;
    changes[0] = '\0';
    pt_text_compare(&before, &after, change_tell, NULL);
    cr_assert_str_eq(changes, "=0 =0 =200000 -210000 +210000 +211000 ");
}
