/* SPDX-License-Identifier: MIT */
/*
 * What a mapping grants and how its memory behaves: the words that the entry codec, mm/ and the
 * kernel share.  Flags grant, never forbid.
 */
#pragma once

#include <stdint.h>

/* Permissions.  W without R does not exist in the entry format ("Sv39", encodings of R/W/X). */
enum vm_prot {
    VM_PROT_NONE = 0,
    VM_R = 1,
    VM_W = 2,
    VM_RW = 3,
    VM_X = 4,
    VM_RX = 5,
    VM_WX = 6, /* cannot be encoded; refused by every check */
    VM_RWX = 7,
};

/* Memory type, by the names of the Svpbmt extension. */
enum vm_mem {
    VM_MEM_PMA = 0, /* as the physical attributes say            */
    VM_MEM_NC = 1,  /* main memory, not cacheable, weakly ordered */
    VM_MEM_IO = 2,  /* device, not cacheable, strongly ordered    */
};

/* Kinds of access, as a fault reports them. */
enum vm_access {
    VM_ACCESS_READ,
    VM_ACCESS_WRITE,
    VM_ACCESS_EXECUTE,
};

/* Address-space identifier; 0 where the machine has none. */
typedef uint16_t asid_t;
