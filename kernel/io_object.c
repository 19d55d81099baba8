/* SPDX-License-Identifier: MIT */
/* Objects that stand for I/O regions. */
#include "kernel/io_object.h"

#include "mm/slab.h"

static struct slab_cache io_object_cache =
    SLAB_CACHE_INIT(io_object_cache, "io_object", sizeof(struct io_object));

status_t io_object_create(struct io_mem *io, struct io_object **out)
{
    struct io_object *object = slab_alloc(&io_object_cache);

    if (object == NULL) {
        return ERR_NOMEM;
    }
    object_init(&object->object, HANDLE_IO);
    io_mem_get(io);
    object->io = io;
    *out = object;
    return OK;
}

void io_object_destroy(struct io_object *io)
{
    io_mem_put(io->io);
    slab_free(&io_object_cache, io);
}
