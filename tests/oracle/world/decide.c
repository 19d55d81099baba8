/* SPDX-License-Identifier: MIT */
/* Decisions: where they come from, and writing them down. */
#include "world/decide.h"

#include <string.h>

#include "world/fiber.h"

/* Operations, and harts that are in none. */
#define PLACES (WORLD_OPS_MAX + FIBER_MAX + 1U)

static struct {
    const struct world_history *history;
    struct world_history *taken;
    size_t choice; /* next one of the list */
    unsigned gap, taken_gap;
    uint64_t random;
    unsigned odds;
    uint64_t count;
    uint16_t op[FIBER_MAX + 1]; /* that each hart is in */
    uint32_t made[PLACES];      /* decisions of each operation so far */
    size_t next_key[PLACES];
} decide;

static const struct decide_keys *keys;
static struct decide_keys *noted;

void decide_by_keys(const struct decide_keys *by, struct decide_keys *to)
{
    keys = by;
    noted = to;
}

static uint64_t random_next(void)
{
    decide.random ^= decide.random << 13;
    decide.random ^= decide.random >> 7;
    decide.random ^= decide.random << 17;
    return decide.random >> 11;
}

void decide_begin(const struct world_history *history, struct world_history *taken)
{
    static const unsigned odds[] = {128, 64, 24, 8};

    memset(&decide, 0, sizeof(decide));
    memset(decide.op, 0xff, sizeof(decide.op));
    decide.history = history;
    decide.taken = taken;
    decide.random = (uint64_t)history->seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    (void)random_next();
    decide.odds = odds[random_next() % 4];
    if (taken != NULL) {
        *taken = *history;
        taken->choice_count = 0;
        taken->seed = 0;
    }
    if (noted != NULL) {
        noted->count = 0;
    }
}

unsigned decide_odds(void)
{
    return decide.odds;
}

uint64_t decide_count(void)
{
    return decide.count;
}

void decide_in_op(unsigned hart, size_t op)
{
    decide.op[hart] = (uint16_t)op;
}

static size_t place_of(unsigned hart, uint16_t op)
{
    return op == DECIDE_NO_OP ? WORLD_OPS_MAX + hart : op;
}

/* ---- where a decision comes from ---- */

/* The next one of the list, which has one. */
static unsigned listed_value(void)
{
    const struct world_choice *choice = &decide.history->choices[decide.choice];

    if (decide.gap < choice->gap) {
        decide.gap++;
        return 0;
    }
    decide.choice++;
    decide.gap = 0;
    return choice->value;
}

/* Keys of one place follow each other, in order of their numbers. */
static unsigned keyed_value(unsigned hart)
{
    uint16_t op = decide.op[hart];
    size_t place = place_of(hart, op);
    size_t i = decide.next_key[place];

    while (i < keys->count && (keys->at[i].op != op || keys->at[i].hart != hart ||
                               keys->at[i].number < decide.made[place])) {
        i++;
    }
    decide.next_key[place] = i;
    return i < keys->count && keys->at[i].number == decide.made[place] ? keys->at[i].value : 0;
}

static bool is_random(void)
{
    return keys == NULL && decide.choice >= decide.history->choice_count &&
           decide.history->seed != 0;
}

static unsigned given_value(unsigned hart)
{
    if (keys != NULL) {
        return keyed_value(hart);
    }
    return decide.choice < decide.history->choice_count ? listed_value() : 0;
}

/* ---- writing it down ---- */

static void note_key(unsigned hart, unsigned value)
{
    uint16_t op = decide.op[hart];
    uint32_t *made = &decide.made[place_of(hart, op)];

    if (noted != NULL && value != 0 && noted->count < WORLD_CHOICES_MAX) {
        noted->at[noted->count++] = (struct decide_key){op, (uint8_t)hart, (uint8_t)value, *made};
    }
    (*made)++;
}

void decide_note(unsigned hart, unsigned value)
{
    struct world_history *taken = decide.taken;

    decide.count++;
    note_key(hart, value);
    if (taken == NULL || taken->choice_count == WORLD_CHOICES_MAX) {
        return;
    }
    if (value == 0 && decide.taken_gap < UINT16_MAX) {
        decide.taken_gap++;
        return;
    }
    taken->choices[taken->choice_count++] =
        (struct world_choice){(uint16_t)decide.taken_gap, (uint8_t)value};
    decide.taken_gap = 0;
}

unsigned decide_number(unsigned hart, unsigned count, unsigned odds)
{
    unsigned value;

    if (is_random()) {
        uint64_t number = random_next();

        value = (number & 0xff) < odds ? 1 + (unsigned)((number >> 8) % (count - 1)) : 0;
    } else {
        value = given_value(hart) % count;
    }
    decide_note(hart, value);
    return value;
}

static unsigned nth_of(uint32_t set, unsigned n)
{
    for (; n > 0; n--) {
        set &= set - 1;
    }
    return (unsigned)__builtin_ctz(set);
}

unsigned decide_hart(unsigned hart, uint32_t set, unsigned odds, unsigned otherwise)
{
    unsigned value = 0;

    if (is_random()) {
        uint64_t number = random_next();

        if ((number & 0xff) < odds) {
            value = 1 + nth_of(set, (unsigned)(number >> 8) % (unsigned)__builtin_popcount(set));
        }
    } else {
        value = given_value(hart) % (FIBER_MAX + 1);
    }
    if (value == 0 || (set >> (value - 1) & 1U) == 0) {
        value = 0;
    }
    decide_note(hart, value);
    return value == 0 ? otherwise : value - 1;
}
