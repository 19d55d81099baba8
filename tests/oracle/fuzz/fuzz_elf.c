/* SPDX-License-Identifier: MIT */
/* Programs from hostile bytes: what elf_open accepts keeps every promise of formats/elf.h. */
#include "formats/elf.h"

#include "fuzz.h"

#define FLOOR     UINT64_C(0x10000)
#define LIMIT     UINT64_C(0x4000000000)
#define PAGE_MASK UINT64_C(0xfff)

static void expect_inside_file(const struct elf_segment *segment, const uint8_t *data, size_t bytes)
{
    volatile uint8_t sum = 0;

    fuzz_expect(segment->file_bytes <= segment->mem_bytes);
    if (segment->file_bytes == 0) {
        return;
    }
    fuzz_expect(segment->data >= data && segment->file_bytes <= bytes);
    fuzz_expect((size_t)(segment->data - data) <= bytes - segment->file_bytes);
    sum = (uint8_t)(sum + segment->data[0] + segment->data[segment->file_bytes - 1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct elf_image image;
    uint64_t page_end = 0;
    bool entry_is_code = false;

    if (elf_open(data, bytes, FLOOR, LIMIT, &image) != NULL) {
        return 0;
    }
    fuzz_expect(image.segment_count > 0 && image.segment_count <= ELF_SEGMENTS_MAX);
    for (size_t i = 0; i < image.segment_count; i++) {
        const struct elf_segment *segment = &image.segments[i];

        expect_inside_file(segment, data, bytes);
        fuzz_expect(segment->va >= FLOOR && segment->va < LIMIT);
        fuzz_expect(segment->mem_bytes <= LIMIT - segment->va);
        fuzz_expect(segment->va >= page_end);
        page_end = (segment->va + segment->mem_bytes + PAGE_MASK) & ~PAGE_MASK;
        fuzz_expect((segment->prot & (ELF_W | ELF_X)) != (ELF_W | ELF_X));
        entry_is_code |= (segment->prot & ELF_X) != 0 && image.entry >= segment->va &&
                         image.entry - segment->va < segment->mem_bytes;
    }
    fuzz_expect(entry_is_code);
    return 0;
}
