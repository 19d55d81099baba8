/* SPDX-License-Identifier: MIT */
/*
 * The upper half that mm_init builds, read back leaf by leaf by the independent walker: everything
 * that is mapped must be allowed to be, and everything that must be mapped is, with the largest
 * pages.
 */
#include "arch/arch.h"
#include "arch/layout.h"
#include "arch_host/phys_mem.h"
#include "support.h"

/* A leaf of the kernel's table. */
struct leaf {
    uint64_t va, pa, bytes;
    bool r, w, x, u, g;
};

struct visitor {
    void (*visit)(const struct leaf *leaf, void *context);
    void *context;
};

/* Calls for every leaf below one table; at most 5 deep. */
static void each_leaf(uint64_t table, unsigned level, uint64_t base, const struct visitor *visitor)
{
    for (unsigned i = 0; i < 512; i++) {
        uint64_t at = base + i * entry_extent(level);
        uint64_t entry = 0;
        struct leaf leaf;

        cr_assert(phys_mem_read64(table + i * 8, &entry));
        if ((entry & 1) == 0) {
            EXPECT_EQ(entry, 0);
            continue;
        }
        leaf = (struct leaf){
            .va = at,
            .pa = entry_pa(entry),
            .bytes = entry_extent(level),
            .r = (entry & 2) != 0,
            .w = (entry & 4) != 0,
            .x = (entry & 8) != 0,
            .u = (entry & 0x10) != 0,
            .g = (entry & 0x20) != 0,
        };
        if (leaf.r || leaf.x) {
            visitor->visit(&leaf, visitor->context);
        } else {
            cr_assert(level > 0);
            each_leaf(leaf.pa, level - 1, at, visitor);
        }
    }
}

static void each_kernel_leaf(unsigned levels, void (*visit)(const struct leaf *leaf, void *context),
                             void *context)
{
    struct visitor visitor = {visit, context};
    uint64_t sign = -(UINT64_C(1) << (12 + 9 * levels)); /* bits above the translated ones */
    uint64_t root = mm_kernel_root().raw;

    for (unsigned i = 0; i < 256; i++) {
        uint64_t entry = 1;

        cr_assert(phys_mem_read64(root + i * 8, &entry));
        EXPECT_EQ(entry, 0); /* the user half is empty */
    }
    each_leaf(root, levels - 1, sign, &visitor);
}

static bool overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
    return a < b + b_bytes && b < a + a_bytes;
}

static struct walk_result kernel_access(unsigned levels, uint64_t at, enum oracle_access access)
{
    return walk_access(mm_kernel_root().raw, levels, at, access, WALK_SUPERVISOR);
}

static uint64_t direct_va(uint64_t at)
{
    return host_direct_map().base + (at - host_direct_map().base_pa.raw);
}

static void expect_direct(unsigned levels, uint64_t at, bool writable)
{
    struct walk_result read = kernel_access(levels, direct_va(at), ORACLE_READ);

    cr_assert(read.allowed && read.pa == at, "RAM at %#lx is not in the direct map",
              (unsigned long)at);
    cr_assert(kernel_access(levels, direct_va(at), ORACLE_WRITE).allowed == writable,
              "RAM at %#lx is wrongly writable or not", (unsigned long)at);
    cr_assert(!kernel_access(levels, direct_va(at), ORACLE_EXECUTE).allowed);
}

static void expect_unmapped(unsigned levels, uint64_t at)
{
    struct walk_result result = kernel_access(levels, at, ORACLE_READ);

    cr_assert(result.end != WALK_LEAF, "%#lx is mapped, to %#lx", (unsigned long)at,
              (unsigned long)result.pa);
}

/* No leaf grants what no leaf may grant. */
static void check_leaf(const struct leaf *leaf, void *context)
{
    struct mm_image image = machine_image();
    const unsigned long at = leaf->va;

    (void)context;
    cr_assert(leaf->g && !leaf->u, "%#lx is not global, or user mode's", at);
    cr_assert(!(leaf->w && leaf->x), "%#lx is writable and executable", at);
    cr_assert(leaf->x == (leaf->va >= LAYOUT_KERNEL && leaf->va < LAYOUT_KERNEL + image.text_bytes),
              "%#lx", at);
    cr_assert(!leaf->w || !overlap(leaf->pa, leaf->bytes, image.start.raw,
                                   image.text_bytes + image.rodata_bytes),
              "%#lx is a writable alias of text or rodata", at);
    for (size_t i = 0; i < machine_get()->reserved_count; i++) {
        const struct machine_reserved *reserved = &machine_get()->reserved[i];

        cr_assert(reserved->kind != MACHINE_RESERVED_NO_MAP ||
                      !overlap(leaf->pa, leaf->bytes, reserved->range.start.raw,
                               pa_range_bytes(reserved->range)),
                  "%#lx shows a no-map range", at);
    }
    for (uint64_t offset = 0; offset < leaf->bytes; offset += 2 * MIB) {
        cr_assert(phys_mem_has(leaf->pa + offset, 1), "%#lx leads where there is no RAM", at);
    }
}

MODE_TEST(boot_map, nothing_is_mapped_that_may_not_be)
{
    machine_default(64 * MIB);
    machine_add_reserved(pa_span(RAM_BASE + 24 * MIB + 0x800, 0x1000), MACHINE_RESERVED_NO_MAP);
    machine_add_reserved(pa_span(RAM_BASE + 32 * MIB, 4 * MIB), MACHINE_RESERVED_NO_MAP);
    machine_add_reserved(pa_span(RAM_BASE + 60 * MIB, MIB), MACHINE_RESERVED_TREE);
    machine_add_bank(pa_span(RAM_BASE + GIB + MIB, 6 * MIB));
    machine_boot(*levels);
    each_kernel_leaf(*levels, check_leaf, NULL);
    EXPECT_OK(frame_check());
}

MODE_TEST(boot_map, all_ram_is_in_the_direct_map_but_what_must_not_be)
{
    struct mm_image image = machine_image();
    uint64_t fixed_end = IMAGE_START + image.text_bytes + image.rodata_bytes;

    machine_default(48 * MIB);
    machine_add_reserved(pa_span(RAM_BASE + 24 * MIB + 0x800, 0x1000), MACHINE_RESERVED_NO_MAP);
    machine_add_reserved(pa_span(RAM_BASE + 40 * MIB, MIB), MACHINE_RESERVED_INITRD);
    machine_add_bank(pa_span(RAM_BASE + 512 * MIB, 4 * MIB));
    machine_boot(*levels);
    EXPECT_EQ(host_direct_map().base, layout_upper_base(*levels));
    cr_assert(is_aligned(host_direct_map().base_pa.raw, GIB));
    for (uint64_t at = IMAGE_START; at < RAM_BASE + 48 * MIB; at += PAGE_SIZE) {
        bool is_hole = at == RAM_BASE + 24 * MIB || at == RAM_BASE + 24 * MIB + PAGE_SIZE;

        if (is_hole) { /* rounded outwards */
            expect_unmapped(*levels, direct_va(at));
        } else {
            expect_direct(*levels, at, at < IMAGE_START || at >= fixed_end);
        }
    }
    expect_unmapped(*levels, direct_va(RAM_BASE));            /* firmware's */
    expect_unmapped(*levels, direct_va(RAM_BASE + 48 * MIB)); /* no RAM     */
    expect_unmapped(*levels, direct_va(RAM_BASE + 512 * MIB - PAGE_SIZE));
    expect_direct(*levels, RAM_BASE + 512 * MIB, true);
    expect_direct(*levels, RAM_BASE + 516 * MIB - PAGE_SIZE, true);
    expect_unmapped(*levels, direct_va(RAM_BASE + 516 * MIB));
}

MODE_TEST(boot_map, the_image_is_mapped_by_section)
{
    struct mm_image image = machine_image();
    uint64_t text_end = LAYOUT_KERNEL + image.text_bytes;
    uint64_t rodata_end = text_end + image.rodata_bytes;
    uint64_t data_end = rodata_end + image.data_bytes;

    machine_default(16 * MIB);
    machine_boot(*levels);
    for (uint64_t at = LAYOUT_KERNEL; at < data_end; at += PAGE_SIZE) {
        struct walk_result read = kernel_access(*levels, at, ORACLE_READ);

        cr_assert(read.allowed);
        EXPECT_EQ(read.pa, IMAGE_START + (at - LAYOUT_KERNEL));
        EXPECT_EQ(kernel_access(*levels, at, ORACLE_WRITE).allowed, at >= rodata_end);
        EXPECT_EQ(kernel_access(*levels, at, ORACLE_EXECUTE).allowed, at < text_end);
    }
    expect_unmapped(*levels, LAYOUT_KERNEL - PAGE_SIZE);
    expect_unmapped(*levels, data_end);
    expect_unmapped(*levels, UINT64_MAX - PAGE_MASK);
}

MODE_TEST(boot_map, large_pages_are_used_wherever_they_fit)
{
    machine_default(5 * GIB); /* to 0x1c0000000: four whole gigabytes past the first */
    machine_boot(*levels);
    EXPECT_EQ(kernel_access(*levels, direct_va(RAM_BASE + GIB), ORACLE_READ).page_bytes, GIB);
    EXPECT_EQ(kernel_access(*levels, direct_va(RAM_BASE + 4 * GIB), ORACLE_READ).page_bytes, GIB);
    EXPECT_EQ(kernel_access(*levels, direct_va(RAM_BASE + 4 * MIB), ORACLE_READ).page_bytes,
              2 * MIB);
    EXPECT_EQ(kernel_access(*levels, direct_va(RAM_BASE + GIB - 1), ORACLE_READ).page_bytes,
              2 * MIB);
    EXPECT_EQ(kernel_access(*levels, direct_va(IMAGE_START), ORACLE_READ).page_bytes, PAGE_SIZE);
    EXPECT_EQ(frame_total_count() > 5 * GIB / PAGE_SIZE * 99 / 100, 1);
}

MODE_TEST(boot_map, every_frame_has_a_record_that_is_mapped)
{
    const uint64_t banks[][2] = {
        {RAM_BASE, 16 * MIB},
        {RAM_BASE + 256 * MIB + 4 * KIB, MIB},
        {RAM_BASE + 257 * MIB + 8 * KIB, MIB}, /* shares a page of records */
        {RAM_BASE + 100 * GIB, 2 * MIB}};

    machine_default(banks[0][1]);
    for (size_t i = 1; i < ARRAY_LEN(banks); i++) {
        machine_add_bank(pa_span(banks[i][0], banks[i][1]));
    }
    machine_boot(*levels);
    for (size_t i = 0; i < ARRAY_LEN(banks); i++) {
        for (uint64_t at = banks[i][0]; at < banks[i][0] + banks[i][1]; at += PAGE_SIZE) {
            uint64_t index = (at - host_direct_map().base_pa.raw) / PAGE_SIZE;
            uint64_t record = layout_records_base(*levels) + index * sizeof(struct frame);
            const struct frame *frame = frame_of(pa(at));

            cr_assert(frame != NULL);
            EXPECT_EQ(frame_pa(frame).raw, at);
            cr_assert(kernel_access(*levels, record, ORACLE_WRITE).allowed);
            cr_assert(
                kernel_access(*levels, record + sizeof(struct frame) - 1, ORACLE_READ).allowed);
        }
    }
    expect_unmapped(*levels, layout_records_base(*levels) + 64 * GIB / PAGE_SIZE * 16);
}

MODE_TEST(boot_map, the_stack_of_every_hart_has_a_guard)
{
    uint64_t mapped = 0;

    machine_default(16 * MIB);
    machine_boot(*levels);
    for (uint64_t at = LAYOUT_STACKS; at < LAYOUT_STACKS + HART_MAX * LAYOUT_STACK_STRIDE;
         at += PAGE_SIZE) {
        struct walk_result write = kernel_access(*levels, at, ORACLE_WRITE);

        if (write.allowed) {
            mapped += PAGE_SIZE;
            EXPECT_EQ(frame_of(pa(write.pa))->type == FRAME_FREE, 0);
        }
    }
    EXPECT_EQ(mapped, machine_get()->hart_count * LAYOUT_STACK_BYTES);
    expect_unmapped(*levels, LAYOUT_STACKS - PAGE_SIZE);
    for (size_t hart = 0; hart < machine_get()->hart_count; hart++) {
        uint64_t low = LAYOUT_STACKS + hart * LAYOUT_STACK_STRIDE;

        expect_unmapped(*levels, low); /* below the stack */
        cr_assert(kernel_access(*levels, low + LAYOUT_STACK_STRIDE - 8, ORACLE_WRITE).allowed,
                  "the stack ends where its stride ends");
    }
}

MODE_TEST(boot_map, reserved_ram_is_never_given_out)
{
    const struct pa_range ranges[] = {
        pa_span(RAM_BASE + 5 * MIB + 1, 1),
        pa_span(RAM_BASE + 6 * MIB - 1, 2),
        pa_span(RAM_BASE + 8 * MIB, MIB),
        pa_span(RAM_BASE + 8 * MIB + 0x80000, MIB), /* overlaps the one before */
        pa_span(RAM_BASE + 16 * MIB - 1, 4 * MIB),  /* reaches out of RAM       */
        pa_span(RAM_BASE + 3 * MIB, 0),             /* empty                    */
    };
    static const enum machine_reserved_kind kinds[] = {
        MACHINE_RESERVED_TREE,   MACHINE_RESERVED_FDT,      MACHINE_RESERVED_INITRD,
        MACHINE_RESERVED_NO_MAP, MACHINE_RESERVED_FIRMWARE, MACHINE_RESERVED_TREE};
    struct frame *frame;
    uint64_t total;
    uint64_t got = 0;

    machine_default(16 * MIB);
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        machine_add_reserved(ranges[i], kinds[i]);
    }
    machine_boot(*levels);
    total = frame_total_count() - 1; /* the frame of zeroes has its place */
    EXPECT_EQ(frame_free_count(), total);
    while (frame_alloc(FRAME_KERNEL, &frame) == OK) {
        struct pa_range page = {frame_pa(frame), paddr_add(frame_pa(frame), PAGE_SIZE)};

        got++;
        for (size_t i = 0; i < machine_get()->reserved_count; i++) {
            struct pa_range reserved = machine_get()->reserved[i].range;

            cr_assert(reserved.start.raw == reserved.end.raw || !pa_ranges_overlap(page, reserved),
                      "the frame at %#lx is reserved", (unsigned long)page.start.raw);
        }
        *(uint64_t *)frame_bytes(frame) = UINT64_MAX; /* and it is nobody's table or record */
    }
    EXPECT_EQ(got, total);
    EXPECT_OK(frame_check());
    each_kernel_leaf(*levels, check_leaf, NULL);
}

Test(boot_map, ram_past_the_window_of_sv39_is_left_out)
{
    uint64_t window_end = RAM_BASE + 128 * GIB;

    machine_default(16 * MIB);
    machine_add_bank(pa_span(window_end - 8 * MIB, 24 * MIB)); /* 16 MiB of it past the window */
    machine_add_bank(pa_span(window_end + 64 * GIB, 32 * MIB));
    machine_boot(3);
    EXPECT_EQ(mm_left_out_bytes(), 48 * MIB);
    cr_assert(frame_of(pa(window_end - PAGE_SIZE)) != NULL);
    cr_assert(frame_of(pa(window_end)) == NULL);
    cr_assert(frame_of(pa(window_end + 64 * GIB)) == NULL);
    expect_direct(3, window_end - PAGE_SIZE, true);
    each_kernel_leaf(3, check_leaf, NULL);
    cr_assert(frame_total_count() <= 24 * MIB / PAGE_SIZE);
    EXPECT_OK(frame_check());
}

Test(boot_map, the_larger_modes_show_it)
{
    uint64_t window_end = RAM_BASE + 128 * GIB;

    machine_default(16 * MIB);
    machine_add_bank(pa_span(window_end - 8 * MIB, 24 * MIB));
    machine_add_bank(pa_span(window_end + 64 * GIB, 32 * MIB));
    machine_boot(4);
    EXPECT_EQ(mm_left_out_bytes(), 0);
    cr_assert(frame_of(pa(window_end)) != NULL);
    expect_direct(4, window_end + 64 * GIB, true);
    EXPECT_OK(frame_check());
}

/* Reserved ranges leave `bytes` of RAM behind the image. */
static status_t init_with(unsigned levels, uint64_t bytes)
{
    struct mm_image image = machine_image();

    machine_default(IMAGE_START + IMAGE_BYTES - RAM_BASE + bytes);
    machine_start(levels);
    return mm_init(machine_get(), &image, host_activate);
}

MODE_TEST(boot_map, too_little_ram_is_an_error_and_nothing_is_active)
{
    EXPECT_STATUS(init_with(*levels, 4 * PAGE_SIZE), ERR_NOMEM);
    EXPECT_EQ(host_direct_map().root.raw, 0);
    EXPECT_EQ(arch_active_root().raw, 0);
}

MODE_TEST(boot_map, no_ram_in_the_window_is_an_error)
{
    struct mm_image image = machine_image();

    machine_default(16 * MIB)->bank_count = 0;
    machine_start(*levels);
    EXPECT_STATUS(mm_init(machine_get(), &image, host_activate), ERR_RANGE);
    EXPECT_EQ(host_direct_map().root.raw, 0);
}

Test(boot_map, an_image_past_the_window_or_its_room_is_an_error)
{
    struct mm_image image = machine_image();

    machine_default(16 * MIB);
    machine_add_bank(pa_span(RAM_BASE + 127 * GIB, 2 * GIB));
    image.start = pa(RAM_BASE + 128 * GIB - 2 * MIB);
    image.data_bytes = 4 * MIB;
    machine_start(3);
    EXPECT_STATUS(mm_init(machine_get(), &image, host_activate), ERR_RANGE);
    image = machine_image();
    image.data_bytes = LAYOUT_KERNEL_BYTES;
    EXPECT_STATUS(mm_init(machine_get(), &image, host_activate), ERR_RANGE);
    EXPECT_EQ(host_direct_map().root.raw, 0);
}

Test(boot_map, an_image_outside_of_the_window_is_an_error)
{
    struct mm_image image = machine_image();

    machine_default(16 * MIB);
    machine_add_bank(pa_span(RAM_BASE + 200 * GIB, 16 * MIB));
    image.start = pa(RAM_BASE + 200 * GIB);
    machine_start(3);
    EXPECT_STATUS(mm_init(machine_get(), &image, host_activate), ERR_RANGE);
    EXPECT_EQ(host_direct_map().root.raw, 0);
}

/* A description with every table full: every reserved range splits a bank, and banks are so large
 * that their records want large pages. */
MODE_TEST(boot_map, the_fullest_machine_comes_up)
{
    machine_default(GIB);
    machine_add_reserved(pa_span(RAM_BASE + 8 * MIB + PAGE_SIZE, PAGE_SIZE),
                         MACHINE_RESERVED_NO_MAP);
    for (uint64_t i = 1; i < MACHINE_BANKS_MAX; i++) {
        machine_add_bank(pa_span(RAM_BASE + i * 2 * GIB + 3 * PAGE_SIZE, GIB + MIB));
    }
    for (uint64_t i = 3; i < MACHINE_RESERVED_MAX; i++) {
        machine_add_reserved(pa_span(RAM_BASE + 16 * MIB + i * 8 * MIB + PAGE_SIZE, PAGE_SIZE),
                             MACHINE_RESERVED_NO_MAP);
    }
    machine_boot(*levels);
    each_kernel_leaf(*levels, check_leaf, NULL);
    EXPECT_OK(frame_check());
}

MODE_TEST(boot_map, devices_lie_side_by_side)
{
    const struct pa_range devices[] = {pa_span(DEVICE_BASE, 0x100), pa_span(0xc000000, 4 * MIB),
                                       pa_span(0x2010ff8, 0x10)}; /* crosses a page */
    volatile void *registers[3] = {0};
    size_t found = 0;

    machine_default(16 * MIB);
    machine_boot(*levels);
    for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
        EXPECT_OK(mm_map_device(devices[i], &registers[i]));
        EXPECT_EQ((uintptr_t)registers[i] & PAGE_MASK, devices[i].start.raw & PAGE_MASK);
    }
    for (uint64_t at = LAYOUT_MMIO; at < LAYOUT_MMIO + 16 * MIB; at += PAGE_SIZE) {
        struct walk_result write = kernel_access(*levels, at, ORACLE_WRITE);

        if (write.allowed) {
            found++;
            EXPECT_EQ(write.entry & 0x38, 0x20); /* G, not U, not X */
            cr_assert(!phys_mem_has(write.pa, 1));
        }
    }
    EXPECT_EQ(found, 1 + 1024 + 2);
}

MODE_TEST(boot_map, the_device_window_is_bounded)
{
    volatile void *registers = NULL;
    uint64_t free_before;

    machine_default(16 * MIB);
    machine_boot(*levels);
    free_before = frame_free_count();
    EXPECT_STATUS(mm_map_device(pa_span(0x40000000, LAYOUT_MMIO_BYTES + PAGE_SIZE), &registers),
                  ERR_NOMEM);
    EXPECT_EQ(frame_free_count(), free_before);
    cr_assert(registers == NULL);
    frame_fail_after(0);
    EXPECT_STATUS(mm_map_device(pa_span(DEVICE_BASE, PAGE_SIZE), &registers), ERR_NOMEM);
    cr_assert(registers == NULL);
    EXPECT_OK(mm_map_device(pa_span(DEVICE_BASE, PAGE_SIZE), &registers));
}
