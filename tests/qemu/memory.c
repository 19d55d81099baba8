/* SPDX-License-Identifier: MIT */
/* Memory objects in tests. */
#include "memory.h"

handle_t memory_make(uint64_t pages)
{
    handle_t memory = HANDLE_NONE;

    (void)sys_memory_create(pages * PAGE, 0, &memory);
    return memory;
}

long memory_map(handle_t memory, uint64_t address, uint64_t pages, uint64_t prot, uint64_t flags)
{
    return sys_memory_map(user_self(), address, pages * PAGE, prot, flags, memory, 0, NULL);
}

struct seen memory_seen(handle_t process, uint64_t address)
{
    struct seen seen = {.kind = UINT64_MAX};

    (void)sys_vm_query(process, address, NULL, NULL, &seen.kind, &seen.prot, &seen.flags, NULL);
    return seen;
}

uint64_t memory_frames(handle_t memory)
{
    uint64_t used = 0;

    (void)sys_memory_info(memory, NULL, &used);
    return used / PAGE;
}

struct board *board_make(uint64_t address)
{
    handle_t memory = memory_make(1);
    long status = memory_map(memory, address, 1, RW, 0);

    (void)sys_handle_close(memory);
    return status == 0 ? (struct board *)(uintptr_t)address : NULL;
}

uint64_t board_wait(const _Atomic(uint64_t) *word)
{
    uint64_t value;

    /* Acquire pairs with the releases of who writes to the board. */
    while ((value = atomic_load_explicit(word, memory_order_acquire)) == 0) {
        (void)sys_yield();
    }
    return value;
}

handle_t memory_share(int (*run)(void *board), struct board *board, unsigned at, handle_t memory,
                      uint64_t rights)
{
    handle_t process = HANDLE_NONE;
    handle_t theirs = HANDLE_NONE;

    if (user_fork_run(run, board, &process) != 0) {
        return HANDLE_NONE;
    }
    if (sys_handle_transfer(process, memory, rights, &theirs) != 0) {
        (void)sys_process_kill(process);
        (void)sys_handle_close(process);
        return HANDLE_NONE;
    }
    /* Release pairs with the acquire in board_wait. */
    atomic_store_explicit(&board->words[at], theirs, memory_order_release);
    return process;
}

void memory_finish(handle_t process, const char *what)
{
    struct user_end end = {.reason = EXIT_KILLED};
    char text[96];

    (void)user_finish(process, &end);
    if (!tap_ok(end.reason == EXIT_STATUS && end.detail == 0, "%s", what)) {
        user_end_text(&end, text, sizeof(text));
        tap_diag("the process %s", text);
    }
}
