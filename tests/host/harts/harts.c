/* SPDX-License-Identifier: MIT */
/* Threads as harts: the machine, the threads, random choices, the books at the end. */
#include "harts/harts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch_host/arch_host.h"
#include "harts/tlb.h"
#include "lib/spinlock.h"
#include "mm/mm.h"

static const struct mm_image image = {
    .start = {0x80200000}, .text_bytes = 0x1000, .rodata_bytes = 0x1000, .data_bytes = 0x1000};

static struct machine machine = {
    /* Ample: detached tables wait for every hart, and the host may stop one for long. */
    .banks = {{{0x80000000}, {0x90000000}}},
    .bank_count = 1,
};
static uint64_t seed;
static uint64_t free_before;
static const struct harts_config *running;
static void (*program_of_harts)(hart_idx_t hart);
static _Thread_local uint64_t random_state;

void expect(bool holds, const char *what, const char *file, int line)
{
    if (!holds) {
        (void)fprintf(stderr, "%s:%d: hart %u of %u, Sv%u, %u ASID bits, VELLUM_SEED=%lu: not %s\n",
                      file, line, hart_index(), running->harts, 12 + 9 * running->levels,
                      running->asid_bits, (unsigned long)seed, what);
        _exit(1);
    }
}

/* xorshift64*; each hart has its own sequence. */
uint64_t pick(uint64_t below)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (random_state * UINT64_C(2685821657736338717) >> 33) % below;
}

static void begin_thread(hart_idx_t hart)
{
    host_hart_set(hart);
    random_state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) + hart * UINT64_C(2) + 1;
}

int harts_for_each(const struct harts_config *configs, unsigned count,
                   void (*program)(const struct harts_config *config))
{
    for (unsigned i = 0; i < count; i++) {
        pid_t child = fork();
        int status = 0;

        if (child == 0) {
            program(&configs[i]);
            exit(0); /* NOLINT(concurrency-mt-unsafe): the threads have ended */
        }
        if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
            WEXITSTATUS(status) != 0) {
            (void)fprintf(stderr, "configuration %u of %u failed\n", i + 1, count);
            return 1;
        }
    }
    (void)printf("%u configurations, all frames back\n", count);
    return 0;
}

void harts_ram_set(uint64_t bytes)
{
    machine.banks[0].end = paddr_add(machine.banks[0].start, bytes);
}

void harts_begin(const struct harts_config *config)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): before there are threads */
    const char *text = getenv("VELLUM_SEED");

    seed = text != NULL ? strtoull(text, NULL, 0) : 1;
    running = config;
    machine.hart_count = config->harts;
    begin_thread(0);
    tlbs_begin();
    host_asid_bits_set(config->asid_bits);
    host_machine_start(&machine, config->levels);
    EXPECT_OK(mm_init(&machine, &image, host_activate));
    free_before = frame_free_count();
}

static void *run_hart(void *argument)
{
    hart_idx_t hart = *(const hart_idx_t *)argument;

    begin_thread(hart);
    program_of_harts(hart);
    EXPECT(spinlock_held_count() == 0);
    return NULL;
}

void harts_run(void (*program)(hart_idx_t hart))
{
    pthread_t threads[HART_MAX];
    hart_idx_t harts[HART_MAX];

    program_of_harts = program;
    for (unsigned i = 0; i < running->harts; i++) {
        harts[i] = i;
        EXPECT(pthread_create(&threads[i], NULL, run_hart, &harts[i]) == 0);
    }
    for (unsigned i = 0; i < running->harts; i++) {
        EXPECT(pthread_join(threads[i], NULL) == 0);
    }
}

void harts_end(void)
{
    while (vm_space_reap()) {
        continue;
    }
    EXPECT(vm_space_reap_is_done());
    EXPECT(frame_free_count() == free_before);
    EXPECT_OK(frame_check());
}

void kernel_enter(void)
{
    host_hart_enter();
}

void kernel_leave(void)
{
    EXPECT(spinlock_held_count() == 0);
    host_hart_leave();
}

struct frame *frame_with(uint64_t tag)
{
    struct frame *frame = NULL;

    EXPECT_OK(frame_alloc(FRAME_USER, &frame));
    /* Relaxed: programs see it only through an entry, which is stored with release. */
    atomic_store_explicit((_Atomic(uint64_t) *)frame_bytes(frame), tag, memory_order_relaxed);
    return frame;
}
