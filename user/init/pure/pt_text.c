/* SPDX-License-Identifier: MIT */
/* See pt_text.h. */
#include "pt_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RSW_SHIFT      8
#define RESERVED_SHIFT 54
#define RESERVED_MASK  0x7fU
#define PBMT_SHIFT     61
#define N_SHIFT        63

/* Bits 7:0, the highest first; a bit that is clear is a dash. */
static void flags_text(uint64_t entry, char text[9])
{
    static const char letters[] = "DAGUXWRV";

    for (unsigned i = 0; i < 8; i++) {
        text[i] = (entry >> (7 - i) & 1) != 0 ? letters[i] : '-';
    }
    text[8] = '\0';
}

/* The bits above the frame number and the software's, if any is set. */
static void rest_text(uint64_t entry, char *text, size_t text_bytes)
{
    static const char *const types[] = {"", " nc", " io", " pbmt3"};
    unsigned rsw = entry >> RSW_SHIFT & 3;
    unsigned reserved = (unsigned)(entry >> RESERVED_SHIFT) & RESERVED_MASK;
    int used = 0;

    text[0] = '\0';
    if (rsw != 0) {
        used = snprintf(text, text_bytes, " rsw%u", rsw);
    }
    used += snprintf(text + used, text_bytes - (size_t)used, "%s%s", types[entry >> PBMT_SHIFT & 3],
                     entry >> N_SHIFT != 0 ? " n" : "");
    if (reserved != 0) {
        (void)snprintf(text + used, text_bytes - (size_t)used, " reserved%02x", reserved);
    }
}

static uint64_t physical_of(uint64_t entry)
{
    return (entry & PT_PPN) >> PT_PPN_SHIFT << PT_PAGE_SHIFT;
}

/* What a reserved entry will permit, and whether the page will be the space's alone. */
static void mark_text(uint64_t entry, char text[16])
{
    uint64_t prot = entry >> PT_MARK_SHIFT;

    (void)snprintf(text, 16, "%c%c%c%s", (prot & 1) != 0 ? 'r' : '-', (prot & 2) != 0 ? 'w' : '-',
                   (prot & 4) != 0 ? 'x' : '-', (entry & PT_MARK_PRIVATE) != 0 ? " private" : "");
}

/* Hexadecimal digits of the highest user address. */
static int digits_of(unsigned levels)
{
    unsigned bits = PT_PAGE_SHIFT + 9 * levels - 1;

    return (int)((bits + 3) / 4);
}

void pt_text_line(const struct pt_record *record, unsigned levels, char text[PT_TEXT_BYTES])
{
    static const char *const sizes[] = {"4K", "2M", "1G", "512G", "256T"};
    unsigned level = record->level < PT_LEVELS_MAX ? record->level : PT_LEVELS_MAX - 1;
    int digits = digits_of(levels);
    int indent = (int)(levels - 1 - level) * 2 + (record->kind == PT_NODE ? 0 : 2);
    char flags[9];
    char rest[40];

    flags_text(record->entry, flags);
    rest_text(record->entry, rest, sizeof(rest));
    switch ((enum pt_kind)record->kind) {
    case PT_NODE:
        (void)snprintf(text, PT_TEXT_BYTES, "%*sL%u node 0x%0*" PRIx64 " at 0x%010" PRIx64 " %s%s",
                       indent, "", level, digits, record->address, physical_of(record->entry),
                       level + 1 == levels ? "root" : flags, rest);
        break;
    case PT_LEAF:
        (void)snprintf(text, PT_TEXT_BYTES,
                       "%*sL%u leaf 0x%0*" PRIx64 " to 0x%010" PRIx64 " %s %" PRIu32 " x %s%s",
                       indent, "", level, digits, record->address, physical_of(record->entry),
                       flags, record->count, sizes[level], rest);
        break;
    case PT_RESERVED:
        mark_text(record->entry, rest);
        (void)snprintf(text, PT_TEXT_BYTES,
                       "%*sL%u reserved 0x%0*" PRIx64 " %.3s %" PRIu32 " x %s%s", indent, "", level,
                       digits, record->address, rest, record->count, sizes[level], rest + 3);
        break;
    case PT_GUARD:
        (void)snprintf(text, PT_TEXT_BYTES, "%*sL%u guard 0x%0*" PRIx64 " %" PRIu32 " x %s", indent,
                       "", level, digits, record->address, record->count, sizes[level]);
        break;
    case PT_HIDDEN:
        (void)snprintf(
            text, PT_TEXT_BYTES,
            "%*sL%u hidden 0x%0*" PRIx64 " of 0x%010" PRIx64 " %.2s %" PRIu32 " x %s rsw%u", indent,
            "", level, digits, record->address, record->entry >> PT_HIDDEN_SHIFT << PT_PAGE_SHIFT,
            flags, record->count, sizes[level], (unsigned)(record->entry >> RSW_SHIFT) & 3);
        break;
    case PT_OTHER:
        (void)snprintf(text, PT_TEXT_BYTES,
                       "%*sL%u other 0x%0*" PRIx64 " raw 0x%016" PRIx64 " %" PRIu32 " x %s", indent,
                       "", level, digits, record->address, record->entry, record->count,
                       sizes[level]);
        break;
    }
}

/* Order of a walk: by address; of one address the node that holds the other comes first. */
static int record_order(const struct pt_record *one, const struct pt_record *other)
{
    if (one->address != other->address) {
        return one->address < other->address ? -1 : 1;
    }
    if (one->level != other->level) {
        return one->level > other->level ? -1 : 1;
    }
    return (one->kind != PT_NODE) - (other->kind != PT_NODE);
}

static int record_is_same(const struct pt_record *one, const struct pt_record *other)
{
    return one->address == other->address && one->entry == other->entry &&
           one->count == other->count && one->level == other->level && one->kind == other->kind;
}

static const struct pt_record *record_at(const struct pt_dump *dump, size_t index, uint64_t limit)
{
    const struct pt_record *record = index < dump->count ? &dump->records[index] : NULL;

    return record != NULL && record->address < limit ? record : NULL;
}

void pt_text_compare(const struct pt_dump *before, const struct pt_dump *after,
                     void (*tell)(void *context, enum pt_change change,
                                  const struct pt_record *record),
                     void *context)
{
    uint64_t limit = before->limit < after->limit ? before->limit : after->limit;
    size_t i = 0;
    size_t j = 0;

    for (;;) {
        const struct pt_record *old = record_at(before, i, limit);
        const struct pt_record *now = record_at(after, j, limit);

        if (old == NULL && now == NULL) {
            return;
        }
        if (old != NULL && now != NULL && record_is_same(old, now)) {
            tell(context, PT_SAME, now);
            i++;
            j++;
        } else if (now == NULL || (old != NULL && record_order(old, now) <= 0)) {
            tell(context, PT_GONE, old);
            i++;
        } else {
            tell(context, PT_NEW, now);
            j++;
        }
    }
}
