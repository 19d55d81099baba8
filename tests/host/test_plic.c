/* SPDX-License-Identifier: MIT */
/*
 * The interrupt controller's driver against a model of its registers: which source reaches which
 * context, what is held back, and that claims and completions are paired as the controller wants.
 */
#include "arch/riscv64/plic/plic.h"

#include "arch_host/mmio_model.h"
#include "support.h"

#define SOURCES      136U /* a VisionFive 2's */
#define CONTEXTS     9U
#define CONTEXT      4U /* the one under test */
#define SOURCE       32U
#define WINDOW_BYTES 0x20a000U

static unsigned char window[WINDOW_BYTES]; /* only its addresses are used */

/* Sources are levels: one that is pending stays so until its device is served. */
static struct {
    uint32_t priority[SOURCES + 1];
    uint32_t enables[CONTEXTS][32];
    uint32_t threshold[CONTEXTS];
    bool level[SOURCES + 1];
    bool claimed[SOURCES + 1];
} model;

static bool is_enabled(unsigned context, uint32_t source)
{
    return (model.enables[context][source / 32] >> source % 32 & 1) != 0;
}

static uint32_t best_for(unsigned context)
{
    uint32_t best = 0;

    for (uint32_t source = 1; source <= SOURCES; source++) {
        if (model.level[source] && !model.claimed[source] && is_enabled(context, source) &&
            model.priority[source] > model.threshold[context] &&
            (best == 0 || model.priority[source] > model.priority[best])) {
            best = source;
        }
    }
    return best;
}

static uint32_t model_read(void *state, size_t offset, unsigned width_bytes)
{
    size_t context = (offset - 0x200000) / 0x1000;

    (void)state;
    EXPECT_EQ(width_bytes, 4);
    cr_assert(offset >= 0x200000 && context < CONTEXTS && offset % 0x1000 == 4,
              "offset %#zx is read", offset);
    uint32_t source = best_for((unsigned)context);

    model.claimed[source] = source != 0;
    return source;
}

static void model_write(void *state, size_t offset, unsigned width_bytes, uint32_t value)
{
    (void)state;
    EXPECT_EQ(width_bytes, 4);
    if (offset >= 0x200000) {
        size_t context = (offset - 0x200000) / 0x1000;

        if (offset % 0x1000 == 0) {
            model.threshold[context] = value;
            return;
        }
        cr_assert(offset % 0x1000 == 4 && value <= SOURCES);
        if (is_enabled((unsigned)context, value)) { /* else it does not count */
            model.claimed[value] = false;
        }
    } else if (offset >= 0x2000) {
        size_t word = (offset - 0x2000) % 0x80 / 4;

        cr_assert(word <= SOURCES / 32, "offset %#zx is written", offset);
        cr_assert(word != 0 || (value & 1) == 0, "source 0 is enabled");
        model.enables[(offset - 0x2000) / 0x80][word] = value;
    } else {
        cr_assert(offset / 4 >= 1 && offset / 4 <= SOURCES, "offset %#zx is written", offset);
        model.priority[offset / 4] = value;
    }
}

/* Everything on, as a boot loader may leave it. */
static struct plic start(void)
{
    static const struct mmio_device device = {
        .window = window, .window_bytes = WINDOW_BYTES, .read = model_read, .write = model_write};

    for (uint32_t source = 1; source <= SOURCES; source++) {
        model.priority[source] = 7;
        model.level[source] = true;
        model.claimed[source] = false;
    }
    for (unsigned context = 0; context < CONTEXTS; context++) {
        model.threshold[context] = 5;
        for (unsigned word = 0; word < 32; word++) {
            model.enables[context][word] = word == 0 ? 0xfffffffe : 0xffffffff;
        }
    }
    mmio_model_set(&device);
    return (struct plic){.priorities = window + PLIC_PRIORITIES,
                         .enables = window + PLIC_ENABLES(CONTEXT),
                         .context = window + PLIC_CONTEXT(CONTEXT),
                         .sources = SOURCES};
}

Test(plic, a_quiet_context_gets_nothing_and_others_stay_as_they_are)
{
    struct plic plic = start();

    plic_quiet(&plic);
    EXPECT_EQ(plic_claim(&plic), 0);
    EXPECT_EQ(model.threshold[CONTEXT], 0);
    cr_assert(is_enabled(CONTEXT - 1, SOURCE) && is_enabled(CONTEXT + 1, SOURCE));
    EXPECT_EQ(model.threshold[CONTEXT + 1], 5);
}

Test(plic, a_routed_source_is_the_only_one_and_is_held)
{
    struct plic plic = start();

    plic_quiet(&plic);
    plic_route(&plic, SOURCE);
    EXPECT_EQ(plic_claim(&plic), 0);
    plic_source_set(&plic, SOURCE, PLIC_SOURCE_PASSES);
    EXPECT_EQ(plic_claim(&plic), SOURCE);
    EXPECT_EQ(plic_claim(&plic), 0);
}

Test(plic, the_first_and_the_last_source_can_be_routed)
{
    static const uint32_t sources[] = {1, 31, 32, 33, SOURCES};
    struct plic plic = start();

    plic_quiet(&plic);
    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        plic_route(&plic, sources[i]);
        plic_source_set(&plic, sources[i], PLIC_SOURCE_PASSES);
        EXPECT_EQ(plic_claim(&plic), sources[i]);
        plic_complete(&plic, sources[i]);
    }
}

Test(plic, a_source_comes_again_after_its_completion_while_its_device_wants)
{
    struct plic plic = start();

    plic_quiet(&plic);
    plic_route(&plic, SOURCE);
    plic_source_set(&plic, SOURCE, PLIC_SOURCE_PASSES);
    EXPECT_EQ(plic_claim(&plic), SOURCE);
    plic_complete(&plic, SOURCE);
    EXPECT_EQ(plic_claim(&plic), SOURCE);
    model.level[SOURCE] = false;
    plic_complete(&plic, SOURCE);
    EXPECT_EQ(plic_claim(&plic), 0);
}

Test(plic, a_source_that_is_held_between_claim_and_completion_is_not_lost)
{
    struct plic plic = start();

    plic_quiet(&plic);
    plic_route(&plic, SOURCE);
    plic_source_set(&plic, SOURCE, PLIC_SOURCE_PASSES);
    EXPECT_EQ(plic_claim(&plic), SOURCE);
    plic_source_set(&plic, SOURCE, PLIC_SOURCE_HELD);
    plic_complete(&plic, SOURCE);
    EXPECT_EQ(plic_claim(&plic), 0);
    plic_source_set(&plic, SOURCE, PLIC_SOURCE_PASSES);
    EXPECT_EQ(plic_claim(&plic), SOURCE);
}
