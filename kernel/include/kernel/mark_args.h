/* SPDX-License-Identifier: MIT */
/* What a program wants addresses to mean: the arguments of vm_mark and memory_map, decoded. */
#pragma once

#include "mm/vm_cursor.h"

struct memory_object;

struct mark_args {
    struct vm_mark mark;
    enum vm_map_mode mode;
    struct memory_object *memory; /* one reference, or NULL: mark_args_put */
};

/* Arguments of vm_mark.  ERR_INVAL. */
status_t mark_args_plain(uint64_t kind, uint64_t prot, uint64_t flags, struct mark_args *out);

/* A part of a memory object, which must have all of it. */
struct mark_args_part {
    uint64_t memory; /* a handle of the running process */
    uint64_t offset, bytes;
};

/* Arguments of memory_map but for VM_FLAG_NOW.  What a mapping may become is decided here, once: a
 * page of an object can be read in every mapping (who sees it may change its rights to VM_PROT_R),
 * so READ is needed for each; stores reach the object only from mappings that were made with WRITE.
 * Errors: ERR_INVAL, ERR_BADF, ERR_ACCES, ERR_RANGE.  A reference may have been taken then, too. */
status_t mark_args_memory(struct mark_args_part part, uint64_t prot, uint64_t flags,
                          struct mark_args *out);

/* Gives back what was taken; of zeroed ones nothing. */
void mark_args_put(struct mark_args *args);
