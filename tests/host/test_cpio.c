/* SPDX-License-Identifier: MIT */
/*
 * The cpio reader against good archives, a table of damaged ones, every truncation, and random
 * bytes.  Archives lie in allocations of their exact size, so that the address sanitizer sees any
 * read past their end.
 */
#include "formats/cpio.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct archive {
    uint8_t bytes[4096];
    size_t size;
};

static void archive_pad(struct archive *archive)
{
    while (archive->size % 4 != 0) {
        archive->bytes[archive->size++] = 0;
    }
}

static void archive_add(struct archive *archive, const char *name, unsigned mode, const char *text)
{
    size_t name_bytes = strlen(name) + 1;
    int header =
        sprintf((char *)archive->bytes + archive->size,
                "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1U, mode, 0U, 0U, 1U,
                0U, (unsigned)strlen(text), 0U, 0U, 0U, 0U, (unsigned)name_bytes, 0U);

    archive->size += (size_t)header;
    memcpy(archive->bytes + archive->size, name, name_bytes);
    archive->size += name_bytes;
    archive_pad(archive);
    memcpy(archive->bytes + archive->size, text, strlen(text));
    archive->size += strlen(text);
    archive_pad(archive);
}

/* Two files and a directory. */
static struct archive archive_sample(void)
{
    struct archive archive = {.size = 0};

    archive_add(&archive, "./bin", 0040755, "");
    archive_add(&archive, "./bin/one", 0100755, "first");
    archive_add(&archive, "two", 0100644, "the second file");
    archive_add(&archive, "TRAILER!!!", 0, "");
    return archive;
}

/* Walks a copy of exactly `size` bytes; the number of entries, and the last result. */
static unsigned archive_walk(const uint8_t *bytes, size_t size, enum cpio_result *last)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    struct cpio_file file;
    size_t offset = 0;
    unsigned count = 0;

    memcpy(copy, bytes, size);
    while ((*last = cpio_next(copy, size, &offset, &file)) == CPIO_OK) {
        volatile uint8_t sink = 0;

        cr_assert(offset <= size);
        cr_assert(strlen(file.name) > 0);
        for (size_t i = 0; i < file.bytes; i++) {
            sink = (uint8_t)(sink + file.data[i]);
        }
        count++;
    }
    size_t before = offset;
    cr_assert(cpio_next(copy, size, &offset, &file) == *last);
    cr_assert(offset == before);
    free(copy);
    return count;
}

Test(cpio, next_lists_every_entry_in_order)
{
    struct archive archive = archive_sample();
    struct cpio_file file;
    size_t offset = 0;

    cr_assert(cpio_next(archive.bytes, archive.size, &offset, &file) == CPIO_OK);
    cr_assert_str_eq(file.name, "./bin");
    cr_assert(file.bytes == 0 && file.mode == 0040755);
    cr_assert(cpio_next(archive.bytes, archive.size, &offset, &file) == CPIO_OK);
    cr_assert_str_eq(file.name, "./bin/one");
    cr_assert(file.bytes == 5 && memcmp(file.data, "first", 5) == 0);
    cr_assert(cpio_next(archive.bytes, archive.size, &offset, &file) == CPIO_OK);
    cr_assert_str_eq(file.name, "two");
    cr_assert(cpio_next(archive.bytes, archive.size, &offset, &file) == CPIO_END);
    cr_assert(cpio_next(archive.bytes, archive.size, &offset, &file) == CPIO_END);
}

Test(cpio, find_takes_regular_files_with_or_without_a_dot)
{
    struct archive archive = archive_sample();
    struct cpio_file file;

    cr_assert(cpio_find(archive.bytes, archive.size, "bin/one", &file) == CPIO_OK);
    cr_assert(file.bytes == 5);
    cr_assert(cpio_find(archive.bytes, archive.size, "two", &file) == CPIO_OK);
    cr_assert(file.bytes == 15);
    cr_assert(cpio_find(archive.bytes, archive.size, "bin", &file) == CPIO_END);
    cr_assert(cpio_find(archive.bytes, archive.size, "tw", &file) == CPIO_END);
    cr_assert(cpio_find(archive.bytes, archive.size, "", &file) == CPIO_END);
}

Test(cpio, an_archive_may_end_without_trailer)
{
    static const uint8_t zeroes[512];
    struct archive archive = {.size = 0};
    enum cpio_result last;

    cr_assert(archive_walk(zeroes, 0, &last) == 0 && last == CPIO_END);
    cr_assert(archive_walk(zeroes, sizeof(zeroes), &last) == 0 && last == CPIO_END);
    archive_add(&archive, "one", 0100644, "text");
    cr_assert(archive_walk(archive.bytes, archive.size, &last) == 1 && last == CPIO_END);
    memset(archive.bytes + archive.size, 0, 100);
    cr_assert(archive_walk(archive.bytes, archive.size + 100, &last) == 1 && last == CPIO_END);
    archive.bytes[archive.size + 99] = 1;
    cr_assert(archive_walk(archive.bytes, archive.size + 100, &last) == 1 && last == CPIO_DAMAGED);
}

Test(cpio, an_offset_past_the_end_is_damage)
{
    struct archive archive = archive_sample();
    struct cpio_file file;
    size_t offset = archive.size + 1;

    cr_assert(cpio_next(archive.bytes, archive.size, &offset, &file) == CPIO_DAMAGED);
    offset = SIZE_MAX;
    cr_assert(cpio_next(archive.bytes, archive.size, &offset, &file) == CPIO_DAMAGED);
    cr_assert(offset == SIZE_MAX);
}

/* One change to an archive that has a single file "name" with the data "data". */
struct damage {
    const char *what;
    size_t at;
    const char *text;
};

static const struct damage damages[] = {
    {"magic of the old format", 0, "070707"},
    {"magic of the format with checksums", 0, "070702"},
    {"no magic", 0, "xxxxxx"},
    {"file size past the end", 6 + 6 * 8, "00000100"},
    {"file size of 4 GiB", 6 + 6 * 8, "ffffffff"},
    {"file size not a number", 6 + 6 * 8, "0000000g"},
    {"file size with a sign", 6 + 6 * 8, "-0000001"},
    {"name size 0", 6 + 11 * 8, "00000000"},
    {"name size 1", 6 + 11 * 8, "00000001"},
    {"name without its NUL", 6 + 11 * 8, "00000003"},
    {"name with two NULs", 6 + 11 * 8, "00000006"},
    {"name past the end", 6 + 11 * 8, "00001000"},
    {"name size of 4 GiB", 6 + 11 * 8, "ffffffff"},
    {"a number that we do not use", 6 + 12 * 8, "zzzzzzzz"},
    {"mode with a space", 6 + 1 * 8, "    81a4"},
};

Test(cpio, damaged_headers_are_refused_and_change_nothing)
{
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        struct archive archive = {.size = 0};
        struct cpio_file file = {.name = "untouched"};
        size_t offset = 0;

        archive_add(&archive, "name", 0100644, "data");
        memcpy(archive.bytes + damages[i].at, damages[i].text, strlen(damages[i].text));
        cr_assert(cpio_next(archive.bytes, archive.size, &offset, &file) == CPIO_DAMAGED, "%s",
                  damages[i].what);
        cr_assert(offset == 0, "%s", damages[i].what);
        cr_assert_str_eq(file.name, "untouched", "%s", damages[i].what);
        cr_assert(cpio_find(archive.bytes, archive.size, "name", &file) == CPIO_DAMAGED, "%s",
                  damages[i].what);
    }
}

Test(cpio, upper_case_digits_are_digits)
{
    struct archive archive = {.size = 0};
    struct cpio_file file;
    size_t offset = 0;

    archive_add(&archive, "name", 0100644, "ten bytes.");
    memcpy(archive.bytes + 6 + 6 * 8, "0000000A", 8);
    cr_assert(cpio_next(archive.bytes, archive.size, &offset, &file) == CPIO_OK);
    cr_assert(file.bytes == 10);
}

Test(cpio, every_truncation_is_seen_or_harmless)
{
    struct archive archive = archive_sample();
    enum cpio_result last;

    for (size_t size = 0; size < archive.size; size++) {
        cr_assert(archive_walk(archive.bytes, size, &last) <= 3);
        cr_assert(last == CPIO_END || last == CPIO_DAMAGED);
    }
}

Test(cpio, random_bytes_do_no_harm)
{
    struct archive archive;
    enum cpio_result last;
    unsigned seed = 20240607;

    srand(seed);
    for (unsigned round = 0; round < 20000; round++) {
        archive = archive_sample();
        for (unsigned change = 0; change < 1 + round % 4; change++) {
            archive.bytes[(size_t)rand() % archive.size] = (uint8_t)rand();
        }
        (void)archive_walk(archive.bytes, archive.size, &last);
    }
    for (unsigned round = 0; round < 2000; round++) {
        for (size_t i = 0; i < 256; i++) {
            archive.bytes[i] = (uint8_t)rand();
        }
        memcpy(archive.bytes, "070701", round % 2 == 0 ? 6 : 0);
        (void)archive_walk(archive.bytes, (size_t)rand() % 257, &last);
    }
}
