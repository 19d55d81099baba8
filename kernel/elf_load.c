/* SPDX-License-Identifier: MIT */
/*
 * Loads a program.  The file was checked as a whole by elf_open; here pages are made, filled
 * through the kernel's own mapping, and mapped with the segment's permissions at once, so that no
 * page is ever writable and executable.
 */
#include "kernel/elf_load.h"

#include "arch/arch.h"
#include "formats/elf.h"
#include "kernel/vm_target.h"
#include "lib/string.h"
#include "mm/vm_cursor.h"

_Static_assert((unsigned)ELF_R == VM_R && (unsigned)ELF_W == VM_W && (unsigned)ELF_X == VM_X,
               "segments and mappings have the same permission bits");

/* The lowest page is never a program's: a null pointer faults. */
#define FLOOR PAGE_SIZE

/* Copies what part of the data lies in the page at `page` into its frame. */
static void page_fill(void *bytes, uint64_t page, const struct elf_fill *fill)
{
    uint64_t data_end = fill->va.raw + fill->data_bytes;
    uint64_t from = fill->va.raw > page ? fill->va.raw : page;
    uint64_t to = data_end < page + PAGE_SIZE ? data_end : page + PAGE_SIZE;

    if (from < to) {
        memcpy((uint8_t *)bytes + (from - page), fill->data + (from - fill->va.raw), to - from);
    }
}

static status_t page_map(struct vm_cursor *cursor, const struct elf_fill *fill)
{
    struct frame *frame;
    status_t status = frame_alloc(FRAME_USER, &frame);

    if (status != OK) {
        return status;
    }
    page_fill(frame_bytes(frame), vm_cursor_va(cursor).raw, fill);
    status =
        vm_cursor_map(cursor, frame, (struct vm_prop){fill->prot, VM_MEM_PMA}, VM_MAP_EXCLUSIVE);
    if (status != OK) {
        frame_put(frame);
    }
    return status;
}

status_t elf_load_fill(struct vm_space *space, struct elf_fill fill)
{
    struct va_range rest = {{align_down(fill.va.raw, PAGE_SIZE)},
                            {align_up(fill.va.raw + fill.bytes, PAGE_SIZE)}};
    status_t status = OK;

    while (status == OK && rest.start.raw < rest.end.raw) {
        struct vm_cursor cursor = {0};

        status = vm_cursor_open_bounded(&cursor, space, rest, VM_CURSOR_CHANGE, VM_STEP_TABLES);
        while (status == OK && vm_cursor_va(&cursor).raw < cursor.range.end.raw) {
            status = page_map(&cursor, &fill);
        }
        if (status == OK) {
            rest.start = vm_cursor_va(&cursor);
        }
        vm_cursor_close(&cursor);
    }
    return status;
}

status_t elf_load(struct vm_space *space, const void *file, size_t file_bytes, vaddr_t *entry,
                  const char **what)
{
    struct elf_image image;

    *what = elf_open(file, file_bytes, FLOOR, vm_space_user_limit().raw, &image);
    if (*what != NULL) {
        return ERR_NOEXEC;
    }
    *what = "a segment cannot be mapped";
    for (size_t i = 0; i < image.segment_count; i++) {
        const struct elf_segment *segment = &image.segments[i];
        struct elf_fill fill = {
            .va = {segment->va},
            .bytes = segment->mem_bytes,
            .data = segment->data,
            .data_bytes = segment->file_bytes,
            .prot = (enum vm_prot)segment->prot,
        };
        status_t status = elf_load_fill(space, fill);

        if (status != OK) {
            return status;
        }
    }
    *entry = (vaddr_t){image.entry};
    return vm_space_icache_sync(space);
}
