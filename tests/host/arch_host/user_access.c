/* SPDX-License-Identifier: MIT */
/*
 * The kernel's accesses to user memory, page by page as the hart that asks translates it.
 * Device registers (mapped addresses without RAM) read as zeroes and swallow writes.
 */
#include <stdatomic.h>
#include <string.h>

#include "arch/arch.h"
#include "arch/pte.h"
#include "arch_host/arch_host.h"
#include "arch_host/phys_mem.h"
#include "lib/spinlock.h"
#include "machine/effects.h"

/* What is done with one piece that lies inside a page. */
struct piece {
    unsigned char *memory; /* NULL: a device */
    size_t done_bytes, bytes;
};

/* Finds the next piece of [va, va + len).  False: done, or the access faults. */
static bool next_piece(vaddr_t va, size_t len_bytes, enum oracle_access access, struct piece *piece)
{
    uint64_t at = va.raw + piece->done_bytes;
    uint64_t room = PAGE_SIZE - (at & PAGE_MASK);
    uint64_t pa;

    if (piece->done_bytes == len_bytes || !oracle_translate(at, access, &pa)) {
        return false;
    }
    piece->bytes = len_bytes - piece->done_bytes;
    piece->bytes = piece->bytes < room ? piece->bytes : room;
    piece->memory = phys_mem_has(pa, 1) ? phys_mem_pointer(pa) : NULL;
    return true;
}

static void check_range(vaddr_t va, size_t len_bytes)
{
    if (va.raw + len_bytes > pte_user_limit(arch_paging_levels()) || va.raw + len_bytes < va.raw) {
        host_fail("user access %#lx + %#lx leaves the user half", va.raw, len_bytes);
    }
}

static void check_context(vaddr_t va, size_t len_bytes)
{
    if (spinlock_held_count() != 0) {
        host_fail("user memory at %#lx is accessed with a lock held", va.raw);
    }
    check_range(va, len_bytes);
}

size_t arch_try_copy_from_user(void *to, vaddr_t from, size_t len_bytes)
{
    struct piece piece = {0};

    check_range(from, len_bytes);
    while (next_piece(from, len_bytes, ORACLE_READ, &piece)) {
        unsigned char *at = (unsigned char *)to + piece.done_bytes;

        if (piece.memory != NULL) {
            memcpy(at, piece.memory, piece.bytes);
        } else {
            memset(at, 0, piece.bytes);
        }
        piece.done_bytes += piece.bytes;
    }
    return piece.done_bytes;
}

size_t arch_copy_from_user(void *to, vaddr_t from, size_t len_bytes)
{
    check_context(from, len_bytes);
    return arch_try_copy_from_user(to, from, len_bytes);
}

size_t arch_copy_to_user(vaddr_t to, const void *from, size_t len_bytes)
{
    struct piece piece = {0};

    check_context(to, len_bytes);
    while (next_piece(to, len_bytes, ORACLE_WRITE, &piece)) {
        if (piece.memory != NULL) {
            memcpy(piece.memory, (const unsigned char *)from + piece.done_bytes, piece.bytes);
        }
        piece.done_bytes += piece.bytes;
    }
    return piece.done_bytes;
}

size_t arch_zero_user(vaddr_t to, size_t len_bytes)
{
    struct piece piece = {0};

    check_context(to, len_bytes);
    while (next_piece(to, len_bytes, ORACLE_WRITE, &piece)) {
        if (piece.memory != NULL) {
            memset(piece.memory, 0, piece.bytes);
        }
        piece.done_bytes += piece.bytes;
    }
    return piece.done_bytes;
}

/* The word at va, or NULL if the access faults. */
static _Atomic(uint32_t) *user_word(vaddr_t va, enum oracle_access access)
{
    uint64_t pa;

    check_context(va, sizeof(uint32_t));
    if (!oracle_translate(va.raw, access, &pa)) {
        return NULL;
    }
    if (!phys_mem_has(pa, sizeof(uint32_t))) {
        host_fail("an atomic access to the device at %#lx", pa);
    }
    return phys_mem_pointer(pa);
}

bool arch_load_user_u32(vaddr_t from, uint32_t *value)
{
    _Atomic(uint32_t) *word = user_word(from, ORACLE_READ);

    if (word == NULL) {
        return false;
    }
    /* Acquire: as the contract of user words asks; the partner is the program's own release. */
    *value = atomic_load_explicit(word, memory_order_acquire);
    return true;
}

bool arch_compare_exchange_user_u32(vaddr_t at, uint32_t *seen, uint32_t value)
{
    _Atomic(uint32_t) *word = user_word(at, ORACLE_WRITE);

    if (word == NULL) {
        return false;
    }
    /* The partner is the program's own access to the word. */
    (void)atomic_compare_exchange_strong_explicit(word, seen, value, memory_order_acq_rel,
                                                  memory_order_acquire);
    return true;
}
