/* SPDX-License-Identifier: MIT */
/* Lists: order, removal from anywhere, and what an emptied list looks like. */
#include "lib/list.h"

#include <criterion/criterion.h>

struct item {
    int value;
    struct list_node link;
};

/* The values of a list as decimal digits. */
static int digits(struct list_node *head)
{
    struct list_node *node;
    int result = 0;

    LIST_FOR_EACH (node, head) {
        cr_assert(node->next->prev == node && node->prev->next == node);
        result = result * 10 + LIST_ENTRY(node, struct item, link)->value;
    }
    return result;
}

Test(list, empty_list_links_to_itself)
{
    struct list_node head = LIST_INIT(head);

    cr_assert(list_is_empty(&head));
    cr_assert(list_pop_front(&head) == NULL);
    cr_assert(digits(&head) == 0);
}

Test(list, keeps_the_order_of_arrival)
{
    struct item items[] = {{.value = 1}, {.value = 2}, {.value = 3}};
    struct list_node head;

    list_init(&head);
    for (size_t i = 0; i < 3; i++) {
        list_push_back(&head, &items[i].link);
    }
    cr_assert(digits(&head) == 123);
    cr_assert(list_pop_front(&head) == &items[0].link);
    cr_assert(digits(&head) == 23);
}

Test(list, removes_from_anywhere)
{
    struct item items[] = {{.value = 1}, {.value = 2}, {.value = 3}};
    struct list_node head = LIST_INIT(head);

    for (size_t i = 0; i < 3; i++) {
        list_push_back(&head, &items[i].link);
    }
    list_remove(&items[1].link);
    cr_assert(digits(&head) == 13);
    cr_assert(list_is_empty(&items[1].link), "a removed node is a list of its own");
    list_remove(&items[1].link); /* harmless */
    list_remove(&items[2].link);
    list_remove(&items[0].link);
    cr_assert(list_is_empty(&head));
    list_push_back(&head, &items[1].link);
    cr_assert(digits(&head) == 2);
}
