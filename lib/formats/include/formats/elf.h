/* SPDX-License-Identifier: MIT */
/*
 * Reading ELF64 programs for RISC-V: static executables (ET_EXEC) with PT_LOAD segments.
 *
 * Pure and for hostile files: elf_open checks everything once, so that the segments of an image lie
 * inside the file and inside [floor, limit), share no page, stand in ascending order, and ask for
 * no page both writable and executable.  Used by the kernel (for init), by init, and by the host
 * tests.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ELF_SEGMENTS_MAX 16U

enum elf_prot {
    ELF_R = 1,
    ELF_W = 2,
    ELF_X = 4,
};

struct elf_segment {
    uint64_t va;         /* first byte; need not be page aligned            */
    uint64_t file_bytes; /* from `data`                                     */
    uint64_t mem_bytes;  /* >= file_bytes; the rest is zero                 */
    const uint8_t *data; /* in the file                                     */
    unsigned prot;       /* set of enum elf_prot                            */
};

/* What a program of ours may wish from its starter: notes (ELF specification, "Note Section") of
 * owner "Vellum" in a segment of nothing else, ELF_WISHES_MAX at most.
 * Most images have none. */
enum elf_wish_type {
    ELF_WISH_ARCHIVE = 1, /* the archive of programs, to be read    */
    ELF_WISH_STACK = 2,   /* value: bytes of the first thread's stack */
};

struct elf_wish {
    uint32_t name_bytes;
    uint32_t value_bytes;
    uint32_t type;
    char name[8];
    uint32_t value;
};
_Static_assert(sizeof(struct elf_wish) == 24, "the format of the note");

#define ELF_WISHES_MAX 16U
#define ELF_WISH_NAME  "Vellum"
#define ELF_WISH(what, number)                                                                     \
    {                                                                                              \
        .name_bytes = sizeof(ELF_WISH_NAME), .value_bytes = sizeof(uint32_t), .type = (what),      \
        .name = ELF_WISH_NAME, .value = (number)                                                   \
    }

struct elf_image {
    uint64_t entry;          /* inside an executable segment         */
    uint32_t wishes_archive; /* 0: it does not                       */
    uint32_t wishes_stack;   /* bytes of the first stack; 0: no wish */
    size_t segment_count;
    struct elf_segment segments[ELF_SEGMENTS_MAX];
};

/* Checks a file and lists its segments.  floor, limit: the user addresses that may be used.
 * Returns NULL, or what is wrong, as static text; *image is then undefined. */
const char *elf_open(const void *file, size_t file_bytes, uint64_t floor, uint64_t limit,
                     struct elf_image *image);
