/* SPDX-License-Identifier: MIT */
/*
 * Doubly linked lists through a node inside the element.  A list head is a node that links to
 * itself when the list is empty.  Not locked: the owner of the list says which lock covers it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list_node {
    struct list_node *next, *prev;
};

#define LIST_INIT(head)                                                                            \
    {                                                                                              \
        .next = &(head), .prev = &(head)                                                           \
    }

/* The element of type `type` whose member `member` is `node`. */
#define LIST_ENTRY(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

#define LIST_FOR_EACH(node, head)                                                                  \
    for ((node) = (head)->next; (node) != (head); (node) = (node)->next)

static inline void list_init(struct list_node *head)
{
    head->next = head;
    head->prev = head;
}

static inline bool list_is_empty(const struct list_node *head)
{
    return head->next == head;
}

static inline void list_push_back(struct list_node *head, struct list_node *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

/* Takes the node out of whatever list it is in; it is then a list of its own. */
static inline void list_remove(struct list_node *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* First node, taken out, or NULL. */
static inline struct list_node *list_pop_front(struct list_node *head)
{
    struct list_node *node = head->next;

    if (node == head) {
        return NULL;
    }
    list_remove(node);
    return node;
}
