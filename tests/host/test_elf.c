/* SPDX-License-Identifier: MIT */
/*
 * The ELF reader against a good program, a table of bad ones (each differs from the good one in
 * one number), every truncation, and random changes.  Files lie in allocations of their exact
 * size, so that the address sanitizer sees any read past their end.
 */
#include "formats/elf.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define FLOOR      UINT64_C(0x10000)
#define LIMIT      UINT64_C(0x4000000000)

#define FILE_BYTES 0x400U
#define TABLE      64U
#define HEADER(n)  (TABLE + (n)*56U)

static void put(uint8_t *file, size_t at, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++) {
        file[at + i] = (uint8_t)(value >> (8 * i));
    }
}

struct header {
    uint32_t type, flags;
    uint64_t offset, va, file_bytes, mem_bytes;
};

static void put_header(uint8_t *file, unsigned n, struct header header)
{
    put(file, HEADER(n), 4, header.type);
    put(file, HEADER(n) + 4, 4, header.flags);
    put(file, HEADER(n) + 8, 8, header.offset);
    put(file, HEADER(n) + 16, 8, header.va);
    put(file, HEADER(n) + 24, 8, header.va);
    put(file, HEADER(n) + 32, 8, header.file_bytes);
    put(file, HEADER(n) + 40, 8, header.mem_bytes);
    put(file, HEADER(n) + 48, 8, 0x1000);
}

/* Text R+X, constants R, data R+W with zeroed memory behind, and a note. */
static void good_file(uint8_t *file)
{
    memset(file, 0, FILE_BYTES);
    memcpy(file, "\177ELF\2\1\1", 7);
    put(file, 16, 2, 2);
    put(file, 18, 2, 243);
    put(file, 20, 4, 1);
    put(file, 24, 8, 0x10010);
    put(file, 32, 8, TABLE);
    put(file, 48, 4, 1);
    put(file, 52, 2, 64);
    put(file, 54, 2, 56);
    put(file, 56, 2, 4);
    put_header(file, 0, (struct header){1, 5, 0x200, 0x10000, 0x80, 0x80});
    put_header(file, 1, (struct header){1, 4, 0x280, 0x11000, 0x40, 0x40});
    put_header(file, 2, (struct header){1, 6, 0x2c0, 0x12040, 0x20, 0x3000});
    put_header(file, 3, (struct header){4, 4, 0x2e0, 0, 0x10, 0});
}

/* Opens a copy of exactly `bytes` bytes and holds an accepted image to its promises. */
static const char *open_copy(const uint8_t *file, size_t bytes)
{
    uint8_t *copy = malloc(bytes == 0 ? 1 : bytes);
    struct elf_image image;
    uint64_t free_page = 0;
    volatile uint8_t sink = 0;

    memcpy(copy, file, bytes);
    const char *problem = elf_open(copy, bytes, FLOOR, LIMIT, &image);
    for (size_t i = 0; problem == NULL && i < image.segment_count; i++) {
        const struct elf_segment *segment = &image.segments[i];

        cr_assert(segment->mem_bytes > 0 && segment->file_bytes <= segment->mem_bytes);
        cr_assert(segment->va >= FLOOR && segment->va < LIMIT);
        cr_assert(segment->mem_bytes <= LIMIT - segment->va);
        cr_assert(segment->va >> 12 >= free_page);
        cr_assert((segment->prot & (ELF_W | ELF_X)) != (ELF_W | ELF_X));
        free_page = ((segment->va + segment->mem_bytes - 1) >> 12) + 1;
        for (uint64_t at = 0; at < segment->file_bytes; at++) {
            sink = (uint8_t)(sink + segment->data[at]);
        }
    }
    free(copy);
    return problem;
}

Test(elf, a_good_program_is_listed_as_it_is)
{
    static uint8_t file[FILE_BYTES];
    struct elf_image image;

    good_file(file);
    cr_assert(elf_open(file, FILE_BYTES, FLOOR, LIMIT, &image) == NULL);
    cr_assert(image.entry == 0x10010);
    cr_assert(image.segment_count == 3);
    cr_assert(image.segments[0].va == 0x10000 && image.segments[0].prot == (ELF_R | ELF_X));
    cr_assert(image.segments[1].va == 0x11000 && image.segments[1].prot == ELF_R);
    cr_assert(image.segments[2].va == 0x12040 && image.segments[2].prot == (ELF_R | ELF_W));
    cr_assert(image.segments[2].file_bytes == 0x20 && image.segments[2].mem_bytes == 0x3000);
    cr_assert(image.segments[2].data == file + 0x2c0);
}

static struct elf_image open_good(const uint8_t *file)
{
    struct elf_image image = {0};

    cr_assert(elf_open(file, FILE_BYTES, FLOOR, LIMIT, &image) == NULL);
    return image;
}

Test(elf, wishes_are_read_and_notes_that_are_not_exactly_such_mean_nothing)
{
    static uint8_t file[FILE_BYTES];
    const struct elf_wish wishes[] = {ELF_WISH(ELF_WISH_ARCHIVE, 1),
                                      ELF_WISH(ELF_WISH_STACK, 0x12345)};
    const size_t notes = FILE_BYTES - sizeof(wishes);

    good_file(file);
    cr_assert(open_good(file).wishes_archive == 0 && open_good(file).wishes_stack == 0);
    memcpy(file + notes, wishes, sizeof(wishes));
    put(file, HEADER(3), 4, 4);
    put(file, HEADER(3) + 8, 8, notes);
    put(file, HEADER(3) + 32, 8, sizeof(wishes));
    cr_assert(open_good(file).wishes_archive == 1 && open_good(file).wishes_stack == 0x12345);
    for (size_t at = 0; at < offsetof(struct elf_wish, value) - 1; at++) {
        file[notes + at] ^= 0x40;
        cr_assert(open_good(file).wishes_archive == 0, "byte %zu", at);
        cr_assert(open_good(file).wishes_stack == 0x12345);
        file[notes + at] ^= 0x40;
    }
}

Test(elf, notes_of_any_length_and_place_are_read_inside_of_the_file_only)
{
    static uint8_t file[FILE_BYTES];
    const struct elf_wish wish = ELF_WISH(ELF_WISH_ARCHIVE, 1);
    const size_t note = FILE_BYTES - sizeof(wish);

    good_file(file);
    memcpy(file + note, &wish, sizeof(wish));
    put(file, HEADER(3), 4, 4);
    put(file, HEADER(3) + 8, 8, note);
    for (size_t bytes = 0; bytes < 4 * sizeof(wish); bytes++) {
        cr_assert(open_copy(file, FILE_BYTES) == NULL);
        put(file, HEADER(3) + 32, 8, bytes);
        cr_assert(open_good(file).wishes_archive == (bytes == sizeof(wish)));
    }
    put(file, HEADER(3) + 32, 8, sizeof(wish));
    for (uint64_t past = 1; past < sizeof(wish) + 2; past++) {
        put(file, HEADER(3) + 8, 8, note + past);
        cr_assert(open_good(file).wishes_archive == 0);
    }
    put(file, HEADER(3) + 8, 8, UINT64_MAX);
    cr_assert(open_good(file).wishes_archive == 0);
    put(file, HEADER(3) + 8, 8, 0);
    put(file, HEADER(3) + 32, 8, (ELF_WISHES_MAX + 1) * sizeof(wish));
    cr_assert(open_good(file).wishes_archive == 0);
}

/* A number to write into the good file, and the reason that must come. */
struct bad_file {
    size_t at;
    unsigned bytes;
    uint64_t value;
    const char *reason;
};

static const struct bad_file bad_files[] = {
    {0, 1, 0x7e, "not an ELF file"},
    {3, 1, 'G', "not an ELF file"},
    {4, 1, 1, "not 64-bit little-endian"},
    {5, 1, 2, "not 64-bit little-endian"},
    {6, 1, 0, "unknown ELF version"},
    {20, 4, 2, "unknown ELF version"},
    {18, 2, 62, "not for RISC-V"},
    {16, 2, 3, "not an executable at fixed addresses"},
    {48, 4, 3, "its ABI is neither lp64 nor lp64d"},
    {48, 4, 7, "its ABI is neither lp64 nor lp64d"},
    {48, 4, 9, "its ABI is neither lp64 nor lp64d"},
    {54, 2, 55, "program headers of an unknown size"},
    {54, 2, 0, "program headers of an unknown size"},
    {56, 2, 0, "no program headers, or too many"},
    {56, 2, 0xffff, "no program headers, or too many"},
    {56, 2, 64, "the program headers leave the file"},
    {32, 8, FILE_BYTES, "the program headers leave the file"},
    {32, 8, FILE_BYTES - 1, "the program headers leave the file"},
    {32, 8, UINT64_MAX, "the program headers leave the file"},
    {32, 8, UINT64_MAX - 55, "the program headers leave the file"},
    {24, 8, 0x10011, "the entry address is odd"},
    {24, 8, 0, "the entry address is in no executable segment"},
    {24, 8, 0x10080, "the entry address is in no executable segment"},
    {24, 8, 0x11000, "the entry address is in no executable segment"},
    {24, 8, UINT64_MAX - 1, "the entry address is in no executable segment"},
    {HEADER(3), 4, 2, "not a static program"},
    {HEADER(3), 4, 3, "not a static program"},
    {HEADER(0) + 4, 4, 0, "a segment without permissions"},
    {HEADER(0) + 4, 4, 7, "a segment both writable and executable"},
    {HEADER(2) + 4, 4, 2, "a segment writable but not readable"},
    {HEADER(0) + 8, 8, FILE_BYTES - 0x7f, "a segment leaves the file"},
    {HEADER(0) + 8, 8, UINT64_MAX, "a segment leaves the file"},
    {HEADER(0) + 32, 8, 0x81, "a segment larger in the file than in memory"},
    {HEADER(2) + 32, 8, 0x141, "a segment leaves the file"},
    {HEADER(0) + 40, 8, 0x7f, "a segment larger in the file than in memory"},
    {HEADER(0) + 40, 8, 0, "a segment larger in the file than in memory"},
    {HEADER(0) + 16, 8, 0xffff, "a segment leaves the user range"},
    {HEADER(0) + 16, 8, 0, "a segment leaves the user range"},
    {HEADER(2) + 16, 8, LIMIT, "a segment leaves the user range"},
    {HEADER(2) + 16, 8, LIMIT - 1, "a segment leaves the user range"},
    {HEADER(2) + 16, 8, UINT64_MAX, "a segment leaves the user range"},
    {HEADER(2) + 16, 8, UINT64_C(0xffffffff80000000), "a segment leaves the user range"},
    {HEADER(2) + 40, 8, UINT64_MAX, "a segment leaves the user range"},
    {HEADER(2) + 40, 8, LIMIT, "a segment leaves the user range"},
    {HEADER(1) + 16, 8, 0x10800, "segments share a page or are not in ascending order"},
    {HEADER(1) + 16, 8, 0x10000, "segments share a page or are not in ascending order"},
    {HEADER(1) + 40, 8, 0x2000, "segments share a page or are not in ascending order"},
};

Test(elf, bad_files_are_refused_with_the_reason)
{
    uint8_t file[FILE_BYTES];

    for (size_t i = 0; i < sizeof(bad_files) / sizeof(bad_files[0]); i++) {
        good_file(file);
        put(file, bad_files[i].at, bad_files[i].bytes, bad_files[i].value);
        const char *problem = open_copy(file, FILE_BYTES);
        cr_assert(problem != NULL, "row %zu: %s", i, bad_files[i].reason);
        cr_assert_str_eq(problem, bad_files[i].reason, "row %zu", i);
    }
}

Test(elf, segments_are_limited_in_number)
{
    uint8_t file[FILE_BYTES * 4] = {0};

    good_file(file);
    for (unsigned count = 1; count <= 20; count++) {
        for (unsigned i = 0; i < count; i++) {
            put_header(file, i,
                       (struct header){1, 5, 0, 0x10000 + UINT64_C(0x1000) * i, 0x20, 0x20});
        }
        put(file, 56, 2, count);
        const char *problem = open_copy(file, sizeof(file));
        cr_assert(count <= ELF_SEGMENTS_MAX ? problem == NULL
                                            : strcmp(problem, "too many segments") == 0);
    }
}

Test(elf, empty_segments_are_left_out)
{
    uint8_t file[FILE_BYTES];
    struct elf_image image;

    good_file(file);
    put_header(file, 1, (struct header){1, 0, 0, 0, 0, 0});
    cr_assert(elf_open(file, FILE_BYTES, FLOOR, LIMIT, &image) == NULL);
    cr_assert(image.segment_count == 2);
}

Test(elf, a_segment_may_end_at_the_last_address)
{
    uint8_t file[FILE_BYTES];
    struct elf_image image;

    good_file(file);
    put(file, HEADER(2) + 16, 8, LIMIT - 0x3000);
    cr_assert(open_copy(file, FILE_BYTES) == NULL);
    put(file, HEADER(2) + 16, 8, UINT64_MAX - 0x3000);
    cr_assert(elf_open(file, FILE_BYTES, 0, UINT64_MAX, &image) == NULL);
}

Test(elf, every_truncation_is_refused)
{
    uint8_t file[FILE_BYTES];

    good_file(file);
    for (size_t bytes = 0; bytes < 0x2e0; bytes++) {
        cr_assert(open_copy(file, bytes) != NULL, "%zu bytes", bytes);
    }
    cr_assert(open_copy(file, 0x2e0) == NULL);
}

Test(elf, random_changes_do_no_harm)
{
    uint8_t file[FILE_BYTES];

    srand(20240607);
    for (unsigned round = 0; round < 200000; round++) {
        good_file(file);
        for (unsigned change = 0; change < 1 + round % 3; change++) {
            file[(size_t)rand() % HEADER(4)] = (uint8_t)rand();
        }
        (void)open_copy(file, FILE_BYTES);
    }
}
