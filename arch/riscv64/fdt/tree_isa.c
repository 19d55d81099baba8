/* SPDX-License-Identifier: MIT */
/*
 * Two spellings of one thing: riscv,isa-extensions is a list of names; riscv,isa is one string,
 * "rv64", then single letters, then longer names set off by '_' (unprivileged spec, "ISA Extension
 * Naming Conventions").  Version numbers are skipped.  The list is believed if both are there.
 */
#include "fdt/tree_isa.h"

#include "lib/string.h"

/* What the kernel needs, in bits that enum machine_isa does not use. */
enum {
    NEED_I = 1 << 24,
    NEED_M = 1 << 25,
    NEED_AMO = 1 << 26,
    NEED_LRSC = 1 << 27,
    NEED_C = 1 << 28,
    NEED_A = NEED_AMO | NEED_LRSC,
    NEED_ALL = NEED_I | NEED_M | NEED_A | NEED_C,
};

static uint32_t letter_bits(char letter)
{
    switch (letter) {
    case 'i':
        return NEED_I;
    case 'm':
        return NEED_M;
    case 'a':
        return NEED_A;
    case 'c':
        return NEED_C;
    case 'f':
        return MACHINE_ISA_F;
    case 'd':
        return MACHINE_ISA_F | MACHINE_ISA_D;
    case 'g':
        return NEED_I | NEED_M | NEED_A | MACHINE_ISA_F | MACHINE_ISA_D;
    default:
        return 0;
    }
}

static uint32_t name_bits(const char *name, size_t len_bytes)
{
    static const struct {
        const char *name;
        uint32_t bits;
    } known[] = {
        {"sstc", MACHINE_ISA_SSTC},
        {"svpbmt", MACHINE_ISA_SVPBMT},
        {"svinval", MACHINE_ISA_SVINVAL},
        {"svnapot", MACHINE_ISA_SVNAPOT},
        {"svadu", MACHINE_ISA_SVADU},
        {"svade", MACHINE_ISA_SVADE},
        {"svvptc", MACHINE_ISA_SVVPTC},
        {"zicboz", MACHINE_ISA_ZICBOZ},
        {"zicbom", MACHINE_ISA_ZICBOM},
        {"zaamo", NEED_AMO},
        {"zalrsc", NEED_LRSC},
        {"zca", NEED_C},
    };

    if (len_bytes == 1) {
        return letter_bits(name[0]);
    }
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strlen(known[i].name) == len_bytes && memcmp(known[i].name, name, len_bytes) == 0) {
            return known[i].bits;
        }
    }
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Length of a longer name without a version such as "1p0" at its end. */
static size_t length_without_version(const char *name, size_t len_bytes)
{
    size_t length = len_bytes;

    while (length > 1 &&
           (is_digit(name[length - 1]) || (name[length - 1] == 'p' && length < len_bytes &&
                                           length > 2 && is_digit(name[length - 2])))) {
        length--;
    }
    return length;
}

/* A word between '_': single letters, each with or without a version, up to the first that starts a
 * longer name. */
static uint32_t word_bits(const char *word, size_t len_bytes)
{
    uint32_t bits = 0;
    size_t at = 0;

    while (at < len_bytes && strchr("szx", word[at]) == NULL) {
        bool is_version =
            at > 0 && (is_digit(word[at]) || (word[at] == 'p' && is_digit(word[at - 1])));

        bits |= is_version ? 0 : letter_bits(word[at]);
        at++;
    }
    if (at < len_bytes) {
        bits |= name_bits(word + at, len_bytes - at);
        bits |= name_bits(word + at, length_without_version(word + at, len_bytes - at));
    }
    return bits;
}

static uint32_t string_bits(const char *isa)
{
    uint32_t bits = 0;

    while (*isa != '\0') {
        const char *end = strchr(isa, '_');
        size_t length = end == NULL ? strlen(isa) : (size_t)(end - isa);

        bits |= word_bits(isa, length);
        isa += length;
        isa += *isa == '_' ? 1 : 0;
    }
    return bits;
}

static uint32_t list_bits(const char *list, uint32_t len_bytes)
{
    uint32_t bits = 0;

    for (uint32_t at = 0; at < len_bytes;) {
        uint32_t length = (uint32_t)strlen(list + at);

        bits |= name_bits(list + at, length);
        at += length + 1;
    }
    return bits;
}

static status_t fault_missing_bits(uint32_t bits, const char *property, struct tree_fault *fault)
{
    const char *what = "lacks the C extension";

    if ((bits & NEED_I) == 0) {
        what = "lacks the I base";
    } else if ((bits & NEED_M) == 0) {
        what = "lacks the M extension";
    } else if ((bits & NEED_A) != NEED_A) {
        what = "lacks the A extension";
    }
    (void)tree_fault_set(fault, property, what);
    return ERR_NOTSUP;
}

status_t tree_isa_read(const struct tree *tree, int node, uint32_t *isa, struct tree_fault *fault)
{
    const char *property = "riscv,isa-extensions";
    uint32_t length;
    const char *list = (const char *)tree_property(tree, node, property, &length);
    uint32_t bits;

    if (list != NULL) {
        if (length == 0 || list[length - 1] != '\0') {
            return tree_fault_set(fault, property, "is not a list of terminated strings");
        }
        bits = list_bits(list, length);
    } else {
        const char *text;

        property = "riscv,isa";
        text = tree_string(tree, node, property, SIZE_MAX, fault);
        if (text == NULL) {
            return ERR_INVAL;
        }
        if (strncmp(text, "rv64", 4) != 0) {
            (void)tree_fault_set(fault, property, "is not RV64");
            return ERR_NOTSUP;
        }
        bits = string_bits(text + 4);
    }
    if ((bits & NEED_ALL) != NEED_ALL) {
        return fault_missing_bits(bits, property, fault);
    }
    *isa = bits & ~(uint32_t)NEED_ALL;
    return OK;
}
