/* SPDX-License-Identifier: MIT */
/*
 * Memory that processes share by POSIX calls: MAP_SHARED with and without a file, inherited by
 * fork; files of memfd_create, read, written, resized and mapped, and their errors.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#define READABLE (PROT_READ | PROT_WRITE)
#define CHILDREN 6
#define TURNS    2000U
#define FILE_END 32 /* first number that no file has */

static void check_error(long result, int error, const char *what)
{
    int got = errno;

    tap_ok(result == -1 && got == error, "%s", what);
    if (result == -1 && got != error) {
        tap_diag("errno is %d, want %d", got, error);
    }
}

static void check_map_error(size_t bytes, int flags, int file, off_t offset, int error,
                            const char *what)
{
    void *got = mmap(NULL, bytes, READABLE, flags, file, offset);

    check_error(got == MAP_FAILED ? -1 : 0, error, what);
}

static void check_end(pid_t pid, const char *what)
{
    int status = -1;

    (void)waitpid(pid, &status, 0);
    if (!tap_ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", what)) {
        tap_diag("status 0x%x", (unsigned)status);
    }
}

/* ---- without a file ---- */

static void check_anonymous(void)
{
    volatile char *shared = mmap(NULL, 3 * PAGE, READABLE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    volatile char *own = mmap(NULL, PAGE, READABLE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    tap_ok(shared != MAP_FAILED && shared[0] == 0, "shared memory, zeroed");
    shared[0] = own[0] = 1;
    pid = fork();
    if (pid == 0) {
        int saw = shared[0] == 1 && own[0] == 1;

        shared[0] = own[0] = 2;
        shared[2 * PAGE] = 3;
        exit(saw ? 0 : 1);
    }
    check_end(pid, "a child sees what its parent stored");
    tap_ok(shared[0] == 2 && shared[2 * PAGE] == 3, "and its parent what it stored");
    tap_is((uint64_t)own[0], 1, "but not in private memory");
    tap_is((uint64_t)madvise((void *)(uintptr_t)shared, 3 * PAGE, MADV_DONTNEED), 0,
           "shared memory that is not needed");
    tap_ok(shared[0] == 2 && shared[2 * PAGE] == 3, "stays what it is");
    tap_is((uint64_t)msync((void *)(uintptr_t)shared, 3 * PAGE, MS_SYNC), 0, "synchronized");
    check_error(msync((void *)(uintptr_t)(shared + 1), 1, MS_SYNC), EINVAL, "no page");
    check_error(msync((void *)(uintptr_t)shared, PAGE, MS_SYNC | MS_ASYNC), EINVAL, "two ways");
    tap_is((uint64_t)munmap((void *)(uintptr_t)shared, 3 * PAGE), 0, "unmapped");
    check_error(msync((void *)(uintptr_t)shared, 3 * PAGE, MS_SYNC), ENOMEM, "nothing is there");
    (void)munmap((void *)(uintptr_t)own, PAGE);
}

/* Children add to one word, and hand each other a turn by another. */
static void check_counting(void)
{
    _Atomic(unsigned) *words = mmap(NULL, PAGE, READABLE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[CHILDREN];

    for (unsigned me = 0; me < CHILDREN; me++) {
        pids[me] = fork();
        if (pids[me] == 0) {
            for (unsigned turn = 0; turn < TURNS; turn++) {
                atomic_fetch_add_explicit(&words[0], 1, memory_order_relaxed);
            }
            /* Acquire and release: each adds to the plain word after the one before it. */
            while (atomic_load_explicit(&words[1], memory_order_acquire) != me) {
                (void)sys_yield();
            }
            *(volatile unsigned *)&((unsigned *)(uintptr_t)words)[2] += me;
            atomic_store_explicit(&words[1], me + 1, memory_order_release);
            exit(0);
        }
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        check_end(pids[i], "a child counts");
    }
    tap_is(words[0], CHILDREN * TURNS, "no turn got lost");
    tap_is(words[2], CHILDREN * (CHILDREN - 1) / 2, "nor a store that was handed on");
    (void)munmap((void *)(uintptr_t)words, PAGE);
}

/* ---- files ---- */

static off_t size_of(int file)
{
    struct stat state = {.st_size = -1};

    return fstat(file, &state) == 0 && S_ISREG(state.st_mode) ? state.st_size : -1;
}

static void check_contents(void)
{
    char text[16] = "";
    int file = memfd_create("memory", MFD_CLOEXEC);

    tap_ok(file >= 3, "a file");
    tap_is((uint64_t)size_of(file), 0, "is empty");
    tap_is((uint64_t)read(file, text, 8), 0, "nothing is read");
    tap_is((uint64_t)write(file, "hello", 5), 5, "five bytes are written");
    tap_is((uint64_t)size_of(file), 5, "it has five");
    tap_is((uint64_t)pwrite(file, "worlds", 6, 2 * (off_t)PAGE - 3), 6, "and six far behind");
    tap_is((uint64_t)size_of(file), 2 * PAGE + 3, "which make it longer");
    tap_is((uint64_t)lseek(file, 0, SEEK_CUR), 5, "the position is where it was");
    tap_is((uint64_t)pread(file, text, 16, 2 * (off_t)PAGE - 4), 7, "read from there to the end");
    tap_ok(memcmp(text, "\0worlds", 7) == 0, "what was written, after zeroes");
    tap_is((uint64_t)lseek(file, -2, SEEK_END), 2 * PAGE + 1, "two before the end");
    tap_is((uint64_t)read(file, text, 16), 2, "there are two");
    tap_is((uint64_t)ftruncate(file, 2), 0, "cut");
    tap_is((uint64_t)ftruncate(file, 6), 0, "and made longer");
    (void)pread(file, text, 6, 0);
    tap_ok(memcmp(text, "he\0\0\0\0", 6) == 0, "what was cut off is zeroes");
    check_error(pread(file, text, 1, -1), EINVAL, "no position");
    check_error(lseek(file, -1, SEEK_SET), EINVAL, "nor to go to");
    check_error(ftruncate(file, -1), EINVAL, "no length");
    check_error(ftruncate(file, (off_t)1 << 50), EFBIG, "too long");
    check_error(pread(file, (void *)(uintptr_t)PLACE, 1, 0), EFAULT, "to nowhere");
    check_error(pwrite(file, (void *)(uintptr_t)PLACE, 1, 100), EFAULT, "from nowhere");
    tap_is((uint64_t)size_of(file), 6, "does not make it longer");
    tap_is((uint64_t)isatty(file), 0, "it is no terminal");
    tap_is((uint64_t)close(file), 0, "closed");
    check_error(pread(file, text, 1, 0), EBADF, "and gone");
    check_error(close(file), EBADF, "once only");
}

static void check_mapped(void)
{
    int file = memfd_create("memory", 0);
    char text[8] = "";

    check_map_error(PAGE, MAP_SHARED, file, 0, ENXIO, "nothing of an empty file");
    (void)ftruncate(file, (off_t)PAGE + 1);
    (void)pwrite(file, "one", 3, 0);
    volatile char *shared = mmap(NULL, 2 * PAGE, READABLE, MAP_SHARED, file, 0);
    volatile char *own = mmap(NULL, PAGE, READABLE, MAP_PRIVATE, file, 0);
    volatile char *second = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, (off_t)PAGE);
    tap_ok(shared != MAP_FAILED && own != MAP_FAILED && second != MAP_FAILED, "three mappings");
    tap_ok(shared[0] == 'o' && own[0] == 'o' && second[0] == 0, "show what is in the file");
    shared[0] = 'O';
    shared[PAGE] = '2';
    (void)pread(file, text, 1, 0);
    tap_ok(text[0] == 'O' && second[0] == '2', "a store is in the file");
    own[1] = 'w';
    tap_ok(shared[1] == 'n', "one to a private mapping is not");
    (void)pwrite(file, "x", 1, 2);
    tap_is((uint64_t)shared[2], 'x', "what is written is in the mapping");
    check_error(ftruncate(file, 0), EBUSY, "what is mapped is not cut off");
    tap_is((uint64_t)size_of(file), PAGE + 1, "it is as long as before");
    check_map_error(3 * PAGE, MAP_SHARED, file, 0, ENXIO, "more than there is");
    check_map_error(PAGE, MAP_SHARED, file, 1, EINVAL, "no page's offset");
    check_map_error(PAGE, MAP_SHARED, STDOUT_FILENO, 0, ENODEV, "the console");
    tap_is((uint64_t)close(file), 0, "closed");
    check_map_error(PAGE, MAP_SHARED, file, 0, EBADF, "a closed file");
    tap_ok(shared[0] == 'O' && own[1] == 'w', "the mappings stay");
    (void)munmap((void *)(uintptr_t)shared, 2 * PAGE);
    (void)munmap((void *)(uintptr_t)own, PAGE);
    (void)munmap((void *)(uintptr_t)second, PAGE);
}

static void check_inherited(void)
{
    int file = memfd_create("memory", 0);
    char text[8] = "";
    pid_t pid;

    (void)write(file, "ab", 2);
    (void)lseek(file, 1, SEEK_SET);
    pid = fork();
    if (pid == 0) {
        char *mapped = mmap(NULL, PAGE, READABLE, MAP_SHARED, file, 0);

        if (read(file, text, 1) != 1 || text[0] != 'b' || mapped == MAP_FAILED) {
            exit(1);
        }
        mapped[0] = 'A';
        exit(write(file, "cd", 2) == 2 ? 0 : 2);
    }
    check_end(pid, "a child has its parent's file, at its position");
    tap_is((uint64_t)lseek(file, 0, SEEK_CUR), 4, "which has moved for both");
    tap_is((uint64_t)pread(file, text, 8, 0), 4, "and so has the end");
    tap_ok(memcmp(text, "Abcd", 4) == 0, "both wrote to one file");
    (void)close(file);
}

static void check_many(void)
{
    int files[FILE_END];
    unsigned count = 0;
    char name[252];

    memset(name, 'n', sizeof(name));
    name[250] = '\0';
    check_error(memfd_create(name, 0), EINVAL, "a long name");
    name[249] = '\0';
    check_error(memfd_create("memory", 8), EINVAL, "unknown flags");
    while (count < FILE_END && (files[count] = memfd_create(name, 0)) >= 0) {
        count++;
    }
    tap_is(count, FILE_END - 3, "so many files can be open");
    check_error(-1, EMFILE, "and no more");
    while (count > 0) {
        (void)close(files[--count]);
    }
}

int main(void)
{
    uint64_t before = 0;

    for (unsigned round = 0; round < 2; round++) { /* the library keeps some for the next time */
        before = round == 1 ? frames_free() : 0;
        check_anonymous();
        check_contents();
        check_mapped();
        check_inherited();
        check_many();
    }
    tap_is(frames_free(), before, "all memory has come back");
    check_counting();
    return tap_done();
}
