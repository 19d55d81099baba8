/* SPDX-License-Identifier: MIT */
/* What the tests of paged marks and views share: the marks of an object, and whether
 * some space still names it. */
#pragma once

#include "support_mark.h"
#include "support_object.h"

#define OBJECT_PAGES (UINT64_C(1) << 30) /* 4 TiB */

static inline struct vm_mark paged(struct mem_object *object, uint64_t page, enum vm_share share,
                                   enum vm_prot prot)
{
    return (struct vm_mark){
        .kind = VM_ITEM_PAGED, .prot = prot, .object = object, .object_page = page, .share = share};
}

/* Some space has marks of the object that may reach page `end` - 1: it cannot be cut before. */
static inline void expect_named(struct mem_object *object, uint64_t end)
{
    uint64_t pages = mem_object_state(object).pages;

    EXPECT_STATUS(mem_object_resize(object, end - 1), ERR_BUSY);
    EXPECT_EQ(mem_object_state(object).pages, pages);
}

/* No space has any: it can be cut to nothing. */
static inline void expect_not_named(struct mem_object *object)
{
    uint64_t pages = mem_object_state(object).pages;
    status_t status = ERR_AGAIN;

    while (status == ERR_AGAIN) {
        status = mem_object_resize(object, 0);
    }
    EXPECT_OK(status);
    EXPECT_OK(mem_object_resize(object, pages));
}

/* Each page of [start, end) says that it is the object's, from page `first` on. */
static inline void expect_paged(const struct world *world, uint64_t start, uint64_t end,
                                const struct mem_object *object, uint64_t first)
{
    for (uint64_t at = start; at < end;) {
        struct vm_slot slot = slot_at(world, at);
        uint64_t skipped = (at - slot.range.start.raw) / PAGE_SIZE;

        EXPECT_EQ(slot.item.kind, VM_ITEM_PAGED);
        cr_assert(slot.item.object == object);
        EXPECT_EQ(slot.item.object_page + skipped, first + (at - start) / PAGE_SIZE);
        at = slot.range.end.raw;
    }
}
