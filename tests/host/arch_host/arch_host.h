/* SPDX-License-Identifier: MIT */
/*
 * The machine the host tests run on: what a test sets before mm_init, does as another hart, and
 * reads back afterwards.  arch/arch.h and lib/hart.h are implemented behind it.
 *
 * While the oracle is on (tests/oracle/machine) it judges every step; host_machine_start leaves it
 * off, for programs whose harts are threads.
 */
#pragma once

#include "arch/arch.h"
#include "arch/machine.h"
#include "lib/hart.h"

/* Prints why and aborts. */
_Noreturn void host_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- set-up, before mm_init ---- */

/* Takes the machine (kept, not copied) and the number of levels, and backs its RAM. */
void host_machine_start(const struct machine *machine, unsigned levels);

/* Turns the oracle on for that machine: all harts, hardware that sets A and D. */
void host_oracle_start(void);

/* Width of address-space identifiers, 0 unless set; before host_oracle_start. */
void host_asid_bits_set(unsigned bits);

/* What mm_init is given as `activate`. */
void host_activate(paddr_t root, uint64_t base, paddr_t base_pa);

/* What host_activate was told; root 0 before. */
struct host_direct_map {
    paddr_t root;
    uint64_t base;
    paddr_t base_pa;
};
struct host_direct_map host_direct_map(void);

/* ---- harts ---- */

/* From here on this thread acts as that hart. */
void host_hart_set(hart_idx_t hart);

/* The hart of this thread enters the kernel, and leaves it: arch_quiescence_count is odd in
 * between. Programs that never ask count as outside. */
void host_hart_enter(void);
void host_hart_leave(void);

/* The next `times` remote flushes or fence.i report this failure (after doing their work, as
 * firmware might). */
void host_rfence_fail(status_t status, unsigned times);

/* Called at the start of every flush, local, remote and that of an activation (when the new root is
 * active), before the model forgets anything; the function is not called from inside itself.  NULL:
 * none. */
void host_on_flush(void (*function)(void *context, struct tlb_op op), void *context);

/* ---- events ---- */

enum host_event_kind {
    HOST_EVENT_SLOT,         /* pa, before, after      */
    HOST_EVENT_FLUSH_LOCAL,  /* op, hart               */
    HOST_EVENT_FLUSH_REMOTE, /* op, harts              */
    HOST_EVENT_ACTIVATE,     /* pa (root), op.asid     */
    HOST_EVENT_CODE_LOCAL,   /* fence.i                */
    HOST_EVENT_CODE_REMOTE,  /* harts                  */
};

struct host_event {
    enum host_event_kind kind;
    hart_idx_t hart;
    uint64_t pa;
    uint64_t before, after;
    struct tlb_op op;
    struct hart_mask harts;
};

/* Forgets all events and records from now on; a full record stops the test. */
void host_events_start(void);
size_t host_event_count(void);
const struct host_event *host_event_at(size_t i);
size_t host_event_count_of(enum host_event_kind kind);

/* For the other parts of arch_host. */
void host_event_add(struct host_event event);

/* ---- console ---- */

/* What log_sink_write and arch_console_write got since the last clear, as text. */
const char *host_log_text(void);
void host_log_clear(void);
