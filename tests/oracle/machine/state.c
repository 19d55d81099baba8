/* SPDX-License-Identifier: MIT */
/* The machine as a whole: its start, its driver, its steps and its operations. */
#include "machine/state.h"

#include <stdlib.h>
#include <string.h>

#include "arch/oracle_effects.h"
#include "arch_host/arch_host.h"
#include "machine/effects.h"
#include "machine/order.h"
#include "machine/ram.h"
#include "machine/stale.h"
#include "machine/table.h"

struct oracle_state oracle;
bool oracle_is_on;

void oracle_reset(const struct oracle_config *config)
{
    if (config->harts == 0 || config->harts > HARTS || config->levels < 3 ||
        config->levels > LEVELS_MAX || config->asid_bits > 16) {
        host_fail("oracle_reset: no machine is like that");
    }
    oracle.config = *config;
    oracle.resets++;
    oracle.step = 0;
    oracle.asid_mask = (1U << config->asid_bits) - 1;
    for (unsigned i = 0; i < HARTS; i++) {
        struct hart *hart = &oracle.harts[i];
        struct context *contexts = hart->contexts;
        size_t room = hart->context_room;

        memset(hart, 0, offsetof(struct hart, fences));
        hart->contexts = contexts;
        hart->context_room = room;
    }
    ram_reset();
    table_reset();
    stale_reset();
    order_reset();
    oracle_is_on = true;
}

const struct oracle_config *oracle_config(void)
{
    return &oracle.config;
}

void oracle_off(void)
{
    oracle_is_on = false;
}

void oracle_drive(const struct oracle_driver *driver)
{
    oracle.has_driver = driver != NULL;
    oracle.driver = driver != NULL ? *driver : (struct oracle_driver){0};
    oracle.is_ordered = oracle.driver.choose != NULL;
    order_reset();
}

void oracle_watch_slots(void (*function)(uint64_t pa, uint64_t before, uint64_t after))
{
    oracle.on_slot = function;
}

unsigned state_hart(void)
{
    return hart_index();
}

struct hart *state_this(void)
{
    return &oracle.harts[hart_index()];
}

uint32_t state_step(enum oracle_step_kind kind, uint64_t place, bool writes, unsigned other)
{
    if (oracle.driver.before != NULL) {
        struct oracle_step step = {kind, state_hart(), place, writes, other};

        oracle.driver.before(&step);
    }
    if (++oracle.step == UINT32_MAX) {
        host_fail("oracle: too many steps without a reset");
    }
    return oracle.step;
}

unsigned state_choose(enum oracle_step_kind kind, uint64_t place, unsigned count)
{
    struct oracle_step step = {.kind = kind, .hart = state_hart(), .place = place};
    unsigned choice;

    if (count < 2 || oracle.driver.choose == NULL) {
        return 0;
    }
    choice = oracle.driver.choose(&step, count);
    return choice < count ? choice : 0;
}

uint64_t oracle_steps(void)
{
    return oracle.step;
}

void oracle_op_begin(unsigned hart, uint64_t id)
{
    oracle.harts[hart].op = id;
    oracle.harts[hart].keeps_code = false;
    oracle.harts[hart].op_since = oracle.step + 1;
}

void oracle_move_begin(unsigned hart)
{
    oracle.harts[hart].keeps_code = true;
}

bool state_op_is_open(uint64_t op)
{
    if (op == 0) {
        return true;
    }
    for (unsigned i = 0; i < oracle.config.harts; i++) {
        if (oracle.harts[i].op == op) {
            return true;
        }
    }
    return false;
}

bool state_op_covers(uint32_t step)
{
    for (unsigned i = 0; i < oracle.config.harts; i++) {
        if (oracle.harts[i].op != 0 && oracle.harts[i].op_since <= step) {
            return true;
        }
    }
    return false;
}
