/* SPDX-License-Identifier: MIT */
/*
 * What the machine is made of, as read from the device tree and the firmware at boot.
 *
 * One constant description after boot; no pointer into the tree survives.  The reader
 * (machine_read_tree) is pure and is tested on the host with trees of many machines.
 */
#pragma once

#include "lib/hart_mask.h"
#include "lib/types.h"

#define MACHINE_BANKS_MAX     16U
#define MACHINE_RESERVED_MAX  48U
#define MACHINE_IO_MAX        96U
#define MACHINE_NOTES_MAX     8U
#define MACHINE_ALIASES_MAX   2U
#define MACHINE_TEXT_BYTES    64U
#define MACHINE_CMDLINE_BYTES 1024U

/* ISA extensions the kernel asks about; known only if every usable hart has them. */
enum machine_isa {
    MACHINE_ISA_SSTC = 1 << 0,
    MACHINE_ISA_SVPBMT = 1 << 1,
    MACHINE_ISA_SVINVAL = 1 << 2,
    MACHINE_ISA_SVNAPOT = 1 << 3,
    MACHINE_ISA_SVADU = 1 << 4,
    MACHINE_ISA_SVADE = 1 << 5,
    MACHINE_ISA_SVVPTC = 1 << 6,
    MACHINE_ISA_ZICBOZ = 1 << 7,
    MACHINE_ISA_ZICBOM = 1 << 8,
    MACHINE_ISA_F = 1 << 9,
    MACHINE_ISA_D = 1 << 10,
};

struct machine_hart {
    uint64_t hart_id;      /* the tree's `reg`                                  */
    unsigned levels;       /* cap by mmu-type: 3, 4, 5                          */
    uint32_t isa;          /* set of enum machine_isa                           */
    uint32_t intc_phandle; /* of its interrupt controller, 0 if none            */
    int32_t plic_context;  /* S-mode context of the PLIC, -1 if none            */
};

enum machine_reserved_kind {
    MACHINE_RESERVED_TREE,     /* /reserved-memory or the header's list         */
    MACHINE_RESERVED_NO_MAP,   /* /reserved-memory with no-map: never mapped    */
    MACHINE_RESERVED_FIRMWARE, /* below the kernel, where firmware lives        */
    MACHINE_RESERVED_KERNEL,   /* the kernel's image                            */
    MACHINE_RESERVED_FDT,      /* the device tree itself                        */
    MACHINE_RESERVED_INITRD,
};

struct machine_reserved {
    struct pa_range range; /* as given, not rounded */
    enum machine_reserved_kind kind;
};

enum machine_uart_kind {
    MACHINE_UART_NONE,
    MACHINE_UART_16550,
    MACHINE_UART_SIFIVE,
};

struct machine_uart {
    enum machine_uart_kind kind;
    paddr_t base;
    uint64_t size_bytes;
    unsigned reg_shift;    /* stride of registers: 1 << reg_shift bytes */
    unsigned reg_io_width; /* bytes of one access: 1, 2 or 4            */
    uint32_t irq;
};

struct machine_plic {
    paddr_t base;
    uint64_t size_bytes; /* 0: none */
    uint32_t sources;
};

/* Memory that the machine shows a second time, uncached, `offset` bytes above.  No bank has both.
 */
struct machine_alias {
    struct pa_range memory; /* the largest that there can be */
    uint64_t offset;
};

/* A device's registers, for user programs. */
struct machine_io {
    struct pa_range range;               /* page aligned */
    char compatible[MACHINE_TEXT_BYTES]; /* first string of the node's compatible */
};

/* Where the tree is wrong, for the message.  Bytes that do not print arrive as '?'. */
struct machine_problem {
    char node[MACHINE_TEXT_BYTES * 2]; /* its path, or "header"               */
    char property[MACHINE_TEXT_BYTES]; /* property or header field; may be "" */
    const char *what;                  /* static text */
};

struct machine {
    char model[MACHINE_TEXT_BYTES];
    char cmdline[MACHINE_CMDLINE_BYTES];
    struct pa_range banks[MACHINE_BANKS_MAX]; /* sorted, disjoint, page aligned inwards */
    size_t bank_count;
    struct machine_reserved reserved[MACHINE_RESERVED_MAX];
    size_t reserved_count;
    struct machine_alias aliases[MACHINE_ALIASES_MAX]; /* as far as they are known */
    size_t alias_count;
    struct machine_hart harts[HART_MAX]; /* usable ones only, in the tree's order */
    size_t hart_count;
    size_t hart_skipped;            /* nodes left alone: no MMU, not okay, or too many */
    uint64_t skipped_ids[HART_MAX]; /* of the first of those that have an id, for the report */
    size_t skipped_id_count;
    uint64_t timebase_hz;     /* 1 kHz to 10 GHz */
    unsigned levels_cap;      /* least mmu-type of the usable harts */
    uint32_t isa;             /* what all usable harts have */
    uint32_t cbo_block_bytes; /* riscv,cboz-block-size, 0 if unknown or not the same for all */
    struct machine_uart uart;
    struct machine_plic plic;
    struct pa_range initrd; /* empty (start == end) if none */
    struct machine_io io[MACHINE_IO_MAX];
    size_t io_count;
    struct machine_problem notes[MACHINE_NOTES_MAX]; /* what was left out, and why */
    size_t note_count;                               /* the first ones, if there are more */
};

/* Reads the flattened tree at `tree`, which is at most max_bytes long and hostile.
 *
 * tree:     8-byte aligned; not changed, not kept.
 * boot_hart: hart id the firmware started us on; must be among the usable ones.
 * Errors:   ERR_INVAL  damaged or impossible tree; *problem names node and property
 *           ERR_NOTSUP a tree of a machine the kernel cannot run on; likewise
 *           In both cases *out is undefined.
 * What is wrong with one device or one hart other than the boot hart is no error: it is left out,
 * and out->notes names it.
 * Context:  none; pure.  The kernel's, firmware's and the tree's own ranges are not in the tree:
 *           the caller adds them with machine_reserve. */
status_t machine_read_tree(const void *tree, size_t max_bytes, uint64_t boot_hart,
                           struct machine *out, struct machine_problem *problem);

/* True if programs may use floating point: every usable hart has F and D. */
static inline bool machine_has_fp(const struct machine *machine)
{
    uint32_t wanted = MACHINE_ISA_F | MACHINE_ISA_D;

    return (machine->isa & wanted) == wanted;
}

/* Adds a reserved range.  ERR_NOSPC: the table is full, nothing changed. */
status_t machine_reserve(struct machine *machine, struct pa_range range,
                         enum machine_reserved_kind kind);

/* The running machine; constant once mm_init has been called. */
const struct machine *machine_get(void);

/* Index into harts[] of the hart with that id, or -1. */
int machine_hart_by_id(const struct machine *machine, uint64_t hart_id);

/* Value of a kernel command-line word `key=value` before " -- "; false if it is not there or does
 * not fit. value is terminated; value_bytes > 0.  Of several, the last one counts. */
bool machine_cmdline_value(const struct machine *machine, const char *key, char *value,
                           size_t value_bytes);

/* True if the bare word stands on the command line before " -- ". */
bool machine_cmdline_has(const struct machine *machine, const char *word);

/* The word of that index among those that the kernel does not know, cut off if it does not fit;
 * false behind the last.  Words whose value is wrong are told by who reads them, if it may be many.
 */
bool machine_cmdline_unknown(const struct machine *machine, size_t index, char *word,
                             size_t word_bytes);

/* The text after the word `--`, or "" if there is none. */
const char *machine_cmdline_init(const struct machine *machine);
