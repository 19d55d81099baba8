/* SPDX-License-Identifier: MIT */
/*
 * Programs that take all they can get, in budgets: memory, tables, marks, large pages, processes,
 * threads, copies of themselves.  While two of them run into their limits again and again, this
 * program maps, uses and unmaps memory and runs processes, and nothing that it asks for fails. What
 * each did is counted, not timed.
 */
#include <inttypes.h>

#include "budget.h"
#include "team.h"
#include "tiny.h"

#define BOMBS      2U  /* of each kind, at the same time                             */
#define ROUNDS     8U  /* of the witness beside each kind, at least                  */
#define CLASHES    2U  /* of each bomb with its limit in that time, at least         */
#define PAGES      64U /* that the witness maps in a round                           */
#define DEPTH      4U  /* of copies that make copies: they end when the bomb is gone */
#define YIELDS     100U
#define TABLE      (UINT64_C(512) * PAGE)
#define LARGE_ROOM UINT64_C(1700) /* frames: three pages of 2 MiB */
#define HUGE_BYTES (UINT64_C(1) << 30)
#define MARK_BYTES (UINT64_C(32) << 30)
#define BOMB_PLACE (PLACE + (UINT64_C(16) << 30))
#define COUNT_AT   (PLACE + (UINT64_C(8) << 30)) /* a bomb's page: clashes, what went wrong */

/* One more clash with the limit; `status` is what the call said that met it. */
static void clash(long status)
{
    if (status != -SYS_ENOMEM && status != -SYS_ENOSPC) {
        word_at(COUNT_AT)[1] = (uint64_t)-status;
    }
    word_at(COUNT_AT)[0] = word_at(COUNT_AT)[0] + 1;
}

static void bomb_memory(void)
{
    clash(sys_vm_map(user_self(), BOMB_PLACE, HUGE_BYTES, RW, 0, NULL));
    (void)page_unmap(BOMB_PLACE, HUGE_BYTES);
}

static void bomb_tables(void)
{
    uint64_t at = BOMB_PLACE;
    long status;

    do {
        status = page_map(at, PAGE, RW);
        at += TABLE;
    } while (status == 0);
    clash(status);
    for (uint64_t gone = BOMB_PLACE; gone < at; gone += TABLE) {
        (void)page_unmap(gone, PAGE); /* its table stays */
    }
    (void)page_unmap(BOMB_PLACE, (at - BOMB_PLACE) / 2);
}

static void bomb_marks(void)
{
    uint64_t at = BOMB_PLACE;
    long status = sys_vm_mark(user_self(), at, MARK_BYTES, VM_KIND_RESERVED, RW, 0, NULL);

    for (; status == 0; at += TABLE) {
        status = sys_vm_mark(user_self(), at, PAGE, VM_KIND_GUARD, 0, VM_FLAG_REPLACE, NULL);
    }
    clash(status);
    (void)page_unmap(BOMB_PLACE, MARK_BYTES);
}

/* Pages of 2 MiB, at once and by the first access, which are split then: parts of them go first. */
static void bomb_large(void)
{
    uint64_t at = BOMB_PLACE;
    uint64_t done = 0;
    long status = sys_vm_map(user_self(), at, HUGE_BYTES / 2, RW, VM_FLAG_2M, &done);

    clash(status);
    for (uint64_t gone = 0; gone < done; gone += TABLE) {
        (void)page_unmap(at + gone + gone / 512, PAGE);
    }
    (void)page_unmap(at, done);
    status = sys_vm_mark(user_self(), at, TABLE, VM_KIND_RESERVED, RW, VM_FLAG_2M, NULL);
    if (status != 0) {
        clash(status);
        return;
    }
    *word_at(at) = 1;
    (void)page_unmap(at, TABLE);
}

/* Processes that have a page each. */
static void bomb_processes(void)
{
    handle_t made[128];
    unsigned count = 0;
    long status;

    do {
        status = sys_process_create((uintptr_t) "spark", 5, 0, &made[count]);
        if (status == 0) {
            status = sys_vm_map(made[count++], PLACE, PAGE, RW, 0, NULL);
        }
    } while (status == 0 && count < COUNT_OF(made));
    clash(status);
    while (count > 0) {
        (void)sys_handle_close(made[--count]);
    }
}

/* What a thread runs: it yields as often as its argument says, and ends. */
extern const char yields_code[];
extern const char yields_code_end[];

__asm__(".section .rodata\n"
        ".balign 4\n"
        ".globl yields_code, yields_code_end\n"
        "yields_code:\n"
        "    mv s0, a0\n"
        "1:  li a7, 14\n" /* yield */
        "    ecall\n"
        "    addi s0, s0, -1\n"
        "    bnez s0, 1b\n"
        "    li a7, 12\n" /* thread_exit */
        "    ecall\n"
        "yields_code_end:\n"
        ".previous\n");

/* A process with as many threads as it may have. */
static void bomb_threads(void)
{
    uint64_t code_bytes = (uint64_t)(yields_code_end - yields_code);
    handle_t process = HANDLE_NONE;
    handle_t threads[240];
    unsigned count = 0;
    long status = sys_process_create((uintptr_t) "crowd", 5, 0, &process);

    if (status == 0) {
        status = sys_vm_map(process, PLACE, PAGE, VM_PROT_R, 0, NULL);
    }
    if (status == 0) {
        status = sys_vm_write(process, PLACE, (uintptr_t)yields_code, code_bytes, NULL);
    }
    if (status == 0) {
        status = sys_vm_protect(process, PLACE, PAGE, VM_PROT_R | VM_PROT_X, NULL);
    }
    while (status == 0 && count < COUNT_OF(threads)) {
        status = sys_thread_start(process, PLACE, PLACE, YIELDS, 0, &threads[count]);
        count += status == 0 ? 1 : 0;
    }
    if (status != -SYS_ESRCH) { /* else its first threads have all ended, and it with them */
        clash(status);
    }
    while (count > 0) {
        (void)sys_handle_close(threads[--count]);
    }
    (void)sys_process_kill(process);
    (void)sys_handle_close(process);
}

/* A copy of this program that makes two more, and ends. */
static int copies(void *argument)
{
    uint64_t depth = (uint64_t)(uintptr_t)argument;
    handle_t process;

    for (unsigned i = 0; depth > 0 && i < 2; i++) {
        (void)user_fork_run(copies, (void *)(uintptr_t)(depth - 1), &process);
    }
    return 0;
}

static void bomb_copies(void)
{
    handle_t process = HANDLE_NONE;
    long status = user_fork_run(copies, (void *)(uintptr_t)DEPTH, &process);

    if (status != 0) {
        clash(status);
    } else {
        (void)sys_handle_close(process); /* it lives on */
    }
}

struct bomb {
    void (*cycle)(void); /* until it meets its limit, once */
};

static int bomb_run(void *argument)
{
    const struct bomb *bomb = argument;

    do {
        bomb->cycle();
    } while (*word_at(COUNT_AT) < UINT64_MAX); /* for ever */
    return 0;
}

/* ---- the witness ---- */

/* What a bomb counts. */
struct counts {
    uint64_t clashes;
    uint64_t wrong; /* an error that is none of those of a limit */
};

static struct counts counts_of(handle_t bomb)
{
    struct counts counts = {0};
    long status = sys_vm_read(bomb, COUNT_AT, (uintptr_t)&counts, sizeof(counts), NULL);

    if (status != 0) { /* it has ended, which it never should */
        counts = (struct counts){.clashes = UINT64_MAX, .wrong = (uint64_t)-status};
    }
    return counts;
}

/* One round of what everybody does: memory, and a process that runs.  0, or the first error. */
static long round_run(uint64_t value)
{
    struct user_end end = {0};
    struct tiny tiny;
    long status = page_map(PLACE, PAGES * PAGE, RW);

    for (uint64_t i = 0; status == 0 && i < PAGES; i++) {
        *word_at(PLACE + i * PAGE) = value + i;
    }
    for (uint64_t i = 0; status == 0 && i < PAGES; i++) {
        status = *word_at(PLACE + i * PAGE) == value + i ? 0 : -1;
    }
    if (status == 0) {
        status = page_unmap(PLACE, PAGES * PAGE);
    }
    if (status == 0) {
        status = tiny_start(&tiny, value, 2, hart_nth((unsigned)value));
    }
    if (status == 0) {
        status = user_finish(tiny.process, &end);
    }
    return status == 0 && (end.reason != EXIT_STATUS || end.detail != 0) ? -1 : status;
}

/* Rounds until each bomb has met its limit so often.  Returns how many; *failed: those that were
 * refused anything. */
static unsigned witness(const handle_t bombs[BOMBS], unsigned *failed)
{
    unsigned rounds = 0;
    uint64_t least;

    *failed = 0;
    do {
        long status = round_run(rounds++);

        if (status != 0) {
            (*failed)++;
            tap_diag("round %u: %ld", rounds, status);
        }
        least = UINT64_MAX;
        for (unsigned i = 0; i < BOMBS; i++) {
            uint64_t clashes = counts_of(bombs[i]).clashes;

            least = clashes < least ? clashes : least;
        }
    } while (*failed == 0 && (rounds < ROUNDS || least < CLASHES));
    return rounds;
}

/* Beside two bombs of a kind, each with room for so many frames beyond what the program is. */
static void beside(void (*cycle)(void), uint64_t room, const char *what)
{
    struct bomb bomb = {cycle};
    (void)round_run(0); /* from now on this program has its tables */

    uint64_t before = frames_free();
    handle_t bombs[BOMBS] = {HANDLE_NONE};
    unsigned failed;
    uint64_t wrong = 0;
    long status = 0;

    for (unsigned i = 0; status == 0 && i < BOMBS; i++) {
        uint64_t frames = self_info().budget_used + room;

        status = user_fork_limited(frames, bomb_run, &bomb, &bombs[i]);
    }
    if (!tap_status(status, 0, "%s: %u bombs start", what, BOMBS)) {
        return;
    }
    unsigned rounds = witness(bombs, &failed);

    tap_is(failed, 0, "%s: nothing that the witness asked for failed", what);
    for (unsigned i = 0; i < BOMBS; i++) {
        struct counts counts = counts_of(bombs[i]);

        tap_diag("%s: %" PRIu64 " clashes beside %u rounds", what, counts.clashes, rounds);
        wrong += counts.wrong;
        (void)sys_process_kill(bombs[i]);
        (void)sys_handle_close(bombs[i]);
    }
    tap_is(wrong, 0, "%s: the bombs met their limits and nothing else", what);
    while (frames_free() != before) {
        (void)sys_yield(); /* what the bombs have started comes to its end */
    }
    tap_ok(1, "%s: every frame comes back", what);
}

int main(void)
{
    struct process_info own = self_info();
    uint64_t share = (own.budget_limit - own.budget_used) / (2 * BOMBS);
    uint64_t much = share < 1024 ? share : 1024;

    tap_status(page_map(COUNT_AT, PAGE, RW), 0,
               "a page for counting, which each bomb has a copy of");
    beside(bomb_memory, much, "memory");
    beside(bomb_tables, much, "tables");
    beside(bomb_marks, much, "marks");
    beside(bomb_large, share < LARGE_ROOM ? share : LARGE_ROOM, "large pages");
    beside(bomb_processes, 600, "processes");
    beside(bomb_threads, 120, "threads");
    beside(bomb_copies, 500, "copies");
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "the kernel's audit finds no fault");
    return tap_done();
}
