/* SPDX-License-Identifier: MIT */
/* The archive of programs, which the kernel mapped for init. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "shell.h"

#define NAME_BYTES 128U

enum cpio_result archive_next(size_t *offset, struct cpio_file *file)
{
    const struct start_info *info = user_info();

    return cpio_next((const void *)(uintptr_t)info->archive, info->archive_bytes, offset, file);
}

enum cpio_result archive_find(const char *folder, const char *name, struct cpio_file *file)
{
    const struct start_info *info = user_info();
    char path[NAME_BYTES];
    int length = 0;

    if (strchr(name, '/') != NULL) {
        length = snprintf(path, sizeof(path), "%s", name);
    } else {
        length = snprintf(path, sizeof(path), "%s/%s", folder, name);
    }
    if (length < 0 || (size_t)length >= sizeof(path)) {
        return CPIO_END;
    }
    return cpio_find((const void *)(uintptr_t)info->archive, info->archive_bytes, path, file);
}

int archive_has_test(const struct cpio_file *file)
{
    return strncmp(archive_name(file), ARCHIVE_TESTS, strlen(ARCHIVE_TESTS)) == 0;
}

const char *archive_name(const struct cpio_file *file)
{
    return strncmp(file->name, "./", 2) == 0 ? file->name + 2 : file->name;
}
