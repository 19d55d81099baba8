/* SPDX-License-Identifier: MIT */
/*
 * The frame of a random run.  Addresses gather in islands around the boundaries of every level, so
 * that small sequences meet large structure; two harts run the space and translate whenever they
 * like.  A failure prints the seed and the first step that fails, which is the shortest prefix of
 * that seed's sequence that does; VELLUM_SEED and VELLUM_STEPS replay it.
 */
#include "support_run.h"

#include <stdlib.h>

struct run run;

/* ---- reporting ---- */

void run_report(void)
{
    fprintf(stderr, "model: Sv%u, seed %lu fails first at step %u (VELLUM_SEED=%lu)\n",
            12 + 9 * run.levels, run.seed, run.step, run.seed);
    for (unsigned i = HISTORY; i-- > 0;) {
        if (run.step >= i) {
            fprintf(stderr, "  %6u %s\n", run.step - i, run.history[(run.step - i) % HISTORY]);
        }
    }
}

static void on_abort(int number)
{
    (void)number;
    run_report();
    _Exit(1);
}

/* ---- choices ---- */

/* xorshift64*. */
uint64_t pick(uint64_t below)
{
    run.random ^= run.random >> 12;
    run.random ^= run.random << 25;
    run.random ^= run.random >> 27;
    return (run.random * UINT64_C(2685821657736338717) >> 33) % below;
}

uint64_t pick_page(void)
{
    return run.islands[pick(ISLANDS)] + pick(ISLAND_PAGES) * PAGE_SIZE;
}

uint64_t pick_len(void)
{
    uint64_t rest = run.model.end - run.model.va;

    switch (pick(16)) {
    case 0:
        return 0;
    case 1:
        return rest;
    case 2:
        return rest + PAGE_SIZE;
    case 3:
        return PAGE_SIZE + 1 + pick(PAGE_SIZE - 1);
    case 4:
        return UINT64_MAX - PAGE_MASK;
    case 5: /* to a boundary of some level */
        return align_up(run.model.va + 1, entry_extent((unsigned)pick(run.levels))) - run.model.va;
    default:
        return pick(ISLAND_PAGES) * PAGE_SIZE;
    }
}

unsigned pick_prot(void)
{
    static const unsigned legal[] = {1, 3, 4, 5, 7};

    return pick(20) == 0 ? (unsigned)pick(9) : legal[pick(ARRAY_LEN(legal))];
}

/* ---- what the walker says ---- */

void check_page(uint64_t at)
{
    const struct flat_page *page = flat_at(&run.flat, at);
    uint64_t root = vm_space_root(run.world.space).raw;

    if (at >= vm_space_user_limit().raw) {
        return;
    }
    for (unsigned access = ORACLE_READ; access <= ORACLE_EXECUTE; access++) {
        struct walk_result result =
            walk_access(root, run.levels, at, (enum oracle_access)access, WALK_USER);

        AGREE(result.allowed == (page != NULL && (page->prot >> access & 1) != 0));
        AGREE(!result.allowed || result.pa == page->pa + (at & PAGE_MASK));
    }
}

void check_edges(uint64_t start, uint64_t end)
{
    check_page(start - PAGE_SIZE);
    check_page(start);
    check_page(end - 1);
    check_page(end);
}

void check_slot(const struct vm_slot *slot, uint64_t at)
{
    const struct flat_page *page = flat_at(&run.flat, at);
    const struct flat_page *next = flat_from(&run.flat, slot->range.start.raw);

    AGREE(slot->range.start.raw <= at && slot->range.end.raw > at);
    if (page == NULL) {
        AGREE(slot->item.kind == VM_ITEM_ABSENT);
        AGREE(next == NULL || next->va >= slot->range.end.raw);
        return;
    }
    AGREE(slot->item.kind == (page->kind == FLAT_IO ? VM_ITEM_IO : VM_ITEM_RAM));
    AGREE(slot->item.pa.raw == page->pa);
    AGREE(slot->item.prop.prot == (enum vm_prot)page->prot);
    AGREE(slot->range.end.raw - slot->range.start.raw == PAGE_SIZE);
    AGREE(page->kind == FLAT_IO || frame_pa(slot->item.frame).raw == page->pa);
}

void check_references(void)
{
    uint64_t io_pages = 0;

    reap_all(); /* large tables still hold their frames */
    for (size_t i = 0; i < run.flat.count; i++) {
        const struct flat_page *page = &run.flat.pages[i];
        size_t own = 0;

        if (page->kind == FLAT_IO) {
            io_pages++;
            continue;
        }
        for (size_t s = 0; s < SHARED; s++) {
            own += frame_pa(run.shared[s]).raw == page->pa;
        }
        AGREE(frame_refs(frame_of(pa(page->pa))) == flat_count_pa(&run.flat, page->pa) + own);
    }
    AGREE(io_mem_refs(run.io) == io_pages);
}

/* ---- begin and end ---- */

uint64_t run_number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

void run_begin(unsigned levels)
{
    uint64_t limit;

    run.levels = levels;
    run.seed = run_number("VELLUM_SEED", 20251 + levels);
    run.random = run.seed * 2 + 1;
    run.world = world_begin(levels);
    limit = vm_space_user_limit().raw;
    run.islands[0] = 0;
    run.islands[1] = 2 * MIB - ISLAND_PAGES / 2 * PAGE_SIZE;
    run.islands[2] = GIB - ISLAND_PAGES / 2 * PAGE_SIZE;
    run.islands[3] = limit / 2 - ISLAND_PAGES / 2 * PAGE_SIZE; /* a boundary of every level */
    run.islands[4] = limit - ISLAND_PAGES * PAGE_SIZE;
    run.islands[5] = 3 * GIB + 6 * MIB;
    for (size_t i = 0; i < SHARED; i++) {
        run.shared[i] = frame_new();
    }
    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, IO_PAGES * PAGE_SIZE), "x", &run.io));
    host_hart_set(1);
    vm_space_activate(run.world.space);
    host_hart_set(0);
    for (size_t i = 0; i < ISLANDS; i++) { /* harts look here whenever they like */
    }
    signal(SIGABRT, on_abort);
}

void run_end(void)
{
    check_references();
    for (size_t i = 0; i < run.flat.count; i++) {
        check_page(run.flat.pages[i].va);
    }
    host_hart_set(1);
    vm_space_activate(NULL);
    host_hart_set(0);
    for (size_t i = 0; i < SHARED; i++) {
        frame_put(run.shared[i]);
    }
    free(run.flat.pages);
    world_end(&run.world);
    EXPECT_EQ(io_mem_refs(run.io), 0);
}
