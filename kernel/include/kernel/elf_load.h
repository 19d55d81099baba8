/* SPDX-License-Identifier: MIT */
/* Loads a program into a fresh address space.  The kernel does this for its first program only. */
#pragma once

#include "arch/vm_types.h"
#include "lib/types.h"
#include "mm/vm_space.h"

/* What to fill with what. */
struct elf_fill {
    vaddr_t va;
    uint64_t bytes;
    const uint8_t *data;
    uint64_t data_bytes;
    enum vm_prot prot;
};

/* Maps fresh pages over [fill.va, fill.va + fill.bytes), rounded outwards to pages, and copies the
 * data to va; the rest is zero.
 * Errors: those of a changing cursor and of vm_cursor_map; pages that were mapped stay. */
status_t elf_load_fill(struct vm_space *space, struct elf_fill fill);

/* Loads the ELF file and tells where it starts.
 * Errors: ERR_NOEXEC not a program that can run here; *what says why
 *         ERR_NOMEM and others as elf_load_fill; *what says where.  Pages that were mapped stay. */
status_t elf_load(struct vm_space *space, const void *file, size_t file_bytes, vaddr_t *entry,
                  const char **what);
