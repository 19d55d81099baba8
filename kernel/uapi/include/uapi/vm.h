/* SPDX-License-Identifier: MIT */
/* Virtual memory, as the calls speak of it. */
#pragma once

#define VM_PAGE_SIZE 4096UL

/* Permissions (argument prot). */
#define VM_PROT_R 1UL
#define VM_PROT_W 2UL /* needs R */
#define VM_PROT_X 4UL

/* Flags of vm_map and vm_map_io. */
#define VM_FLAG_REPLACE 1UL /* what is mapped there leaves; without it that is EEXIST */
#define VM_FLAG_NC      2UL /* vm_map_io only: not cacheable, needs Svpbmt */

/* What vm_query finds (result `kind`). */
#define VM_KIND_ABSENT 0UL
#define VM_KIND_RAM    1UL
#define VM_KIND_IO     2UL

/* Result `flags` of vm_query. */
#define VM_STATE_ACCESSED 1UL
#define VM_STATE_DIRTY    2UL
