/* SPDX-License-Identifier: MIT */
/* mmap and its kin: where memory comes, what it holds, who may touch it, and every error. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#define ANON        (MAP_PRIVATE | MAP_ANONYMOUS)
#define READABLE    (PROT_READ | PROT_WRITE)

#define USED_UP_MAX ((size_t)256 << 20) /* to use more takes long: a fault a page */

static uint64_t here(const void *address)
{
    return (uintptr_t)address;
}

static void *there(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

static void check_error(int result, int error, const char *what)
{
    int got = errno;

    tap_ok(result == -1 && got == error, "%s", what);
    if (result == -1 && got != error) {
        tap_diag("errno is %d, want %d", got, error);
    }
}

static void check_map_error(void *address, size_t bytes, int prot, int flags, int error,
                            const char *what)
{
    void *got = mmap(address, bytes, prot, flags, -1, 0);

    check_error(got == MAP_FAILED ? -1 : 0, error, what);
}

static void check_basics(void)
{
    char *memory = mmap(NULL, 3 * PAGE + 1, READABLE, ANON, -1, 0);
    uint64_t sum = 0;

    tap_ok(memory != MAP_FAILED, "memory comes");
    for (uint64_t i = 0; i < 4 * PAGE; i++) {
        sum += (uint64_t)memory[i];
        memory[i] = 1;
    }
    tap_is(sum, 0, "four pages of zeroes for three and a byte");
    tap_is((uint64_t)munmap(memory + PAGE, PAGE), 0, "a hole is made");
    check_touch(ACCESS_READ, here(memory) + PAGE, "in the hole");
    tap_is((uint64_t)memory[0] + (uint64_t)memory[2 * PAGE], 2, "the rest is there");
    char *again = mmap(NULL, PAGE, READABLE, ANON, -1, 0);
    tap_is(here(again), here(memory) + PAGE, "the hole is the first place that fits");
    tap_is((uint64_t)again[0], 0, "and holds zeroes");
    tap_is((uint64_t)munmap(memory, 4 * PAGE), 0, "all of it goes");
    tap_is((uint64_t)munmap(memory, 4 * PAGE), 0, "what is gone may go again");
}

static void check_places(void)
{
    char *memory = mmap(there(PLACE), PAGE, READABLE, ANON, -1, 0);

    tap_is(here(memory), PLACE, "a hint is followed");
    char *other = mmap(there(PLACE + 1), PAGE, READABLE, ANON, -1, 0);
    tap_ok(other != MAP_FAILED && here(other) != PLACE, "but not where something is");
    check_map_error(memory, PAGE, READABLE, ANON | MAP_FIXED_NOREPLACE, EEXIST,
                    "MAP_FIXED_NOREPLACE does not replace");
    memory[0] = 7;
    tap_is(here(mmap(memory, PAGE, READABLE, ANON | MAP_FIXED, -1, 0)), PLACE, "MAP_FIXED does");
    tap_is((uint64_t)memory[0], 0, "and the memory is new");
    (void)page_map(PLACE + PAGE, PAGE, RW);
    check_map_error(memory + PAGE, PAGE, PROT_NONE, ANON | MAP_FIXED_NOREPLACE, EEXIST,
                    "nor memory that the library does not know");
    tap_is((uint64_t)munmap(memory, 2 * PAGE), 0, "it all goes");
    tap_is(here(mmap(memory, PAGE, READABLE, ANON | MAP_FIXED_NOREPLACE, -1, 0)), PLACE,
           "then MAP_FIXED_NOREPLACE maps");
    (void)munmap(memory, PAGE);
    (void)munmap(other, PAGE);
}

static void check_none(void)
{
    char *memory = mmap(NULL, 8 * PAGE, PROT_NONE, ANON, -1, 0);
    unsigned char pages[8];

    check_touch(ACCESS_READ, here(memory), "in held addresses");
    char *other = mmap(NULL, PAGE, READABLE, ANON, -1, 0);
    tap_ok(other < memory || other >= memory + 8 * PAGE, "nobody else gets them");
    tap_is((uint64_t)mprotect(memory + PAGE, 2 * PAGE, READABLE), 0, "two pages may be used");
    memory[PAGE] = 1;
    tap_is((uint64_t)mincore(memory, 8 * PAGE, pages), 0, "one sees which");
    tap_is((uint64_t)memcmp(pages, "\0\1\0\0\0\0\0\0", 8), 0, "have memory");
    tap_is((uint64_t)mprotect(memory, 8 * PAGE, PROT_READ), 0, "all of them may be read");
    tap_is((uint64_t)memory[PAGE] + (uint64_t)memory[7 * PAGE], 1, "what was there stays");
    check_touch(ACCESS_WRITE, here(memory) + PAGE, "in what is read-only");
    tap_is((uint64_t)mprotect(memory, 8 * PAGE, PROT_NONE), 0, "nobody may use them");
    check_touch(ACCESS_READ, here(memory) + PAGE, "in what holds something");
    check_touch(ACCESS_READ, here(memory) + 4 * PAGE, "in what does not");
    (void)mincore(memory, 8 * PAGE, pages);
    tap_is((uint64_t)memcmp(pages, "\0\1\0\0\0\0\0\1", 8), 0, "what has memory keeps it");
    tap_is((uint64_t)mprotect(memory, 8 * PAGE, READABLE), 0, "they come back");
    tap_is((uint64_t)memory[PAGE] + (uint64_t)memory[4 * PAGE], 1, "with what they held");
    memory[PAGE] = 2;
    tap_is((uint64_t)memory[PAGE], 2, "and may be written");
    (void)munmap(memory, 8 * PAGE);
    (void)munmap(other, PAGE);
    check_error(mprotect(memory, PAGE, PROT_READ), ENOMEM, "what is not held has no rights");
    check_error(mincore(memory, PAGE, pages), ENOMEM, "nor can it be asked for");
}

/* What mprotect costs: one call, with or without memory. */
static void check_cost(void)
{
    char *memory = mmap(NULL, 8 * PAGE, READABLE, ANON, -1, 0);
    uint64_t before = counter_value("syscalls");
    uint64_t method = counter_value("syscalls") - before;

    memory[2 * PAGE] = 1;
    (void)mprotect(memory + PAGE, PAGE, PROT_READ);
    before = counter_value("syscalls");
    int result = mprotect(memory, 8 * PAGE, PROT_READ);
    uint64_t calls = counter_value("syscalls") - before - method;
    tap_is((uint64_t)result, 0, "eight pages become read-only, one that was so among them");
    tap_is(calls, 1, "by one system call");
    check_touch(ACCESS_WRITE, here(memory) + 7 * PAGE, "in the last of them");
    (void)munmap(memory, 8 * PAGE);
}

/* Memory that comes as it is used, and memory that is there. */
static void check_lazy(void)
{
    unsigned char pages[4];
    char *memory = mmap(NULL, 4 * PAGE, READABLE, ANON, -1, 0);

    (void)mincore(memory, 4 * PAGE, pages);
    tap_is((uint64_t)memcmp(pages, "\0\0\0\0", 4), 0, "no page has memory");
    memory[2 * PAGE] = 1;
    (void)mincore(memory, 4 * PAGE, pages);
    tap_is((uint64_t)memcmp(pages, "\0\0\1\0", 4), 0, "until it is used");
    (void)munmap(memory, 4 * PAGE);
    memory = mmap(NULL, 4 * PAGE, READABLE, ANON | MAP_POPULATE, -1, 0);
    (void)mincore(memory, 4 * PAGE, pages);
    tap_is((uint64_t)memcmp(pages, "\1\1\1\1", 4), 0, "with MAP_POPULATE all have");
    (void)munmap(memory, 4 * PAGE);
    memory = mmap(NULL, 4 * PAGE, PROT_NONE, ANON | MAP_POPULATE, -1, 0);
    (void)mincore(memory, 4 * PAGE, pages);
    tap_is((uint64_t)memcmp(pages, "\0\0\0\0", 4), 0, "but not with PROT_NONE");
    (void)munmap(memory, 4 * PAGE);
}

/* Holes, and memory that the library does not know. */
static void check_holes(void)
{
    char *memory = mmap(NULL, 6 * PAGE, PROT_NONE, ANON, -1, 0);

    (void)munmap(memory + 2 * PAGE, PAGE);
    check_error(mprotect(memory, 6 * PAGE, PROT_READ), ENOMEM, "a hole cannot be protected");
    check_error(madvise(memory, 6 * PAGE, MADV_DONTNEED), ENOMEM, "nor advised about");
    (void)munmap(memory, 6 * PAGE);
    (void)page_map(PLACE, 2 * PAGE, RW);
    *word_at(PLACE) = 1;
    tap_is((uint64_t)mprotect(there(PLACE), 2 * PAGE, PROT_NONE), 0, "the program's own can");
    tap_is((uint64_t)madvise(there(PLACE), 2 * PAGE, MADV_WILLNEED), 0, "and be advised about");
    check_error(mprotect(there(PLACE), 3 * PAGE, PROT_READ), ENOMEM, "but not what is behind");
    (void)mprotect(there(PLACE), 2 * PAGE, PROT_READ);
    tap_is(*word_at(PLACE), 1, "it holds what it held");
    (void)page_unmap(PLACE, 2 * PAGE);
}

static void check_advice(void)
{
    char *memory = mmap(NULL, 3 * PAGE, READABLE, ANON, -1, 0);
    unsigned char pages[3];

    memset(memory, 3, 3 * PAGE);
    (void)mprotect(memory + PAGE, PAGE, PROT_READ);
    (void)mprotect(memory + 2 * PAGE, PAGE, PROT_NONE);
    tap_is((uint64_t)madvise(memory, 3 * PAGE, MADV_WILLNEED), 0, "advice is taken");
    tap_is((uint64_t)memory[0], 3, "and changes nothing");
    uint64_t before = frames_free();
    tap_is((uint64_t)madvise(memory, 3 * PAGE, MADV_DONTNEED), 0, "but MADV_DONTNEED");
    tap_is(frames_free() - before, 3, "gives the memory back");
    (void)mincore(memory, 3 * PAGE, pages);
    tap_is((uint64_t)memcmp(pages, "\0\0\0", 3), 0, "all of it");
    tap_is((uint64_t)memory[0] + (uint64_t)memory[PAGE], 0, "zeroes come instead");
    memory[0] = 1;
    check_touch(ACCESS_WRITE, here(memory) + PAGE, "in what was read-only");
    check_touch(ACCESS_READ, here(memory) + 2 * PAGE, "in what nobody might use");
    (void)mprotect(memory + 2 * PAGE, PAGE, PROT_READ);
    tap_is((uint64_t)memory[2 * PAGE], 0, "which is zero, too");
    check_error(madvise(memory, PAGE, 99), EINVAL, "unknown advice");
    (void)munmap(memory, 3 * PAGE);
    check_error(madvise(memory, PAGE, MADV_DONTNEED), ENOMEM, "advice on nothing");
}

static void check_errors(void)
{
    check_map_error(NULL, 0, READABLE, ANON, EINVAL, "no bytes");
    check_map_error(NULL, PAGE, READABLE, MAP_ANONYMOUS, EINVAL, "neither shared nor private");
    check_map_error(NULL, PAGE, READABLE, ANON | MAP_SHARED, EINVAL, "both");
    check_map_error(NULL, PAGE, READABLE, MAP_PRIVATE, EBADF, "no file");
    check_map_error(NULL, PAGE, 64, ANON, EINVAL, "unknown permissions");
    check_map_error(NULL, PAGE, READABLE, ANON | 0x800000, EINVAL, "unknown flags");
    check_map_error(there(PLACE + 8), PAGE, READABLE, ANON | MAP_FIXED, EINVAL, "between pages");
    check_map_error(NULL, SIZE_MAX, READABLE, ANON, ENOMEM, "all addresses");
    check_map_error(NULL, (size_t)1 << 40, PROT_NONE, ANON, ENOMEM, "more than the library has");
    check_map_error(there(UINT64_C(1) << 62), PAGE, READABLE, ANON | MAP_FIXED, ENOMEM,
                    "outside of the user range");
    check_map_error(there(UINT64_C(1) << 62), PAGE, READABLE, ANON | MAP_FIXED_NOREPLACE, ENOMEM,
                    "outside of it, replacing nothing");
    check_error(munmap(there(PLACE + 8), PAGE), EINVAL, "unmap between pages");
    check_error(munmap(there(PLACE), 0), EINVAL, "unmap nothing");
    check_error(munmap(there(UINT64_C(1) << 62), PAGE), EINVAL, "unmap outside");
    check_error(mprotect(there(PLACE + 8), PAGE, PROT_READ), EINVAL, "protect between pages");
    check_error(mprotect(there(PLACE), PAGE, 64), EINVAL, "protect in an unknown way");
}

/* Free frames when the library's part is empty, without the tables that were needed for it. */
static uint64_t frames_without_memory(void)
{
    (void)munmap(there(USER_PAGES_START), USER_PAGES_END - USER_PAGES_START);
    return frames_free();
}

/* A child that uses more than there is: its parent hears of a kill. */
static void check_used_up(size_t bytes)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        volatile char *memory = mmap(NULL, bytes, READABLE, ANON, -1, 0);

        for (size_t i = 0; i < bytes; i += PAGE) {
            memory[i] = 1;
        }
        _exit(0);
    }
    tap_is((uint64_t)waitpid(child, &status, 0), (uint64_t)child,
           "a child uses more than there is");
    tap_expect_log("no memory for WRITE fault");
    tap_ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "which ends it, as a kill would");
}

/* More than the machine has: it may be reserved, but not be there; then nothing stays. */
static void check_no_memory(void)
{
    struct machine_info machine;

    (void)sys_machine_info(user_machine(), (uintptr_t)&machine);
    size_t bytes = (machine.total_frames + 1) * PAGE;
    /* Once before: tables are put by, and those that are empty go when memory is out. */
    (void)mmap(NULL, bytes, READABLE, ANON, -1, 0);
    (void)mmap(NULL, bytes, READABLE, ANON | MAP_POPULATE, -1, 0);
    uint64_t before = frames_without_memory();
    char *memory = mmap(NULL, bytes, READABLE, ANON, -1, 0);
    tap_ok(memory != MAP_FAILED, "more memory than there is");
    memory[bytes - 1] = 1;
    tap_is((uint64_t)memory[0] + (uint64_t)memory[bytes - 1], 1, "as long as one uses less");
    tap_is(frames_without_memory(), before, "it goes");
    check_map_error(NULL, bytes, READABLE, ANON | MAP_POPULATE, ENOMEM,
                    "it cannot be there all at once");
    tap_is(frames_without_memory(), before, "nothing of it stays");
    memory = mmap(NULL, PAGE, READABLE, ANON, -1, 0);
    memory[0] = 1;
    check_map_error(memory, bytes, READABLE, ANON | MAP_FIXED | MAP_POPULATE, ENOMEM,
                    "the same at a fixed address");
    tap_is(frames_without_memory(), before, "nothing of it stays, nor of what was there");
    if (bytes <= USED_UP_MAX) {
        check_used_up(bytes);
    }
}

/* Many areas that do not touch: the table has to grow. */
static void check_many(void)
{
    enum {
        COUNT = 3000
    };
    char *all = mmap(NULL, 2 * COUNT * PAGE, PROT_NONE, ANON, -1, 0);
    unsigned failed = 0;

    for (uint64_t i = 0; i < COUNT; i++) {
        failed += munmap(all + 2 * i * PAGE, PAGE) != 0 ? 1 : 0;
    }
    tap_is(failed, 0, "%d holes are made", COUNT);
    for (uint64_t i = 0; i < COUNT; i++) {
        failed += mmap(NULL, PAGE, PROT_NONE, ANON, -1, 0) != all + 2 * i * PAGE ? 1 : 0;
    }
    tap_is(failed, 0, "and filled from the lowest on");
    (void)munmap(all, 2 * COUNT * PAGE);
}

#define THREADS 4U

static void *map_and_unmap(void *argument)
{
    uintptr_t wrong = 0;

    for (uint64_t i = 0; i < 300; i++) {
        uint64_t bytes = (1 + i % 5) * PAGE;
        uint64_t *memory = mmap(NULL, bytes, READABLE, ANON, -1, 0);

        wrong += memory == MAP_FAILED || memory[0] != 0 ? 1 : 0;
        memory[0] = (uintptr_t)argument;
        (void)sys_yield();
        wrong += memory[0] != (uintptr_t)argument ? 1 : 0;
        (void)munmap(memory, bytes);
    }
    return (void *)wrong;
}

static void check_threads(void)
{
    pthread_t threads[THREADS];
    uintptr_t wrong = 0;

    for (uintptr_t i = 0; i < THREADS; i++) {
        (void)pthread_create(&threads[i], NULL, map_and_unmap, (void *)(i + 1));
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *result = NULL;

        (void)pthread_join(threads[i], &result);
        wrong += (uintptr_t)result;
    }
    tap_is(wrong, 0, "%u threads map and unmap, none sees another's memory", THREADS);
}

int main(void)
{
    check_basics();
    check_places();
    check_none();
    check_cost();
    check_lazy();
    check_holes();
    check_advice();
    check_errors();
    check_no_memory();
    check_many();
    check_threads();
    return tap_done();
}
