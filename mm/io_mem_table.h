/* SPDX-License-Identifier: MIT */
/* Between io_mem.c and vm_space_io.c: a region has an index, so that a space can count its pages.
 */
#pragma once

#include <stdatomic.h>

#include "arch/machine.h"
#include "mm/io_mem.h"

#define IO_MEM_MAX 128U

struct io_mem {
    struct pa_range range;               /* (c) page aligned                             */
    _Atomic(uint64_t) refs;              /* (a) handles and mapped pages                 */
    char compatible[MACHINE_TEXT_BYTES]; /* (c)                                         */
};

/* Place of the region in order of creation, below IO_MEM_MAX.  Constant. */
size_t io_mem_index(const struct io_mem *io);
