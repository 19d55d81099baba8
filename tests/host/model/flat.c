/* SPDX-License-Identifier: MIT */
/* The flat reference model: a sorted array, searched by halves. */
#include "model/flat.h"

#include <stdlib.h>
#include <string.h>

/* Index of the first page at or past va. */
static size_t lower_bound(const struct flat *flat, uint64_t va)
{
    size_t low = 0;
    size_t high = flat->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (flat->pages[middle].va < va) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct flat_page *flat_at(const struct flat *flat, uint64_t va)
{
    const struct flat_page *page = flat_from(flat, va - va % FLAT_PAGE);

    return page != NULL && page->va == va - va % FLAT_PAGE ? page : NULL;
}

const struct flat_page *flat_from(const struct flat *flat, uint64_t va)
{
    size_t i = lower_bound(flat, va);

    return i < flat->count ? &flat->pages[i] : NULL;
}

size_t flat_count_pa(const struct flat *flat, uint64_t pa)
{
    size_t count = 0;

    for (size_t i = 0; i < flat->count; i++) {
        count += flat->pages[i].pa == pa;
    }
    return count;
}

void flat_put(struct flat *flat, struct flat_page page)
{
    size_t i = lower_bound(flat, page.va);

    if (i < flat->count && flat->pages[i].va == page.va) {
        flat->pages[i] = page;
        return;
    }
    if (flat->count == flat->capacity) {
        flat->capacity = flat->capacity * 2 + 64;
        flat->pages = realloc(flat->pages, flat->capacity * sizeof(page));
        if (flat->pages == NULL) {
            abort();
        }
    }
    memmove(&flat->pages[i + 1], &flat->pages[i], (flat->count - i) * sizeof(page));
    flat->pages[i] = page;
    flat->count++;
}

struct flat_removed flat_remove(struct flat *flat, uint64_t start, uint64_t end)
{
    struct flat_removed removed = {0};
    size_t first = lower_bound(flat, start);
    size_t last = first;

    for (; last < flat->count && flat->pages[last].va < end; last++) {
        if (flat->pages[last].kind == FLAT_IO) {
            removed.io_pages++;
        } else {
            removed.ram_pages++;
        }
    }
    if (last > first) {
        memmove(&flat->pages[first], &flat->pages[last],
                (flat->count - last) * sizeof(flat->pages[0]));
        flat->count -= last - first;
    }
    return removed;
}

static struct flat_errors error_if(bool condition, status_t status)
{
    return condition ? flat_error(status) : (struct flat_errors){0};
}

struct flat_errors flat_errors_open(uint64_t start, uint64_t end, uint64_t limit)
{
    return flat_either(
        error_if(start >= end || start % FLAT_PAGE != 0 || end % FLAT_PAGE != 0, ERR_INVAL),
        error_if(end > limit, ERR_RANGE));
}

struct flat_errors flat_errors_jump(const struct flat_cursor *cursor, uint64_t va)
{
    return flat_either(error_if(va % FLAT_PAGE != 0, ERR_INVAL),
                       error_if(va < cursor->start || va >= cursor->end, ERR_RANGE));
}

struct flat_errors flat_errors_len(const struct flat_cursor *cursor, uint64_t len)
{
    return flat_either(error_if(len % FLAT_PAGE != 0, ERR_INVAL),
                       error_if(len > cursor->end - cursor->va, ERR_RANGE));
}

struct flat_errors flat_errors_change(const struct flat_cursor *cursor)
{
    return error_if(!cursor->may_change, ERR_ACCES);
}

struct flat_errors flat_errors_prot(unsigned prot)
{
    return error_if(prot == 0 || prot > 7 || (prot & 3) == 2, ERR_INVAL);
}
