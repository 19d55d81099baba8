/* SPDX-License-Identifier: MIT */
/*
 * Starting over by copying.
 *
 * The build gathers the variables of mm/ and lib/ in the sections vellum_data and vellum_bss, and
 * those of the host's arch in arch_data and arch_bss.  A configuration is booted once; what these
 * sections and the RAM taken at boot then hold is kept, and put back for every run.  Frames that
 * were free need not be restored: nobody may rely on what is in them.
 */
#include "world/reset.h"

#include <stdlib.h>
#include <string.h>

#include "arch_host/arch_host.h"
#include "mm/frame.h"
#include "mm/mm.h"
#include "mm/vm_space.h"

#ifdef __SANITIZE_ADDRESS__
#    include <sanitizer/asan_interface.h>
#else
#    define ASAN_UNPOISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
#endif

#define RAM_START   UINT64_C(0x80000000)
#define RAM_BYTES   (UINT64_C(6) << 20)
#define IMAGE_BYTES UINT64_C(0x40000)
#define DEVICE      UINT64_C(0x10000000)
#define BOOTS_MAX   512U
#define PAGES_MAX   192U

extern unsigned char __start_vellum_data[], __stop_vellum_data[];
extern unsigned char __start_vellum_bss[], __stop_vellum_bss[];
extern unsigned char __start_arch_data[], __stop_arch_data[];
extern unsigned char __start_arch_bss[], __stop_arch_bss[];

/* Copies of the four sections; those of arch change with the configuration alone. */
struct image {
    unsigned char *kernel_data, *kernel_bss, *arch_data, *arch_bss;
};

static struct boot {
    struct oracle_config config;
    struct machine machine;
    struct image image;
    uint64_t free_frames;
    struct io_mem *region;
    size_t page_count; /* RAM in use since boot */
    uint64_t pages[PAGES_MAX];
    unsigned char *contents;
} boots[BOOTS_MAX];

static size_t boot_count;
static struct boot *current;
static struct image pristine;

/* Not memcpy: the sanitizer would object to the gaps it keeps between variables. */
__attribute__((no_sanitize("address", "undefined"))) static void copy(unsigned char *to,
                                                                      const unsigned char *from,
                                                                      size_t bytes)
{
#ifdef __SANITIZE_ADDRESS__
    for (size_t i = 0; i < bytes; i++) {
        ((volatile unsigned char *)to)[i] = from[i];
    }
#else
    memcpy(to, from, bytes);
#endif
}

static unsigned char *keep(const unsigned char *start, const unsigned char *stop)
{
    size_t bytes = (size_t)(stop - start);
    unsigned char *kept = malloc(bytes + 1);

    if (kept == NULL) {
        host_fail("no memory for the state of a boot");
    }
    copy(kept, start, bytes);
    return kept;
}

static struct image image_keep(void)
{
    return (struct image){
        .kernel_data = keep(__start_vellum_data, __stop_vellum_data),
        .kernel_bss = keep(__start_vellum_bss, __stop_vellum_bss),
        .arch_data = keep(__start_arch_data, __stop_arch_data),
        .arch_bss = keep(__start_arch_bss, __stop_arch_bss),
    };
}

static void kernel_restore(const struct image *image)
{
    copy(__start_vellum_data, image->kernel_data,
         (size_t)(__stop_vellum_data - __start_vellum_data));
    copy(__start_vellum_bss, image->kernel_bss, (size_t)(__stop_vellum_bss - __start_vellum_bss));
}

static void arch_restore(const struct image *image)
{
    copy(__start_arch_data, image->arch_data, (size_t)(__stop_arch_data - __start_arch_data));
    copy(__start_arch_bss, image->arch_bss, (size_t)(__stop_arch_bss - __start_arch_bss));
}

static void describe(struct machine *machine, const struct oracle_config *config)
{
    struct pa_range ram = {{RAM_START}, {RAM_START + RAM_BYTES}};

    *machine = (struct machine){
        .hart_count = config->harts,
        .timebase_hz = 10000000,
        .levels_cap = 5,
        .banks = {ram},
        .bank_count = 1,
        .reserved = {{{{RAM_START}, {RAM_START + IMAGE_BYTES}}, MACHINE_RESERVED_KERNEL}},
        .reserved_count = 1,
    };
}

/* Stacks and the like, which boot has only set aside: still as phys_mem fills RAM. */
static bool is_untouched(uint64_t pa)
{
    const unsigned char *bytes = arch_phys_to_virt((paddr_t){pa});
    size_t i = 1;

    while (i < PAGE_SIZE && bytes[i] == bytes[0]) {
        i++;
    }
    return i == PAGE_SIZE && bytes[0] != 0;
}

/* The RAM that boot took and wrote to: reserved, and not the image. */
static void pages_keep(struct boot *boot)
{
    for (uint64_t pa = RAM_START + IMAGE_BYTES; pa < RAM_START + RAM_BYTES; pa += PAGE_SIZE) {
        const struct frame *frame = frame_of((paddr_t){pa});

        if (frame->type == FRAME_FREE || frame->type == FRAME_FREE_PART || is_untouched(pa)) {
            continue;
        }
        if (boot->page_count == PAGES_MAX) {
            host_fail("more RAM is in use after boot than a reset can restore");
        }
        boot->pages[boot->page_count++] = pa;
    }
    boot->contents = malloc(boot->page_count * PAGE_SIZE);
    if (boot->contents == NULL) {
        host_fail("no memory for the RAM of a boot");
    }
    for (size_t i = 0; i < boot->page_count; i++) {
        copy(boot->contents + i * PAGE_SIZE, arch_phys_to_virt((paddr_t){boot->pages[i]}),
             PAGE_SIZE);
    }
}

/* Every hart on the kernel's own table, with nothing remembered. */
static void harts_arrive(void)
{
    for (unsigned hart = oracle_config()->harts; hart > 0; hart--) {
        host_hart_set(hart - 1);
        arch_space_activate(mm_kernel_root(), 0);
        arch_tlb_flush_local((struct tlb_op){0});
        arch_icache_sync_local();
    }
}

static void boot_first(struct boot *boot, const struct oracle_config *config)
{
    struct mm_image image = {.start = {RAM_START},
                             .text_bytes = IMAGE_BYTES / 4,
                             .rodata_bytes = IMAGE_BYTES / 4,
                             .data_bytes = IMAGE_BYTES / 2};

    kernel_restore(&pristine);
    arch_restore(&pristine);
    boot->config = *config;
    describe(&boot->machine, config);
    host_hart_set(0);
    host_machine_start(&boot->machine, config->levels);
    host_asid_bits_set(config->asid_bits);
    oracle_reset(config);
    if (mm_init(&boot->machine, &image, host_activate) != OK ||
        io_mem_create((struct pa_range){{DEVICE}, {DEVICE + RESET_REGION_PAGES * PAGE_SIZE}},
                      "oracle,device", &boot->region) != OK) {
        host_fail("mm does not come up");
    }
    boot->free_frames = frame_free_count();
    pages_keep(boot);
    boot->image = image_keep();
}

/* What matters to boot. */
static bool config_is(const struct oracle_config *a, const struct oracle_config *b)
{
    return a->harts == b->harts && a->levels == b->levels && a->asid_bits == b->asid_bits;
}

static struct boot *boot_find(const struct oracle_config *config)
{
    for (size_t i = 0; i < boot_count; i++) {
        if (config_is(&boots[i].config, config)) {
            return &boots[i];
        }
    }
    if (boot_count == BOOTS_MAX) {
        host_fail("more than %u configurations in one process", BOOTS_MAX);
    }
    boot_first(&boots[boot_count], config);
    return &boots[boot_count++];
}

void reset_machine(const struct oracle_config *config)
{
    struct boot *boot;

    if (pristine.kernel_data == NULL) {
        pristine = image_keep();
    }
    boot = current != NULL && config_is(&current->config, config) ? current : boot_find(config);
    if (boot != current) {
        arch_restore(&boot->image);
    }
    current = boot;
    boot->machine.isa = config->has_svpbmt ? MACHINE_ISA_SVPBMT : 0;
    oracle_reset(config);
    kernel_restore(&boot->image);
    ASAN_UNPOISON_MEMORY_REGION(arch_phys_to_virt((paddr_t){RAM_START}), RAM_BYTES);
    for (size_t i = 0; i < boot->page_count; i++) {
        copy(arch_phys_to_virt((paddr_t){boot->pages[i]}), boot->contents + i * PAGE_SIZE,
             PAGE_SIZE);
    }
    harts_arrive();
}

struct io_mem *reset_region(void)
{
    return current->region;
}

uint64_t reset_free_frames(void)
{
    return current->free_frames;
}
