/* SPDX-License-Identifier: MIT */
/*
 * Memory that a machine shows twice, the second time uncached.  A tree that names both as memory
 * would have the kernel hand out each page twice.
 */
#include "fdt/tree_alias.h"

#include "lib/string.h"

static const char *const jh7110[] = {"starfive,jh7110", NULL};
static const struct machine_alias of_jh7110[] = {
    {{{0x40000000}, {0x240000000}}, 0x200000000},
};

static const char *const mpfs[] = {"microchip,mpfs", NULL};
static const struct machine_alias of_mpfs[] = {
    {{{0x80000000}, {0xc0000000}}, 0x40000000},
    {{{0x1000000000}, {0x1400000000}}, 0x400000000},
};

_Static_assert(ARRAY_LEN(of_jh7110) <= MACHINE_ALIASES_MAX, "too many aliases");
_Static_assert(ARRAY_LEN(of_mpfs) <= MACHINE_ALIASES_MAX, "too many aliases");

/* What two ranges share; empty if that is nothing. */
static struct pa_range shared_part(struct pa_range a, struct pa_range b)
{
    uint64_t start = a.start.raw > b.start.raw ? a.start.raw : b.start.raw;
    uint64_t end = a.end.raw < b.end.raw ? a.end.raw : b.end.raw;

    return (struct pa_range){{start}, {end > start ? end : start}};
}

static struct pa_range range_up(struct pa_range range, uint64_t bytes)
{
    return (struct pa_range){{range.start.raw + bytes}, {range.end.raw + bytes}};
}

/* Where the bank first shows memory of any bank again; its end: nowhere. */
static uint64_t first_shown_twice(const struct machine *machine, struct pa_range bank)
{
    uint64_t first = bank.end.raw;

    for (size_t a = 0; a < machine->alias_count; a++) {
        const struct machine_alias *alias = &machine->aliases[a];

        for (size_t i = 0; i < machine->bank_count; i++) {
            struct pa_range memory = shared_part(machine->banks[i], alias->memory);
            struct pa_range twice = shared_part(bank, range_up(memory, alias->offset));

            if (twice.start.raw < twice.end.raw && twice.start.raw < first) {
                first = twice.start.raw;
            }
        }
    }
    return first;
}

/* From the last bank down: aliases lie above what they show, so none is left out for a part of one
 * that is left out itself. */
static void banks_cut(const struct tree *tree)
{
    struct machine *machine = tree->out;

    for (size_t i = machine->bank_count; i-- > 0;) {
        struct pa_range *bank = &machine->banks[i];
        uint64_t first = first_shown_twice(machine, *bank);

        if (first == bank->end.raw) {
            continue;
        }
        tree_note(tree, 0,
                  (struct tree_fault){"memory", "is named twice: an uncached view of it too"});
        bank->end.raw = first;
        if (bank->start.raw == first) {
            memmove(bank, bank + 1, (machine->bank_count - i - 1) * sizeof(*bank));
            machine->bank_count--;
        }
    }
}

void tree_alias_read(const struct tree *tree)
{
    if (tree_node_is_one_of(tree, 0, jh7110)) {
        tree->out->alias_count = ARRAY_LEN(of_jh7110);
        memcpy(tree->out->aliases, of_jh7110, sizeof(of_jh7110));
    } else if (tree_node_is_one_of(tree, 0, mpfs)) {
        tree->out->alias_count = ARRAY_LEN(of_mpfs);
        memcpy(tree->out->aliases, of_mpfs, sizeof(of_mpfs));
    }
    banks_cut(tree);
}
