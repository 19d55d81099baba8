/* SPDX-License-Identifier: MIT */
/* Archives from hostile bytes: reading them ends, and every file and name lies inside. */
#include "formats/cpio.h"

#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const char *text = (const char *)data;
    struct cpio_file file;
    size_t offset = 0;

    for (size_t before = 0; cpio_next(data, bytes, &offset, &file) == CPIO_OK; before = offset) {
        fuzz_expect(offset > before && offset <= bytes);
        fuzz_expect(file.name >= text && file.name < text + bytes);
        fuzz_expect(memchr(file.name, '\0', bytes - (size_t)(file.name - text)) != NULL);
        fuzz_expect(file.bytes <= bytes);
        fuzz_expect(file.bytes == 0 ||
                    (file.data >= data && (size_t)(file.data - data) <= bytes - file.bytes));
    }
    (void)cpio_find(data, bytes, "init", &file);
    return 0;
}
