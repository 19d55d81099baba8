/* SPDX-License-Identifier: MIT */
/* Objects that stand for an I/O region of the machine: what an HANDLE_IO names. */
#pragma once

#include "kernel/object.h"
#include "lib/types.h"
#include "mm/io_mem.h"

struct io_object {
    struct object object; /* first             */
    struct io_mem *io;    /* (c) one reference */
};

/* An object for the region, with one reference.  ERR_NOMEM, nothing changed. */
status_t io_object_create(struct io_mem *io, struct io_object **out);

/* Last reference: gives the region's reference and the memory back.  Called by object_put. */
void io_object_destroy(struct io_object *io);
