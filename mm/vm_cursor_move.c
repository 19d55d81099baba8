/* SPDX-License-Identifier: MIT */
/* Cursors: moving. */
#include "cursor_priv.h"
