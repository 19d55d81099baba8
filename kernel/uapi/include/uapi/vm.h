/* SPDX-License-Identifier: MIT */
/* Virtual memory, as the calls speak of it. */
#pragma once

#include <stdint.h>

#define VM_PAGE_SIZE 4096UL

/* Permissions (argument prot). */
#define VM_PROT_NONE 0UL /* vm_protect and vm_mark only */
#define VM_PROT_R    1UL
#define VM_PROT_W    2UL /* needs R */
#define VM_PROT_X    4UL

/* Flags of vm_map and vm_map_io. */
#define VM_FLAG_REPLACE 1UL /* what is mapped there leaves; without it that is EEXIST */
#define VM_FLAG_NC      2UL /* vm_map_io only: not cacheable, needs Svpbmt */
#define VM_FLAG_PRIVATE 4UL /* memory_map only: who writes here gets a page of its own */
#define VM_FLAG_NOW     8UL /* memory_map only: maps the pages now, not on first access */

/* Sizes of pages: flags of vm_map, and of vm_mark for VM_KIND_RESERVED; without one, 4 KiB. */
#define VM_FLAG_2M 16UL
#define VM_FLAG_1G 32UL

/* What vm_query finds (result `kind`). */
#define VM_KIND_ABSENT 0UL
#define VM_KIND_RAM    1UL
#define VM_KIND_IO     2UL
#define VM_KIND_RESERVED                                                                           \
    3UL                     /* memory that is made, zeroed, by the first access that prot permits */
#define VM_KIND_GUARD   4UL /* every access is a fault; vm_protect leaves it alone               */
#define VM_KIND_HIDDEN  5UL /* RAM that keeps its contents while its prot is VM_PROT_NONE        */
#define VM_KIND_PAGED   6UL /* pages of a memory object, mapped by the first access prot permits */
#define VM_KIND_SWAPPED 7UL /* a page that a pager keeps: every access is a fault               */

/* What vm_mark writes (argument kind): VM_KIND_RESERVED or VM_KIND_GUARD. */

/* Result `flags` of vm_query; all but the first two those of a range, too. */
#define VM_STATE_ACCESSED 1UL
#define VM_STATE_DIRTY    2UL
#define VM_STATE_PRIVATE  4UL  /* memory, now or to come, that is this process's alone */
#define VM_STATE_VIEW     8UL  /* shared, and vm_protect never grants W                */
#define VM_STATE_UNCACHED 16UL /* VM_KIND_IO: mapped with VM_FLAG_NC                   */
#define VM_STATE_2M       32UL /* VM_KIND_RESERVED: pages of 2 MiB or 1 GiB will come  */
#define VM_STATE_1G       64UL

/* What vm_ranges writes: slots of one kind, permission, size and share, one after another. */
struct vm_range_info {
    uint64_t start;
    uint64_t bytes;
    uint32_t kind;     /* VM_KIND_*, never VM_KIND_ABSENT                     */
    uint32_t prot;     /* VM_PROT_*                                           */
    uint32_t level;    /* of the entries: 0 = 4 KiB, 1 = 2 MiB, 2 = 1 GiB, ... */
    uint32_t flags;    /* VM_STATE_PRIVATE, _VIEW, _UNCACHED, _2M, _1G        */
    uint64_t physical; /* VM_KIND_IO: of start; else 0                        */
    uint64_t shared;   /* pages whose frame somebody else refers to as well   */
    uint64_t accessed; /* pages with the accessed bit                         */
    uint64_t dirty;    /* pages with the dirty bit                            */
};

/* Flag of futex_wait and futex_wake. */
#define FUTEX_SHARED 1UL

/* What vm_txn does with a range (`op`). */
#define VM_TXN_UNMAP   0U
#define VM_TXN_PROTECT 1U /* prot                                                     */
#define VM_TXN_MARK    2U /* kind, prot, flags: those of vm_mark                      */
#define VM_TXN_MEMORY  3U /* memory, offset, prot, flags: of memory_map; not VM_FLAG_NOW */

#define VM_TXN_OPS     32UL /* in one transaction at most */

struct vm_txn_op {
    uint32_t op;
    uint32_t kind;
    uint64_t address; /* page aligned           */
    uint64_t bytes;   /* page multiple, not 0   */
    uint64_t prot;
    uint64_t flags;
    uint64_t memory; /* handle: MAP and READ, EXECUTE for prot X */
    uint64_t offset; /* page multiple           */
};
