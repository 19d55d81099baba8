/* SPDX-License-Identifier: MIT */
/* mmap with MAP_HUGETLB: where such memory lies, when it comes, that it can be used like any other,
 * and what is refused. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "large.h"

#define HUGE     (MAP_ANONYMOUS | MAP_HUGETLB)
#define READABLE (PROT_READ | PROT_WRITE)

static uint64_t huge(size_t bytes, int flags)
{
    void *memory = mmap(NULL, bytes, READABLE, HUGE | flags, -1, 0);

    return memory == MAP_FAILED ? 0 : (uintptr_t)memory;
}

static void *there(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

static void check_now(void)
{
    uint64_t memory = huge(LARGE + 1, MAP_PRIVATE | MAP_POPULATE);

    tap_ok(memory != 0 && memory % LARGE == 0, "memory lies at a multiple of 2 MiB");
    large_is(memory, 2 * LARGE, 2 * LARGE, 0, "all of it, rounded up");
    large_write(memory, 2 * LARGE, 1);
    tap_is((uint64_t)munmap(there(memory + PAGE), PAGE), 0, "a part goes");
    large_is(memory, LARGE, 0, PAGE, "that page");
    large_is(memory + LARGE, LARGE, LARGE, 0, "the other");
    tap_is(large_wrong(memory + 2 * PAGE, 2 * LARGE - 2 * PAGE, 1), 0, "what is in them stays");
    tap_is((uint64_t)munmap(there(memory), 2 * LARGE), 0, "all of it goes");
}

static void check_first_access(void)
{
    uint64_t memory = huge(LARGE, MAP_PRIVATE | MAP_HUGE_2MB);

    tap_ok(memory != 0, "memory for the first access");
    tap_is(large_tally(user_self(), memory, LARGE).marked, LARGE, "is not there yet");
    *word_at(memory + 5 * PAGE) = 5;
    large_is(memory, LARGE, LARGE, 0, "after one access");
    tap_is((uint64_t)madvise(there(memory), LARGE, MADV_DONTNEED), 0, "it is given back");
    tap_is(large_tally(user_self(), memory, LARGE).marked, LARGE, "and is not there");
    tap_is(*word_at(memory + 5 * PAGE), 0, "it is zero again");
    large_is(memory, LARGE, LARGE, 0, "and a page of 2 MiB");
    tap_is((uint64_t)munmap(there(memory), LARGE), 0, "all of it goes");
}

static void check_shared(void)
{
    uint64_t memory = huge(LARGE, MAP_SHARED);
    int status = -1;
    pid_t child;

    tap_ok(memory != 0, "memory that is shared");
    *word_at(memory) = 1;
    large_is(memory, LARGE, LARGE, 0, "shared");
    child = fork();
    if (child == 0) {
        *word_at(memory + 9 * PAGE) = *word_at(memory) + 6;
        _exit(0);
    }
    tap_ok(child > 0 && waitpid(child, &status, 0) == child && status == 0, "a child stores to it");
    tap_is(*word_at(memory + 9 * PAGE), 7, "which is seen here");
    tap_is((uint64_t)munmap(there(memory), LARGE), 0, "all of it goes");
}

static void check_places(void)
{
    uint64_t memory = huge(2 * LARGE, MAP_PRIVATE);
    void *fixed;

    fixed = mmap(there(memory + LARGE), LARGE, READABLE,
                 HUGE | MAP_PRIVATE | MAP_FIXED | MAP_POPULATE, -1, 0);
    tap_is((uintptr_t)fixed, memory + LARGE, "MAP_FIXED puts it there");
    large_is(memory + LARGE, LARGE, LARGE, 0, "fixed");
    fixed = mmap(there(memory + PAGE), LARGE, READABLE, HUGE | MAP_PRIVATE | MAP_FIXED_NOREPLACE,
                 -1, 0);
    tap_ok(fixed == MAP_FAILED && errno == EINVAL, "but at no multiple of 4 KiB alone");
    tap_is((uint64_t)munmap(there(memory), 2 * LARGE), 0, "all of it goes");
}

static void check_refused(void)
{
    static const struct {
        int flags;
        const char *what;
    } rows[] = {
        {MAP_PRIVATE | MAP_HUGETLB, "without MAP_ANONYMOUS"},
        {MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGE_2MB, "a size without MAP_HUGETLB"},
        {MAP_PRIVATE | HUGE | 16 << MAP_HUGE_SHIFT, "64 KiB"},
        {MAP_SHARED | HUGE | MAP_HUGE_1GB, "1 GiB, shared"},
    };

    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        tap_ok(mmap(NULL, LARGE, READABLE, rows[i].flags, -1, 0) == MAP_FAILED && errno == EINVAL,
               "refused: %s", rows[i].what);
    }
    tap_ok(huge((size_t)1 << 46, MAP_PRIVATE | MAP_POPULATE) == 0 && errno == ENOMEM,
           "more than there is: ENOMEM");
}

int main(void)
{
    check_now();
    check_first_access();
    check_shared();
    check_places();
    check_refused();
    return tap_done();
}
