/* SPDX-License-Identifier: MIT */
/* What boot needs of mm/: arch/ may not see mm/, so it asks through arch/upcall.h. */
#include "arch/machine.h"
#include "arch/upcall.h"
#include "mm/frame.h"
#include "mm/mm.h"

status_t kernel_start_memory(const struct machine *machine, const struct image_parts *image,
                             void (*activate)(paddr_t root, uint64_t base, paddr_t base_pa))
{
    struct mm_image parts = {
        .start = image->start,
        .text_bytes = image->text_bytes,
        .rodata_bytes = image->rodata_bytes,
        .data_bytes = image->data_bytes,
    };

    return mm_init(machine, &parts, activate);
}

status_t kernel_map_device(struct pa_range range, volatile void **registers)
{
    return mm_map_device(range, registers);
}

struct kernel_memory kernel_memory(void)
{
    return (struct kernel_memory){
        .total_bytes = frame_total_count() * PAGE_SIZE,
        .free_bytes = frame_free_count() * PAGE_SIZE,
        .left_out_bytes = mm_left_out_bytes(),
    };
}
