/* SPDX-License-Identifier: MIT */
/* The flat reference of pages of memory objects: choices and comparisons. */
#include "support_states_paged.h"

struct states states;

uint64_t states_dice(uint64_t sides)
{
    states.seed = states.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (states.seed >> 33) % sides;
}

/* A page beside an edge of an entry of some level. */
static uint64_t some_page(void)
{
    uint64_t bytes = pte_level_bytes((unsigned)states_dice(3));
    uint64_t at = AREA_START + states_dice((AREA_END - AREA_START) / bytes) * bytes;

    at += states_dice(5) * PAGE_SIZE;
    at -= states_dice(3) * PAGE_SIZE;
    return at < AREA_START || at >= AREA_END ? AREA_START : at;
}

struct va_range states_range(void)
{
    uint64_t start = states_dice(2) == 0 ? states.at[states_dice(PROBES)] : some_page();
    uint64_t end = states_dice(3) != 0 ? start + (1 + states_dice(40)) * PAGE_SIZE
                                       : states.at[states_dice(PROBES)];

    if (end < start) {
        uint64_t other = start;

        start = end;
        end = other;
    }
    end = end == start ? end + PAGE_SIZE : end;
    return va_span(start, (end < AREA_END ? end : AREA_END) - start);
}

bool states_lie_in(unsigned i, struct va_range range)
{
    return states.at[i] >= range.start.raw && states.at[i] < range.end.raw;
}

bool states_has_frame(const struct probe *probe)
{
    return probe->kind == VM_ITEM_RAM || probe->kind == VM_ITEM_HIDDEN;
}

/* ---- what objects hold ---- */

struct value *states_value(const struct mem_object *object, uint64_t page)
{
    for (unsigned i = 0; i < states.count; i++) {
        if (states.values[i].object == object && states.values[i].page == page) {
            return &states.values[i];
        }
    }
    return NULL;
}

struct value *states_value_made(const struct mem_object *object, uint64_t page)
{
    struct value *value = states_value(object, page);

    if (value == NULL) {
        cr_assert(states.count < VALUES);
        value = &states.values[states.count++];
        *value = (struct value){object, page, 0};
    }
    return value;
}

void states_compare_objects(void)
{
    for (unsigned i = 0; i < states.count; i++) {
        struct frame *frame;

        EXPECT_OK(mem_object_page_get((struct mem_object *)(uintptr_t)states.values[i].object,
                                      states.values[i].page, MEM_OBJECT_LOOK, &frame));
        EXPECT_EQ(*(uint64_t *)frame_bytes(frame), states.values[i].word);
        frame_put(frame);
    }
    EXPECT_EQ(mem_object_state(states.objects[0]).frames +
                  mem_object_state(states.objects[1]).frames,
              states.count);
}

/* ---- what addresses mean ---- */

void states_compare_item(const struct vm_slot *slot, unsigned i, const struct probe *probe)
{
    const struct vm_item *item = &slot->item;

    cr_assert(item->kind == probe->kind, "%lx is %u, not %u", (unsigned long)states.at[i],
              item->kind, probe->kind);
    if (probe->kind == VM_ITEM_ABSENT) {
        return;
    }
    EXPECT_EQ(item->share, probe->share);
    EXPECT_EQ(item->prop.prot, probe->kind == VM_ITEM_HIDDEN ? VM_PROT_NONE : probe->prot);
    if (probe->kind == VM_ITEM_PAGED) {
        cr_assert(item->object == probe->object);
        EXPECT_EQ(item->object_page + (states.at[i] - slot->range.start.raw) / PAGE_SIZE,
                  probe->page);
    } else {
        EXPECT_EQ(*(uint64_t *)frame_bytes(item->frame),
                  probe->value != NULL ? probe->value->word : probe->word);
    }
}

void states_compare(void)
{
    for (unsigned side = 0; side < 2; side++) {
        for (unsigned i = 0; i < PROBES; i++) {
            struct vm_cursor cursor;
            struct vm_slot slot;

            EXPECT_OK(vm_cursor_open(&cursor, states.spaces[side], va_span(states.at[i], PAGE_SIZE),
                                     VM_CURSOR_QUERY));
            EXPECT_OK(vm_cursor_query(&cursor, &slot));
            states_compare_item(&slot, i, &states.probes[side][i]);
            vm_cursor_close(&cursor);
        }
    }
    EXPECT_EQ(*(uint64_t *)frame_bytes(frame_zero()), 0);
}

void states_begin(unsigned levels)
{
    states = (struct states){.world = world_begin(levels), .seed = levels};
    states.spaces[0] = states.world.space;
    EXPECT_OK(vm_space_create(NULL, &states.spaces[1]));
    for (unsigned i = 0; i < 2; i++) {
        states.objects[i] = object_new(OBJECT_PAGES);
    }
    for (unsigned i = 0; i < PROBES;) {
        uint64_t at = some_page();
        unsigned k = 0;

        while (k < i && states.at[k] != at) {
            k++;
        }
        if (k == i) {
            states.at[i++] = at;
        }
    }
}
