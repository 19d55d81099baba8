/* SPDX-License-Identifier: MIT */
/*
 * Questions to a machine description, and the words of its command line: separated by spaces, up to
 * the word `--`; what follows is text for init.
 */
#include "arch/machine.h"

#include "lib/string.h"

struct word {
    const char *text; /* not terminated */
    size_t len_bytes; /* 0: there is none */
};

status_t machine_reserve(struct machine *machine, struct pa_range range,
                         enum machine_reserved_kind kind)
{
    if (machine->reserved_count == MACHINE_RESERVED_MAX) {
        return ERR_NOSPC;
    }
    machine->reserved[machine->reserved_count] =
        (struct machine_reserved){.range = range, .kind = kind};
    machine->reserved_count++;
    return OK;
}

int machine_hart_by_id(const struct machine *machine, uint64_t hart_id)
{
    for (size_t i = 0; i < machine->hart_count; i++) {
        if (machine->harts[i].hart_id == hart_id) {
            return (int)i;
        }
    }
    return -1;
}

static const char *skip_spaces(const char *text)
{
    while (*text == ' ') {
        text++;
    }
    return text;
}

/* The next word at or after `text`. */
static struct word word_at(const char *text)
{
    struct word word = {.text = skip_spaces(text)};
    const char *space = strchr(word.text, ' ');

    word.len_bytes = space == NULL ? strlen(word.text) : (size_t)(space - word.text);
    return word;
}

static bool word_is(struct word word, const char *text)
{
    return strlen(text) == word.len_bytes && memcmp(word.text, text, word.len_bytes) == 0;
}

/* The first word of the kernel's part after `previous`, or of all if that is NULL. */
static struct word next_word(const struct machine *machine, const struct word *previous)
{
    struct word word =
        word_at(previous == NULL ? machine->cmdline : previous->text + previous->len_bytes);

    if (word_is(word, "--")) {
        word.len_bytes = 0;
    }
    return word;
}

bool machine_cmdline_value(const struct machine *machine, const char *key, char *value,
                           size_t value_bytes)
{
    size_t key_bytes = strlen(key);
    struct word found = {0};
    struct word word = next_word(machine, NULL);

    for (; word.len_bytes > 0; word = next_word(machine, &word)) {
        if (word.len_bytes > key_bytes && word.text[key_bytes] == '=' &&
            memcmp(word.text, key, key_bytes) == 0) {
            found.text = word.text + key_bytes + 1;
            found.len_bytes = word.len_bytes - key_bytes - 1;
        }
    }
    if (found.text == NULL || found.len_bytes >= value_bytes) {
        return false;
    }
    memcpy(value, found.text, found.len_bytes);
    value[found.len_bytes] = '\0';
    return true;
}

bool machine_cmdline_has(const struct machine *machine, const char *word)
{
    struct word at = next_word(machine, NULL);

    while (at.len_bytes > 0 && !word_is(at, word)) {
        at = next_word(machine, &at);
    }
    return at.len_bytes > 0;
}

/* Keys with a value of many; and words that are one of a kind (docs/debugging.md lists all). */
static bool word_is_known(struct word word)
{
    static const char *const keys[] = {"paging=", "asid="};
    static const char *const words[] = {"noadhw", "input=polled", "user-counters", "fence=global",
                                        "selftest"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        size_t key_bytes = strlen(keys[i]);

        if (word.len_bytes >= key_bytes && word.len_bytes < key_bytes + MACHINE_TEXT_BYTES &&
            memcmp(word.text, keys[i], key_bytes) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (word_is(word, words[i])) {
            return true;
        }
    }
    return false;
}

bool machine_cmdline_unknown(const struct machine *machine, size_t index, char *word,
                             size_t word_bytes)
{
    struct word at = next_word(machine, NULL);

    while (at.len_bytes > 0 && (word_is_known(at) || index-- > 0)) {
        at = next_word(machine, &at);
    }
    size_t count = at.len_bytes < word_bytes ? at.len_bytes : word_bytes - 1;

    memcpy(word, at.text, count);
    word[count] = '\0';
    return at.len_bytes > 0;
}

const char *machine_cmdline_init(const struct machine *machine)
{
    struct word word = next_word(machine, NULL);

    while (word.len_bytes > 0) {
        word = next_word(machine, &word);
    }
    /* The word that ended the kernel's part is `--`, or nothing. */
    return *word.text == '\0' ? word.text : skip_spaces(word.text + 2);
}
