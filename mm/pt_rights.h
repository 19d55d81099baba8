/* SPDX-License-Identifier: MIT */
/* Changing the rights of the entries of one node, whose lock the caller has. */
#pragma once

#include "pt_node.h"

/* What was done to a part of a node. */
struct pt_rights {
    unsigned end;    /* index of the first page that stops it, or of the part's end   */
    unsigned pages;  /* of RAM that have the rights now, those that had them included */
    unsigned marks;  /* the same of marks                                             */
    unsigned cost;   /* above level 0: what it counts, as vm_cursor_protect says      */
    unsigned stores; /* entries that have changed                                     */
    bool has_taken;  /* hardware could do something with one that it cannot do now    */
    bool is_refused; /* what stopped it is a view, which is never given W             */
};

/* Gives the pages of RAM, hidden ones too, and the marks of a part of a node of level 0 these
 * rights, which map would take or are VM_PROT_NONE; as far as the first page of a region, or view
 * that would get W.  Guards stay.  W on a private page whose frame others have becomes
 * PTE_SW_PENDING. */
struct pt_rights pt_rights_change(struct pt_node *node, struct pt_span span, enum vm_prot prot);

/* The same for one entry of a node above level 0, which is no table.  Its pages count as so many of
 * 4 KiB. */
struct pt_rights pt_rights_change_large(struct pt_node *node, unsigned index, enum vm_prot prot);

/* True if a page or mark of that sort may not have these rights. */
static inline bool pt_rights_are_refused(enum pte_sw sw, enum vm_prot prot)
{
    return sw == PTE_SW_VIEW && (prot & VM_W) != 0;
}
