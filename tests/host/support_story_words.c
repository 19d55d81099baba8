/* SPDX-License-Identifier: MIT */
/* Words of a story: places, values, orders, and the problems with them. */
#include "support_story_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct teller teller;

void story_complain(const char *what)
{
    if (teller.problem[0] == '\0') {
        (void)snprintf(teller.problem, sizeof(teller.problem), "%s (at: %s %s %s %s)", what,
                       story_word(1), story_word(2), story_word(3), story_word(4));
    }
}

const char *story_word(size_t i)
{
    return i < teller.count ? teller.words[i] : "";
}

uint64_t story_number(size_t i)
{
    return strtoull(story_word(i), NULL, 0);
}

/* Physical address of a table, page, block or device; "" and unknown names end the story. */
uint64_t story_place(const char *name)
{
    static const char *const names[] = {"A",  "A0", "A1", "A2", "A3", "B", "B0",
                                        "B1", "B2", "B3", "K",  "S",  "T"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            return STORY_TABLES + i * PAGE_SIZE;
        }
    }
    switch (name[0]) {
    case 'F':
    case 'G':
    case 'H':
        return STORY_PAGES + (uint64_t)(name[0] - 'F') * PAGE_SIZE;
    case 'M':
        return STORY_BLOCK;
    case 'N':
        return STORY_BLOCK + 5 * PAGE_SIZE;
    case 'D':
        return DEVICE_BASE;
    default:
        story_complain("there is no such place");
        return STORY_PAGES;
    }
}

uint64_t story_value(const char *text)
{
    const char *flags = strchr(text, ':');
    uint64_t value = 0xd1; /* V U A D */
    char name[4] = "";

    if (text[0] == '0') {
        return 0;
    }
    if (text[0] == '=') {
        return strtoull(text + 1, NULL, 0);
    }
    if (flags == NULL) {
        return story_place(text) >> 12 << 10 | 1;
    }
    memcpy(name, text, (size_t)(flags - text) < 3 ? (size_t)(flags - text) : 3);
    for (flags++; *flags != '\0'; flags++) {
        switch (*flags) {
        case 'r':
            value |= 0x2;
            break;
        case 'w':
            value |= 0x4;
            break;
        case 'x':
            value |= 0x8;
            break;
        case 'g':
            value |= 0x20;
            break;
        case 'k':
            value &= ~UINT64_C(0x10);
            break;
        case 'n':
            value |= UINT64_C(1) << 61;
            break;
        case '!':
            value &= ~UINT64_C(0xc0);
            break;
        case '-':
            value &= ~UINT64_C(0x80);
            break;
        default:
            story_complain("there is no such flag");
        }
    }
    return value | story_place(name) >> 12 << 10;
}

memory_order story_order(const char *name)
{
    static const struct {
        const char *name;
        memory_order order;
    } orders[] = {{"rlx", memory_order_relaxed},
                  {"acq", memory_order_acquire},
                  {"rel", memory_order_release},
                  {"ar", memory_order_acq_rel},
                  {"sc", memory_order_seq_cst}};

    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        if (strcmp(name, orders[i].name) == 0) {
            return orders[i].order;
        }
    }
    story_complain("there is no such order");
    return memory_order_seq_cst;
}
