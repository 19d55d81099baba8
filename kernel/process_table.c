/* SPDX-License-Identifier: MIT */
/* The processes by their numbers. */
#include "kernel/process_table.h"

#include "kernel/process.h"
#include "lib/spinlock.h"

static struct spinlock lock = SPINLOCK_INIT(LOCK_NUMBERS);
static struct key_tree table; /* lock, by number_node */
static uint32_t last;         /* lock, the number given last; goes round */

static struct tree_key key_of(uint64_t number)
{
    return (struct tree_key){.high = number << 32};
}

static struct process *process_of(struct key_node *node)
{
    return LIST_ENTRY(node, struct process, number_node);
}

/* One try with the next number.  False: it is taken, or 0. */
static bool enter_next(struct process *process)
{
    spinlock_acquire(&lock);
    uint32_t number = ++last;

    process->id = number;
    process->number_node.key = key_of(number);
    bool is_in = number != 0 && key_tree_insert(&table, &process->number_node) == NULL;

    spinlock_release(&lock);
    return is_in;
}

void process_table_enter(struct process *process)
{
    /* Numbers are taken only once all have been given; then at most as often as there are
     * processes, and never with the lock held. */
    while (!enter_next(process)) {
    }
}

void process_table_leave(struct process *process)
{
    spinlock_acquire(&lock);
    key_tree_remove(&table, &process->number_node);
    spinlock_release(&lock);
}

struct process *process_table_find(uint64_t number)
{
    struct process *process = NULL;

    if (number > UINT32_MAX) {
        return NULL;
    }
    spinlock_acquire(&lock);
    struct key_node *node = key_tree_find(&table, key_of(number));

    if (node != NULL && object_try_get(&process_of(node)->object)) {
        process = process_of(node);
    }
    spinlock_release(&lock);
    return process;
}

struct process *process_table_next(uint64_t after)
{
    struct process *process = NULL;

    if (after > UINT32_MAX) {
        return NULL;
    }
    spinlock_acquire(&lock);
    struct key_node *node = key_tree_next(&table, key_of(after));

    /* One without references is about to leave, in some hart's hands: there are few. */
    while (node != NULL && !object_try_get(&process_of(node)->object)) {
        node = key_tree_next(&table, node->key);
    }
    if (node != NULL) {
        process = process_of(node);
    }
    spinlock_release(&lock);
    return process;
}
