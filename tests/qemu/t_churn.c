/* SPDX-License-Identifier: MIT */
/*
 * Threads and processes that come and go on all harts at once: started on one hart, run on another,
 * waited for or killed or forgotten by a third.  Each ends as it should.
 */
#include "support.h"
#include "team.h"
#include "tiny.h"

#define ROUNDS 96U

static void process_ends(uint64_t *random, uint64_t value)
{
    struct tiny tiny;
    struct user_end end = {0};
    uint64_t turns = 1 + random_next(random) % 5;
    unsigned hart = hart_nth((unsigned)random_next(random) % 64);

    (void)team_is((uint64_t)tiny_start(&tiny, value, turns, hart), 0, "starting a process");
    (void)team_is((uint64_t)user_finish(tiny.process, &end), 0, "waiting for it");
    (void)team_is(end.reason, EXIT_STATUS, "how it ended");
    (void)team_is(end.detail, 0, "its status");
}

static void process_is_killed(uint64_t *random, uint64_t value)
{
    struct tiny tiny;
    unsigned hart = hart_nth((unsigned)random_next(random) % 64);

    (void)team_is((uint64_t)tiny_start(&tiny, value, 0, hart), 0, "starting a process");
    for (uint64_t i = random_next(random) % 3; i > 0; i--) {
        (void)sys_yield();
    }
    (void)team_is((uint64_t)tiny_stop(&tiny), 1, "it is killed");
}

/* It runs on without a handle, and ends by itself. */
static void process_is_forgotten(uint64_t *random, uint64_t value)
{
    struct tiny tiny;
    unsigned hart = hart_nth((unsigned)random_next(random) % 64);

    (void)team_is((uint64_t)tiny_start(&tiny, value, 4, hart), 0, "starting a process");
    (void)team_is((uint64_t)sys_handle_close(tiny.process), 0, "closing its only handle");
}

static void process_never_runs(uint64_t value)
{
    handle_t process = HANDLE_NONE;

    (void)team_is((uint64_t)sys_process_create((uintptr_t) "empty", 5, 0, &process), 0, "creating");
    (void)team_is((uint64_t)sys_vm_map(process, PLACE, 3 * PAGE, RW, 0, NULL), 0, "mapping");
    (void)team_is((uint64_t)sys_vm_write(process, PLACE, (uintptr_t)&value, sizeof(value), NULL), 0,
                  "writing");
    (void)team_is((uint64_t)sys_handle_close(process), 0, "closing");
}

static void thread_store(void *argument)
{
    uint64_t *word = argument;

    (void)sys_yield();
    *word += 1;
}

static void thread_ends(void)
{
    struct user_thread threads[2];
    uint64_t words[2] = {0};

    for (unsigned i = 0; i < 2; i++) {
        (void)team_is((uint64_t)user_thread_start(&threads[i], thread_store, &words[i]), 0,
                      "starting a thread");
        (void)sys_thread_set_affinity(threads[i].handle, ~UINT64_C(0));
    }
    for (unsigned i = 0; i < 2; i++) {
        (void)team_is((uint64_t)user_thread_join(&threads[i]), 0, "waiting for a thread");
        (void)team_is(words[i], 1, "what the thread did");
    }
}

static void churn_work(unsigned member)
{
    uint64_t random = member * 31 + 1;

    for (unsigned round = 0; round < ROUNDS / team_members() + 2; round++) {
        uint64_t value = (uint64_t)member << 32 | round;

        switch (random_next(&random) % 5) {
        case 0:
            process_ends(&random, value);
            break;
        case 1:
            process_is_killed(&random, value);
            break;
        case 2:
            process_is_forgotten(&random, value);
            break;
        case 3:
            process_never_runs(value);
            break;
        default:
            thread_ends();
            break;
        }
    }
}

int main(void)
{
    unsigned members = team_size();

    tap_status(team_run(members, churn_work), 0, "a team of %u starts and ends others", members);
    team_report("each ended as it should");
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "the kernel's audit finds no fault");
    return tap_done();
}
