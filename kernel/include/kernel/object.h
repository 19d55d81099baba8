/* SPDX-License-Identifier: MIT */
/*
 * Objects: what handles name.
 *
 * Every object begins with a common header: its type and a count of references.  References come
 * from handles, from calls under way, and from threads that wait for the object; the last one to go
 * frees it.  What else keeps an object working (threads keep their process alive) is that object's
 * own matter.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "uapi/handle.h"

struct object {
    _Atomic(uint32_t) refs; /* (a)                              */
    uint32_t type;          /* (c) HANDLE_* of uapi/handle.h    */
};

/* A new object with one reference. */
void object_init(struct object *object, enum handle_type type);

/* One more reference; the caller has one already, or holds the lock of a table that has. */
void object_get(struct object *object);

/* One more reference, unless none is left: then false.  What keeps the object's memory until its
 * destroyer has been here is the caller's business. */
bool object_try_get(struct object *object);

/* One reference less; the last one frees the object.  Context: no lock. */
void object_put(struct object *object);

/* The two objects that always are: the kernel's console, and the machine. */
struct object *object_console(void);
struct object *object_machine(void);
