/* SPDX-License-Identifier: MIT */
/*
 * POSIX memory mapping: memory, and files that memfd_create makes, private or shared. docs/posix.md
 * says what is different.  Functions return -1 (mmap: MAP_FAILED) and errno on an error.
 */
#pragma once

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PROT_NONE           0
#define PROT_READ           1
#define PROT_WRITE          2 /* readable too: the machine cannot do otherwise */
#define PROT_EXEC           4

#define MAP_SHARED          0x01
#define MAP_PRIVATE         0x02
#define MAP_FIXED           0x10
#define MAP_ANONYMOUS       0x20
#define MAP_ANON            MAP_ANONYMOUS
#define MAP_NORESERVE       0x4000
#define MAP_POPULATE        0x8000
#define MAP_HUGETLB         0x40000
#define MAP_FIXED_NOREPLACE 0x100000

#define MAP_HUGE_SHIFT      26 /* size of pages, with MAP_HUGETLB: its logarithm; 0: 2 MiB */
#define MAP_HUGE_MASK       0x3f
#define MAP_HUGE_2MB        (21 << MAP_HUGE_SHIFT)
#define MAP_HUGE_1GB        (30 << MAP_HUGE_SHIFT)

#define MAP_FAILED          ((void *)-1)

#define MADV_NORMAL         0
#define MADV_RANDOM         1
#define MADV_SEQUENTIAL     2
#define MADV_WILLNEED       3
#define MADV_DONTNEED       4
#define MADV_COLLAPSE       25

#define MS_ASYNC            1
#define MS_INVALIDATE       2
#define MS_SYNC             4

#define MREMAP_MAYMOVE      1
#define MREMAP_FIXED        2

#define MFD_CLOEXEC         1U

/* Zeroed memory (MAP_ANONYMOUS) or pages of a file, `bytes` rounded up to pages.  Each page is made
 * by the first access to it, with MAP_POPULATE all now, unless prot is PROT_NONE.  An access that
 * finds no memory ends the program.  Shared memory is shared with children that fork makes.
 * MAP_HUGETLB: `bytes` is rounded up to pages of 2 MiB or 1 GiB, which come as such: where memory
 * has no such block, MAP_POPULATE fails, and a first access takes 4 KiB.
 * Errors: EINVAL  bytes 0, not exactly one of MAP_SHARED and MAP_PRIVATE, unknown prot or flags, or
 *                 MAP_FIXED at no page's beginning; MAP_HUGETLB without MAP_ANONYMOUS, shared in
 *                 1 GiB, or of another size
 *         EBADF   no such file, ENODEV the console, ENXIO the file ends before, EINVAL offset is no
 *                 multiple of a page
 *         EEXIST  MAP_FIXED_NOREPLACE, and something is there
 *         ENOMEM  no memory (for tables, or MAP_POPULATE), no addresses, or MAP_FIXED outside of
 *                 the user range */
void *mmap(void *address, size_t bytes, int prot, int flags, int file, off_t offset);

/* Addresses that hold nothing do not matter.
 * Errors: EINVAL (no page's beginning, bytes 0, outside of the user range), ENOMEM (the library's
 * table is full, or no memory for a kernel table). */
int munmap(void *address, size_t bytes);

/* Pages keep what they hold under PROT_NONE too.
 * Errors: EINVAL  no page's beginning, unknown prot
 *         ENOMEM  something there is not mapped, or no memory for a table
 *         EACCES  more than the pages of a device allow, or PROT_NONE for them
 * After an error some of the pages may have been changed. */
int mprotect(void *address, size_t bytes, int prot);

/* MADV_DONTNEED: private memory goes back, and the pages are zero then; shared pages stay what they
 * are.  MADV_COLLAPSE: pages that lie side by side in memory, as those of a large page that was
 * split do, become a large one; nothing is copied.  The others do nothing.
 * Errors: EINVAL (no page's beginning, unknown advice; MADV_DONTNEED: pages of a device), ENOMEM
 * (something there is not mapped, or no memory for a table). */
int madvise(void *address, size_t bytes, int advice);

/* One byte a page, 1: there is memory, 0: not yet.
 * Errors: EINVAL (no page's beginning), ENOMEM (something there is not mapped). */
int mincore(void *address, size_t bytes, unsigned char *pages);

/* Gives a mapping another length, and with MREMAP_MAYMOVE another place if there is no room behind
 * it: its pages are moved there, not copied.  With MREMAP_FIXED too, it goes to `place`, and what
 * was there is gone.  What is added is zeroed memory with the rights of the last page.  Returns
 * where the mapping is.  On an error that is MAP_FAILED, and the mapping is where and what it was;
 * but if MREMAP_FIXED failed with ENOMEM, what was to go may be gone.
 * Errors: EINVAL  no page's beginning, a length of 0, unknown flags, MREMAP_FIXED without
 *                 MREMAP_MAYMOVE, the places overlap, or `place` is outside of the user range
 *         EFAULT  something there is not mapped
 *         ENOTSUP it is to become longer, and its last page is shared, a device's or a file's
 *         ENOMEM  no room behind it, without MREMAP_MAYMOVE; no addresses, or no memory for a table
 */
void *mremap(void *address, size_t old_bytes, size_t new_bytes, int flags, ... /* void *place */);

/* Stores to shared pages are in the file at once: this only checks.
 * Errors: EINVAL (no page's beginning, MS_ASYNC with MS_SYNC, unknown flags), ENOMEM (something
 * there is not mapped). */
int msync(void *address, size_t bytes, int flags);

/* A new file without a name, empty, that lives as long as somebody has it open or mapped: for
 * ftruncate, mmap, read, write, pread, pwrite, lseek, fstat, close.  flags: MFD_CLOEXEC or 0.
 * Errors: EINVAL (flags, or a name of more than 249 bytes), EMFILE (29 are open, or no handle is
 * left), ENOMEM. */
int memfd_create(const char *name, unsigned flags);

#ifdef __cplusplus
}
#endif
