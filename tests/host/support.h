/* SPDX-License-Identifier: MIT */
/*
 * What the Criterion tests of mm/ share: short builders, expectations that print both sides, a
 * machine that boots in one line, and a world: one address space whose end checks that every frame
 * is back and every invariant holds.
 *
 * Leak checks stand in the test body (world_end), since a failing assert in a fixture's end would
 * not fail the test.
 */
#pragma once

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>

#include "arch/machine.h"
#include "arch_host/arch_host.h"
#include "lib/status.h"
#include "mm/frame.h"
#include "mm/io_mem.h"
#include "mm/mm.h"
#include "mm/vm_cursor.h"
#include "mm/vm_space.h"
#include "support_walk.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define TIB (GIB * 1024)

/* ---- expectations ---- */

#define EXPECT_EQ(got, want)                                                                       \
    do {                                                                                           \
        uint64_t got_ = (uint64_t)(got);                                                           \
        uint64_t want_ = (uint64_t)(want);                                                         \
        cr_assert(got_ == want_, "%s is %#lx, not %#lx (%s)", #got, (unsigned long)got_,           \
                  (unsigned long)want_, #want);                                                    \
    } while (0)

#define EXPECT_STATUS(got, want)                                                                   \
    do {                                                                                           \
        status_t got_ = (got);                                                                     \
        cr_assert(got_ == (want), "%s gives %s, not %s", #got, status_name(got_), #want);          \
    } while (0)

#define EXPECT_OK(got) EXPECT_STATUS(got, OK)

/* A test that runs in all three paging modes; *levels is 3, 4 or 5. */
#define MODE_TEST(suite, name, ...)                                                                \
    ParameterizedTestParameters(suite, name)                                                       \
    {                                                                                              \
        static unsigned modes[] = {3, 4, 5};                                                       \
        return cr_make_param_array(unsigned, modes, 3);                                            \
    }                                                                                              \
    ParameterizedTest(const unsigned *levels, suite, name, ##__VA_ARGS__)

/* ---- builders ---- */

static inline vaddr_t va(uint64_t raw)
{
    return (vaddr_t){raw};
}

static inline paddr_t pa(uint64_t raw)
{
    return (paddr_t){raw};
}

static inline struct va_range va_span(uint64_t start, uint64_t bytes)
{
    return (struct va_range){{start}, {start + bytes}};
}

static inline struct pa_range pa_span(uint64_t start, uint64_t bytes)
{
    return (struct pa_range){{start}, {start + bytes}};
}

static inline struct vm_prop prop(enum vm_prot prot)
{
    return (struct vm_prop){.prot = prot, .mem = VM_MEM_PMA};
}

/* ---- the machine ---- */

#define RAM_BASE    UINT64_C(0x80000000)
#define IMAGE_START UINT64_C(0x80200000)
#define IMAGE_BYTES UINT64_C(0x00100000)
#define DEVICE_BASE UINT64_C(0x10000000) /* no RAM: for I/O regions */

/* The machine to be booted: one bank at RAM_BASE, firmware below the image, the image.  Change it
 * before machine_boot. */
struct machine *machine_default(uint64_t ram_bytes);
void machine_add_reserved(struct pa_range range, enum machine_reserved_kind kind);
void machine_add_bank(struct pa_range range);

/* The image that machine_boot tells mm_init of. */
struct mm_image machine_image(void);

/* Starts the machine and runs mm_init, which must be OK. */
void machine_boot(unsigned levels);

/* Only starts it: for tests of mm_init itself. */
void machine_start(unsigned levels);

/* ---- a world ---- */

struct world {
    unsigned levels;
    uint64_t free_before;
    struct vm_space *space;
};

/* Boots 16 MiB, or what is asked for, and makes a space, active on hart 0. */
struct world world_begin(unsigned levels);
struct world world_begin_with(unsigned levels, uint64_t ram_bytes);

/* Ends the space and checks that every frame is back. */
void world_end(struct world *world);

/* Checks the space, the allocator and the TLB model; no cursor may be open. */
void world_check(const struct world *world);

/* Reaps until nothing waits. */
void reap_all(void);

/* A FRAME_USER frame with one reference. */
struct frame *frame_new(void);

/* One page, by a cursor of its own; takes the frame over. */
void map_at(struct world *world, uint64_t at, struct frame *frame, enum vm_prot prot);

/* Removes [at, at + bytes) by a cursor of its own; the totals. */
struct vm_removed unmap_at(struct world *world, uint64_t at, uint64_t bytes);

/* An open cursor; the open must be OK. */
struct vm_cursor cursor_open(struct world *world, uint64_t start, uint64_t bytes,
                             enum vm_cursor_mode mode);

/* ---- what the model says ---- */

/* User mode may do exactly what `prot` grants at `at`, and it leads to the frame. */
void expect_mapped(const struct world *world, uint64_t at, const struct frame *frame,
                   enum vm_prot prot);
void expect_mapped_pa(const struct world *world, uint64_t at, uint64_t to, enum vm_prot prot);

/* User mode can do nothing there. */
void expect_absent(const struct world *world, uint64_t at);

/* User mode of that hart could do the access, by the tables or by what it may still hold; *to is
 * where the tables lead. */
bool hart_may(hart_idx_t hart, uint64_t at, enum oracle_access access, uint64_t *to);

/* It could get a page fault. */
bool hart_may_fault(hart_idx_t hart, uint64_t at, enum oracle_access access);

/* References of a frame. */
uint32_t frame_refs(const struct frame *frame);
