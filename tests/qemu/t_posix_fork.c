/* SPDX-License-Identifier: MIT */
/*
 * fork: the child goes on where the parent was, with memory of its own, locals, data, heap and
 * mappings alike; waitpid tells how it ended; what the parent had hidden is hidden in the child.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#define ROUNDS 40
#define DEEP   5

static volatile uint64_t number = 1;

static void check_end(pid_t pid, int want, const char *what)
{
    int status = -1;

    tap_is((uint64_t)waitpid(pid, &status, 0), (uint64_t)pid, "%s: waitpid finds it", what);
    tap_ok(WIFEXITED(status) && WEXITSTATUS(status) == want, "%s: it ends with %d", what, want);
}

/* What a child sees of what its parent left, and whether its own changes stay with it. */
static int child_looks(const volatile uint64_t *local, volatile uint64_t *heap,
                       volatile uint64_t *mapped)
{
    if (number != 2 || *local != 3 || heap[100] != 4 || mapped[512] != 5) {
        return 1;
    }
    number = heap[100] = mapped[512] = 77;
    return number == 77 && heap[100] == 77 && mapped[512] == 77 ? 42 : 2;
}

static void check_memory(void)
{
    volatile uint64_t local = 3;
    volatile uint64_t *heap = malloc(4096);
    volatile uint64_t *mapped =
        mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    number = 2;
    heap[100] = 4;
    mapped[512] = 5;
    pid = fork();
    if (pid == 0) {
        exit(child_looks(&local, heap, mapped));
    }
    tap_ok(pid > 0, "fork gives the child's number");
    check_end(pid, 42, "a child with memory of its own");
    tap_ok(number == 2 && local == 3 && heap[100] == 4 && mapped[512] == 5,
           "the parent's is as it was");
    (void)munmap((void *)(uintptr_t)mapped, 2 * PAGE);
    free((void *)(uintptr_t)heap);
}

static void check_hidden(void)
{
    volatile uint64_t *page =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    page[7] = 11;
    (void)mprotect((void *)(uintptr_t)page, PAGE, PROT_NONE);
    pid = fork();
    if (pid == 0) {
        if (mprotect((void *)(uintptr_t)page, PAGE, PROT_READ | PROT_WRITE) != 0 || page[7] != 11) {
            exit(1);
        }
        page[7] = 12;
        exit(page[7] == 12 ? 0 : 2);
    }
    check_end(pid, 0, "a child that shows a hidden page");
    (void)mprotect((void *)(uintptr_t)page, PAGE, PROT_READ);
    tap_is(page[7], 11, "the parent's hidden page is as it was");
    (void)munmap((void *)(uintptr_t)page, PAGE);
}

/* Each generation makes the next, waits for it, and ends with one more. */
static int descend(int depth)
{
    int status = 0;

    if (depth == 0) {
        return 0;
    }
    number = (uint64_t)depth;
    pid_t pid = fork();

    if (pid == 0) {
        exit(descend(depth - 1));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
        number != (uint64_t)depth) {
        return 100;
    }
    return WEXITSTATUS(status) + 1;
}

static void check_many(void)
{
    unsigned right = 0;

    for (int i = 0; i < ROUNDS; i++) {
        int status = 0;
        pid_t pid = fork();

        if (pid == 0) {
            _exit(i);
        }
        right += waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == i ? 1 : 0;
    }
    tap_is(right, ROUNDS, "%d children, one after another", ROUNDS);
}

int main(void)
{
    uint64_t before;

    check_memory();
    check_hidden();
    tap_is((uint64_t)descend(DEEP), DEEP, "%d generations", DEEP);
    check_many();
    before = frames_free();
    check_many();
    tap_is(frames_free(), before, "nothing is left of them");
    return tap_done();
}
