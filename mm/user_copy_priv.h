/* SPDX-License-Identifier: MIT */
/* What the files of readers and writers share. */
#pragma once

#include "mm/user_copy.h"

/* Steps past what was copied. */
void user_span_advance(struct user_span *span, uint64_t done);

/* An access to va has faulted.  OK: it is worth another try.  ERR_FAULT, ERR_NOMEM: it is not.
 * Context: no lock held, no cursor open. */
status_t user_settle(vaddr_t va, enum vm_access access);
