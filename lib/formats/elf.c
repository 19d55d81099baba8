/* SPDX-License-Identifier: MIT */
/*
 * ELF64 programs for RISC-V ("System V ABI", "RISC-V ABIs Specification", ELF chapter).
 *
 * The file is hostile.  Numbers are read byte by byte (nothing in it need be aligned) and lengths
 * are compared with what remains, so that no sum can overflow.  The invariant of a returned image
 * is in the header; everything that would break it is refused here, once, with a reason.
 */
#include "formats/elf.h"

#define FILE_HEADER_BYTES    64U
#define PROGRAM_HEADER_BYTES 56U
#define PROGRAM_HEADERS_MAX  64U
#define PAGE_SHIFT           12U

#define CLASS_64             2U
#define DATA_LITTLE          1U
#define VERSION_CURRENT      1U
#define TYPE_EXECUTABLE      2U
#define MACHINE_RISCV        243U
#define FLAGS_ABI            0xeU /* floating-point ABI, and RVE */
#define FLAGS_LP64           0x0U
#define FLAGS_LP64D          0x4U

#define PT_LOAD              1U
#define PT_DYNAMIC           2U
#define PT_INTERP            3U
#define PT_NOTE              4U

#define PF_X                 1U
#define PF_W                 2U
#define PF_R                 4U

static uint64_t number_read(const uint8_t *bytes, unsigned count)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < count; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

static const char *header_check(const uint8_t *file, size_t file_bytes)
{
    static const uint8_t magic[] = {0x7f, 'E', 'L', 'F'};

    if (file_bytes < FILE_HEADER_BYTES) {
        return "too short for an ELF header";
    }
    for (size_t i = 0; i < sizeof(magic); i++) {
        if (file[i] != magic[i]) {
            return "not an ELF file";
        }
    }
    if (file[4] != CLASS_64 || file[5] != DATA_LITTLE) {
        return "not 64-bit little-endian";
    }
    if (file[6] != VERSION_CURRENT || number_read(file + 20, 4) != VERSION_CURRENT) {
        return "unknown ELF version";
    }
    if (number_read(file + 18, 2) != MACHINE_RISCV) {
        return "not for RISC-V";
    }
    if (number_read(file + 16, 2) != TYPE_EXECUTABLE) {
        return "not an executable at fixed addresses";
    }
    uint64_t abi = number_read(file + 48, 4) & FLAGS_ABI;
    if (abi != FLAGS_LP64 && abi != FLAGS_LP64D) {
        return "its ABI is neither lp64 nor lp64d";
    }
    if (number_read(file + 54, 2) != PROGRAM_HEADER_BYTES) {
        return "program headers of an unknown size";
    }
    return NULL;
}

static unsigned prot_of(uint64_t flags)
{
    unsigned prot = 0;

    prot |= (flags & PF_R) != 0 ? (unsigned)ELF_R : 0;
    prot |= (flags & PF_W) != 0 ? (unsigned)ELF_W : 0;
    prot |= (flags & PF_X) != 0 ? (unsigned)ELF_X : 0;
    return prot;
}

static const char *prot_check(unsigned prot)
{
    if (prot == 0) {
        return "a segment without permissions";
    }
    if ((prot & ELF_W) != 0 && (prot & ELF_X) != 0) {
        return "a segment both writable and executable";
    }
    if ((prot & ELF_W) != 0 && (prot & ELF_R) == 0) {
        return "a segment writable but not readable";
    }
    return NULL;
}

struct bounds {
    uint64_t floor;
    uint64_t limit;
};

/* Appends the segment of a PT_LOAD header to the image. */
static const char *segment_add(struct elf_image *image, const uint8_t *file, size_t file_bytes,
                               const uint8_t *header, struct bounds bounds)
{
    uint64_t offset = number_read(header + 8, 8);
    struct elf_segment segment = {
        .va = number_read(header + 16, 8),
        .file_bytes = number_read(header + 32, 8),
        .mem_bytes = number_read(header + 40, 8),
        .prot = prot_of(number_read(header + 4, 4)),
    };

    if (segment.file_bytes > segment.mem_bytes) {
        return "a segment larger in the file than in memory";
    }
    if (segment.mem_bytes == 0) {
        return NULL;
    }
    if (offset > file_bytes || segment.file_bytes > file_bytes - offset) {
        return "a segment leaves the file";
    }
    if (segment.va < bounds.floor || segment.va >= bounds.limit ||
        segment.mem_bytes > bounds.limit - segment.va) {
        return "a segment leaves the user range";
    }
    if (image->segment_count == ELF_SEGMENTS_MAX) {
        return "too many segments";
    }
    if (image->segment_count > 0) {
        const struct elf_segment *before = &image->segments[image->segment_count - 1];
        uint64_t last_page = (before->va + before->mem_bytes - 1) >> PAGE_SHIFT;

        if (segment.va >> PAGE_SHIFT <= last_page) {
            return "segments share a page or are not in ascending order";
        }
    }
    const char *problem = prot_check(segment.prot);
    if (problem != NULL) {
        return problem;
    }
    segment.data = file + offset;
    image->segments[image->segment_count++] = segment;
    return NULL;
}

static const char *entry_check(const struct elf_image *image)
{
    if (image->entry % 2 != 0) {
        return "the entry address is odd";
    }
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];

        if ((segment->prot & ELF_X) != 0 && image->entry >= segment->va &&
            image->entry - segment->va < segment->mem_bytes) {
            return NULL;
        }
    }
    return "the entry address is in no executable segment";
}

/* A note that is not exactly ours is somebody else's, and means nothing. */
static void wish_read(struct elf_image *image, const uint8_t *note)
{
    static const char name[] = ELF_WISH_NAME;
    uint32_t value = (uint32_t)number_read(note + 20, 4);

    if (number_read(note, 4) != sizeof(name) || number_read(note + 4, 4) != sizeof(value)) {
        return;
    }
    for (size_t i = 0; i < sizeof(name); i++) {
        if (note[12 + i] != (uint8_t)name[i]) {
            return;
        }
    }
    switch (number_read(note + 8, 4)) {
    case ELF_WISH_ARCHIVE:
        image->wishes_archive = value;
        break;
    case ELF_WISH_STACK:
        image->wishes_stack = value;
        break;
    default:
        break;
    }
}

static void wishes_read(struct elf_image *image, const uint8_t *file, size_t file_bytes,
                        const uint8_t *header)
{
    uint64_t offset = number_read(header + 8, 8);
    uint64_t bytes = number_read(header + 32, 8);

    if (offset > file_bytes || bytes > file_bytes - offset ||
        bytes % sizeof(struct elf_wish) != 0 || bytes / sizeof(struct elf_wish) > ELF_WISHES_MAX) {
        return;
    }
    for (uint64_t at = 0; at < bytes; at += sizeof(struct elf_wish)) {
        wish_read(image, file + offset + at);
    }
}

const char *elf_open(const void *file, size_t file_bytes, uint64_t floor, uint64_t limit,
                     struct elf_image *image)
{
    const uint8_t *bytes = file;
    const struct bounds bounds = {.floor = floor, .limit = limit};
    const char *problem = header_check(bytes, file_bytes);

    if (problem != NULL) {
        return problem;
    }
    uint64_t table = number_read(bytes + 32, 8);
    uint64_t count = number_read(bytes + 56, 2);
    if (count == 0 || count > PROGRAM_HEADERS_MAX) {
        return "no program headers, or too many";
    }
    if (table > file_bytes || count * PROGRAM_HEADER_BYTES > file_bytes - table) {
        return "the program headers leave the file";
    }
    image->entry = number_read(bytes + 24, 8);
    image->segment_count = 0;
    image->wishes_archive = 0;
    image->wishes_stack = 0;
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *header = bytes + table + i * PROGRAM_HEADER_BYTES;
        uint64_t type = number_read(header, 4);

        if (type == PT_DYNAMIC || type == PT_INTERP) {
            return "not a static program";
        }
        if (type == PT_NOTE) {
            wishes_read(image, bytes, file_bytes, header);
        }
        if (type != PT_LOAD) {
            continue;
        }
        problem = segment_add(image, bytes, file_bytes, header, bounds);
        if (problem != NULL) {
            return problem;
        }
    }
    return entry_check(image);
}
