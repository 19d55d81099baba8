/* SPDX-License-Identifier: MIT */
/*
 * The history of a seed.  Each has a theme: few pages or many, few spaces or many, mostly changes
 * or mostly accesses; so that harts meet often.  It begins with spaces that the harts already run,
 * some of them with a budget, and pages that are mapped or reserved.
 */
#include "world/ops.h"

struct dice {
    uint64_t state;
};

struct theme {
    unsigned pages, first_page; /* that operations name */
    unsigned spaces;
    unsigned accesses;  /* of 8 */
    unsigned wide;      /* of 8: ranges beyond a few pages */
    unsigned heavy;     /* kind that comes more often */
    unsigned few[5];    /* kinds that come nearly alone */
    unsigned few_count; /* 0: all kinds come */
};

static unsigned throw(struct dice * dice, unsigned sides)
{
    dice->state ^= dice->state << 13;
    dice->state ^= dice->state >> 7;
    dice->state ^= dice->state << 17;
    return (unsigned)((dice->state >> 16) % sides);
}

static struct dice dice_of(uint64_t seed)
{
    struct dice dice = {seed * UINT64_C(0x9e3779b97f4a7c15) + UINT64_C(0xd1b54a32d192ed03)};

    for (unsigned i = 0; i < 4; i++) {
        (void) throw(&dice, 2);
    }
    return dice;
}

static struct theme theme_of(struct dice *dice)
{
    static const unsigned pages[] = {1, 2, 2, 4, 8, REF_PAGES};
    static const unsigned spaces[] = {1, 1, 2, OP_HANDLES};
    struct theme theme = {
        .pages = pages[throw(dice, 6)],
        .first_page = throw(dice, REF_PAGES),
        .spaces = spaces[throw(dice, 4)],
        .accesses = throw(dice, 5),
        .wide = throw(dice, 4),
        .heavy = throw(dice, world_kind_count()),
        .few_count = throw(dice, 2) * (2 + throw(dice, 4)),
    };

    for (unsigned i = 0; i < theme.few_count; i++) {
        theme.few[i] = throw(dice, world_kind_count());
    }
    return theme;
}

static unsigned kind_of(struct dice *dice, const struct theme *theme)
{
    unsigned total = 0;
    unsigned left;

    if (throw(dice, 6) == 0) {
        return theme->heavy;
    }
    if (theme->few_count > 0 && throw(dice, 8) > 0) {
        return theme->few[throw(dice, theme->few_count)];
    }
    for (unsigned kind = 0; kind < world_kind_count(); kind++) {
        total += ops_row(kind)->weight;
    }
    left = throw(dice, total);
    for (unsigned kind = 0;; kind++) {
        if (left < ops_row(kind)->weight) {
            return kind;
        }
        left -= ops_row(kind)->weight;
    }
}

static unsigned kind_of_function(void (*function)(const struct op *op))
{
    unsigned kind = 0;

    while (ops_row(kind)->function != function) {
        kind++;
    }
    return kind;
}

static uint8_t prot_of(struct dice *dice)
{
    static const uint8_t prots[] = {VM_R, VM_RW, VM_RW, VM_RX, VM_RW, VM_RWX,
                                    VM_X, VM_R,  VM_RX, VM_RW, VM_W,  VM_PROT_NONE};

    /* Wrong ones are rare. */
    return prots[throw(dice, throw(dice, 8) == 0 ? 12 : 10)];
}

static struct world_op op_of(struct dice *dice, const struct theme *theme, unsigned harts)
{
    bool touches = throw(dice, 8) < theme->accesses;
    struct world_op op = {
        .kind = (uint8_t)(touches ? kind_of_function(op_touch) : kind_of(dice, theme)),
        .hart = (uint8_t) throw(dice, harts),
        .space = (uint8_t) throw(dice, theme->spaces),
        .page = (uint8_t)((theme->first_page + throw(dice, theme->pages)) % REF_PAGES),
        .shape = (uint8_t)(throw(dice, 8) < theme->wide ? throw(dice, 18)
                                                        : throw(dice, 1 + theme->pages % 4)),
        .prot = prot_of(dice),
        .arg = {(uint8_t) throw(dice, 256), (uint8_t) throw(dice, 256)},
    };

    if (ops_row(op.kind)->function == op_fail) {
        op.arg[0] %= 16;
        op.arg[1] = 0;
    }
    if (ops_row(op.kind)->function == op_touch || ops_row(op.kind)->function == op_copy) {
        op.prot = (uint8_t) throw(dice, 3);
    }
    return op;
}

/* An object, in one of three histories. */
static unsigned add_object(struct dice *dice, struct world_history *out)
{
    static const uint8_t sizes[] = {5, 5, 1, 3, 6}; /* of pages_of */
    bool has_budget = throw(dice, 8) == 0;

    if (throw(dice, 3) != 0) {
        return 0;
    }
    out->ops[out->setup_count++] =
        (struct world_op){.kind = (uint8_t)kind_of_function(op_object_create),
                          .page = (uint8_t)(throw(dice, 8) == 0 ? 7 : 0), /* in blocks */
                          .arg = {has_budget ? 3 : 0, sizes[throw(dice, sizeof(sizes))]}};
    return 1;
}

/* Spaces, harts in them, an object, pages. */
static void set_up(struct dice *dice, const struct theme *theme, struct world_history *out)
{
    unsigned harts = out->config.harts;
    unsigned maps = 1 + throw(dice, 4);
    unsigned objects = add_object(dice, out);

    for (unsigned i = 0; i < theme->spaces; i++) {
        bool has_budget = throw(dice, 8) == 0;

        out->ops[out->setup_count++] =
            (struct world_op){.kind = (uint8_t)kind_of_function(op_space_create),
                              .space = (uint8_t)i,
                              .arg = {has_budget ? 3 : 0, (uint8_t) throw(dice, 32)}};
    }
    for (unsigned hart = 0; hart < harts; hart++) {
        out->ops[out->setup_count++] =
            (struct world_op){.kind = (uint8_t)kind_of_function(op_space_activate),
                              .hart = (uint8_t)hart,
                              .space = (uint8_t) throw(dice, theme->spaces)};
    }
    for (unsigned i = 0; i < maps; i++) {
        struct world_op op = op_of(dice, theme, harts);

        op.kind = (uint8_t)kind_of_function(op_map);
        if (throw(dice, 3) == 0) {
            op.kind = (uint8_t)kind_of_function(op_mark);
            op.shape = (uint8_t)(throw(dice, 2) == 0 ? 8 + throw(dice, 3) : op.shape);
            op.arg[0] = 0x78; /* reserved, all at once */
        }
        op.arg[1] = 255;
        if (objects > 0 && throw(dice, 2) == 0) {
            op.kind = (uint8_t)kind_of_function(op_object_map);
            op.arg[1] = (uint8_t)(252 + throw(dice, 3)); /* shared, a view, private */
        }
        out->ops[out->setup_count++] = op;
    }
}

static unsigned one_of(struct dice *dice, const uint8_t *values, unsigned count)
{
    return values[throw(dice, count)];
}

void world_random(uint64_t seed, const struct world_limits *limits, struct world_history *out)
{
    static const uint8_t harts[] = {2, 2, 2, 3, 3, 4, 4, 1, 5, 8, 16};
    static const uint8_t widths[] = {0, 1, 9, 16, 3, 4};
    struct dice dice = dice_of(seed);
    struct theme theme = theme_of(&dice);
    unsigned most = limits->ops_most < WORLD_OPS_MAX ? limits->ops_most : WORLD_OPS_MAX;
    unsigned least = limits->ops_least < most ? limits->ops_least : most;
    unsigned any_harts = one_of(&dice, harts, sizeof(harts));
    unsigned any_levels = 3 + throw(&dice, 3);
    unsigned any_width = one_of(&dice, widths, sizeof(widths));
    unsigned any_ad = throw(&dice, 2);

    out->config = (struct oracle_config){
        .harts = limits->harts > 0 ? limits->harts : any_harts,
        .levels = limits->levels > 0 ? limits->levels : any_levels,
        .asid_bits = limits->asid_bits >= 0 ? (unsigned)limits->asid_bits : any_width,
        .ad = limits->ad >= 0 ? (enum oracle_ad)limits->ad : (enum oracle_ad)any_ad,
        .has_svpbmt = throw(&dice, 2) == 0,
    };
    out->seed = 1 + throw(&dice, 0xfffffe);
    out->audits = throw(&dice, 8) == 0;
    out->setup_count = 0;
    out->choice_count = 0;
    set_up(&dice, &theme, out);
    out->op_count = out->setup_count;
    for (unsigned left = least + throw(&dice, most - least + 1);
         left > 0 && out->op_count < WORLD_OPS_MAX; left--) {
        out->ops[out->op_count++] = op_of(&dice, &theme, out->config.harts);
    }
}
