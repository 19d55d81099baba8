/* SPDX-License-Identifier: MIT */
/*
 * Checks a flattened tree token by token ("Flattened Devicetree (DTB) Format" of the Devicetree
 * Specification), without libfdt, which trusts the length of a property for its next step.
 * Invariant: a byte is read only after the place it lies at was compared with the block it is in.
 */
#include "fdt/tree_check.h"

#include <libfdt.h>

#include "fdt/tree.h"
#include "lib/string.h"

#define HEADER_BYTES  40U
#define VERSION       17U
#define RESERVE_BYTES 16U

struct block {
    uint32_t start, end; /* offsets from the start of the tree */
};

struct check {
    const uint8_t *fdt;
    struct machine_problem *problem;
    struct block structure;
    struct block strings;
    uint32_t total_bytes;
    uint32_t at;                       /* next token                                      */
    unsigned depth;                    /* open nodes                                      */
    const char *names[TREE_DEPTH_MAX]; /* of the open nodes; the root's may be anything   */
    bool has_child;                    /* the open node has a child: no properties follow */
    bool has_root;
};

static uint32_t load(const struct check *check, uint32_t at)
{
    return (uint32_t)tree_cells_value(check->fdt + at, 1);
}

static status_t refuse_header(const struct check *check, const char *field, const char *what)
{
    tree_text_copy(check->problem->node, sizeof(check->problem->node), "header", TREE_NAME_BYTES,
                   '?');
    tree_text_copy(check->problem->property, sizeof(check->problem->property), field,
                   TREE_NAME_BYTES, '?');
    check->problem->what = what;
    return ERR_INVAL;
}

/* Names the open node by its path, cut off where it does not fit. */
static status_t refuse_node(const struct check *check, const char *property, const char *what)
{
    char *path = check->problem->node;
    size_t at = 1;

    path[0] = '/';
    path[1] = '\0';
    for (unsigned i = 1; i < check->depth; i++) {
        if (i > 1 && at + 1 < sizeof(check->problem->node)) {
            path[at++] = '/';
        }
        tree_text_copy(path + at, sizeof(check->problem->node) - at, check->names[i],
                       TREE_NAME_BYTES, '?');
        at += strlen(path + at);
    }
    tree_text_copy(check->problem->property, sizeof(check->problem->property), property,
                   TREE_NAME_BYTES, '?');
    check->problem->what = what;
    return ERR_INVAL;
}

/* A block of the header: [offset, offset + size) of the tree, behind the header. */
static status_t check_block(const struct check *check, uint32_t size_bytes, const char *field,
                            struct block *block)
{
    uint64_t end = (uint64_t)block->start + size_bytes;

    if (block->start < HEADER_BYTES || end > check->total_bytes) {
        return refuse_header(check, field, "names a block outside of the tree");
    }
    block->end = (uint32_t)end;
    return OK;
}

static status_t check_reserve_list(const struct check *check, uint32_t at)
{
    if (at < HEADER_BYTES || at % 8 != 0) {
        return refuse_header(check, "off_mem_rsvmap", "is an impossible place");
    }
    for (; at <= check->total_bytes && check->total_bytes - at >= RESERVE_BYTES;
         at += RESERVE_BYTES) {
        if (tree_cells_value(check->fdt + at + 8, 2) == 0) {
            return OK;
        }
    }
    return refuse_header(check, "off_mem_rsvmap", "names a list without an end");
}

static status_t check_header(struct check *check, size_t max_bytes)
{
    status_t status;

    if (((uintptr_t)check->fdt & 7) != 0 || check->fdt == NULL) {
        return refuse_header(check, "magic", "is not at a multiple of 8 bytes");
    }
    if (max_bytes < HEADER_BYTES) {
        return refuse_header(check, "totalsize", "says more than there is");
    }
    if (load(check, 0) != FDT_MAGIC) {
        return refuse_header(check, "magic", "is not that of a device tree");
    }
    if (load(check, 20) < VERSION || load(check, 24) > VERSION) {
        return refuse_header(check, "version", "is not one the kernel reads");
    }
    check->total_bytes = load(check, 4);
    if (check->total_bytes < HEADER_BYTES || check->total_bytes > INT32_MAX) {
        return refuse_header(check, "totalsize", "is an impossible size");
    }
    if (check->total_bytes > max_bytes) {
        return refuse_header(check, "totalsize", "says more than there is");
    }
    check->structure.start = load(check, 8);
    check->strings.start = load(check, 12);
    if (check->structure.start % 4 != 0) {
        return refuse_header(check, "off_dt_struct", "is an impossible place");
    }
    status = check_block(check, load(check, 36), "off_dt_struct", &check->structure);
    if (status == OK) {
        status = check_block(check, load(check, 32), "off_dt_strings", &check->strings);
    }
    return status == OK ? check_reserve_list(check, load(check, 16)) : status;
}

/* A name at `at`, which must end inside the block, after at most TREE_NAME_BYTES bytes. */
static bool name_is_good(const struct check *check, uint32_t at, struct block block)
{
    uint32_t room = block.end - at;
    uint32_t limit = room < TREE_NAME_BYTES ? room : TREE_NAME_BYTES;

    return strnlen((const char *)check->fdt + at, limit) < limit;
}

static status_t open_node(struct check *check)
{
    const char *name = (const char *)check->fdt + check->at;

    if (check->depth == 0 && check->has_root) {
        return refuse_node(check, "", "has a second root beside it");
    }
    if (check->depth == TREE_DEPTH_MAX) {
        return refuse_node(check, "", "has children that lie too deep");
    }
    if (!name_is_good(check, check->at, check->structure)) {
        return refuse_node(check, "", "has a child whose name is too long or does not end");
    }
    check->names[check->depth] = name;
    check->depth++;
    check->has_root = true;
    check->has_child = false;
    check->at += (uint32_t)align_up(strlen(name) + 1, 4);
    return OK;
}

static status_t check_property(struct check *check)
{
    struct block block = check->structure;
    uint64_t name_at;
    uint64_t end;

    if (block.end - check->at < 8) {
        return refuse_node(check, "", "is cut off");
    }
    name_at = (uint64_t)check->strings.start + load(check, check->at + 4);
    end = (uint64_t)check->at + 8 + load(check, check->at);
    if (name_at >= check->strings.end || !name_is_good(check, (uint32_t)name_at, check->strings)) {
        return refuse_node(check, "", "has a property whose name lies outside of the names");
    }
    if (end > block.end) {
        return refuse_node(check, (const char *)check->fdt + name_at, "goes beyond the tree");
    }
    if (check->depth == 0 || check->has_child) {
        return refuse_node(check, (const char *)check->fdt + name_at, "is in no node's head");
    }
    check->at = (uint32_t)align_up(end, 4);
    return OK;
}

static status_t close_node(struct check *check)
{
    if (check->depth == 0) {
        return refuse_node(check, "", "ends more than once");
    }
    check->depth--;
    check->has_child = true;
    return OK;
}

static status_t check_end(const struct check *check)
{
    return check->has_root && check->depth == 0 ? OK : refuse_node(check, "", "does not end");
}

static status_t check_structure(struct check *check)
{
    status_t status = OK;

    check->at = check->structure.start;
    while (status == OK) {
        uint32_t token;

        if (check->at > check->structure.end || check->structure.end - check->at < 4) {
            return refuse_node(check, "", "is cut off");
        }
        token = load(check, check->at);
        check->at += 4;
        switch (token) {
        case FDT_BEGIN_NODE:
            status = open_node(check);
            break;
        case FDT_PROP:
            status = check_property(check);
            break;
        case FDT_END_NODE:
            status = close_node(check);
            break;
        case FDT_NOP:
            break;
        case FDT_END:
            return check_end(check);
        default:
            return refuse_node(check, "", "holds something that is no part of a tree");
        }
    }
    return status;
}

status_t tree_check(const void *fdt, size_t max_bytes, struct machine_problem *problem)
{
    struct check check = {.fdt = fdt, .problem = problem};
    status_t status = check_header(&check, max_bytes);

    return status == OK ? check_structure(&check) : status;
}
