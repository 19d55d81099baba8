/* SPDX-License-Identifier: MIT */
/*
 * The entry codec: page-table entries of Sv39, Sv48 and Sv57 as pure functions of values.
 *
 * No memory, no CSR, no assembly: the host tests use this very file.  Entries are built as whole
 * values and stored once; slots (entries in memory) are arch/slot.h.  All three modes share one
 * entry format and differ in the number of levels, which is a parameter here.  Privileged spec,
 * "Sv39/Sv48/Sv57: Page-Based Virtual-Memory System", "Svpbmt".
 *
 *   63  62:61  60:54     53:10  9:8  7 6 5 4 3 2 1 0
 *   N   PBMT   reserved  PPN    RSW  D A G U X W R V
 *
 * With V=0 the hardware ignores the other 63 bits.  This is how they are laid out:
 *   - all zero: nothing.
 *   - tag (bits 3:1) says what the entry means, and which of two layouts it has:
 *
 *       a frame is kept     63:20 PPN                  9:8 RSW   7 D        6 A      3:1 tag
 *       a mark              63:24 place   23:10 slot   8 view    7 private  6:4 XWR  3:1 tag
 *
 *     Dying and hidden entries keep a frame, or a block of frames above level 0 (arch/pte_kept.h);
 *     reserved, guard, paged and swapped ones are marks (arch/pte_mark.h).  Slot and place are a
 * paged mark's, the place alone a swapped one's; of a reserved one the place is the level of the
 * pages to come. Tags that nothing here makes are PTE_UNKNOWN, like a mark whose other bits are not
 * zero.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/vm_types.h"
#include "lib/types.h"

#define PTE_V                UINT64_C(0x001)
#define PTE_R                UINT64_C(0x002)
#define PTE_W                UINT64_C(0x004)
#define PTE_X                UINT64_C(0x008)
#define PTE_U                UINT64_C(0x010)
#define PTE_G                UINT64_C(0x020)
#define PTE_A                UINT64_C(0x040)
#define PTE_D                UINT64_C(0x080)
#define PTE_RSW_SHIFT        8U
#define PTE_RSW_MASK         (UINT64_C(3) << PTE_RSW_SHIFT)
#define PTE_PPN_SHIFT        10U
#define PTE_PPN_BITS         44U
#define PTE_PPN_MASK         (((UINT64_C(1) << PTE_PPN_BITS) - 1) << PTE_PPN_SHIFT)
#define PTE_PBMT_SHIFT       61U
#define PTE_PBMT_MASK        (UINT64_C(3) << PTE_PBMT_SHIFT)
#define PTE_RESERVED_MASK    (UINT64_C(0x7f) << 54)
#define PTE_N                (UINT64_C(1) << 63)
#define PTE_HIGH_SHIFT       54U /* of all that lies above the address */

#define PTE_TAG_SHIFT        1U
#define PTE_TAG_MASK         (UINT64_C(7) << PTE_TAG_SHIFT)
#define PTE_TAG_DYING        UINT64_C(1)
#define PTE_TAG_RESERVED     UINT64_C(2)
#define PTE_TAG_GUARD        UINT64_C(3)
#define PTE_TAG_HIDDEN       UINT64_C(4)
#define PTE_TAG_PAGED        UINT64_C(5)
#define PTE_TAG_SWAPPED      UINT64_C(6)
#define PTE_MARK_TAGS        UINT64_C(0x6c) /* a bit for each tag of a mark */
#define PTE_KEPT_PPN_SHIFT   20U            /* of the tags that keep a frame */
#define PTE_KEPT_MASK        (~UINT64_C(0) << PTE_KEPT_PPN_SHIFT | PTE_RSW_MASK | PTE_A | PTE_D)
#define PTE_MARK_PROT_SHIFT  4U
#define PTE_MARK_PROT_MASK   (UINT64_C(7) << PTE_MARK_PROT_SHIFT)
#define PTE_MARK_PRIVATE     (UINT64_C(1) << 7)
#define PTE_MARK_VIEW        (UINT64_C(1) << 8)
#define PTE_MARK_SLOT_SHIFT  10U
#define PTE_MARK_SLOT_BITS   14U
#define PTE_MARK_SLOT_MASK   (((UINT64_C(1) << PTE_MARK_SLOT_BITS) - 1) << PTE_MARK_SLOT_SHIFT)
#define PTE_MARK_PLACE_SHIFT 24U
#define PTE_MARK_PLACE_BITS  40U

/* A bit for each value of the entry's bits 3:0 (X W R V), set where they are a leaf's. */
#define PTE_LEAF_BITS UINT64_C(0x8a88)

/* What of a pointer to a table is fixed: V set, all else but the address, G and RSW clear. */
#define PTE_TABLE_MASK    (~(PTE_PPN_MASK | PTE_G | PTE_RSW_MASK))

#define PTE_ENTRIES       512U /* entries in a node                   */
#define PTE_INDEX_BITS    9U   /* bits of address one level translates */
#define PTE_LEVELS_MAX    5U   /* Sv57                                */
#define PTE_LEVEL_RAM_MAX 2U   /* of an entry that maps RAM: 1 GiB    */
#define PTE_PA_BITS       56U  /* width of a physical address         */

typedef struct pte {
    uint64_t raw;
} pte_t; /* the value of an entry */

/* What a leaf says about the frame it names: the two software bits, and for PTE_SW_VIEW, D without
 * W, which hardware neither makes nor changes, and which no leaf of a region has. */
enum pte_sw {
    PTE_SW_RAM = 0,     /* RAM that others may map too, on purpose                          */
    PTE_SW_IO = 1,      /* an I/O region: never treated as RAM                              */
    PTE_SW_PRIVATE = 2, /* RAM whose contents are this space's alone                        */
    PTE_SW_PENDING = 3, /* the same, writable in meaning though W is clear: a write makes it
                           this space's alone first, for others name the frame too          */
    PTE_SW_VIEW = 4,    /* RAM that others map too, and that may never be written to here   */
};

enum pte_kind {
    PTE_ABSENT,  /* nothing                                              */
    PTE_DYING,   /* removed, its flush still owed                        */
    PTE_MARK,    /* a meaning, no frame; any level                       */
    PTE_HIDDEN,  /* RAM that nobody may access now; up to PTE_LEVEL_RAM_MAX */
    PTE_TABLE,   /* points to a node of the next lower level             */
    PTE_LEAF,    /* maps                                                 */
    PTE_UNKNOWN, /* an encoding that nothing here makes: reserved, broken */
};

/* A leaf in words.  accessed and dirty are what hardware reported (decode); encoding presets A, and
 * D together with W, so that machines which fault on a clear bit never do. */
struct pte_leaf {
    paddr_t pa;
    enum vm_prot prot;
    enum vm_mem mem;
    enum pte_sw sw;
    bool user;
    bool global;
    bool accessed;
    bool dirty;
};

/* Bytes that one entry of `level` maps: 4 KiB << (9 * level).  level < PTE_LEVELS_MAX. */
static inline uint64_t pte_level_bytes(unsigned level)
{
    return PAGE_SIZE << (PTE_INDEX_BITS * level);
}

/* Index into the node of `level` that translates va. */
static inline unsigned pte_index(vaddr_t va, unsigned level)
{
    return (unsigned)(va.raw >> (PAGE_SHIFT + PTE_INDEX_BITS * level)) & (PTE_ENTRIES - 1);
}

/* Width of a virtual address with that many levels: 39, 48, 57. */
static inline unsigned pte_va_bits(unsigned levels)
{
    return PAGE_SHIFT + PTE_INDEX_BITS * levels;
}

/* First byte past the user half: 2^(VA bits - 1). */
static inline uint64_t pte_user_limit(unsigned levels)
{
    return UINT64_C(1) << (pte_va_bits(levels) - 1);
}

/* True if all bits above the top translated bit copy it. */
static inline bool pte_va_is_canonical(vaddr_t va, unsigned levels)
{
    unsigned shift = 64U - pte_va_bits(levels);

    return (uint64_t)((int64_t)(va.raw << shift) >> shift) == va.raw;
}

/* True if the encoding can express it: something is granted, and W comes with R. */
static inline bool pte_prot_is_legal(enum vm_prot prot)
{
    return prot <= VM_RWX && prot != VM_PROT_NONE && ((prot & VM_W) == 0 || (prot & VM_R) != 0);
}

static inline pte_t pte_absent(void)
{
    return (pte_t){0};
}

/* Permission bits with their presets: A always, D with W. */
static inline uint64_t pte_prot_bits(enum vm_prot prot)
{
    uint64_t bits = PTE_A;

    bits |= (prot & VM_R) != 0 ? PTE_R : 0;
    bits |= (prot & VM_W) != 0 ? PTE_W | PTE_D : 0;
    bits |= (prot & VM_X) != 0 ? PTE_X : 0;
    return bits;
}

/* What of an entry says which of them it is. */
static inline uint64_t pte_sw_bits(enum pte_sw sw)
{
    return sw == PTE_SW_VIEW ? (uint64_t)PTE_SW_IO << PTE_RSW_SHIFT | PTE_D
                             : (uint64_t)sw << PTE_RSW_SHIFT;
}

/* A leaf.  A view has no W.  The permissions are legal, the address is page aligned and below 2^56;
 * alignment to the level is the caller's.  accessed and dirty are ignored. */
static inline pte_t pte_make_leaf(struct pte_leaf leaf)
{
    uint64_t raw = PTE_V | pte_prot_bits(leaf.prot);

    raw |= leaf.user ? PTE_U : 0;
    raw |= leaf.global ? PTE_G : 0;
    raw |= pte_sw_bits(leaf.sw);
    raw |= (uint64_t)leaf.mem << PTE_PBMT_SHIFT;
    raw |= (leaf.pa.raw >> PAGE_SHIFT) << PTE_PPN_SHIFT;
    return (pte_t){raw};
}

/* A pointer to a node.  U, A and D of a pointer are reserved and stay clear. */
static inline pte_t pte_make_table(paddr_t node)
{
    return (pte_t){PTE_V | (node.raw >> PAGE_SHIFT) << PTE_PPN_SHIFT};
}

/* Physical address in a leaf or table entry. */
static inline paddr_t pte_pa(pte_t entry)
{
    return (paddr_t){(entry.raw & PTE_PPN_MASK) >> PTE_PPN_SHIFT << PAGE_SHIFT};
}

/* The same leaf for another page. */
static inline pte_t pte_with_pa(pte_t leaf, paddr_t pa)
{
    return (pte_t){(leaf.raw & ~PTE_PPN_MASK) | pa.raw >> PAGE_SHIFT << PTE_PPN_SHIFT};
}

/* True for what maps a page of RAM (PTE_SW_RAM, PTE_SW_PRIVATE) without a memory type, in a node of
 * level 0 that mm has filled: it stores nothing there with V set but leaves, so that less has to be
 * looked at than in pte_kind.  False says nothing. */
static inline bool pte_is_plain_page(pte_t entry)
{
    uint64_t odd = UINT64_C(1) << PTE_RSW_SHIFT; /* of PTE_SW_IO and PTE_SW_PENDING */

    return (entry.raw & (PTE_V | odd | ~UINT64_C(0) << PTE_HIGH_SHIFT)) == PTE_V;
}

/* What entry i of a table says that takes the place of a leaf, if each of its entries maps `bytes`:
 * the same for a part of the frames.  It is alike in all else. */
static inline pte_t pte_leaf_part(pte_t leaf, uint64_t i, uint64_t bytes)
{
    return (pte_t){leaf.raw + ((i * bytes) >> PAGE_SHIFT << PTE_PPN_SHIFT)};
}

/* True for a pointer to a table; the entry is not of level 0. */
static inline bool pte_is_table(pte_t entry)
{
    return (entry.raw & PTE_TABLE_MASK) == PTE_V;
}

static inline bool pte_is_absent(pte_t entry)
{
    return entry.raw == 0;
}

/* The tag of an entry with V clear. */
static inline uint64_t pte_tag(pte_t entry)
{
    return (entry.raw & PTE_TAG_MASK) >> PTE_TAG_SHIFT;
}

static inline bool pte_is_dying(pte_t entry)
{
    return (entry.raw & (PTE_V | PTE_TAG_MASK)) == PTE_TAG_DYING << PTE_TAG_SHIFT;
}

static inline bool pte_is_hidden(pte_t entry)
{
    return (entry.raw & (PTE_V | PTE_TAG_MASK)) == PTE_TAG_HIDDEN << PTE_TAG_SHIFT;
}

static inline bool pte_is_mark(pte_t entry)
{
    uint64_t tag = pte_tag(entry);

    return (entry.raw & PTE_V) == 0 && (PTE_MARK_TAGS >> tag & 1) != 0;
}

static inline bool pte_is_paged(pte_t entry)
{
    return (entry.raw & (PTE_V | PTE_TAG_MASK)) == PTE_TAG_PAGED << PTE_TAG_SHIFT;
}

/* True if rights, private and view of a mark fit each other: W comes with R, and not in a view. */
static inline bool pte_mark_grants_legally(pte_t entry)
{
    uint64_t prot = (entry.raw & PTE_MARK_PROT_MASK) >> PTE_MARK_PROT_SHIFT;
    uint64_t both = PTE_MARK_PRIVATE | PTE_MARK_VIEW;

    return (entry.raw & both) != both &&
           ((prot & VM_W) == 0 || ((prot & VM_R) != 0 && (entry.raw & PTE_MARK_VIEW) == 0));
}

/* True if an entry with the tag of one that keeps frames can be one of that level. */
static inline bool pte_keeps_legally(pte_t entry, unsigned level)
{
    uint64_t ppn = entry.raw >> PTE_KEPT_PPN_SHIFT;

    return (entry.raw & ~PTE_TAG_MASK & ~PTE_KEPT_MASK) == 0 && level <= PTE_LEVEL_RAM_MAX &&
           is_aligned(ppn << PAGE_SHIFT, pte_level_bytes(level));
}

/* What an entry of `level` with V clear is. */
static inline enum pte_kind pte_kind_invalid(pte_t entry, unsigned level)
{
    uint64_t reserved_bits = PTE_MARK_PROT_MASK | PTE_MARK_PRIVATE;
    uint64_t rest = entry.raw & ~PTE_TAG_MASK;
    uint64_t low = rest & ((UINT64_C(1) << PTE_MARK_PLACE_SHIFT) - 1);
    bool is_legal = pte_mark_grants_legally(entry);

    switch (pte_tag(entry)) {
    case 0:
        return rest == 0 ? PTE_ABSENT : PTE_UNKNOWN;
    case PTE_TAG_DYING:
        return pte_keeps_legally(entry, level) ? PTE_DYING : PTE_UNKNOWN;
    case PTE_TAG_HIDDEN:
        return pte_keeps_legally(entry, level) ? PTE_HIDDEN : PTE_UNKNOWN;
    case PTE_TAG_RESERVED:
        return (low & ~reserved_bits) == 0 && is_legal &&
                       rest >> PTE_MARK_PLACE_SHIFT <= PTE_LEVEL_RAM_MAX
                   ? PTE_MARK
                   : PTE_UNKNOWN;
    case PTE_TAG_GUARD:
        return rest == 0 ? PTE_MARK : PTE_UNKNOWN;
    case PTE_TAG_PAGED:
        return (rest & (UINT64_C(1) << 9)) == 0 && is_legal ? PTE_MARK : PTE_UNKNOWN;
    case PTE_TAG_SWAPPED:
        return level == 0 && (low & ~reserved_bits) == 0 && is_legal ? PTE_MARK : PTE_UNKNOWN;
    default:
        return PTE_UNKNOWN;
    }
}

/* True if X, W, R and V are those of a leaf: readable or executable, and W not without R. */
static inline bool pte_has_leaf_bits(pte_t entry)
{
    return (PTE_LEAF_BITS >> (entry.raw & (PTE_V | PTE_R | PTE_W | PTE_X)) & 1) != 0;
}

/* What an entry of `level` is.  Encodings the spec reserves, a pointer at level 0 and a misaligned
 * superpage are PTE_UNKNOWN. */
static inline enum pte_kind pte_kind(pte_t entry, unsigned level)
{
    if (pte_has_leaf_bits(entry)) {
        bool reserved =
            entry.raw >> PTE_HIGH_SHIFT != 0 && ((entry.raw & (PTE_RESERVED_MASK | PTE_N)) != 0 ||
                                                 (entry.raw & PTE_PBMT_MASK) == PTE_PBMT_MASK);

        return !reserved && is_aligned(pte_pa(entry).raw, pte_level_bytes(level)) ? PTE_LEAF
                                                                                  : PTE_UNKNOWN;
    }
    if (pte_is_table(entry)) {
        return level > 0 ? PTE_TABLE : PTE_UNKNOWN;
    }
    return (entry.raw & PTE_V) == 0 ? pte_kind_invalid(entry, level) : PTE_UNKNOWN;
}

/* Permissions of a leaf. */
static inline enum vm_prot pte_prot(pte_t entry)
{
    return (enum vm_prot)((entry.raw & (PTE_R | PTE_W | PTE_X)) >> 1);
}

static inline enum pte_sw pte_sw(pte_t entry)
{
    enum pte_sw sw = (enum pte_sw)((entry.raw & PTE_RSW_MASK) >> PTE_RSW_SHIFT);

    return sw == PTE_SW_IO && (entry.raw & (PTE_W | PTE_D)) == PTE_D ? PTE_SW_VIEW : sw;
}

/* A leaf entry in words.  D of a view says what it is, and not that it is dirty. */
static inline struct pte_leaf pte_decode(pte_t entry)
{
    return (struct pte_leaf){
        .pa = pte_pa(entry),
        .prot = pte_prot(entry),
        .mem = (enum vm_mem)((entry.raw & PTE_PBMT_MASK) >> PTE_PBMT_SHIFT),
        .sw = pte_sw(entry),
        .user = (entry.raw & PTE_U) != 0,
        .global = (entry.raw & PTE_G) != 0,
        .accessed = (entry.raw & PTE_A) != 0,
        .dirty = (entry.raw & PTE_D) != 0 && pte_sw(entry) != PTE_SW_VIEW,
    };
}

/* The same leaf with other permissions and memory type.  A is preset, D is preset with W; a dirty
 * page of RAM that loses W stays dirty, since hardware saw a store.  A view gets no W. */
static inline pte_t pte_with_rights(pte_t entry, enum vm_prot prot, enum vm_mem mem)
{
    uint64_t dirty = pte_sw(entry) == PTE_SW_IO ? PTE_D : 0;
    uint64_t keep = entry.raw & ~(PTE_R | PTE_W | PTE_X | PTE_PBMT_MASK | dirty);

    return (pte_t){keep | pte_prot_bits(prot) | (uint64_t)mem << PTE_PBMT_SHIFT};
}

/* The same leaf with other software bits. */
static inline pte_t pte_with_sw(pte_t leaf, enum pte_sw sw)
{
    return (pte_t){(leaf.raw & ~PTE_RSW_MASK) | pte_sw_bits(sw)};
}
