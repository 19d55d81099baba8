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

/* What the software's bits say of a page. */
static int sw_text(unsigned rsw, int is_view, char *text, size_t text_bytes)
{
    return is_view ? snprintf(text, text_bytes, " view")
                   : snprintf(text, text_bytes, " rsw%u", rsw);
}

/* The bits above the frame number and the software's, if any is set. */
static void rest_text(uint64_t entry, char *text, size_t text_bytes)
{
    static const char *const types[] = {"", " nc", " io", " pbmt3"};
    unsigned rsw = entry >> RSW_SHIFT & 3;
    int is_view = rsw == 1 && (entry & (PT_V | PT_W | PT_D)) == (PT_V | PT_D);
    unsigned reserved = (unsigned)(entry >> RESERVED_SHIFT) & RESERVED_MASK;
    int used = 0;

    text[0] = '\0';
    if (rsw != 0) {
        used = sw_text(rsw, is_view, text, text_bytes);
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

/* What a mark will permit, and whether the page will be the space's alone, or a view. */
static void mark_text(const struct pt_record *record, char text[16])
{
    uint64_t prot = record->entry >> PT_MARK_SHIFT;
    int is_view = record->kind == PT_PAGED && (record->entry & PT_MARK_VIEW) != 0;
    const char *whose = (record->entry & PT_MARK_PRIVATE) != 0 ? " private" : "";

    (void)snprintf(text, 16, "%c%c%c%s", (prot & 1) != 0 ? 'r' : '-', (prot & 2) != 0 ? 'w' : '-',
                   (prot & 4) != 0 ? 'x' : '-', is_view ? " view" : whose);
}

/* Where the pages of a mark come from, or how large they will be, if it says so. */
static void source_text(const struct pt_record *record, char text[40])
{
    uint64_t place = record->entry >> PT_PLACE_SHIFT;

    text[0] = '\0';
    if (record->kind == PT_RESERVED && place != 0) {
        (void)snprintf(text, 40, " as %s", place == 1 ? "2M" : "1G");
    } else if (record->kind == PT_PAGED) {
        (void)snprintf(text, 40, " slot %u page 0x%" PRIx64,
                       (unsigned)(record->entry >> PT_SLOT_SHIFT & PT_SLOT_MASK), place);
    } else if (record->kind == PT_SWAPPED) {
        (void)snprintf(text, 40, " as 0x%" PRIx64, place);
    }
}

/* The line of a mark, from its name on. */
static void mark_line(const struct pt_record *record, int digits, const char *size, char *text,
                      size_t text_bytes)
{
    static const char *const names[] = {
        [PT_RESERVED] = "reserved", [PT_PAGED] = "paged", [PT_SWAPPED] = "swapped"};
    char mark[16];
    char source[40];

    mark_text(record, mark);
    source_text(record, source);
    (void)snprintf(text, text_bytes, "%s 0x%0*" PRIx64 " %.3s %" PRIu32 " x %s%s%s",
                   names[record->kind], digits, record->address, mark, record->count, size, source,
                   mark + 3);
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
    unsigned rsw = 0;
    int used = 0;

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
    case PT_PAGED:
    case PT_SWAPPED:
        used = snprintf(text, PT_TEXT_BYTES, "%*sL%u ", indent, "", level);
        mark_line(record, digits, sizes[level], text + used, PT_TEXT_BYTES - (size_t)used);
        break;
    case PT_GUARD:
        (void)snprintf(text, PT_TEXT_BYTES, "%*sL%u guard 0x%0*" PRIx64 " %" PRIu32 " x %s", indent,
                       "", level, digits, record->address, record->count, sizes[level]);
        break;
    case PT_HIDDEN:
        rsw = (unsigned)(record->entry >> RSW_SHIFT) & 3;
        (void)sw_text(rsw, rsw == 1, rest, sizeof(rest)); /* device pages are not hidden */
        (void)snprintf(text, PT_TEXT_BYTES,
                       "%*sL%u hidden 0x%0*" PRIx64 " of 0x%010" PRIx64 " %.2s %" PRIu32 " x %s%s",
                       indent, "", level, digits, record->address,
                       record->entry >> PT_HIDDEN_SHIFT << PT_PAGE_SHIFT, flags, record->count,
                       sizes[level], rest);
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
