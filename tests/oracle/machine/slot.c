/* SPDX-License-Identifier: MIT */
/*
 * Steps on slots.  Each is judged before it is done, and then noted: what harts may still hold,
 * where tables hang, and who may see the store.
 */
#include "arch/oracle_effects.h"
#include "arch_host/phys_mem.h"
#include "machine/hart.h"
#include "machine/judge.h"
#include "machine/order.h"
#include "machine/reach.h"

static struct order_place slot_begin(_Atomic(uint64_t) *slot, enum oracle_step_kind kind)
{
    struct order_place place = {slot, phys_mem_address((const void *)(uintptr_t)slot)};

    (void)state_step(kind, place.name, kind == ORACLE_SLOT_STORE, 0);
    judge_touch(place.name);
    return place;
}

static struct table *table_of(struct order_place place, unsigned *index)
{
    *index = (unsigned)(place.name / sizeof(uint64_t)) % ENTRIES;
    return table_get(ram_index(place.name));
}

static void before_change(struct order_place place, uint64_t before, uint64_t after)
{
    unsigned index;
    struct table *table = table_of(place, &index);

    if (table != NULL) {
        judge_store(table, index, before, after);
        reach_slot_changes(table, index, before, after);
    }
}

static struct ram_frame *frame_named(uint64_t entry)
{
    uint32_t index = ram_index(entry_pa(entry));

    return index == FRAME_NONE ? NULL : ram_frame(index);
}

/* The slot's page has become executable: code that this hart has seen is there for all who execute
 * it from now on.  A page that only has another place now is what it was. */
static void note_executable(struct table *table, unsigned index, uint64_t entry)
{
    const struct ram_frame *frame = frame_named(entry);

    table->code_seen[index] = 0;
    if (frame != NULL && state_this()->keeps_code) {
        table->code[index] = frame->code;
        table->code_seen[index] = frame->code_seen;
    } else if (frame != NULL && order_sees(&state_this()->seen, frame->writer, frame->written)) {
        table->code_seen[index] = frame->written;
    }
}

static bool is_code(uint64_t entry)
{
    return entry_is_leaf(entry) && (entry & ENTRY_X) != 0;
}

/* A page that was executable there may be about to move. */
static void keep_code(const struct table *table, unsigned index, uint64_t entry)
{
    struct ram_frame *frame = is_code(entry) ? frame_named(entry) : NULL;

    if (frame != NULL) {
        frame->code = table->code[index];
        frame->code_seen = table->code_seen[index];
    }
}

/* A table has come into another space: all of its code is new there. */
static void renew_code(struct table *table)
{
    for (unsigned i = 0; table != NULL && i < ENTRIES && table->leaves + table->tables > 0; i++) {
        uint64_t entry = table_slot_entry(table, i);

        if (is_code(entry)) {
            table->code[i] = oracle.step;
            note_executable(table, i, entry);
        } else if (entry_is_pointer(entry)) {
            renew_code(table_find(ram_index(entry_pa(entry))));
        }
    }
}

static void after_change(struct order_place place, uint64_t before, uint64_t after)
{
    unsigned index;
    struct table *table = table_of(place, &index);

    if (table != NULL) {
        keep_code(table, index, before);
        table_slot_changed(table, index, before, after);
        if (table->active != 0 && entry_is_valid(after) && index < ENTRIES / 2) {
            context_root_filled(table->frame);
        }
        if (table->code[index] == oracle.step) {
            note_executable(table, index, after);
        }
        if (entry_is_pointer(after) && !entry_is_valid(before) && !state_this()->keeps_code) {
            renew_code(table_find(ram_index(entry_pa(after))));
        }
    }
    if (oracle.on_slot != NULL) {
        oracle.on_slot(place.name, before, after);
    }
}

uint64_t oracle_slot_load(_Atomic(uint64_t) *slot)
{
    return order_load(slot_begin(slot, ORACLE_SLOT_LOAD), memory_order_acquire);
}

void oracle_slot_store(_Atomic(uint64_t) *slot, uint64_t entry)
{
    struct order_place place = slot_begin(slot, ORACLE_SLOT_STORE);
    uint64_t before = ram_read(place.name);

    before_change(place, before, entry);
    order_store(place, entry, memory_order_release);
    after_change(place, before, entry);
}

uint64_t oracle_slot_exchange(_Atomic(uint64_t) *slot, uint64_t entry)
{
    struct order_place place = slot_begin(slot, ORACLE_SLOT_STORE);
    uint64_t before = ram_read(place.name);

    before_change(place, before, entry);
    order_change(place, entry, memory_order_acq_rel);
    after_change(place, before, entry);
    return before;
}

bool oracle_slot_replace(_Atomic(uint64_t) *slot, uint64_t *seen, uint64_t entry)
{
    struct order_place place = slot_begin(slot, ORACLE_SLOT_STORE);
    uint64_t before = ram_read(place.name);

    if (before != *seen) {
        *seen = order_load_newest(place);
        return false;
    }
    before_change(place, before, entry);
    order_change(place, entry, memory_order_acq_rel);
    after_change(place, before, entry);
    return true;
}
