/* SPDX-License-Identifier: MIT */
/*
 * A space's table of objects.
 *
 *   directory, a frame:  lock | pages of rows | buckets: an object's rows by its address
 *   page of rows, a frame:  { object, marks, next } x 256
 *
 * Rows that are in use are linked by their bucket, the others in one list.  Pages of rows are made
 * when the list is empty and stay until the space ends.  A row has marks, or somebody holds it who
 * is counted as one; without it has no object.
 */
#include "vm_backing.h"

#include "lib/assert.h"
#include "lib/string.h"
#include "mm/mem_object.h"
#include "vm_space_priv.h"

#define ROWS_OF_PAGE 256U
#define PAGES_MAX    ((1U << PTE_MARK_SLOT_BITS) / ROWS_OF_PAGE)
#define BUCKET_BITS  10U
#define BUCKETS      (1U << BUCKET_BITS)
#define MARKS_BITS   48U /* of a count: no machine has memory for so many */
#define MARKS_MASK   ((UINT64_C(1) << MARKS_BITS) - 1)
#define NO_ROW       UINT16_MAX

struct row {
    struct mem_object *object;       /* (l) with a reference; NULL: the row is free           */
    uint64_t marks : MARKS_BITS;     /* (l) entries that name it, and who holds it            */
    uint64_t next : 64 - MARKS_BITS; /* (l) slot of the next one in its bucket, or free one   */
};

_Static_assert(sizeof(struct row) * ROWS_OF_PAGE == PAGE_SIZE, "a page of rows is a frame");
_Static_assert((1U << PTE_MARK_SLOT_BITS) <= NO_ROW, "every slot and none fit into `next`");

/* Fields: (c) constant, (l) the lock.  The object of a row changes only when nobody has a mark of
 * it or holds it, so that these may read it without the lock. */
struct vm_backing {
    struct spinlock lock;          /* rank LOCK_BACKING              */
    struct frame *frame;           /* (c) the one that this lies in  */
    uint16_t pages;                /* (l) of rows                    */
    uint16_t free;                 /* (l) first free row             */
    struct frame *page[PAGES_MAX]; /* (l) only more, till the end    */
    uint16_t first[BUCKETS];       /* (l) slots, by hash             */
};

_Static_assert(sizeof(struct vm_backing) <= PAGE_SIZE, "the directory is a frame");

/* Acquire pairs with the exchange in backing_make: the directory is seen complete. */
static struct vm_backing *backing_of(const struct vm_space *space)
{
    return atomic_load_explicit(&space->backing, memory_order_acquire);
}

static struct row *row_of(const struct vm_backing *backing, uint32_t slot)
{
    struct row *rows = frame_bytes(backing->page[slot / ROWS_OF_PAGE]);

    return &rows[slot % ROWS_OF_PAGE];
}

/* The bucket of an object: the upper bits of its address times 2^64 / the golden ratio. */
static uint16_t *bucket_of(struct vm_backing *backing, const struct mem_object *object)
{
    uint64_t hash = (uint64_t)(uintptr_t)object * UINT64_C(0x9e3779b97f4a7c15);

    return &backing->first[hash >> (64 - BUCKET_BITS)];
}

/* A frame of the table, charged to the space; NULL: there is none. */
static struct frame *table_frame_get(struct vm_space *space)
{
    struct frame *frame = NULL;

    if (vm_space_charge(space, 1) == OK && frame_alloc(FRAME_KERNEL, &frame) != OK) {
        vm_space_release(space, 1);
    }
    return frame;
}

static void table_frame_put(struct vm_space *space, struct frame *frame)
{
    frame_put(frame);
    vm_space_release(space, 1);
}

/* The directory, made if there is none; NULL: no memory. */
static struct vm_backing *backing_make(struct vm_space *space)
{
    struct vm_backing *backing = backing_of(space);
    struct frame *frame = backing == NULL ? table_frame_get(space) : NULL;
    struct vm_backing *made;

    if (frame == NULL) {
        return backing;
    }
    made = frame_bytes(frame);
    *made = (struct vm_backing){.frame = frame, .free = NO_ROW};
    spinlock_init(&made->lock, LOCK_BACKING);
    memset(made->first, 0xff, sizeof(made->first)); /* NO_ROW */
    /* Two cursors of one space may come here at once; the second one's is not needed. */
    if (!atomic_compare_exchange_strong_explicit(&space->backing, &backing, made,
                                                 memory_order_acq_rel, memory_order_acquire)) {
        table_frame_put(space, frame);
        return backing;
    }
    return made;
}

/* One more page of rows, all free.  False: no memory, or there are as many as slots can name. */
static bool add_page_locked(struct vm_space *space, struct vm_backing *backing)
{
    struct frame *frame = backing->pages < PAGES_MAX ? table_frame_get(space) : NULL;
    uint32_t slot = backing->pages * ROWS_OF_PAGE;

    if (frame == NULL) {
        return false;
    }
    backing->page[backing->pages] = frame;
    backing->pages++;
    for (uint32_t i = ROWS_OF_PAGE; i > 0; i--) {
        *row_of(backing, slot + i - 1) = (struct row){.next = backing->free};
        backing->free = (uint16_t)(slot + i - 1);
    }
    return true;
}

/* The row of the object, or NO_ROW. */
static uint32_t find_locked(struct vm_backing *backing, const struct mem_object *object)
{
    uint32_t slot = *bucket_of(backing, object);

    while (slot != NO_ROW && row_of(backing, slot)->object != object) {
        slot = row_of(backing, slot)->next;
    }
    return slot;
}

/* Takes the row out of its bucket, and puts it to the free ones.  Returns its object. */
static struct mem_object *free_row_locked(struct vm_backing *backing, uint32_t slot)
{
    struct row *row = row_of(backing, slot);
    struct mem_object *object = row->object;
    uint16_t *first = bucket_of(backing, object);

    if (*first == slot) {
        *first = row->next;
    } else {
        struct row *before = row_of(backing, *first);

        while (before->next != slot) {
            before = row_of(backing, before->next);
        }
        before->next = row->next;
    }
    *row = (struct row){.next = backing->free};
    backing->free = (uint16_t)slot;
    return object;
}

static void give_up(struct mem_object *object)
{
    mem_object_unmarked(object);
    mem_object_put(object);
}

/* Counts the row of an object that has one, or gives it one. */
static status_t hold_locked(struct vm_space *space, struct vm_backing *backing,
                            struct mem_object *object, uint64_t end, uint32_t *slot)
{
    uint32_t found = find_locked(backing, object);
    bool is_new = found == NO_ROW;
    status_t status;

    if (is_new && backing->free == NO_ROW && !add_page_locked(space, backing)) {
        return ERR_NOMEM;
    }
    status = mem_object_marked(object, end, is_new ? 1 : 0);
    if (status != OK) {
        return status;
    }
    if (is_new) {
        uint16_t *first = bucket_of(backing, object);
        struct row *row;

        found = backing->free;
        row = row_of(backing, found);
        backing->free = row->next;
        mem_object_get(object);
        *row = (struct row){.object = object, .next = *first};
        *first = (uint16_t)found;
    }
    row_of(backing, found)->marks++;
    *slot = found;
    return OK;
}

status_t vm_backing_hold(struct vm_space *space, struct mem_object *object, uint64_t end,
                         uint32_t *slot)
{
    struct vm_backing *backing = backing_make(space);
    status_t status;

    if (backing == NULL) {
        return ERR_NOMEM;
    }
    spinlock_acquire(&backing->lock);
    status = hold_locked(space, backing, object, end, slot);
    spinlock_release(&backing->lock);
    return status;
}

void vm_backing_add(struct vm_space *space, uint32_t slot, uint64_t marks)
{
    struct vm_backing *backing = backing_of(space);
    struct row *row = row_of(backing, slot);

    spinlock_acquire(&backing->lock);
    ASSERT(row->marks > 0);
    row->marks = (row->marks + marks) & MARKS_MASK;
    spinlock_release(&backing->lock);
}

void vm_backing_drop(struct vm_space *space, uint32_t slot, uint64_t marks)
{
    struct vm_backing *backing = backing_of(space);
    struct row *row = row_of(backing, slot);
    struct mem_object *object = NULL;

    spinlock_acquire(&backing->lock);
    ASSERT(row->marks >= marks);
    row->marks = (row->marks - marks) & MARKS_MASK;
    if (row->marks == 0) {
        object = free_row_locked(backing, slot);
    }
    spinlock_release(&backing->lock);
    if (object != NULL) {
        give_up(object);
    }
}

struct mem_object *vm_backing_object(const struct vm_space *space, uint32_t slot)
{
    return row_of(backing_of(space), slot)->object;
}

uint64_t vm_backing_frames(const struct vm_space *space)
{
    const struct vm_backing *backing = backing_of(space);

    return backing != NULL ? 1U + backing->pages : 0;
}

struct vm_backing_sum vm_backing_sum(const struct vm_space *space)
{
    const struct vm_backing *backing = backing_of(space);
    struct vm_backing_sum sum = {0};

    for (uint32_t slot = 0; backing != NULL && slot < backing->pages * ROWS_OF_PAGE; slot++) {
        vm_backing_sum_add(&sum, slot, row_of(backing, slot)->marks);
    }
    return sum;
}

bool vm_backing_end(struct vm_space *space)
{
    struct vm_backing *backing = backing_of(space);

    if (backing == NULL) {
        return true;
    }
    if (backing->pages == 0) {
        /* Relaxed: nobody else has the space any more. */
        atomic_store_explicit(&space->backing, NULL, memory_order_relaxed);
        table_frame_put(space, backing->frame);
        return true;
    }
    backing->pages--;
    for (uint32_t i = 0; i < ROWS_OF_PAGE; i++) {
        struct mem_object *object = row_of(backing, backing->pages * ROWS_OF_PAGE + i)->object;

        if (object != NULL) {
            give_up(object);
        }
    }
    table_frame_put(space, backing->page[backing->pages]);
    return false;
}
