/* SPDX-License-Identifier: MIT */
/* References of objects, and what the last one does for each type. */
#include "kernel/object.h"

#include "kernel/io_object.h"
#include "kernel/memory_object.h"
#include "kernel/process.h"
#include "kernel/thread.h"
#include "lib/assert.h"

/* One reference of each is never given back. */
static struct object console = {.refs = 1, .type = HANDLE_CONSOLE};
static struct object machine = {.refs = 1, .type = HANDLE_MACHINE};

struct object *object_console(void)
{
    return &console;
}

struct object *object_machine(void)
{
    return &machine;
}

void object_init(struct object *object, enum handle_type type)
{
    atomic_init(&object->refs, 1);
    object->type = type;
}

void object_get(struct object *object)
{
    /* Relaxed: whoever passes the reference on orders what it protects. */
    uint32_t before = atomic_fetch_add_explicit(&object->refs, 1, memory_order_relaxed);

    ASSERT(before != 0 && before != UINT32_MAX);
}

bool object_try_get(struct object *object)
{
    uint32_t before = atomic_load_explicit(&object->refs, memory_order_relaxed);

    /* Relaxed, as in object_get; the lock under which the object was found orders the rest. */
    while (before != 0 &&
           !atomic_compare_exchange_weak_explicit(&object->refs, &before, before + 1,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
    ASSERT(before != UINT32_MAX);
    return before != 0;
}

static void object_destroy(struct object *object)
{
    switch ((enum handle_type)object->type) {
    case HANDLE_PROCESS:
        process_destroy(LIST_ENTRY(object, struct process, object));
        return;
    case HANDLE_THREAD:
        thread_destroy(LIST_ENTRY(object, struct thread, object));
        return;
    case HANDLE_IO:
        io_object_destroy(LIST_ENTRY(object, struct io_object, object));
        return;
    case HANDLE_MEMORY:
        memory_object_destroy(LIST_ENTRY(object, struct memory_object, object));
        return;
    case HANDLE_CONSOLE:
    case HANDLE_MACHINE:
        break;
    }
    PANIC("object of type %u has lost its last reference", object->type);
}

void object_put(struct object *object)
{
    /* Release pairs with the acquire of the last put: what others did with the object is over. */
    uint32_t before = atomic_fetch_sub_explicit(&object->refs, 1, memory_order_acq_rel);

    ASSERT(before != 0);
    if (before == 1) {
        object_destroy(object);
    }
}
