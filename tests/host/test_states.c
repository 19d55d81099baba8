/* SPDX-License-Identifier: MIT */
/*
 * Random marks, unmaps, changes of rights and touches of ranges of any size, with memory running
 * out now and then, against a flat reference: what each of some hundred pages, many of them beside
 * the edges of larger entries, means and holds.  A call that fails for memory has changed nothing,
 * or says how far it came.
 */
#include "support.h"

#define PROBES     192U
#define OPERATIONS 5000U
#define AREA_START (3 * GIB)
#define AREA_END   (5 * GIB)

/* What a page should be. */
struct probe {
    uint64_t at;
    enum vm_item_kind kind;
    enum vm_prot prot;
    uint64_t word; /* the first of its frame */
};

struct reference {
    struct world world;
    struct probe probes[PROBES];
    uint64_t seed;
    unsigned failures; /* calls that found no memory */
};

static uint64_t dice(struct reference *ref, uint64_t sides)
{
    ref->seed = ref->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (ref->seed >> 33) % sides;
}

/* A page beside an edge of an entry of some level, or anywhere. */
static uint64_t some_page(struct reference *ref)
{
    uint64_t bytes = pte_level_bytes((unsigned)dice(ref, 3));
    uint64_t at = AREA_START + dice(ref, (AREA_END - AREA_START) / bytes) * bytes;

    at += dice(ref, 5) * PAGE_SIZE;
    at -= dice(ref, 3) * PAGE_SIZE;
    return at < AREA_START || at >= AREA_END ? AREA_START : at;
}

static struct va_range some_range(struct reference *ref)
{
    uint64_t start = some_page(ref);
    uint64_t end = dice(ref, 3) == 0 ? start + (1 + dice(ref, 40)) * PAGE_SIZE : some_page(ref);

    if (end < start) {
        uint64_t other = start;

        start = end;
        end = other;
    }
    end = end == start ? end + PAGE_SIZE : end;
    return va_span(start, (end < AREA_END ? end : AREA_END) - start);
}

static enum vm_prot some_prot(struct reference *ref)
{
    static const enum vm_prot prots[] = {VM_PROT_NONE, VM_R, VM_RW, VM_RX, VM_RWX};

    return prots[dice(ref, 5)];
}

static bool lies_in(const struct probe *probe, struct va_range range)
{
    return probe->at >= range.start.raw && probe->at < range.end.raw;
}

static bool has_frame(enum vm_item_kind kind)
{
    return kind == VM_ITEM_RAM || kind == VM_ITEM_HIDDEN;
}

static void compare(struct reference *ref)
{
    for (unsigned i = 0; i < PROBES; i++) {
        const struct probe *probe = &ref->probes[i];
        struct vm_cursor cursor = cursor_open(&ref->world, probe->at, PAGE_SIZE, VM_CURSOR_QUERY);
        struct vm_slot slot;

        EXPECT_OK(vm_cursor_query(&cursor, &slot));
        cr_assert(slot.item.kind == probe->kind, "%lx is %u, not %u", (unsigned long)probe->at,
                  slot.item.kind, probe->kind);
        if (probe->kind == VM_ITEM_RAM || probe->kind == VM_ITEM_RESERVED) {
            EXPECT_EQ(slot.item.prop.prot, probe->prot);
        }
        if (has_frame(probe->kind)) {
            EXPECT_EQ(*(uint64_t *)frame_bytes(slot.item.frame), probe->word);
        }
        vm_cursor_close(&cursor);
    }
    EXPECT_EQ(*(uint64_t *)frame_bytes(frame_zero()), 0);
}

/* Opens a cursor on the range; false: no memory even for that. */
static bool open_for(struct reference *ref, struct va_range range, enum vm_cursor_mode mode,
                     struct vm_cursor *cursor)
{
    status_t status = vm_cursor_open(cursor, ref->world.space, range, mode);

    if (status == ERR_NOMEM) {
        EXPECT_EQ(mode, VM_CURSOR_CHANGE);
        ref->failures++;
        return false;
    }
    EXPECT_OK(status);
    return true;
}

static void set_in(struct reference *ref, struct va_range range, enum vm_item_kind kind,
                   enum vm_prot prot)
{
    for (unsigned i = 0; i < PROBES; i++) {
        if (lies_in(&ref->probes[i], range)) {
            ref->probes[i] = (struct probe){ref->probes[i].at, kind, prot, 0};
        }
    }
}

static void random_mark(struct reference *ref, struct va_range range)
{
    bool is_guard = dice(ref, 4) == 0;
    struct vm_mark mark = {.kind = is_guard ? VM_ITEM_GUARD : VM_ITEM_RESERVED,
                           .prot = is_guard ? VM_PROT_NONE : some_prot(ref)};
    unsigned max_edits = dice(ref, 2) == 0 ? UINT32_MAX : 1 + (unsigned)dice(ref, 300);
    struct vm_cursor cursor;
    struct vm_removed removed;
    status_t status = OK;

    if (!open_for(ref, range, VM_CURSOR_CHANGE, &cursor)) {
        return;
    }
    for (unsigned i = 0; i < 8 && status == OK && vm_cursor_va(&cursor).raw < range.end.raw; i++) {
        uint64_t from = vm_cursor_va(&cursor).raw;

        status = vm_cursor_mark(&cursor, range.end.raw - from, mark, VM_MAP_REPLACE, max_edits,
                                &removed);
        cr_assert(status != OK || vm_cursor_va(&cursor).raw > from);
    }
    ref->failures += status == ERR_NOMEM ? 1 : 0;
    cr_assert(status == OK || status == ERR_NOMEM);
    range.end = vm_cursor_va(&cursor);
    vm_cursor_close(&cursor);
    set_in(ref, range, mark.kind, mark.prot);
}

static void random_unmap(struct reference *ref, struct va_range range)
{
    struct vm_cursor cursor;
    struct vm_removed removed;
    status_t status;

    if (!open_for(ref, range, VM_CURSOR_EDIT, &cursor)) {
        return;
    }
    status = vm_cursor_unmap(&cursor, range.end.raw - range.start.raw, &removed);
    ref->failures += status == ERR_NOMEM ? 1 : 0;
    cr_assert(status == OK || status == ERR_NOMEM);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, status == OK ? range.end.raw : range.start.raw);
    vm_cursor_close(&cursor);
    if (status == OK) {
        set_in(ref, range, VM_ITEM_ABSENT, VM_PROT_NONE);
    }
}

static void protect_probe(struct probe *probe, enum vm_prot prot)
{
    switch (probe->kind) {
    case VM_ITEM_RAM:
    case VM_ITEM_HIDDEN:
        probe->kind = prot == VM_PROT_NONE ? VM_ITEM_HIDDEN : VM_ITEM_RAM;
        probe->prot = prot;
        break;
    case VM_ITEM_RESERVED:
        probe->prot = prot;
        break;
    case VM_ITEM_ABSENT:
    case VM_ITEM_GUARD:
    case VM_ITEM_IO:
    case VM_ITEM_PAGED:
    case VM_ITEM_SWAPPED:
        break;
    }
}

static void random_protect(struct reference *ref, struct va_range range)
{
    enum vm_prot prot = some_prot(ref);
    struct vm_cursor cursor;
    uint64_t pages;
    status_t status;

    if (!open_for(ref, range, VM_CURSOR_EDIT, &cursor)) {
        return;
    }
    status = vm_cursor_protect(&cursor, range.end.raw - range.start.raw, prot, 1 + dice(ref, 600),
                               &pages);
    ref->failures += status == ERR_NOMEM ? 1 : 0;
    cr_assert(status == OK || status == ERR_NOMEM);
    range.end = vm_cursor_va(&cursor);
    vm_cursor_close(&cursor);
    for (unsigned i = 0; i < PROBES; i++) {
        if (lies_in(&ref->probes[i], range)) {
            protect_probe(&ref->probes[i], prot);
        }
    }
}

static void random_touch(struct reference *ref)
{
    struct probe *probe = &ref->probes[dice(ref, PROBES)];
    bool is_write = dice(ref, 2) == 0;
    bool may = (probe->kind == VM_ITEM_RAM || probe->kind == VM_ITEM_RESERVED) &&
               (probe->prot & (is_write ? VM_W : VM_R)) != 0;
    struct vm_cursor cursor;
    struct vm_slot slot;
    status_t status;

    if (!open_for(ref, va_span(probe->at, PAGE_SIZE), VM_CURSOR_CHANGE, &cursor)) {
        return;
    }
    status = vm_cursor_touch(&cursor, is_write ? VM_ACCESS_WRITE : VM_ACCESS_READ);
    if (status == ERR_NOMEM && may) {
        ref->failures++;
    } else {
        EXPECT_STATUS(status, may ? OK : ERR_FAULT);
    }
    if (status == OK) {
        probe->kind = VM_ITEM_RAM;
        EXPECT_OK(vm_cursor_query(&cursor, &slot));
        if (is_write) {
            cr_assert(slot.item.frame != frame_zero());
            probe->word = dice(ref, UINT64_C(1) << 30);
            *(uint64_t *)frame_bytes(slot.item.frame) = probe->word;
        }
    }
    vm_cursor_close(&cursor);
}

static void operate(struct reference *ref)
{
    struct va_range range = some_range(ref);

    frame_fail_after(dice(ref, 4) == 0 ? dice(ref, 4) : UINT64_MAX);
    switch (dice(ref, 8)) {
    case 0:
        random_mark(ref, range);
        break;
    case 1:
        random_unmap(ref, range);
        break;
    case 2:
        random_protect(ref, range);
        break;
    default:
        random_touch(ref);
    }
    frame_fail_after(UINT64_MAX);
}

/* Pages, each another. */
static void choose_probes(struct reference *ref)
{
    for (unsigned i = 0; i < PROBES;) {
        uint64_t at = some_page(ref);
        unsigned k = 0;

        while (k < i && ref->probes[k].at != at) {
            k++;
        }
        if (k == i) {
            ref->probes[i++].at = at;
        }
    }
}

MODE_TEST(states, random_operations_agree_with_a_flat_reference, .timeout = 120)
{
    struct reference ref = {.world = world_begin(*levels), .seed = *levels};

    choose_probes(&ref);
    for (unsigned i = 0; i < OPERATIONS; i++) {
        operate(&ref);
        if (i % 16 == 0) {
            vaddr_t at = {0};

            (void)vm_space_sweep(ref.world.space, &at);
            world_check(&ref.world);
        }
        compare(&ref);
        reap_all();
    }
    cr_assert(ref.failures > 20, "%u", ref.failures);
    world_end(&ref.world);
}
