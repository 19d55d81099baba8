/* SPDX-License-Identifier: MIT */
/*
 * The memory and string functions that compilers call and libfdt expects, as the C standard defines
 * them.  Copies and fills go by words where both sides are aligned alike; no access leaves the
 * range that was named.  Not built for the host, which has its own.
 */
#include "lib/string.h"

#include <stdint.h>

/* A word that may alias anything: these functions copy representations, not values. */
typedef uint64_t __attribute__((may_alias)) word_t;

#define WORD sizeof(word_t)

static int misalignment(const void *at)
{
    return (int)((uintptr_t)at % WORD);
}

static void *copy_forward(void *to, const void *from, size_t len_bytes)
{
    unsigned char *out = to;
    const unsigned char *in = from;

    if (misalignment(out) == misalignment(in)) {
        for (; len_bytes > 0 && misalignment(out) != 0; len_bytes--) {
            *out++ = *in++;
        }
        for (; len_bytes >= 8 * WORD; len_bytes -= 8 * WORD, out += 8 * WORD, in += 8 * WORD) {
            word_t *to_words = (void *)out;
            const word_t *from_words = (const void *)in;

            /* Word by word, as they may overlap. */
            to_words[0] = from_words[0];
            to_words[1] = from_words[1];
            to_words[2] = from_words[2];
            to_words[3] = from_words[3];
            to_words[4] = from_words[4];
            to_words[5] = from_words[5];
            to_words[6] = from_words[6];
            to_words[7] = from_words[7];
        }
        for (; len_bytes >= WORD; len_bytes -= WORD, out += WORD, in += WORD) {
            *(word_t *)(void *)out = *(const word_t *)(const void *)in;
        }
    }
    for (; len_bytes > 0; len_bytes--) {
        *out++ = *in++;
    }
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t len_bytes)
{
    return copy_forward(to, from, len_bytes);
}

void *memmove(void *to, const void *from, size_t len_bytes)
{
    unsigned char *out = to;
    const unsigned char *in = from;

    if ((uintptr_t)to <= (uintptr_t)from || (uintptr_t)to >= (uintptr_t)from + len_bytes) {
        return copy_forward(to, from, len_bytes);
    }
    while (len_bytes > 0) {
        len_bytes--;
        out[len_bytes] = in[len_bytes];
    }
    return to;
}

void *memset(void *to, int byte, size_t len_bytes)
{
    unsigned char *out = to;
    word_t pattern = UINT64_C(0x0101010101010101) * (unsigned char)byte;

    for (; len_bytes > 0 && misalignment(out) != 0; len_bytes--) {
        *out++ = (unsigned char)byte;
    }
    for (; len_bytes >= 4 * WORD; len_bytes -= 4 * WORD, out += 4 * WORD) {
        word_t *words = (void *)out;

        words[0] = pattern;
        words[1] = pattern;
        words[2] = pattern;
        words[3] = pattern;
    }
    for (; len_bytes >= WORD; len_bytes -= WORD, out += WORD) {
        *(word_t *)(void *)out = pattern;
    }
    for (; len_bytes > 0; len_bytes--) {
        *out++ = (unsigned char)byte;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t len_bytes)
{
    const unsigned char *x = a;
    const unsigned char *y = b;

    for (; len_bytes > 0; len_bytes--, x++, y++) {
        if (*x != *y) {
            return *x < *y ? -1 : 1;
        }
    }
    return 0;
}

/* The standard takes a const string and returns a plain pointer into it; this is the one place
 * where the qualifier is dropped. */
static void *without_const(const void *at)
{
    return (void *)(uintptr_t)at;
}

void *memchr(const void *in, int byte, size_t len_bytes)
{
    const unsigned char *at = in;

    for (; len_bytes > 0; len_bytes--, at++) {
        if (*at == (unsigned char)byte) {
            return without_const(at);
        }
    }
    return NULL;
}

size_t strlen(const char *text)
{
    size_t len = 0;

    while (text[len] != '\0') {
        len++;
    }
    return len;
}

size_t strnlen(const char *text, size_t max_bytes)
{
    size_t len = 0;

    while (len < max_bytes && text[len] != '\0') {
        len++;
    }
    return len;
}

int strncmp(const char *a, const char *b, size_t max_bytes)
{
    for (; max_bytes > 0; max_bytes--, a++, b++) {
        if (*a != *b) {
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        }
        if (*a == '\0') {
            break;
        }
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *text, int byte)
{
    return memchr(text, byte, strlen(text) + 1);
}

char *strrchr(const char *text, int byte)
{
    for (size_t i = strlen(text) + 1; i > 0; i--) {
        if (text[i - 1] == (char)byte) {
            return without_const(text + i - 1);
        }
    }
    return NULL;
}
