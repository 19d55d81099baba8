/* SPDX-License-Identifier: MIT */
/* What test programs that spend budgets share. */
#include "budget.h"

struct process_info self_info(void)
{
    struct process_info info = {.number = 0};
    uint64_t number = 0;

    (void)sys_handle_info(user_self(), NULL, NULL, &number);
    (void)sys_process_info(user_machine(), number - 1, (uintptr_t)&info);
    return info;
}

uint64_t budget_left(void)
{
    struct process_info info = self_info();

    return info.budget_limit - info.budget_used;
}

void budget_run(const struct budget_run *run, uint64_t room)
{
    uint64_t before = frames_free();
    handle_t process = HANDLE_NONE;
    struct user_end end = {0};
    long status = user_fork_limited(self_info().budget_used + room, run->scenario, NULL, &process);

    if (status == 0) {
        status = user_finish(process, &end);
    }
    tap_status(status, 0, "%s: it runs", run->what);
    tap_is(end.reason, run->reason, "%s: how it ends", run->what);
    if (run->reason == EXIT_STATUS) {
        tap_is(end.detail, 0, "%s: it found what it should", run->what);
    }
    tap_is(frames_free(), before, "%s: every frame comes back", run->what);
}
