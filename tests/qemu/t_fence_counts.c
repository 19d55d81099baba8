/* SPDX-License-Identifier: MIT */
/*
 * What fences cost on many harts: one thread works, all others of its process run on the other
 * harts and never enter the kernel.  Each operation's SBI calls for sfence.vma and fence.i, and the
 * harts they interrupt, are counted exactly.  With one hart there is never a call.  Then the others
 * leave the space, and nobody is interrupted; each flushes for itself when it returns.
 *
 * scripts/bench reads the comments "fences HARTS WHAT: RFENCE calls, interrupted harts".
 */
#include <inttypes.h>
#include <stdatomic.h>

#include "support.h"
#include "team.h"
#include "tiny.h"

#define PAGES_1M UINT64_C(256)  /* 1 MiB */
#define PAGES_4M UINT64_C(1024) /* 4 MiB */
#define TABLE    (UINT64_C(512) * PAGE)
#define RX       (VM_PROT_R | VM_PROT_X)
#define MOVED_TO (PLACE + 64 * TABLE)

enum counted {
    REMOTE,
    LOCAL,
    CODE,
    CODE_LOCAL,
    INTERRUPTED,
    COUNTED
};

static const char *const names[COUNTED] = {
    "tlb_flush_remote", "tlb_flush_local", "fence_i_remote", "fence_i", "harts_fenced",
};

struct counts {
    uint64_t of[COUNTED];
};

static void map(uint64_t pages, uint64_t prot)
{
    (void)page_map(PLACE, pages * PAGE, prot);
    for (uint64_t n = 0; (prot & VM_PROT_W) != 0 && n < pages; n++) {
        *word_at(PLACE + n * PAGE) = n;
    }
}

static void protect(uint64_t pages, uint64_t prot)
{
    (void)sys_vm_protect(user_self(), PLACE, pages * PAGE, prot, NULL);
}

static void unmap(uint64_t pages, uint64_t prot)
{
    (void)prot;
    (void)page_unmap(PLACE, pages * PAGE);
}

static void replace(uint64_t pages, uint64_t prot)
{
    (void)sys_vm_map(user_self(), PLACE, pages * PAGE, prot, VM_FLAG_REPLACE, NULL);
}

static void reserve(uint64_t pages, uint64_t prot)
{
    (void)sys_vm_mark(user_self(), PLACE, pages * PAGE, VM_KIND_RESERVED, prot, 0, NULL);
}

static void move(uint64_t pages, uint64_t prot)
{
    (void)prot;
    (void)sys_vm_move(user_self(), user_self(), PLACE, pages * PAGE, MOVED_TO, NULL);
}

static void unmap_moved(uint64_t pages, uint64_t prot)
{
    (void)prot;
    (void)page_unmap(MOVED_TO, pages * PAGE);
}

/* A transaction: one unmap for each page. */
/* Of two pages each. */
static void txn_unmap(uint64_t pages, uint64_t prot)
{
    static struct vm_txn_op ops[VM_TXN_OPS];
    uint64_t count = pages / 2;

    (void)prot;
    for (uint64_t n = 0; n < count; n++) {
        ops[n] = (struct vm_txn_op){
            .op = VM_TXN_UNMAP, .address = PLACE + n * 2 * PAGE, .bytes = 2 * PAGE};
    }
    (void)sys_vm_txn(user_self(), (uintptr_t)ops, count, NULL);
}

/* One that replaces all pages but the first by guards, and makes that one readable. */
static void txn_mix(uint64_t pages, uint64_t prot)
{
    struct vm_txn_op ops[] = {
        {.op = VM_TXN_PROTECT, .address = PLACE, .bytes = PAGE, .prot = prot},
        {.op = VM_TXN_UNMAP, .address = PLACE + PAGE, .bytes = (pages - 1) * PAGE},
        {.op = VM_TXN_MARK,
         .kind = VM_KIND_GUARD,
         .address = PLACE + PAGE,
         .bytes = (pages - 1) * PAGE},
    };

    (void)sys_vm_txn(user_self(), (uintptr_t)ops, COUNT_OF(ops), NULL);
}

static void write_page(uint64_t pages, uint64_t prot)
{
    (void)pages;
    (void)prot;
    *word_at(PLACE) = 1;
}

static void read_page(uint64_t pages, uint64_t prot)
{
    (void)pages;
    (void)prot;
    (void)*word_at(PLACE);
}

static void sync(uint64_t pages, uint64_t prot)
{
    (void)prot;
    (void)sys_icache_sync(PLACE, pages * PAGE);
}

/* One after another; each finds what those before it left.  local: sfence.vma of the own hart. */
static const struct row {
    const char *what;
    void (*run)(uint64_t pages, uint64_t prot);
    uint64_t pages;
    uint64_t prot;
    uint64_t fences; /* times that the other harts are fenced   */
    uint64_t local;
    uint64_t codes; /* the same for fence.i, here and there    */
} rows[] = {
    {"map a page", map, 1, RW, 0, 0, 0},
    {"tighten a page", protect, 1, VM_PROT_R, 1, 1, 0},
    {"loosen a page", protect, 1, RW, 0, 0, 0},
    {"replace a page", replace, 1, RW, 1, 1, 0},
    {"unmap a touched page", unmap, 1, 0, 1, 1, 0},
    {"unmap nothing", unmap, 1, 0, 0, 0, 0},
    {"map an executable page", map, 1, RX, 0, 0, 1},
    {"take X away", protect, 1, VM_PROT_R, 1, 1, 0},
    {"make a page executable", protect, 1, RX, 0, 0, 1},
    {"icache_sync", sync, 1, 0, 0, 0, 1},
    {"unmap an executable page", unmap, 1, 0, 1, 1, 0},
    {"reserve a page", reserve, 1, RW, 0, 0, 0},
    {"first write to it", write_page, 1, 0, 0, 0, 0},
    {"unmap it", unmap, 1, 0, 1, 1, 0},
    {"reserve a page again", reserve, 1, RW, 0, 0, 0},
    {"first read of it", read_page, 1, 0, 0, 0, 0},
    {"write to it then", write_page, 1, 0, 1, 1, 0},
    {"unmap it again", unmap, 1, 0, 1, 1, 0},
    {"reserve an executable page", reserve, 1, RX, 0, 0, 0},
    {"first read of that", read_page, 1, 0, 0, 0, 1},
    {"unmap that", unmap, 1, 0, 1, 1, 0},
    {"map 256 pages", map, PAGES_1M, RW, 0, 0, 0},
    {"tighten 256 pages", protect, PAGES_1M, VM_PROT_R, 1, 1, 0},
    {"loosen 256 pages", protect, PAGES_1M, RW, 0, 0, 0},
    {"make 256 pages executable", protect, PAGES_1M, RX, 1, 1, 1},
    {"unmap 256 pages", unmap, PAGES_1M, 0, 1, 1, 0},
    {"map 4 MiB", map, PAGES_4M, RW, 0, 0, 0},
    {"tighten 4 MiB", protect, PAGES_4M, VM_PROT_R, 1, 1, 0},
    {"loosen 4 MiB", protect, PAGES_4M, RW, 0, 0, 0},
    {"unmap touched 4 MiB", unmap, PAGES_4M, 0, 1, 1, 0},
    {"map a page to move", map, 1, RW, 0, 0, 0},
    {"move a page", move, 1, 0, 1, 1, 0},
    {"unmap a moved page", unmap_moved, PAGES_4M, 0, 1, 1, 0}, /* with its table */
    {"map 4 MiB to move", map, PAGES_4M, RW, 0, 0, 0},
    {"move 4 MiB", move, PAGES_4M, 0, 1, 1, 0},
    {"unmap moved 4 MiB", unmap_moved, PAGES_4M, 0, 1, 1, 0},
    {"map 32 pages", map, 32, RW, 0, 0, 0},
    {"vm_txn of 16 unmaps in one range", txn_unmap, 32, 0, 1, 1, 0},
    {"map 32 pages again", map, 32, RW, 0, 0, 0},
    {"vm_txn of a protect, an unmap and a mark", txn_mix, 32, VM_PROT_R, 1, 1, 0},
    {"unmap those", unmap, 32, 0, 1, 1, 0},
};

static struct counts got[COUNT_OF(rows)];

/* The others: released by member 0, acquired by them. */
static _Atomic(uint64_t) phase;

static struct counts counts_now(void)
{
    struct counts now;

    for (unsigned which = 0; which < COUNTED; which++) {
        now.of[which] = counter_value(names[which]);
    }
    return now;
}

static struct counts counts_since(struct counts start)
{
    struct counts now = counts_now();

    for (unsigned which = 0; which < COUNTED; which++) {
        now.of[which] -= start.of[which];
    }
    return now;
}

static void rows_work(unsigned member)
{
    if (member != 0) {
        team_spin(&phase, 1);
        return;
    }
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct counts start = counts_now();

        rows[i].run(rows[i].pages, rows[i].prot);
        got[i] = counts_since(start);
    }
    atomic_store_explicit(&phase, 1, memory_order_release);
}

static void counts_tell(unsigned harts, const char *what, const struct counts *counts)
{
    tap_diag("fences %u %s: %" PRIu64 " %" PRIu64, harts, what,
             counts->of[REMOTE] + counts->of[CODE], counts->of[INTERRUPTED]);
}

static void rows_report(unsigned harts)
{
    uint64_t others = harts - 1;

    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        uint64_t calls = others != 0 ? 1 : 0;
        const struct counts want = {{
            [REMOTE] = row->fences * calls,
            [LOCAL] = row->local,
            [CODE] = row->codes * calls,
            [CODE_LOCAL] = row->codes,
            [INTERRUPTED] = (row->fences + row->codes) * others,
        }};

        for (unsigned which = 0; which < COUNTED; which++) {
            tap_is(got[i].of[which], want.of[which], "%s: %s", row->what, names[which]);
        }
        counts_tell(harts, row->what, &got[i]);
    }
}

/* Member 0's thread that the others wait for in the kernel: so they leave the space. */
static struct user_thread gate;
static _Atomic(uint64_t) gate_made; /* released by member 0, acquired by the others */
static _Atomic(uint64_t) gate_open; /* released by member 0, acquired by the gate   */
static _Atomic(uint64_t) returned;  /* raised by each that is back, acquired by member 0 */

static unsigned staying; /* members beside member 0 that do not leave */
static struct counts when_away;
static struct counts when_back;

static void gate_run(void *argument)
{
    (void)argument;
    team_wait(&gate_open, 1);
}

static struct counts count_unmap(void)
{
    map(1, RW);
    struct counts start = counts_now();

    unmap(1, 0);
    return counts_since(start);
}

/* Member 0 asks until those who leave have left: an unmap interrupts only those who stay. */
static void others_watch(void)
{
    struct counts start;

    do {
        when_away = count_unmap();
    } while (when_away.of[INTERRUPTED] > staying);
    start = counts_now();
    atomic_store_explicit(&gate_open, 1, memory_order_release);
    team_wait(&returned, team_members() - 1 - staying);
    when_back = counts_since(start);
    atomic_store_explicit(&phase, 1, memory_order_release);
    (void)user_thread_join(&gate);
}

static void leave_work(unsigned member)
{
    if (member == 0) {
        (void)team_is((uint64_t)user_thread_start(&gate, gate_run, NULL), 0, "starting a thread");
        atomic_store_explicit(&gate_made, 1, memory_order_release);
        others_watch();
        return;
    }
    team_wait(&gate_made, 1);
    if (member > staying) {
        (void)sys_thread_wait(gate.handle, WAIT_FOREVER);
        atomic_fetch_add_explicit(&returned, 1, memory_order_acq_rel);
    }
    team_spin(&phase, 1);
}

#define STAY_MAX 3U
static const char *const away_names[STAY_MAX] = {
    "unmap a page, no other hart there",
    "unmap a page, one other hart there",
    "unmap a page, two other harts there",
};
static const char *const back_names[STAY_MAX] = {
    "all others return",
    "all others but one return",
    "all others but two return",
};

static void leave_check(unsigned harts, unsigned stay, int has_identifiers)
{
    uint64_t calls = stay != 0 ? 1 : 0;

    staying = stay;
    /* Relaxed: no member exists yet. */
    atomic_store_explicit(&phase, 0, memory_order_relaxed);
    atomic_store_explicit(&gate_made, 0, memory_order_relaxed);
    atomic_store_explicit(&gate_open, 0, memory_order_relaxed);
    atomic_store_explicit(&returned, 0, memory_order_relaxed);
    tap_status(team_run(harts, leave_work), 0, "all but %u others leave the space", stay);
    team_report("as it should");
    counts_tell(harts, away_names[stay], &when_away);
    counts_tell(harts, back_names[stay], &when_back);
    tap_is(when_away.of[INTERRUPTED], stay, "unmap then: %s", names[INTERRUPTED]);
    tap_is(when_away.of[REMOTE], calls, "unmap then: %s", names[REMOTE]);
    tap_is(when_away.of[LOCAL], 1, "unmap then: %s", names[LOCAL]);
    tap_is(when_back.of[REMOTE], 0, "when they return: %s", names[REMOTE]);
    if (has_identifiers) {
        tap_is(when_back.of[LOCAL], harts - 1 - stay, "when they return: %s", names[LOCAL]);
    } else {
        tap_ok(1, "each flushes when it returns # SKIP without identifiers each switch flushes");
    }
}

/* Nonzero: the kernel can tell spaces apart, so that a switch alone flushes nothing. */
static int identifiers_found(void)
{
    struct tiny tinies[2];
    uint64_t flushes = counter_value("tlb_flush_local");
    uint64_t switches = counter_value("space_switches");

    for (unsigned i = 0; i < 2; i++) {
        tap_status(tiny_start(&tinies[i], i, 0, hart_nth(1)), 0, "a process on the second hart");
    }
    while (tiny_turns(&tinies[0]) < 100 || tiny_turns(&tinies[1]) < 100) {
        (void)sys_yield();
    }
    flushes = counter_value("tlb_flush_local") - flushes;
    switches = counter_value("space_switches") - switches;
    for (unsigned i = 0; i < 2; i++) {
        (void)tiny_stop(&tinies[i]);
    }
    return flushes < switches / 2;
}

int main(void)
{
    unsigned harts = harts_count() < TEAM_MAX ? harts_count() : TEAM_MAX;

    /* The tables that lead there stay, so that rows begin alike. */
    (void)page_map(PLACE + 4 * TABLE, PAGE, RW);
    tap_status(team_run(harts, rows_work), 0, "a team of %u", harts);
    rows_report(harts);
    int has_identifiers = identifiers_found();

    for (unsigned stay = 0; stay < harts && stay < STAY_MAX; stay++) {
        leave_check(harts, stay, has_identifiers);
    }
    return tap_done();
}
