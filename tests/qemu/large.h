/* SPDX-License-Identifier: MIT */
/*
 * Larger pages in tests: making them, seeing what of a range is mapped by how large entries, and
 * words in all of their pages.
 */
#pragma once

#include "budget.h"

#define MIB   (UINT64_C(1) << 20)
#define GIB   (UINT64_C(1) << 30)
#define LARGE (2 * MIB)
#define PARTS (LARGE / PAGE)

/* Maps larger pages here; flags: VM_FLAG_2M or VM_FLAG_1G, and VM_FLAG_REPLACE. */
long large_map(uint64_t address, uint64_t bytes, uint64_t prot, uint64_t flags);

/* Reserves memory here that comes in pages of 2 MiB. */
long large_reserve(uint64_t address, uint64_t bytes, uint64_t prot);

/* Bytes of a range, by what they are and by the level of the entries. */
struct large_tally {
    uint64_t ram[3];    /* VM_KIND_RAM, 4 KiB, 2 MiB, 1 GiB */
    uint64_t hidden[3]; /* VM_KIND_HIDDEN                   */
    uint64_t marked;    /* reserved, guards, pages of objects that are not mapped */
    uint64_t shared;    /* of all: whose frames others name as well, pages        */
};
struct large_tally large_tally(handle_t process, uint64_t address, uint64_t bytes);

/* Checks that all of a range of this process is RAM, so many bytes of it mapped by 2 MiB each, the
 * rest by 4 KiB; absent: bytes that are not mapped at all. */
void large_is(uint64_t address, uint64_t bytes, uint64_t large, uint64_t absent, const char *what);

/* Stores a word that says where it is, and `seed`, to each 4 KiB. */
void large_write(uint64_t address, uint64_t bytes, uint64_t seed);

/* How many pages of a range do not have that word. */
uint64_t large_wrong(uint64_t address, uint64_t bytes, uint64_t seed);

/* The same where the words were written at another address, `from`. */
uint64_t large_wrong_at(uint64_t address, uint64_t bytes, uint64_t seed, uint64_t from);

/* Frames of the machine, free or not. */
uint64_t frames_total(void);
