/* SPDX-License-Identifier: MIT */
/*
 * Bringing the other harts in: called and examined one after another before anything is decided
 * about paging, then let into the kernel together (arch_harts_start).
 */
#pragma once

#include "boot.h"
#include "lib/hart.h"

/* What became of a hart that the tree calls usable. */
enum harts_outcome {
    HARTS_BOOT,    /* the one firmware started                                */
    HARTS_CAME,    /* was examined, and waits or runs                         */
    HARTS_ALONE,   /* firmware cannot start, signal or fence harts            */
    HARTS_REFUSED, /* firmware would not start it                             */
    HARTS_SILENT,  /* did not come in time; stops for good if it ever does    */
};

struct harts_report {
    enum harts_outcome outcome;
    status_t refusal;        /* HARTS_REFUSED: what firmware said */
    struct hart_facts facts; /* HARTS_CAME                        */
};

/* Calls every usable hart but this one, waits until each has been examined, and lowers *all to what
 * they can do.  Boot hart, once, with the early tables in force. */
void harts_gather(struct hart_facts *all);

/* For the boot report.  index < machine_get()->hart_count; after harts_gather. */
const struct harts_report *harts_report(hart_idx_t index);

/* boot.S: where a hart comes in (physical address, paging off). */
extern const char hart_entry[];

/* Called by boot.S: a hart that was called has come, with its block, on its emergency stack, by the
 * early tables. */
_Noreturn void harts_arrive(uint64_t hart_id);
