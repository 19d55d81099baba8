/* SPDX-License-Identifier: MIT */
/* Between the two files of transactions: what is asked, and what it comes to. */
#pragma once

#include "cursor_priv.h"
#include "mm/vm_cursor_txn.h"

/* The ends of the operations cut the range into parts.  In each of them every operation does all or
 * nothing, so that what they do one after another is one of these. */
enum txn_net {
    TXN_KEEP,    /* nothing                                                            */
    TXN_PROTECT, /* what is there gets other rights                                    */
    TXN_REMOVE,  /* what is there leaves                                               */
    TXN_MARK,    /* the same, and the addresses are marked by one of the operations    */
};

struct txn_part {
    vaddr_t start; /* its end is where the next one starts                  */
    uint8_t net;   /* enum txn_net                                          */
    uint8_t by;    /* the last operation that did something                 */
    uint8_t mark;  /* the operation whose mark it is                        */
    uint8_t prot;  /* enum vm_prot, of the pages that are there or to come  */
};

/* A transaction under way. */
struct txn {
    struct vm_cursor *cursor;
    const struct vm_change *changes;
    unsigned count;
    unsigned failed; /* the operation that an error is about */
    unsigned parts;
    struct txn_part part[2 * VM_CHANGES_MAX]; /* and one that is the end     */
    pte_t meaning[VM_CHANGES_MAX];            /* of the first page of each mark's range */
};

static inline struct va_range txn_part_range(const struct txn *txn, unsigned i)
{
    return (struct va_range){txn->part[i].start, txn->part[i + 1].start};
}

/* Makes the parts, and sees what each operation would meet in its turn.  Changes nothing.
 * Errors: ERR_EXIST, ERR_ACCES, ERR_INVAL as vm_cursor_txn; txn->failed says which operation is the
 * first that meets one. */
status_t txn_plan(struct txn *txn);

/* ERR_2BIG: the parts are more work than a transaction may be; their ends are boundaries of
 * entries. */
status_t txn_check_edits(struct txn *txn);
