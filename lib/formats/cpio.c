/* SPDX-License-Identifier: MIT */
/*
 * The "newc" format of cpio: for each file a header of 110 ASCII bytes (magic, then thirteen
 * numbers of eight hexadecimal digits), the name with its NUL, and the data; name and data are
 * padded so that what follows is at a multiple of four from the archive's start.
 *
 * Every number is hostile.  The invariant: an offset never passes the archive's end, and lengths
 * are compared with what remains (`bytes <= total - at`), so that no sum can overflow.
 */
#include "formats/cpio.h"

#define HEADER_BYTES 110U
#define MAGIC_BYTES  6U
#define DIGITS       8U

/* Places of the numbers we need, in the row of thirteen. */
#define FIELD_MODE       1U
#define FIELD_FILE_BYTES 6U
#define FIELD_NAME_BYTES 11U

#define MODE_TYPE_MASK   0170000U
#define MODE_REGULAR     0100000U

static const char cpio_magic[MAGIC_BYTES] = {'0', '7', '0', '7', '0', '1'};
static const char cpio_trailer[] = "TRAILER!!!";

static int digit_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    if (digit >= 'A' && digit <= 'F') {
        return digit - 'A' + 10;
    }
    return -1;
}

/* Reads a number of the header; nonzero: it was one. */
static int field_read(const uint8_t *header, size_t field, uint32_t *value)
{
    const uint8_t *digits = header + MAGIC_BYTES + field * DIGITS;
    uint32_t sum = 0;

    for (size_t i = 0; i < DIGITS; i++) {
        int digit = digit_value(digits[i]);

        if (digit < 0) {
            return 0;
        }
        sum = sum << 4 | (uint32_t)digit;
    }
    *value = sum;
    return 1;
}

static int text_is_equal(const char *left, const char *right)
{
    while (*left != '\0' && *left == *right) {
        left++;
        right++;
    }
    return *left == *right;
}

static int bytes_are_zero(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != 0) {
            return 0;
        }
    }
    return 1;
}

/* The next multiple of four, or the end where the archive ends within the padding. */
static size_t pad_skip(size_t at, size_t archive_bytes)
{
    size_t padding = (4 - at % 4) % 4;

    return padding <= archive_bytes - at ? at + padding : archive_bytes;
}

/* A name is `name_bytes` long with its NUL, which is the only one. */
static int name_is_good(const uint8_t *name, size_t name_bytes)
{
    if (name_bytes < 2 || name[name_bytes - 1] != 0) {
        return 0;
    }
    for (size_t i = 0; i < name_bytes - 1; i++) {
        if (name[i] == 0) {
            return 0;
        }
    }
    return 1;
}

static int header_is_good(const uint8_t *header)
{
    uint32_t ignored = 0;

    for (size_t i = 0; i < MAGIC_BYTES; i++) {
        if (header[i] != (uint8_t)cpio_magic[i]) {
            return 0;
        }
    }
    for (size_t field = 0; field < (HEADER_BYTES - MAGIC_BYTES) / DIGITS; field++) {
        if (!field_read(header, field, &ignored)) {
            return 0;
        }
    }
    return 1;
}

enum cpio_result cpio_next(const void *archive, size_t archive_bytes, size_t *offset,
                           struct cpio_file *file)
{
    const uint8_t *bytes = archive;
    size_t at = *offset;
    uint32_t mode = 0;
    uint32_t name_bytes = 0;
    uint32_t file_bytes = 0;

    if (at > archive_bytes) {
        return CPIO_DAMAGED;
    }
    if (bytes_are_zero(bytes + at, archive_bytes - at)) {
        return CPIO_END;
    }
    if (archive_bytes - at < HEADER_BYTES || !header_is_good(bytes + at)) {
        return CPIO_DAMAGED;
    }
    (void)field_read(bytes + at, FIELD_MODE, &mode);
    (void)field_read(bytes + at, FIELD_NAME_BYTES, &name_bytes);
    (void)field_read(bytes + at, FIELD_FILE_BYTES, &file_bytes);
    at += HEADER_BYTES;

    const uint8_t *name = bytes + at;
    if (name_bytes > archive_bytes - at || !name_is_good(name, name_bytes)) {
        return CPIO_DAMAGED;
    }
    at = pad_skip(at + name_bytes, archive_bytes);
    if (text_is_equal((const char *)name, cpio_trailer)) {
        return CPIO_END;
    }
    if (file_bytes > archive_bytes - at) {
        return CPIO_DAMAGED;
    }
    *file = (struct cpio_file){
        .name = (const char *)name,
        .data = bytes + at,
        .bytes = file_bytes,
        .mode = mode,
    };
    *offset = pad_skip(at + file_bytes, archive_bytes);
    return CPIO_OK;
}

enum cpio_result cpio_find(const void *archive, size_t archive_bytes, const char *name,
                           struct cpio_file *file)
{
    struct cpio_file candidate;
    size_t offset = 0;

    for (;;) {
        enum cpio_result result = cpio_next(archive, archive_bytes, &offset, &candidate);

        if (result != CPIO_OK) {
            return result;
        }
        const char *its_name = candidate.name;
        if (its_name[0] == '.' && its_name[1] == '/') {
            its_name += 2;
        }
        if ((candidate.mode & MODE_TYPE_MASK) == MODE_REGULAR && text_is_equal(its_name, name)) {
            *file = candidate;
            return CPIO_OK;
        }
    }
}
