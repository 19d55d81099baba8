/* SPDX-License-Identifier: MIT */
/*
 * Histories of address spaces from bytes: any bytes are a history (world/world.h), so what covers
 * new code in mm/ or in the model of the machine is found by mutation of what did before.  A
 * history that fails is told, with the word that replays it.
 */
#include "fuzz.h"
#include "world/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct world_history history;
    static struct world_history taken;
    struct world_result result;

    if (!world_decode(data, bytes, &history)) {
        return -1; /* not worth a place in the corpus */
    }
    world_run(&history, &result, &taken);
    if (result.failed) {
        world_story(&taken, stderr);
    }
    fuzz_expect(!result.failed);
    return 0;
}
