/* SPDX-License-Identifier: MIT */
/*
 * A team: threads of this process that work at the same time, each pinned to a hart.  Member m runs
 * on the m-th running hart; with more members than harts they go round.  Members that wait for each
 * other yield, so a team gets on with any number of harts, down to one.
 *
 * Members must not print: they note what is wrong, and main() reports it.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#define TEAM_MAX 16U

/* A member's work.  member: 0, 1, ... */
typedef void team_work(unsigned member);

/* How many harts run programs. */
unsigned harts_count(void);

/* Index of the n-th of them; n goes round. */
unsigned hart_nth(unsigned n);

/* Index of the hart that this thread runs on, or ran on a moment ago. */
unsigned hart_here(void);

/* One member for each hart, but 2 at least and TEAM_MAX at most. */
unsigned team_size(void);

/* Runs `members` threads, 1 to TEAM_MAX, to their ends; none works before all are in place.
 * Returns 0 or the error of the call that failed; then none has worked. */
long team_run(unsigned members, team_work *work);

/* How many members the team that runs now has. */
unsigned team_members(void);

/* Waits until every member of the team is here. */
void team_meet(void);

/* Waits, yielding, until the word is at least that much; what its writer did before is seen. */
void team_wait(const _Atomic(uint64_t) *word, uint64_t least);

/* The same in user mode alone: the hart keeps running this thread. */
void team_spin(const _Atomic(uint64_t) *word, uint64_t least);

/* Notes that something is wrong if the two differ.  Nonzero: they are equal. */
int team_is(uint64_t got, uint64_t want, const char *what);

/* Notes that something is wrong, with a number that tells more. */
void team_wrong(uint64_t got, const char *what);

/* One result: passed if nothing was noted since the last one; else a comment tells what came first.
 */
void team_report(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Pseudo-random numbers, the same on every run; *state is not 0. */
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}
