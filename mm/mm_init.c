/* SPDX-License-Identifier: MIT */
/*
 * Bringing memory management up.
 *
 *   1. the window: which RAM the direct map of this mode can show;
 *   2. the kernel half, built through arch's early map: direct map, records, image, stacks;
 *   3. its activation, which moves arch_phys_to_virt to the direct map;
 *   4. records filled in, unreserved RAM to the frame allocator.
 *
 * Tables and records are taken from RAM that is nobody's before the allocator exists; the rest is
 * the allocator's.
 */
#include "mm/mm.h"

#include "arch/arch.h"
#include "arch/layout.h"
#include "asid.h"
#include "boot_mem.h"
#include "frame_records.h"
#include "kspace.h"
#include "lib/assert.h"
#include "lib/hart.h"
#include "lib/string.h"

static struct {
    struct pa_range window;    /* physical addresses the direct map shows     */
    struct boot_ranges usable; /* RAM that is nobody's, while we take from it */
    uint64_t left_out_bytes;   /* (c) RAM outside of the window               */
    uint64_t next_device;      /* bytes of LAYOUT_MMIO in use                 */
} boot;

static struct pte_slot *early_node(paddr_t *pa)
{
    void *node;

    if (boot_ranges_take(&boot.usable, PAGE_SIZE, PAGE_SIZE, 0, pa) != OK) {
        return NULL;
    }
    node = arch_phys_to_virt(*pa);
    memset(node, 0, PAGE_SIZE);
    return node;
}

static struct pte_slot *late_node(paddr_t *pa)
{
    struct frame *frame;

    if (frame_alloc(FRAME_KERNEL, &frame) != OK) {
        return NULL;
    }
    *pa = frame_pa(frame);
    arch_zero_frame(frame_bytes(frame));
    return frame_bytes(frame);
}

static status_t choose_window(const struct machine *machine)
{
    uint64_t bytes = layout_direct_bytes(arch_paging_levels());
    uint64_t start;

    if (machine->bank_count == 0) {
        return ERR_RANGE;
    }
    if (bytes > FRAME_INDEX_LIMIT << (PAGE_SHIFT - 1)) {
        bytes = FRAME_INDEX_LIMIT << (PAGE_SHIFT - 1);
    }
    start = align_down(machine->banks[0].start.raw, pte_level_bytes(2));
    boot.window = (struct pa_range){{start}, {start + bytes}};
    boot.left_out_bytes = 0;
    for (size_t i = 0; i < machine->bank_count; i++) {
        struct pa_range bank = machine->banks[i];

        if (bank.end.raw > boot.window.end.raw) {
            uint64_t from =
                bank.start.raw > boot.window.end.raw ? bank.start.raw : boot.window.end.raw;

            boot.left_out_bytes += bank.end.raw - from;
        }
    }
    return OK;
}

static vaddr_t direct_va(paddr_t pa)
{
    return (vaddr_t){layout_upper_base(arch_paging_levels()) + (pa.raw - boot.window.start.raw)};
}

static status_t map_direct(struct pa_range range, enum vm_prot prot)
{
    return kspace_map((struct kspace_mapping){.va = direct_va(range.start),
                                              .pa = range.start,
                                              .bytes = pa_range_bytes(range),
                                              .prot = prot});
}

/* The direct map: all RAM but what must not be touched; text and rodata read-only. */
static status_t map_ram(const struct machine *machine, const struct mm_image *image)
{
    struct pa_range fixed = {image->start,
                             paddr_add(image->start, image->text_bytes + image->rodata_bytes)};
    struct boot_ranges ranges;
    status_t status;

    boot_ranges_make(machine, boot.window, BOOT_HOLES_UNMAPPED, &ranges);
    boot_ranges_cut(&ranges, fixed);
    status = map_direct(fixed, VM_R);
    for (size_t i = 0; i < ranges.count && status == OK; i++) {
        status = map_direct(ranges.at[i], VM_RW);
    }
    return status;
}

static status_t map_image(const struct mm_image *image)
{
    struct kspace_mapping text = {
        .va = {LAYOUT_KERNEL}, .pa = image->start, .bytes = image->text_bytes, .prot = VM_RX};
    struct kspace_mapping rodata = {.va = vaddr_add(text.va, text.bytes),
                                    .pa = paddr_add(text.pa, text.bytes),
                                    .bytes = image->rodata_bytes,
                                    .prot = VM_R};
    struct kspace_mapping data = {.va = vaddr_add(rodata.va, rodata.bytes),
                                  .pa = paddr_add(rodata.pa, rodata.bytes),
                                  .bytes = image->data_bytes,
                                  .prot = VM_RW};
    status_t status = kspace_map(text);

    if (status == OK) {
        status = kspace_map(rodata);
    }
    return status == OK ? kspace_map(data) : status;
}

/* RAM for [va, va + bytes), mapped; large parts on large pages. */
static status_t map_fresh(vaddr_t va, uint64_t bytes)
{
    uint64_t align = bytes >= pte_level_bytes(1) ? pte_level_bytes(1) : PAGE_SIZE;
    paddr_t pa;
    status_t status = boot_ranges_take(&boot.usable, bytes, align, va.raw & (align - 1), &pa);

    if (status != OK) {
        return status;
    }
    return kspace_map((struct kspace_mapping){.va = va, .pa = pa, .bytes = bytes, .prot = VM_RW});
}

/* Records of every bank.  Two banks may share a page of records: it is mapped once. */
static status_t map_records(const struct machine *machine)
{
    uint64_t base = layout_records_base(arch_paging_levels());
    uint64_t mapped_to = base;
    status_t status = OK;

    for (size_t i = 0; i < machine->bank_count && status == OK; i++) {
        uint64_t first = machine->banks[i].start.raw - boot.window.start.raw;
        uint64_t end = machine->banks[i].end.raw - boot.window.start.raw;
        uint64_t va;
        uint64_t va_end;

        if (first >= pa_range_bytes(boot.window)) {
            break;
        }
        end = end < pa_range_bytes(boot.window) ? end : pa_range_bytes(boot.window);
        va = align_down(base + (first >> PAGE_SHIFT) * sizeof(struct frame), PAGE_SIZE);
        va_end = align_up(base + (end >> PAGE_SHIFT) * sizeof(struct frame), PAGE_SIZE);
        va = va > mapped_to ? va : mapped_to;
        if (va < va_end) {
            status = map_fresh((vaddr_t){va}, va_end - va);
            mapped_to = va_end;
        }
    }
    return status;
}

static status_t map_stacks(size_t count)
{
    status_t status = OK;

    for (size_t hart = 0; hart < count && status == OK; hart++) {
        uint64_t top = LAYOUT_STACKS + (hart + 1) * (uint64_t)LAYOUT_STACK_STRIDE;

        status = map_fresh((vaddr_t){top - LAYOUT_STACK_BYTES}, LAYOUT_STACK_BYTES);
    }
    return status;
}

static status_t build_kernel_half(const struct machine *machine, const struct mm_image *image)
{
    status_t status = kspace_init(early_node);

    if (status == OK) {
        status = map_image(image);
    }
    if (status == OK) {
        status = map_ram(machine, image);
    }
    if (status == OK) {
        status = map_records(machine);
    }
    if (status == OK) {
        status = map_stacks(machine->hart_count);
    }
    return status == OK ? kspace_reserve((vaddr_t){LAYOUT_MMIO}) : status;
}

/* Fills the records in and hands over what nobody has taken. */
static status_t start_frames(const struct machine *machine)
{
    uint64_t base = layout_records_base(arch_paging_levels());
    uint64_t bytes = (pa_range_bytes(boot.window) >> PAGE_SHIFT) * sizeof(struct frame);

    frame_records_init(arch_kernel_window((vaddr_t){base}, bytes), boot.window.start);
    for (size_t i = 0; i < machine->bank_count; i++) {
        struct pa_range bank = machine->banks[i];
        status_t status;

        if (bank.start.raw >= boot.window.end.raw) {
            break;
        }
        bank.end = bank.end.raw < boot.window.end.raw ? bank.end : boot.window.end;
        status = frame_records_add(bank);
        if (status != OK) {
            return status;
        }
    }
    for (size_t i = 0; i < boot.usable.count; i++) {
        frame_release_range(boot.usable.at[i]);
    }
    return frame_zero_init();
}

status_t mm_init(const struct machine *machine, const struct mm_image *image,
                 void (*activate)(paddr_t root, uint64_t base, paddr_t base_pa))
{
    uint64_t image_bytes = image->text_bytes + image->rodata_bytes + image->data_bytes;
    status_t status = choose_window(machine);

    if (status != OK) {
        return status;
    }
    if (image->start.raw < boot.window.start.raw || image->start.raw >= boot.window.end.raw ||
        image_bytes > boot.window.end.raw - image->start.raw || image_bytes > LAYOUT_KERNEL_BYTES) {
        return ERR_RANGE;
    }
    boot_ranges_make(machine, boot.window, BOOT_HOLES_ALL, &boot.usable);
    boot.next_device = 0;
    status = build_kernel_half(machine, image);
    if (status != OK) {
        return status;
    }
    activate(kspace_root(), layout_upper_base(arch_paging_levels()), boot.window.start);
    status = start_frames(machine);
    kspace_set_source(late_node);
    asid_init(arch_asid_bits(), machine->hart_count);
    return status;
}

uint64_t mm_left_out_bytes(void)
{
    return boot.left_out_bytes;
}

status_t mm_map_device(struct pa_range range, volatile void **registers)
{
    uint64_t start = align_down(range.start.raw, PAGE_SIZE);
    uint64_t bytes = align_up(range.end.raw, PAGE_SIZE) - start;
    vaddr_t va = {LAYOUT_MMIO + boot.next_device};
    status_t status;

    if (bytes > LAYOUT_MMIO_BYTES - boot.next_device) {
        return ERR_NOMEM;
    }
    status =
        kspace_map((struct kspace_mapping){.va = va, .pa = {start}, .bytes = bytes, .prot = VM_RW});
    if (status != OK) {
        return status;
    }
    boot.next_device += bytes;
    *registers = (volatile char *)arch_kernel_window(va, bytes) + (range.start.raw - start);
    return OK;
}

paddr_t mm_kernel_root(void)
{
    return kspace_root();
}
