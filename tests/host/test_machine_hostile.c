/* SPDX-License-Identifier: MIT */
/*
 * Damaged trees: cut off anywhere, with any byte changed, shuffled, random.  Each is read from an
 * allocation of exactly its size, so that the address sanitizer sees every byte read beyond it.
 * Whatever is concluded must make sense; whatever is refused must be named.
 *
 * The sweeps take a sample that ends in seconds; with VELLUM_EXHAUSTIVE in the environment they
 * take everything, which takes minutes under the sanitizers.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/machine.h"
#include "support_sensible.h"
#include "support_tree.h"

#define BOOT_HART 1

static const char *const trees[] = {"qemu-virt", "visionfive2-4g", "icicle-kit", "sifive-u"};

static uint64_t random_state;

/* xorshift64*: the same sequence on every machine. */
static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % limit;
}

/* Reads a copy of exactly that size; true if the kernel would boot with it. */
static bool feed(const void *bytes, size_t len_bytes)
{
    static struct machine machine;
    static struct machine_problem problem;
    void *copy = malloc(len_bytes == 0 ? 1 : len_bytes);
    status_t status;

    memset(&problem, 0xff, sizeof(problem));
    problem.what = NULL;
    if (len_bytes > 0) {
        memcpy(copy, bytes, len_bytes);
    }
    status = machine_read_tree(copy, len_bytes, BOOT_HART, &machine, &problem);
    free(copy);
    if (status == OK) {
        expect_sensible(&machine, BOOT_HART);
    } else {
        cr_assert(status == ERR_INVAL || status == ERR_NOTSUP);
        expect_named(&problem);
    }
    return status == OK;
}

/* The tree in as many bytes as it needs. */
static uint8_t *load_packed(const char *name)
{
    void *fdt = tree_load(name);

    cr_assert(fdt_pack(fdt) == 0);
    return fdt;
}

Test(machine_hostile, a_tree_cut_off_at_any_length_is_refused)
{
    for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
        uint8_t *fdt = load_packed(trees[i]);
        uint32_t total_bytes = fdt_totalsize(fdt);

        for (uint32_t bytes = 0; bytes < total_bytes; bytes++) {
            cr_assert(!feed(fdt, bytes), "%s cut off at %u", trees[i], bytes);
        }
        cr_assert(feed(fdt, total_bytes));
    }
}

Test(machine_hostile, a_header_that_agrees_with_the_cut_does_not_help)
{
    for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
        uint8_t *fdt = load_packed(trees[i]);
        uint32_t total_bytes = fdt_totalsize(fdt);

        for (uint32_t bytes = 40; bytes < total_bytes; bytes++) {
            fdt_set_totalsize(fdt, bytes);
            cr_assert(!feed(fdt, bytes), "%s cut off at %u", trees[i], bytes);
        }
    }
}

Test(machine_hostile, a_structure_cut_off_at_any_length_is_refused)
{
    for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
        uint8_t *fdt = load_packed(trees[i]);
        uint32_t struct_bytes = fdt_size_dt_struct(fdt);

        for (uint32_t bytes = 0; bytes < struct_bytes; bytes++) {
            fdt_set_size_dt_struct(fdt, bytes);
            cr_assert(!feed(fdt, fdt_totalsize(fdt)), "%s cut off at %u", trees[i], bytes);
        }
    }
}

Test(machine_hostile, names_cut_off_at_any_length_are_refused)
{
    uint8_t *fdt = load_packed("qemu-virt");
    uint32_t names_bytes = fdt_size_dt_strings(fdt);

    for (uint32_t bytes = 0; bytes < names_bytes; bytes++) {
        fdt_set_size_dt_strings(fdt, bytes);
        cr_assert(!feed(fdt, fdt_totalsize(fdt)), "names cut off at %u", bytes);
    }
}

/* Of how many places a sweep tries one. */
static uint32_t sample_of(uint32_t one_in)
{
    return getenv("VELLUM_EXHAUSTIVE") == NULL ? one_in : 1;
}

Test(machine_hostile, every_byte_changed_in_turn)
{
    for (size_t i = 0; i < 2; i++) {
        uint8_t *fdt = load_packed(trees[i]);
        uint32_t total_bytes = fdt_totalsize(fdt);

        random_state = i + 1;
        for (uint32_t at = 0; at < total_bytes; at++) {
            uint8_t change = (uint8_t)(1 + random_below(255));

            /* The header is worth every byte. */
            if (at < 40 || random_below(sample_of(8)) == 0) {
                fdt[at] ^= change;
                (void)feed(fdt, total_bytes);
                fdt[at] ^= change;
            }
        }
    }
}

Test(machine_hostile, every_word_of_the_structure_replaced_by_a_troublesome_one)
{
    static const uint32_t words[] = {0, 1,          2,          3,          4,
                                     9, 0x7fffffff, 0x80000000, 0xfffffff4, 0xffffffff};
    uint8_t *fdt = load_packed("visionfive2-4g");
    uint32_t start = fdt_off_dt_struct(fdt);
    uint32_t end = start + fdt_size_dt_struct(fdt);

    random_state = 3;
    for (uint32_t at = start; at < end; at += 4) {
        uint8_t before[4];

        memcpy(before, fdt + at, 4);
        for (size_t i = 0; i < ARRAY_LEN(words); i++) {
            fdt32_st(fdt + at, words[i]);
            if (random_below(sample_of(8)) == 0) {
                (void)feed(fdt, fdt_totalsize(fdt));
            }
        }
        memcpy(fdt + at, before, 4);
    }
}

Test(machine_hostile, several_changes_at_once)
{
    static uint8_t changed[16 * 1024];

    random_state = 1;
    for (unsigned round = 0; round < 4000; round++) {
        static uint8_t *loaded[ARRAY_LEN(trees)];
        uint32_t which = random_below(ARRAY_LEN(trees));
        uint32_t total_bytes;

        if (loaded[which] == NULL) {
            loaded[which] = load_packed(trees[which]);
        }
        total_bytes = fdt_totalsize(loaded[which]);
        memcpy(changed, loaded[which], total_bytes);
        for (uint32_t changes = 1 + random_below(8); changes > 0; changes--) {
            uint32_t from = 40 + random_below(total_bytes - 48) / 4 * 4;
            uint32_t to = 40 + random_below(total_bytes - 48) / 4 * 4;

            memmove(changed + to, changed + from, 4 + random_below(2) * 4);
        }
        (void)feed(changed, total_bytes);
    }
}

/* A header that is right, with random bytes or random tokens behind it. */
static void make_random_tree(uint8_t *fdt, uint32_t total_bytes)
{
    static const uint32_t tokens[] = {
        FDT_BEGIN_NODE, FDT_END_NODE, FDT_PROP, FDT_NOP, FDT_END, 0, 4, 8};
    bool is_soup = random_below(2) == 0;

    for (uint32_t at = 0; at < total_bytes; at += 4) {
        uint32_t word = is_soup ? tokens[random_below(ARRAY_LEN(tokens))] : random_below(~0U);

        fdt32_st(fdt + at, word);
    }
    memset(fdt + 40, 0, 16);
    fdt_set_magic(fdt, FDT_MAGIC);
    fdt_set_totalsize(fdt, total_bytes);
    fdt_set_off_dt_struct(fdt, 56);
    fdt_set_off_dt_strings(fdt, total_bytes / 2);
    fdt_set_off_mem_rsvmap(fdt, 40);
    fdt_set_version(fdt, 17);
    fdt_set_last_comp_version(fdt, 16);
    fdt_set_size_dt_strings(fdt, total_bytes / 2);
    fdt_set_size_dt_struct(fdt, total_bytes / 2 - 56);
    fdt32_st(fdt + 56, FDT_BEGIN_NODE);
    fdt32_st(fdt + 60, 0);
}

Test(machine_hostile, random_blobs_are_refused)
{
    static _Alignas(8) uint8_t fdt[1024];

    random_state = 2;
    for (unsigned round = 0; round < 50000; round++) {
        make_random_tree(fdt, sizeof(fdt));
        cr_assert(!feed(fdt, sizeof(fdt)), "round %u", round);
    }
}

/* ---- work is in proportion to the size ---- */

/* Ends a test that would not end.  Criterion's own limit leaks in its parent process, and the
 * address sanitizer would fail the program for it. */
#define LIMIT_SECONDS 60

#define BIG_BYTES     ((size_t)2 * 1024 * 1024)

/* A tree of 2 MiB: qemu-virt with `nodes` devices on 12 nested buses, each with `entries` of reg.
 */
static void *make_big_tree(uint32_t nodes, uint32_t entries)
{
    static _Alignas(8) uint8_t fdt[BIG_BYTES];
    static uint32_t reg[4096];
    int bus;

    cr_assert(fdt_open_into(tree_load("qemu-virt"), fdt, (int)BIG_BYTES) == 0);
    bus = tree_at(fdt, "/soc");
    for (unsigned depth = 0; depth < 12; depth++) {
        bus = fdt_add_subnode(fdt, bus, "bus");
        cr_assert(fdt_setprop_string(fdt, bus, "compatible", "simple-bus") == 0);
        cr_assert(fdt_setprop_u32(fdt, bus, "#address-cells", 2) == 0);
        cr_assert(fdt_setprop_u32(fdt, bus, "#size-cells", 2) == 0);
        cr_assert(fdt_setprop(fdt, bus, "ranges", reg, (int)(64 * 6 * sizeof(reg[0]))) == 0);
    }
    for (uint32_t i = 0; i < nodes; i++) {
        int node = fdt_add_subnode(fdt, bus,
                                   (char[]){'a', (char)('a' + i / 26 % 26), (char)('a' + i % 26),
                                            (char)('a' + i / 676), 0});

        cr_assert(node > 0);
        cr_assert(fdt_setprop_string(fdt, node, "compatible", "ns16550a") == 0);
        cr_assert(fdt_setprop(fdt, node, "reg", reg, (int)(entries * 16)) == 0);
    }
    return fdt;
}

Test(machine_hostile, many_broken_devices_below_many_buses_end_in_time)
{
    struct machine_problem problem;
    static struct machine machine;

    (void)alarm(LIMIT_SECONDS);
    EXPECT_OK(machine_read_tree(make_big_tree(1000, 1), BIG_BYTES, 1, &machine, &problem));
    EXPECT_EQ(machine.note_count, MACHINE_NOTES_MAX);
    EXPECT_OK(machine_read_tree(make_big_tree(20, 1000), BIG_BYTES, 1, &machine, &problem));
}

Test(machine_hostile, a_property_of_a_megabyte_ends_in_time)
{
    static char text[1024 * 1024];
    struct machine_problem problem;
    static struct machine machine;
    char *fdt = make_big_tree(1, 1);

    (void)alarm(LIMIT_SECONDS);
    memset(text, 'z', sizeof(text) - 1);
    for (size_t i = 0; i < sizeof(text) - 1; i += 4) {
        text[i] = '_';
    }
    cr_assert(fdt_setprop(fdt, tree_at(fdt, "/cpus/cpu@1"), "riscv,isa", text, sizeof(text)) == 0);
    cr_assert(fdt_delprop(fdt, tree_at(fdt, "/cpus/cpu@1"), "riscv,isa-extensions") == 0);
    EXPECT_OK(machine_read_tree(fdt, BIG_BYTES, 0, &machine, &problem));
    EXPECT_EQ(machine.hart_count, 3);
}
