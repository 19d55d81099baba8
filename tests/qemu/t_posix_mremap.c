/* SPDX-License-Identifier: MIT */
/* mremap: mappings become longer and shorter, and go elsewhere with what is in them. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "support.h"

#define ANON     (MAP_PRIVATE | MAP_ANONYMOUS)
#define READABLE (PROT_READ | PROT_WRITE)
#define MOVED    (MREMAP_MAYMOVE | MREMAP_FIXED)
#define TABLE    (512 * PAGE)

static uint64_t here(const void *address)
{
    return (uintptr_t)address;
}

static char *there(uint64_t address)
{
    return (char *)(uintptr_t)address;
}

static char *map(size_t pages)
{
    char *memory = mmap(NULL, pages * PAGE, READABLE, ANON, -1, 0);

    for (size_t i = 0; i < pages; i++) {
        memory[i * PAGE] = (char)(i + 1);
    }
    return memory;
}

/* Pages of map() that are not what they were. */
static uint64_t count_wrong(const char *memory, size_t pages)
{
    uint64_t wrong = 0;

    for (size_t i = 0; i < pages; i++) {
        wrong += memory[i * PAGE] != (char)(i + 1) ? 1 : 0;
    }
    return wrong;
}

static void check_error(void *result, int error, const char *what)
{
    int got = errno;

    tap_ok(result == MAP_FAILED && got == error, "%s", what);
    if (result == MAP_FAILED && got != error) {
        tap_diag("errno is %d, want %d", got, error);
    }
}

static void check_lengths(void)
{
    char *memory = map(4);

    tap_is(here(mremap(memory, 4 * PAGE, 4 * PAGE, 0)), here(memory), "the same length");
    tap_is(here(mremap(memory, 4 * PAGE, 2 * PAGE - 1, 0)), here(memory), "half of it");
    tap_is(count_wrong(memory, 2), 0, "keeps what is there");
    check_touch(ACCESS_READ, here(memory) + 2 * PAGE, "behind it");
    tap_is(here(mremap(memory, 2 * PAGE, 6 * PAGE, 0)), here(memory), "longer, where room is");
    tap_is(count_wrong(memory, 2), 0, "keeps it, too");
    tap_is((uint64_t)memory[2 * PAGE] + (uint64_t)memory[6 * PAGE - 1], 0, "and adds zeroes");
    memory[5 * PAGE] = 1;
    char *behind = mmap(memory + 6 * PAGE, PAGE, READABLE, ANON | MAP_FIXED_NOREPLACE, -1, 0);
    check_error(mremap(memory, 6 * PAGE, 7 * PAGE, 0), ENOMEM, "not over what is behind it");
    tap_is(count_wrong(memory, 2), 0, "and it stays");
    (void)munmap(memory, 6 * PAGE);
    (void)munmap(behind, PAGE);
}

/* No room behind it. */
static void check_place(size_t pages, const char *what)
{
    char *memory = map(pages);
    char *behind = mmap(memory + pages * PAGE, PAGE, READABLE, ANON | MAP_FIXED_NOREPLACE, -1, 0);
    uint64_t before = frames_free();
    char *moved = mremap(memory, pages * PAGE, 2 * pages * PAGE, MREMAP_MAYMOVE);

    tap_ok(moved != MAP_FAILED && moved != memory, "%s: another place", what);
    tap_ok(before - frames_free() + 8 <= 16, "no page is copied");
    tap_is(count_wrong(moved, pages), 0, "with what was there");
    tap_is((uint64_t)moved[pages * PAGE] + (uint64_t)moved[2 * pages * PAGE - 1], 0,
           "and zeroes behind it");
    check_touch(ACCESS_READ, here(memory), "where it was");
    tap_is(here(mmap(memory, pages * PAGE, READABLE, ANON | MAP_FIXED_NOREPLACE, -1, 0)),
           here(memory), "where others may be now");
    tap_is((uint64_t)memory[0], 0, "and find zeroes");
    (void)munmap(memory, (pages + 1) * PAGE);
    (void)munmap(behind, PAGE);
    (void)munmap(moved, 2 * pages * PAGE);
}

static void check_fixed(void)
{
    char *memory = map(4);
    char *place = map(8);

    memset(place, 9, 8 * PAGE);
    tap_is(here(mremap(memory, 4 * PAGE, 4 * PAGE, MOVED, place + 2 * PAGE)),
           here(place) + 2 * PAGE, "to a place that is taken");
    tap_is(count_wrong(place + 2 * PAGE, 4), 0, "it replaces what was there");
    tap_is((uint64_t)place[2 * PAGE - 1] + (uint64_t)place[6 * PAGE], 18, "and nothing else");
    check_touch(ACCESS_READ, here(memory), "where it was before");
    tap_is(here(mremap(place + 2 * PAGE, 4 * PAGE, 2 * PAGE, MOVED, memory)), here(memory),
           "back, shorter");
    tap_is(count_wrong(memory, 2), 0, "it is what it was");
    check_touch(ACCESS_READ, here(place) + 4 * PAGE, "what was too much");
    tap_is(here(mremap(memory, 2 * PAGE, 3 * PAGE, MOVED, there(PLACE))), PLACE,
           "longer, to the program's own part");
    tap_is(count_wrong(there(PLACE), 2) + (uint64_t)there(PLACE)[2 * PAGE], 0, "all is right");
    (void)munmap(there(PLACE), 3 * PAGE);
    (void)munmap(place, 8 * PAGE);
}

/* Rights, and what nobody has used yet, are kept; what is added has those of the last page. */
static void check_kinds(void)
{
    unsigned char pages[6];
    char *memory = map(4);

    (void)mprotect(memory + PAGE, PAGE, PROT_NONE);
    (void)madvise(memory + 2 * PAGE, PAGE, MADV_DONTNEED);
    (void)mprotect(memory + 3 * PAGE, PAGE, PROT_READ);
    char *moved = mremap(memory, 4 * PAGE, 6 * PAGE, MOVED, there(PLACE));
    (void)mincore(moved, 6 * PAGE, pages);
    tap_is((uint64_t)memcmp(pages, "\1\1\0\1\0\0", 6), 0, "what has memory has, the rest not");
    check_touch(ACCESS_READ, PLACE + PAGE, "what had no rights");
    check_touch(ACCESS_WRITE, PLACE + 3 * PAGE, "what was read-only");
    check_touch(ACCESS_WRITE, PLACE + 5 * PAGE, "what was added to that");
    tap_is((uint64_t)moved[5 * PAGE], 0, "it can be read");
    (void)mprotect(moved + PAGE, PAGE, PROT_READ);
    tap_is((uint64_t)moved[PAGE], 2, "what had no rights is still there");
    (void)munmap(moved, 6 * PAGE);
}

static void check_shared(void)
{
    char *memory = mmap(NULL, 2 * PAGE, READABLE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    memory[0] = 7;
    check_error(mremap(memory, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE), ENOTSUP,
                "shared memory cannot be longer");
    char *moved = mremap(memory, 2 * PAGE, 2 * PAGE, MOVED, there(PLACE));
    tap_is(here(moved), PLACE, "but elsewhere");
    tap_is((uint64_t)moved[0] + (uint64_t)moved[PAGE], 7, "with what was there");
    (void)munmap(moved, 2 * PAGE);
}

static void check_errors(void)
{
    char *memory = map(4);

    check_error(mremap(memory + 8, PAGE, PAGE, 0), EINVAL, "no page's beginning");
    check_error(mremap(memory, 0, PAGE, 0), EINVAL, "no length");
    check_error(mremap(memory, PAGE, 0, 0), EINVAL, "no new length");
    check_error(mremap(memory, PAGE, PAGE, 4), EINVAL, "unknown flags");
    check_error(mremap(memory, PAGE, PAGE, MREMAP_FIXED, there(PLACE)), EINVAL,
                "to a place, and not to move");
    check_error(mremap(memory, PAGE, PAGE, MOVED, there(PLACE + 8)), EINVAL, "to a skew place");
    check_error(mremap(memory, 2 * PAGE, 2 * PAGE, MOVED, memory + PAGE), EINVAL, "onto itself");
    check_error(mremap(memory, PAGE, PAGE, MOVED, there(UINT64_C(1) << 62)), EINVAL,
                "out of the user range");
    check_error(mremap(memory, PAGE, SIZE_MAX, 0), ENOMEM, "endless");
    check_error(mremap(memory, PAGE, (size_t)1 << 40, MREMAP_MAYMOVE), ENOMEM,
                "more than the library has");
    check_error(mremap(memory, SIZE_MAX, PAGE, 0), EINVAL, "what overflows");
    check_error(mremap(memory, 64 * TABLE, PAGE, 0), EFAULT, "what is not mapped");
    tap_is(count_wrong(memory, 4), 0, "all of it stays what it was");
    (void)munmap(memory, 4 * PAGE);
    check_error(mremap(memory, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE), EFAULT, "nothing");
}

/* Memory that grows, as a list does, from a page on: each page is written once, and never copied.
 */
static void check_growth(void)
{
    size_t pages = 1;
    char *memory = map(1);
    char *other = map(1);
    uint64_t wrong = 0;

    while (pages < 2048 && memory != MAP_FAILED) {
        memory = mremap(memory, pages * PAGE, 2 * pages * PAGE, MREMAP_MAYMOVE);
        for (size_t i = pages; i < 2 * pages; i++) {
            wrong += memory[i * PAGE] != 0 ? 1 : 0;
            memory[i * PAGE] = (char)(i + 1);
        }
        pages *= 2;
        /* In its way. */
        (void)mmap(memory + pages * PAGE, PAGE, READABLE, ANON | MAP_FIXED_NOREPLACE, -1, 0);
    }
    tap_is(wrong + count_wrong(memory, pages), 0, "a list grows from 1 page to %zu", pages);
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "the kernel's audit finds no fault");
    (void)munmap(there(USER_PAGES_START), USER_PAGES_END - USER_PAGES_START);
    (void)other;
}

/* Takes all that the budget has, in pieces; the last that came. */
static char *budget_use(void)
{
    char *last = MAP_FAILED;

    for (size_t pages = 1024; pages > 0; pages /= 2) {
        char *piece = mmap(NULL, pages * PAGE, READABLE, ANON | MAP_POPULATE, -1, 0);

        last = piece != MAP_FAILED && pages >= 16 ? piece : last;
    }
    return last;
}

/* With a budget that is spent: frame after frame is given back until there are enough.  Whatever
 * was missing, the mapping was where it had been. */
static int remap_in_need(void *argument)
{
    const size_t pages = 600;
    char *memory = map(pages);
    char *spare = budget_use();
    char *moved = MAP_FAILED;
    int failed = 0;

    (void)argument;
    for (size_t i = 0; i < 16 && spare != MAP_FAILED && moved == MAP_FAILED; i++) {
        moved = mremap(memory, pages * PAGE, 2 * pages * PAGE, MOVED, there(PLACE + 7 * PAGE));
        if (moved == MAP_FAILED) {
            if (errno != ENOMEM || count_wrong(memory, pages) != 0) {
                return 1;
            }
            failed++;
            (void)munmap(spare + i * PAGE, PAGE);
        }
    }
    if (moved == MAP_FAILED || failed == 0) {
        return 2;
    }
    return count_wrong(moved, pages) == 0 ? 0 : 3;
}

static void check_need(void)
{
    struct user_end end = {0};
    handle_t child = HANDLE_NONE;

    tap_status(user_fork_limited(1400, remap_in_need, NULL, &child), 0,
               "a child with a small budget");
    (void)user_finish(child, &end);
    tap_ok(end.reason == EXIT_STATUS, "ends by itself");
    tap_is(end.detail, 0, "what cannot be moved stays where it is");
}

int main(void)
{
    check_lengths();
    check_place(4, "a few pages");
    check_place(1100, "more than two tables");
    check_fixed();
    check_kinds();
    check_shared();
    check_errors();
    check_growth();
    check_need();
    return tap_done();
}
