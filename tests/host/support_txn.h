/* SPDX-License-Identifier: MIT */
/* What the tests of transactions share: operations in one line, and what a space means then. */
#pragma once

#include "mm/frame_block.h"
#include "mm/vm_cursor_large.h"
#include "mm/vm_cursor_txn.h"
#include "support_paged.h"
#include "support_rights.h"

#define BASE (4 * GIB)

static inline struct vm_change op_unmap(uint64_t at, uint64_t bytes)
{
    return (struct vm_change){.kind = VM_CHANGE_UNMAP, .range = va_span(at, bytes)};
}

static inline struct vm_change op_protect(uint64_t at, uint64_t bytes, enum vm_prot prot)
{
    return (struct vm_change){.kind = VM_CHANGE_PROTECT, .range = va_span(at, bytes), .prot = prot};
}

static inline struct vm_change op_mark(uint64_t at, uint64_t bytes, struct vm_mark mark,
                                       enum vm_map_mode mode)
{
    return (struct vm_change){
        .kind = VM_CHANGE_MARK, .range = va_span(at, bytes), .mark = mark, .mode = mode};
}

/* Does the operations by a cursor on [start, start + bytes). */
struct txn_result {
    status_t status;
    unsigned failed;
    struct vm_removed removed;
};

static inline struct txn_result txn_in(struct vm_space *space, struct va_range range,
                                       const struct vm_change *ops, unsigned count)
{
    struct txn_result result = {.failed = UINT_MAX};
    struct vm_cursor cursor;

    result.status = vm_cursor_open(&cursor, space, range, VM_CURSOR_CHANGE);
    if (result.status == OK) {
        result.status = vm_cursor_txn(&cursor, ops, count, &result.removed, &result.failed);
        EXPECT_EQ(vm_cursor_va(&cursor).raw, range.start.raw);
        vm_cursor_close(&cursor);
    }
    return result;
}

static inline struct txn_result txn(struct world *world, const struct vm_change *ops,
                                    unsigned count)
{
    struct txn_result result = txn_in(world->space, va_span(BASE - GIB, 4 * GIB), ops, count);

    world_check(world);
    return result;
}

#define TXN(world, ...)                                                                            \
    txn(world, (const struct vm_change[]){__VA_ARGS__},                                            \
        sizeof((const struct vm_change[]){__VA_ARGS__}) / sizeof(struct vm_change))

/* Maps a page of 2 MiB, private and zeroed, at the position. */
static inline void map_2m(struct vm_cursor *cursor, enum vm_prot prot)
{
    struct frame_making making = {0};
    status_t status = ERR_AGAIN;

    frame_making_want(&making, 1, NULL);
    while (status == ERR_AGAIN) {
        status = frame_making_step(&making);
    }
    EXPECT_OK(status);
    EXPECT_OK(
        vm_cursor_map_made(cursor, frame_making_take(&making), 1, prop(prot), VM_MAP_REPLACE));
}

/* What pages of a range mean, but for how large the entries are that say so. */
struct meaning {
    enum vm_item_kind kind;
    enum vm_share share;
    enum vm_prot prot;
    unsigned page_level;
    struct mem_object *object;
    uint64_t object_page;
    uint64_t word; /* the first of its frame */
};

static inline struct meaning meaning_of(const struct vm_slot *slot, uint64_t at)
{
    uint64_t skipped = (at - slot->range.start.raw) / PAGE_SIZE;
    struct meaning meaning = {.kind = slot->item.kind,
                              .share = slot->item.share,
                              .prot = slot->item.prop.prot,
                              .page_level = slot->item.page_level,
                              .object = slot->item.object};

    if (meaning.kind == VM_ITEM_PAGED) {
        meaning.object_page = slot->item.object_page + skipped;
    } else if (meaning.kind == VM_ITEM_RAM || meaning.kind == VM_ITEM_HIDDEN) {
        meaning.word = *(const uint64_t *)frame_bytes(slot->item.frame + skipped);
    } else if (meaning.kind == VM_ITEM_IO) {
        meaning.word = slot->item.pa.raw + skipped * PAGE_SIZE;
    }
    return meaning;
}

/* Writes down what the pages of a range mean. */
static inline void meanings_read(struct vm_space *space, struct va_range range,
                                 struct meaning *meanings)
{
    struct vm_cursor cursor;
    struct vm_slot slot;

    EXPECT_OK(vm_cursor_open(&cursor, space, range, VM_CURSOR_QUERY));
    for (uint64_t at = range.start.raw; at < range.end.raw; at += PAGE_SIZE) {
        EXPECT_OK(vm_cursor_jump(&cursor, va(at)));
        EXPECT_OK(vm_cursor_query(&cursor, &slot));
        *meanings++ = meaning_of(&slot, at);
    }
    vm_cursor_close(&cursor);
}

static inline void expect_meanings(const struct meaning *got, const struct meaning *want,
                                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        EXPECT_EQ(got[i].kind, want[i].kind);
        EXPECT_EQ(got[i].share, want[i].share);
        EXPECT_EQ(got[i].prot, want[i].prot);
        EXPECT_EQ(got[i].page_level, want[i].page_level);
        cr_assert(got[i].object == want[i].object);
        EXPECT_EQ(got[i].object_page, want[i].object_page);
        EXPECT_EQ(got[i].word, want[i].word);
    }
}
