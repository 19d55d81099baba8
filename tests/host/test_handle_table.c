/* SPDX-License-Identifier: MIT */
/*
 * The table of handles: numbers that are never 0 and never mean two things, a limit, and emptying
 * in pieces.  A random sequence is held against a plain list of what must be there.
 */
#include "kernel/handle_table.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/object.h"

static struct handle_chunk chunks[HANDLE_CHUNKS];
static struct object objects[4];

static struct handle_table table_make(void)
{
    struct handle_table table = {0};

    memset(chunks, 0, sizeof(chunks));
    handle_table_init(&table);
    return table;
}

static struct handle_entry entry_of(unsigned object, uint32_t rights)
{
    return (struct handle_entry){.object = &objects[object], .rights = rights};
}

static handle_t insert(struct handle_table *table, struct handle_entry entry)
{
    handle_t handle = HANDLE_NONE;
    status_t status = handle_table_insert(table, entry, &handle);

    if (status == ERR_AGAIN) {
        cr_assert_lt(table->chunk_count, HANDLE_CHUNKS);
        handle_table_grow(table, &chunks[table->chunk_count]);
        status = handle_table_insert(table, entry, &handle);
    }
    cr_assert_eq(status, OK);
    cr_assert_neq(handle, HANDLE_NONE);
    return handle;
}

Test(handle_table, what_was_put_in_is_found)
{
    struct handle_table table = table_make();
    handle_t one = insert(&table, entry_of(1, RIGHT_READ));
    handle_t two = insert(&table, entry_of(2, RIGHT_ALL));
    struct handle_entry entry = {0};

    cr_assert_neq(one, two);
    cr_assert_eq(handle_table_find(&table, one, &entry), OK);
    cr_assert_eq(entry.object, &objects[1]);
    cr_assert_eq(entry.rights, RIGHT_READ);
    cr_assert_eq(handle_table_find(&table, two, &entry), OK);
    cr_assert_eq(entry.object, &objects[2]);
    cr_assert_eq(entry.rights, RIGHT_ALL);
}

Test(handle_table, numbers_that_are_no_handles_are_refused_and_change_nothing)
{
    struct handle_table table = table_make();
    handle_t one = insert(&table, entry_of(1, RIGHT_READ));
    struct handle_entry entry = {0};
    const uint64_t wrong[] = {
        0,          1,
        255,        257,
        one + 1,    one ^ 0x80,
        one + 256,  UINT32_MAX,
        UINT64_MAX, one | UINT64_C(1) << 32,
        one - 256,  UINT64_C(1) << 63,
    };

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        cr_assert_eq(handle_table_find(&table, wrong[i], &entry), ERR_BADF, "row %zu", i);
        cr_assert_eq(handle_table_remove(&table, wrong[i], &entry), ERR_BADF, "row %zu", i);
    }
    cr_assert_null(entry.object);
    cr_assert_eq(table.used, 1);
}

Test(handle_table, a_freed_number_stays_dead_when_its_slot_is_used_again)
{
    struct handle_table table = table_make();
    handle_t stale[1000];
    struct handle_entry entry;

    /* A full table but one leaves one slot to use again and again. */
    for (unsigned i = 0; i < HANDLE_MAX - 1; i++) {
        (void)insert(&table, entry_of(1, RIGHT_READ));
    }
    for (unsigned i = 0; i < ARRAY_LEN(stale); i++) {
        stale[i] = insert(&table, entry_of(2, RIGHT_WRITE));
        cr_assert_eq(handle_table_remove(&table, stale[i], &entry), OK);
        cr_assert_eq(entry.object, &objects[2]);
    }
    handle_t live = insert(&table, entry_of(3, RIGHT_WRITE));

    for (unsigned i = 0; i < ARRAY_LEN(stale); i++) {
        cr_assert_neq(stale[i], live);
        cr_assert_eq(handle_table_find(&table, stale[i], &entry), ERR_BADF);
    }
}

Test(handle_table, a_generation_wraps_to_one_and_never_to_zero)
{
    struct handle_table table = table_make();
    struct handle_entry entry;

    /* All slots but the first are taken, and that one is in its last generation. */
    for (unsigned i = 0; i < HANDLE_MAX; i++) {
        (void)insert(&table, entry_of(1, RIGHT_READ));
    }
    chunks[0].slots[0].generation = (UINT32_C(1) << 24) - 1;
    cr_assert_eq(handle_table_remove(&table, 0xffffff00, &entry), OK);
    cr_assert_eq(insert(&table, entry_of(1, RIGHT_READ)), 0x100);
}

Test(handle_table, a_full_table_refuses_and_changes_nothing)
{
    struct handle_table table = table_make();
    handle_t handle = 77;
    struct handle_entry entry;

    for (unsigned i = 0; i < HANDLE_MAX; i++) {
        handle = insert(&table, entry_of(1, RIGHT_READ));
    }
    handle_t last = handle;

    cr_assert_eq(handle_table_insert(&table, entry_of(2, RIGHT_READ), &handle), ERR_NOSPC);
    cr_assert_eq(handle, last);
    cr_assert_eq(handle_table_remove(&table, last, &entry), OK);
    cr_assert_neq(insert(&table, entry_of(2, RIGHT_READ)), last);
}

Test(handle_table, a_chunk_is_wanted_only_when_all_slots_are_in_use)
{
    struct handle_table table = table_make();
    struct handle_entry entry;
    handle_t handle = 77;

    cr_assert_eq(handle_table_insert(&table, entry_of(1, RIGHT_READ), &handle), ERR_AGAIN);
    cr_assert_eq(handle, 77);
    for (unsigned i = 0; i < 1000; i++) {
        handle = insert(&table, entry_of(1, RIGHT_READ));
        cr_assert_eq(handle_table_remove(&table, handle, &entry), OK);
    }
    cr_assert_eq(table.chunk_count, 1);
    for (unsigned i = 0; i < HANDLE_CHUNK_SLOTS; i++) {
        handle = insert(&table, entry_of(1, RIGHT_READ));
    }
    cr_assert_eq(table.chunk_count, 1);
    handle = insert(&table, entry_of(1, RIGHT_READ));
    cr_assert_eq(table.chunk_count, 2);
    cr_assert_eq(handle_table_find(&table, handle, &entry), OK);
}

Test(handle_table, emptying_goes_through_every_handle_once)
{
    struct handle_table table = table_make();
    struct handle_entry entry;
    uint32_t place = 0;
    unsigned seen = 0;

    for (unsigned i = 0; i < 100; i++) {
        handle_t handle = insert(&table, entry_of(i % 4, RIGHT_READ));

        if (i % 3 == 0) {
            cr_assert_eq(handle_table_remove(&table, handle, &entry), OK);
        }
    }
    while (handle_table_remove_next(&table, &place, &entry) == OK) {
        seen++;
    }
    cr_assert_eq(seen, 66);
    cr_assert_eq(place, HANDLE_MAX);
    cr_assert_eq(table.used, 0);
    cr_assert_eq(handle_table_remove_next(&table, &place, &entry), ERR_NOENT);
}

Test(handle_table, random_sequences_agree_with_a_list)
{
    struct handle_table table = table_make();
    struct {
        handle_t handle;
        struct handle_entry entry;
    } live[HANDLE_MAX];
    unsigned count = 0;
    struct handle_entry entry;

    srand(20240607);
    for (unsigned step = 0; step < 200000; step++) {
        if (count < HANDLE_MAX && rand() % 2 == 0) {
            live[count].entry = entry_of((unsigned)rand() % 4, (uint32_t)rand() & RIGHT_ALL);
            live[count].handle = insert(&table, live[count].entry);
            count++;
        } else if (count > 0) {
            unsigned i = (unsigned)rand() % count;

            cr_assert_eq(handle_table_remove(&table, live[i].handle, &entry), OK);
            cr_assert_eq(entry.object, live[i].entry.object);
            cr_assert_eq(entry.rights, live[i].entry.rights);
            cr_assert_eq(handle_table_find(&table, live[i].handle, &entry), ERR_BADF);
            live[i] = live[--count];
        }
        cr_assert_eq(table.used, count);
        if (count > 0) {
            unsigned i = (unsigned)rand() % count;

            cr_assert_eq(handle_table_find(&table, live[i].handle, &entry), OK);
            cr_assert_eq(entry.object, live[i].entry.object);
        }
    }
}

Test(handle_table, rights_only_shrink)
{
    cr_assert_eq(handle_rights_check(RIGHT_ALL, RIGHT_ALL), OK);
    cr_assert_eq(handle_rights_check(RIGHT_READ | RIGHT_MAP, RIGHT_MAP), OK);
    cr_assert_eq(handle_rights_check(0, 0), OK);
    cr_assert_eq(handle_rights_check(RIGHT_READ, RIGHT_READ | RIGHT_WRITE), ERR_ACCES);
    cr_assert_eq(handle_rights_check(0, RIGHT_MANAGE), ERR_ACCES);
    cr_assert_eq(handle_rights_check(RIGHT_ALL, RIGHT_ALL + UINT64_C(1)), ERR_INVAL);
    cr_assert_eq(handle_rights_check(RIGHT_READ, UINT64_C(1) << 63), ERR_INVAL);
    cr_assert_eq(handle_rights_check(RIGHT_READ, UINT64_C(1) << 32 | RIGHT_READ), ERR_INVAL);
}
