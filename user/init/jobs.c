/* SPDX-License-Identifier: MIT */
/*
 * Programs in the background.  The shell keeps a handle of each until it has ended and that was
 * told, before the next prompt; so a number shown stays that program's until then.
 */
#include <inttypes.h>
#include <stdio.h>

#include "shell.h"
#include "vellum/calls.h"

#define JOBS_MAX 16U

struct job {
    handle_t process; /* HANDLE_NONE: free */
    uint32_t number;
    char name[PROCESS_NAME_BYTES];
};

static struct job jobs[JOBS_MAX];

static struct job *job_free(void)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        if (jobs[i].process == HANDLE_NONE) {
            return &jobs[i];
        }
    }
    return NULL;
}

int job_start(struct command words)
{
    struct cpio_file file;
    handle_t process = HANDLE_NONE;
    struct job *job = job_free();

    if (archive_find("bin", words.argv[0], &file) != CPIO_OK) {
        printf("%s: no such program; only programs can run in the background\n", words.argv[0]);
        return STATUS_NOT_FOUND;
    }
    if (job == NULL) {
        printf("%s: %u programs run in the background already; kill one, or wait\n", words.argv[0],
               JOBS_MAX);
        return STATUS_FAILED;
    }
    if (program_start(&file, words, &process) != STATUS_OK) {
        return STATUS_FAILED;
    }
    job->number = process_number(process);
    job->process = process;
    (void)snprintf(job->name, sizeof(job->name), "%s", words.argv[0]);
    printf("%" PRIu32 " %s\n", job->number, job->name);
    return STATUS_OK;
}

static void job_report(struct job *job)
{
    struct user_end end = {0};
    char text[96];
    long status = sys_process_wait(job->process, 0, &end.reason, &end.detail, &end.access, &end.pc);

    if (status == -SYS_ETIMEDOUT) {
        return;
    }
    if (status == 0) {
        user_end_text(&end, text, sizeof(text));
        printf("%" PRIu32 " %s %s\n", job->number, job->name, text);
    } else {
        (void)failure_tell(job->name, status);
    }
    (void)sys_handle_close(job->process);
    job->process = HANDLE_NONE;
}

void jobs_report(void)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        if (jobs[i].process != HANDLE_NONE) {
            job_report(&jobs[i]);
        }
    }
}
