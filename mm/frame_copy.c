/* SPDX-License-Identifier: MIT */
/* Frames for programs that begin as another one is. */
#include <stdatomic.h>

#include "frame_records.h"
#include "mm/frame.h"

static inline uint64_t load_word(const _Atomic(uint64_t) *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

/* Programs may store to an object's frame meanwhile: each word is then one that was there, which is
 * all that the copy promises; hence the relaxed loads. */
static void copy_frame(struct frame *to, struct frame *from)
{
    const _Atomic(uint64_t) *in = frame_bytes(from);
    uint64_t *out = frame_bytes(to);

    for (size_t i = 0; i < PAGE_SIZE / sizeof(*out); i += 4) {
        uint64_t words[4] = {load_word(&in[i]), load_word(&in[i + 1]), load_word(&in[i + 2]),
                             load_word(&in[i + 3])};

        out[i] = words[0];
        out[i + 1] = words[1];
        out[i + 2] = words[2];
        out[i + 3] = words[3];
    }
}

status_t frame_alloc_copy(struct frame *from, struct frame **out)
{
    status_t status;

    if (from == NULL) {
        return frame_alloc(FRAME_USER, out);
    }
    status = frame_alloc_to_fill(out);
    if (status == OK) {
        copy_frame(*out, from);
    }
    return status;
}
