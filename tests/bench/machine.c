/* SPDX-License-Identifier: MIT */
/* The machine of the benchmark: arch/arch.h and lib/hart.h, as lean as they can be. */
#include "bench/machine.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/layout.h"
#include "arch/machine.h"
#include "lib/log.h"
#include "lib/trace.h"

#define RAM_START    UINT64_C(0x80000000)
#define IMAGE_START  UINT64_C(0x80200000)
#define WINDOW_BYTES (UINT64_C(1) << 30) /* records of RAM up to 256 GiB, and the stacks */

static struct machine machine = {
    .banks = {{{RAM_START}, {RAM_START + BENCH_RAM_BYTES}}},
    .bank_count = 1,
    .reserved = {{{{RAM_START}, {IMAGE_START + 0x100000}}, MACHINE_RESERVED_FIRMWARE}},
    .reserved_count = 1,
    .hart_count = 2,
};
static const struct mm_image image = {
    .start = {IMAGE_START}, .text_bytes = 0x1000, .rodata_bytes = 0x1000, .data_bytes = 0x1000};

static unsigned levels;
static uint64_t ram_offset; /* pointer - physical address */
static unsigned char *window;
static _Thread_local hart_idx_t this_hart;
static paddr_t active[HART_MAX];
static struct {
    _Alignas(64) _Atomic(uint64_t) fences; /* (a) of the hart of the row; relaxed, a statistic */
} counts[HART_MAX];

void bench_expect(bool holds, const char *what, const char *file, int line)
{
    if (!holds) {
        (void)fprintf(stderr, "%s:%d: hart %u: not %s\n", file, line, this_hart, what);
        exit(1); /* NOLINT(concurrency-mt-unsafe): nothing else matters now */
    }
}

/* Host memory that is there only where it is touched. */
static unsigned char *reserve(uint64_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    EXPECT(at != MAP_FAILED);
    return at;
}

static void activate(paddr_t root, uint64_t base, paddr_t base_pa)
{
    (void)base;
    (void)base_pa;
    arch_space_activate(root, 0);
}

void bench_machine_start(unsigned level_count)
{
    unsigned char *ram = reserve(BENCH_RAM_BYTES);

    levels = level_count;
    ram_offset = (uint64_t)(uintptr_t)ram - RAM_START;
    window = reserve(WINDOW_BYTES);
    memset(ram, 0, BENCH_RAM_BYTES); /* the host's own faults come first */
    bench_hart_set(0);
    EXPECT_OK(mm_init(&machine, &image, activate));
}

void bench_hart_set(hart_idx_t hart)
{
    this_hart = hart;
}

static void count_fence(void)
{
    (void)atomic_fetch_add_explicit(&counts[this_hart].fences, 1, memory_order_relaxed);
}

uint64_t bench_fences(void)
{
    uint64_t sum = 0;

    for (hart_idx_t hart = 0; hart < HART_MAX; hart++) {
        sum += atomic_load_explicit(&counts[hart].fences, memory_order_relaxed);
    }
    return sum;
}

/* ---- lib/hart.h, lib/log.h ---- */

hart_idx_t hart_index(void)
{
    return this_hart;
}

uint64_t hart_time(void)
{
    return 0; /* nothing is traced */
}

uint32_t trace_thread(void)
{
    return 0;
}

void hart_relax(void)
{
    __asm__ volatile("" ::: "memory");
}

void hart_panic_begin(void)
{
}

_Noreturn void hart_panic(void)
{
    abort();
}

void log_sink_write(const char *bytes, size_t len_bytes)
{
    (void)fwrite(bytes, 1, len_bytes, stderr);
}

/* ---- arch/machine.h, arch/arch.h ---- */

const struct machine *machine_get(void)
{
    return &machine;
}

unsigned arch_paging_levels(void)
{
    return levels;
}

unsigned arch_asid_bits(void)
{
    return 16;
}

bool arch_has_svpbmt(void)
{
    return false;
}

void *arch_phys_to_virt(paddr_t pa)
{
    return (void *)(uintptr_t)(pa.raw + ram_offset);
}

paddr_t arch_virt_to_phys(const void *direct_map_ptr)
{
    return (paddr_t){(uint64_t)(uintptr_t)direct_map_ptr - ram_offset};
}

void *arch_kernel_window(vaddr_t va, uint64_t bytes)
{
    uint64_t offset = va.raw - layout_records_base(levels);

    (void)bytes; /* more than is ever touched */
    EXPECT(offset < WINDOW_BYTES);
    return window + offset;
}

void arch_tlb_flush_local(struct tlb_op op)
{
    (void)op;
    count_fence();
}

status_t arch_tlb_flush_remote(struct hart_mask harts, struct tlb_op op)
{
    (void)op;
    if (!hart_mask_is_empty(harts)) {
        count_fence();
    }
    return OK;
}

void arch_space_activate(paddr_t root, asid_t asid)
{
    (void)asid;
    active[this_hart] = root;
}

paddr_t arch_active_root(void)
{
    return active[this_hart];
}

void arch_icache_sync_local(void)
{
    count_fence();
}

status_t arch_icache_sync(struct hart_mask others)
{
    (void)others;
    count_fence();
    return OK;
}

uint64_t arch_quiescence_count(hart_idx_t hart)
{
    (void)hart;
    return 0; /* outside of the kernel, as far as detached tables go: no hart looks at them */
}

void arch_zero_frame(void *frame)
{
    memset(frame, 0, PAGE_SIZE);
}

void arch_fill_frame(void *frame, uint64_t word, uint64_t step)
{
    uint64_t *words = frame;

    for (size_t i = 0; i < PAGE_SIZE / sizeof(word); i++) {
        words[i] = word + i * step;
    }
}

/* Programs do not run here, so their memory is never touched. */

size_t arch_copy_from_user(void *to, vaddr_t from, size_t len_bytes)
{
    (void)to;
    (void)from;
    (void)len_bytes;
    return 0;
}

size_t arch_try_copy_from_user(void *to, vaddr_t from, size_t len_bytes)
{
    return arch_copy_from_user(to, from, len_bytes);
}

size_t arch_copy_to_user(vaddr_t to, const void *from, size_t len_bytes)
{
    (void)to;
    (void)from;
    (void)len_bytes;
    return 0;
}

size_t arch_zero_user(vaddr_t to, size_t len_bytes)
{
    (void)to;
    (void)len_bytes;
    return 0;
}

bool arch_load_user_u32(vaddr_t from, uint32_t *value)
{
    (void)from;
    (void)value;
    return false;
}

bool arch_compare_exchange_user_u32(vaddr_t at, uint32_t *seen, uint32_t value)
{
    (void)at;
    (void)seen;
    (void)value;
    return false;
}
